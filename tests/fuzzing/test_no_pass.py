"""What stands between a search and a pass: every gap alone, every suspicion; numbers keep their side in print."""

import math
import re
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
from scipy.stats import beta, binom

from synnodtest import Finding
from synnodtest.evidence.chance import BARE, EXCHANGED, MIRRORED
from synnodtest.evidence.ruling import Status
from synnodtest.expectations.claim import BASE, ClaimKind, Searched
from synnodtest.fuzzing.candidates import Candidates
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.confirm import Confirmation, _p_value, confirm, decide, longer, rate_of
from synnodtest.fuzzing.control import Control, responds
from synnodtest.fuzzing.failures import Failures
from synnodtest.fuzzing.investigation import Investigation
from synnodtest.fuzzing.judged import Judged, Replicate
from synnodtest.fuzzing.report import entry_of
from synnodtest.fuzzing.ruling import Findings, gaps_of, ruling_of
from synnodtest.fuzzing.search import Search
from synnodtest.fuzzing.stage import Stage
from synnodtest.fuzzing.sweep import Sweep, sweep
from synnodtest.matching import Matching
from synnodtest.planning.difficulty import Space, ranged
from synnodtest.planning.example import Example
from synnodtest.planning.recipe import Recipe
from synnodtest.ports import Background
from synnodtest.spec import load_spec
from synnodtest.statistics import Estimate
from tests.expectations.evidence import trial
from tests.fuzzing.parts import SPEC, Holed, Lungs, asked, centre, hunt, ruling

RATE = 0.8
CLAIM = SimpleNamespace(rate=RATE, point=0.25, criterion=lambda: "every nodule is found")
SPACE = Space((ranged("diameter_mm", 10, 40),))
EXAMPLE = Example.of({"diameter_mm": 12.0})


def bound(lower):
    return Estimate(0.9, lower, 1.0, method="given", n=100)


CLEARED, NOT_CLEARED = Sweep(3, 120, 110, bound(0.85)), Sweep(3, 120, 100, bound(0.75))
LEFT = [Judged(EXAMPLE, (), 0.0, -0.25, fails=True)]
HELD, SILENT = Control(30, 30, bound(0.9)), Control(8, 30, bound(0.2))


def of_pixels(*arms):
    """What came of an example whose scenes have these pixels, by arm."""
    trials = {name: SimpleNamespace(radiograph_sha256=sha) for name, sha in enumerate(arms)}
    return Judged(EXAMPLE, (Replicate(EXAMPLE, Background("b"), trials, 1.0, True),), 1.0, 1.0, fails=False)


SEEN = of_pixels("one")


def search(**changed):
    whole = {"stopped": "examples", "covered": True, "phases": {"coverage": 10, "hypothesis": 10}, "unplaced": 0}
    judged = {(0,): SEEN, (1000,): SEEN}
    return SimpleNamespace(
        **whole | {"space": SPACE, "judged": judged, "left_out": [], "explicit": [], "tried": 20} | changed
    )


@pytest.mark.parametrize(
    ("changed", "held_out", "control", "findings", "gap"),
    [
        ({}, 2, None, {}, ""),
        ({}, 2, HELD, {}, ""),
        ({"stopped": "time budget"}, 2, None, {}, ""),
        ({"stopped": "space exhausted"}, 2, None, {}, ""),
        ({"covered": False}, 2, None, {}, "the coverage phase was not gone through"),
        ({"stopped": "interrupted"}, 2, None, {}, "not all was tried"),
        ({"unplaced": 10}, 2, None, {}, ""),
        ({"unplaced": 11}, 2, None, {}, "11 of 21 examples of the coverage phase could not be planted"),
        ({"judged": {(0,): SEEN}}, 2, None, {}, "too few examples: none with diameter_mm 10 to 20 was tried"),
        ({"judged": {(0,): SEEN, (900,): None, (1000,): None}}, 2, None, {}, "none of 2 examples with diameter_mm"),
        ({"left_out": [EXAMPLE]}, 2, None, {}, "1 explicit example could not be planted: diameter 12 mm"),
        ({"judged": {(0,): of_pixels("a", "a"), (1000,): of_pixels("b", "b")}}, 2, HELD, {}, "compared with itself"),
        ({"judged": {(0,): of_pixels("a", "a"), (1000,): of_pixels("b", "c")}}, 2, HELD, {}, ""),
        ({}, 1, None, {}, "radiographs of 1 patient are left for a confirmation, 2 are needed"),
        ({}, 2, SILENT, {}, "control: 8 of 30 easy nodules found"),
        ({}, 2, None, {"open": LEFT}, "1 failing example not followed up, the easiest: diameter 12 mm"),
        ({}, 2, None, {"open": LEFT, "swept": CLEARED}, ""),
        ({}, 2, None, {"swept": NOT_CLEARED}, "100 of 120 fresh scenes of 3 failing examples hold"),
    ],
)  # fmt: skip
def test_every_gap_alone_keeps_a_search_from_passing(changed, held_out, control, findings, gap):
    gone, found = search(**changed), Findings(None, **findings)
    gaps = gaps_of(gone, held_out, control, found, RATE)
    assert len(gaps) == bool(gap)
    assert all(gap in told for told in gaps)
    ruling = ruling_of(CLAIM, gone, found, 0.05, {}, gaps)
    assert ruling.status is (Status.INCONCLUSIVE if gap else Status.PASSED)
    assert all(told in ruling.sentence for told in gaps)


# --- candidates -----------------------------------------------------------------------------------------------------


def candidate(holding, n=60, complete=True):
    trials = [SimpleNamespace(holds=i < holding, background=Background(f"b{i}", content=str(i))) for i in range(n)]
    estimate = rate_of(trials, 0.05)
    p_value = _p_value(estimate, RATE)
    return Confirmation(
        SimpleNamespace(example=EXAMPLE, matters=()), tuple(trials), estimate, p_value, complete=complete
    )


@pytest.mark.parametrize("others", [0, 2])
@pytest.mark.parametrize("holding", range(30, 61))
def test_a_candidate_is_what_the_binomial_says_of_its_sixty_trials(holding, others):
    """Two looks and Holm of one or three: the least p-value times two times the number of candidates."""
    first, *_ = decide([candidate(holding), *[candidate(60)] * others], RATE, 0.05)
    surely_below = 2 * (1 + others) * binom.cdf(holding, 60, RATE) < 0.05
    lower = beta.ppf(0.05, holding, 61 - holding)
    assert first.confirmed is bool(surely_below)
    assert first.refuted is bool(lower > RATE)
    assert first.suspicious is (not surely_below and holding < RATE * 60)
    status = Status.FAILED if surely_below else Status.INCONCLUSIVE if holding < 48 else Status.PASSED
    assert ruling_of(CLAIM, search(), Findings(None, [first]), 0.05, {}, []).status is status


@pytest.mark.parametrize("holding", [0, 50, 60])
def test_a_confirmation_that_was_cut_short_neither_confirms_nor_refutes(holding):
    (made,) = decide([candidate(holding, complete=False)], RATE, 0.05)
    assert (made.confirmed, made.refuted, made.suspicious) == (False, False, True)
    assert ruling_of(CLAIM, search(), Findings(None, [made]), 0.05, {}, []).status is Status.INCONCLUSIVE


class Planted:
    """A stage on which every third trial cannot be planted, and the claim holds where ``holds`` says."""

    claim, matching = CLAIM, Matching()

    def __init__(self, holds, count=30, lost=3):
        self.backgrounds = [Background(f"b{k}", content=str(k)) for k in range(count)]
        self.holds, self.lost, self.asked = holds, lost, []

    def pool(self, example):
        return self.backgrounds

    def run_all(self, spots):
        for example, background, number in spots:
            self.asked.append((background.id, number))
            if self.lost and len(self.asked) % self.lost == 0:
                continue
            yield Replicate(example, background, {}, 1.0, self.holds(example, background, number))

    def run(self, example, where):
        return self.run_all((example, background, number) for background, number in where)

    def unplanted(self, evidence):
        return dict.fromkeys([MIRRORED, EXCHANGED, BARE], evidence)


@pytest.mark.parametrize(("lost", "complete"), [(0, True), (3, True), (1, False)])
def test_trials_that_cannot_be_planted_are_made_up_for_at_most_as_often_as_there_are_trials(lost, complete):
    stage = Planted(lambda *_: True, lost=lost)
    made = confirm(stage, SimpleNamespace(example=EXAMPLE), 60, 0.05, lambda: False)
    assert made.complete is complete
    assert len(made.replicates) == (60 if complete else 0)
    assert len(set(stage.asked)) == len(stage.asked) <= 120


@pytest.mark.parametrize("lost", [0, 3])
def test_a_longer_look_repeats_no_trial_and_is_dropped_where_time_ends_it(lost):
    stage = Planted(lambda e, background, number: int(background.id[1:]) % 4 > 0, lost=lost)
    first = confirm(stage, SimpleNamespace(example=EXAMPLE), 60, 0.05, lambda: False)
    asked = len(stage.asked)
    assert longer(stage, first, 0.05, lambda: len(stage.asked) > asked + 50) == first
    del stage.asked[asked:]
    second = longer(stage, first, 0.05, lambda: False)
    assert len(second.replicates) == 180
    assert len(set(stage.asked)) == len(stage.asked)
    assert len(stage.asked) == 180 or lost
    assert second.p_value <= first.p_value


def test_fewer_than_sixty_trials_settle_nothing():
    stage = Planted(lambda *_: False, lost=0)
    cases = {n: confirm(stage, SimpleNamespace(example=EXAMPLE), n, 0.05, lambda: False) for n in (59, 60)}
    assert {n: made.surely(RATE, 0.05) for n, made in cases.items()} == {59: False, 60: True}


# --- failures of earlier runs ---------------------------------------------------------------------------------------


def test_what_is_no_point_among_stored_failures_is_passed_over(tmp_path):
    kept = Failures(tmp_path, {}, "detected", SPACE)
    kept.save((400,))
    kept.save((30,))
    (folder,) = [file.parent for file in tmp_path.glob("*/*") if file.read_bytes() == b"[400]"]
    texts = ["", "[" * 100_000, "[[1]]", "[1001]", "[-1]", "[1, 2]", "[true]", "[1e400]", '{"0": 1}']
    for number, data in enumerate([b"\xff\xfe", *map(str.encode, texts)]):
        (folder / f"rubbish-{number}").write_bytes(data)
    assert kept.points() == [(30,), (400,)]
    assert not Failures(tmp_path, {}, "silent", SPACE).points()


def test_what_fails_or_is_suspected_is_kept_for_later_searches_and_what_holds_is_forgotten(tmp_path):
    failures = Failures(tmp_path, {}, "detected", SPACE)
    for point in ((100,), (200,), (300,)):
        failures.save(point)
    judged = {(100,): replace(LEFT[0], fails=False), (200,): LEFT[0]}
    outcomes = {(400,): candidate(0), (500,): candidate(45), (600,): candidate(60)}
    gone = object.__new__(Investigation)
    gone.setup, gone.search = SimpleNamespace(failures=failures), SimpleNamespace(judged=judged)
    found = [replace(one, candidate=SimpleNamespace(point=point)) for point, one in outcomes.items()]
    found.append(replace(candidate(0), candidate=SimpleNamespace(point=None)))
    gone._so_far = Findings(None, decide(found, RATE, 0.05))
    gone._keep()
    assert set(failures.points()) == {(200,), (300,), (400,), (500,)}


def test_the_counterexample_that_is_shown_is_the_surest_of_those_confirmed():
    found = decide([candidate(60), candidate(30), candidate(5), candidate(20)], RATE, 0.05)
    assert Findings(None, found).first is found[2]
    assert Findings(None, found[:1]).first is None


# --- silence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("found", "passed"), [(9, False), (11, True), (12, True), (30, True)])
def test_the_silence_control_asks_thirty_scenes_on_as_many_patients(found, passed):
    stage = Planted(lambda e, background, number: int(background.id[1:]) < found, count=40, lost=0)
    made = responds(stage, EXAMPLE, 0.05, lambda: False)
    assert (made.found, made.scenes) == (found, 30)
    assert len({name for name, _ in stage.asked}) == 30
    assert made.passed is bool(beta.ppf(0.05, found, 31 - found) > 0.2) is passed


@pytest.mark.parametrize(("by_noise", "passed"), [(0.0, True), (0.49, True), (0.5, False), (1.0, False)])
def test_easy_nodules_that_are_found_by_marking_everything_are_no_control(by_noise, passed):
    control = Control(30, 30, bound(0.9), by_noise)
    assert control.passed is passed
    assert ("sight or noise cannot be told" in control.sentence()) is not passed


def test_the_silence_control_on_few_radiographs_repeats_no_scene_and_ends_with_the_time():
    stage = Planted(lambda *_: True, count=4, lost=0)
    assert responds(stage, EXAMPLE, 0.05, lambda: len(stage.asked) >= 2).scenes == 2
    assert not responds(Planted(lambda *_: True, count=0), EXAMPLE, 0.05, lambda: False).passed
    del stage.asked[:]
    assert responds(stage, EXAMPLE, 0.05, lambda: False).scenes == len(set(stage.asked)) == 30


def test_a_detector_that_is_always_silent_does_not_pass_for_its_silence(tmp_path):
    vary = "{perturbations: {jpeg: [60, 100]}}"
    gathered = hunt(tmp_path, Holed(lambda *_: True), vary=vary, expect="silent: {rate_at_least: 0.8}", examples=6)
    assert ruling(gathered).status is Status.INCONCLUSIVE
    assert "control: 0 of 30 easy nodules found" in ruling(gathered).sentence


def test_the_silence_control_plants_the_nodule_alone_where_no_second_one_fits_at_the_easiest_distance(tmp_path):
    """From the middle of a lung of 80 x 80 mm no place of it is 60 mm away."""
    gathered = hunt(
        tmp_path,
        Holed(),
        vary="{diameter_mm: [10, 16], contrast: [0.5, 1.0]}",
        expect="not_lower: {companion: {diameter_mm: 12, distance_mm: [20, 60]}, max_drop: 0.1}",
        examples=30,
    )
    assert "30 of 30 easy nodules found" in ruling(gathered).figure["control"]
    assert ruling(gathered).status is Status.PASSED, ruling(gathered).sentence


class Scaled(Holed):
    """Its scores are a share of those of a detector that loses one nodule of two."""

    def __init__(self, scale, of_two):
        super().__init__(
            lambda truth, radiograph: len(radiograph.nodules) > 1 and of_two, name=f"scaled {scale}{of_two}"
        )
        self.scale = scale

    def _one(self, radiograph):
        return [Finding(found.box, self.scale * found.score) for found in super()._one(radiograph)]


@pytest.mark.usefixtures("briefly_described")
@pytest.mark.parametrize(
    ("scale", "of_two", "status"), [(0.1, True, "INCONCLUSIVE"), (1.0, True, "FAILED"), (1.0, False, "PASSED")]
)
def test_scores_so_low_that_the_loss_of_every_nodule_is_no_fall_survive_no_search(tmp_path, scale, of_two, status):
    gathered = hunt(
        tmp_path,
        Scaled(scale, of_two),
        vary="{diameter_mm: [10, 16], contrast: [0.5, 1.0]}",
        expect="not_lower: {companion: {diameter_mm: 12, distance_mm: [20, 40]}, max_drop: 0.2, operating_point: 0.05}",
        examples=30 if status == "PASSED" else 12,
    )
    assert ruling(gathered).status.name == status, ruling(gathered).sentence
    told = "their confidence, 0.09, leaves no room for a fall of 0.2"
    assert (told in ruling(gathered).sentence) is (status == "INCONCLUSIVE")


# --- the sweep ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("examples", "backgrounds"), [(60, 60), (10, 10), (7, 60), (4, 2)])
def test_a_sweep_spreads_every_example_over_patients(examples, backgrounds):
    stage = Planted(lambda *_: True, count=backgrounds, lost=0)
    wanted = [Example.of({"diameter_mm": float(k)}) for k in range(examples)]
    seen, inner = {}, stage.run_all
    stage.run_all = lambda spots: inner(seen.setdefault(spot[0].key(), []).append(spot[1:]) or spot for spot in spots)
    made = sweep(stage, wanted, 0.05, lambda: False)
    assert made.scenes == 120
    assert made.rate == RATE
    for spots in seen.values():
        assert len({b.id for b, _ in spots}) == min(len(spots), backgrounds)
        assert len({(b.id, number) for b, number in spots}) == len(spots)


@pytest.mark.parametrize("everywhere", [True, False])
def test_failing_examples_that_no_confirmation_took_up_are_swept_on_other_patients(tmp_path, monkeypatch, everywhere):
    """Faint ones are missed on the radiographs of the search, which are the first six, or on all of them."""
    monkeypatch.setattr(Candidates, "distinct", lambda self: iter(()))

    def misses(truth, radiograph):
        return asked(truth, "contrast") < 0.6 and (everywhere or int(radiograph.background[-3:]) < 6)

    gathered = hunt(tmp_path, Holed(misses), vary="{diameter_mm: [10, 20], contrast: [0.3, 1.0]}", examples=16)
    *_, came = zip(*gathered.entry["coverage"]["points"], strict=True)
    told = f"of {came.count('fails')} failing examples hold"
    assert told in gathered.entry["swept"]
    assert ruling(gathered).status is (Status.INCONCLUSIVE if everywhere else Status.PASSED)
    assert (told in ruling(gathered).sentence) is everywhere
    assert gathered.entry["example"]["contrast"] < 0.6


# --- in print -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lower", "passed"), [(0.7996, False), (0.8, False), (0.8004, True)])
def test_bounds_of_sweep_and_control_are_not_printed_at_or_across_what_they_are_held_against(lower, passed):
    swept = Sweep(7, 120, 101, bound(lower), rate=0.8)
    control = Control(9, 30, bound(round(lower - 0.6, 6)))
    assert swept.clears(0.8) is control.passed is passed
    for told, least in ((swept.sentence(), 0.8), (control.sentence(), 0.2)):
        (printed,) = re.findall(r"lower bound (\d\.\d+)", told)
        assert (float(printed) > least) is passed


def test_an_explicit_example_that_cannot_be_planted_is_not_counted_as_tried():
    stage = SimpleNamespace(judge=lambda example: None if example == EXAMPLE else Judged(example, (), 1.0, 1.0, False))
    gone = Search(stage, Space(()), lambda point: Example.of({}), 5, 0, lambda: False)
    gone.run([EXAMPLE, Example.of({"diameter_mm": 9.0})], [])
    assert gone.phases == {"explicit": 1, "coverage": 1}
    assert gone.left_out == [EXAMPLE]


def test_the_first_example_that_failed_is_counted_among_those_that_could_be_planted():
    made = {0: None, 400: True, 700: False, 1000: False}
    stage = SimpleNamespace(judge=lambda k: None if made.get(k) is None else Judged(k, (), 0.0, 1.0, not made[k]))
    gone = Search(stage, SPACE, lambda point: point[0], 5, 0, lambda: False)
    for k in made:
        gone._try((k,), "stored")
    assert gone.phases == {"stored": 3}
    assert gone.first_failing == 2


def test_a_level_that_was_tried_once_and_had_no_place_is_a_gap_as_well(tmp_path):
    """The space has three points, and no radiograph has the third view."""
    more = "fixed: {contrast: 0.9, diameter_mm: 20}"
    gathered = hunt(tmp_path, Holed(), vary="{view: [PA, AP, LL], location: {at_mm: [56, 56]}}", examples=8, more=more)
    assert ruling(gathered).status is Status.INCONCLUSIVE
    assert "none of 1 example with view LL could be planted" in ruling(gathered).sentence


@pytest.mark.usefixtures("briefly_described")
def test_lungs_that_touch_on_the_first_radiograph_do_not_hide_the_left_one_of_the_others(tmp_path, monkeypatch):
    class Touching(Lungs):
        def load(self, background):
            radiograph = super().load(background)
            lung = radiograph.regions["lung"].copy()
            lung[60:70] |= background is self.backgrounds[0]
            return replace(radiograph, regions={"lung": lung})

    monkeypatch.setattr("tests.fuzzing.parts.Lungs", Touching)
    gathered = hunt(tmp_path, Holed(lambda truth, radiograph: centre(truth)[0] > 60), parts=2, examples=20)
    assert ruling(gathered).status is Status.FAILED, ruling(gathered).sentence
    assert gathered.entry["example"]["place"]["part"] == 1


@pytest.mark.usefixtures("briefly_described")
def test_a_detector_that_misses_pairs_does_not_pass_where_no_close_pair_was_tried(tmp_path):
    def misses(truth, radiograph):
        places = [centre(nodule) for nodule in radiograph.nodules]
        return len(places) > 1 and math.dist(*places) < 30

    second = "companion: {diameter_mm: [8, 12], distance_mm: [14, 60]}"
    vary = f"{{diameter_mm: [10, 16], contrast: [0.4, 1.0], {second}, location: {{region: lung}}}}"
    assert ruling(hunt(tmp_path, Holed(misses), vary=vary, examples=12)).status is not Status.PASSED


def test_a_sham_edit_has_neither_nodule_nor_distractor_and_there_is_one_per_radiograph_with_a_nodule():
    nodule, mimic = SimpleNamespace(name="nodule"), SimpleNamespace(name="distractor")
    backgrounds = [Background(f"b{k}") for k in range(3)]
    plain = [Recipe("found", b, BASE, 0, (), (), perturbations=("jpeg",)) for b in backgrounds]
    made = {"b0": [replace(plain[0], nodules=(nodule,), mimics=(mimic,))], "b1": [plain[1]], "b2": []}
    stage = object.__new__(Stage)
    stage._recipes, stage._trials = lambda example, background, number: made[background.id], lambda recipes: recipes
    ([sham], [untouched]) = stage.sham([(EXAMPLE, b, number) for b in backgrounds for number in range(2)])
    assert (sham.background.id, sham.arm, sham.sham, sham.nodules) == ("b0", "@sham", True, (nodule,))
    assert (sham.mimics, sham.perturbations) == ((), ())
    assert (untouched.background.id, untouched.nodules, untouched.mimics) == ("b0", (), ())


@pytest.mark.usefixtures("briefly_described")
@pytest.mark.parametrize(("missed", "status"), [("companion", Status.FAILED), ("nodule", Status.PASSED)])
def test_a_claim_of_the_second_nodule_is_asked_of_scenes_that_have_one(tmp_path, missed, status):
    vary = "{companion: {diameter_mm: 10, distance_mm: [15, 45]}}"
    asked = {"vary": vary, "expect": "detected: {of: companion, rate_at_least: 0.8}", "examples": 24}
    gathered = hunt(tmp_path, Holed(lambda truth, _: truth.name == missed), **asked)
    assert ruling(gathered).status is status, ruling(gathered).sentence
    assert {d["name"] for d in gathered.entry["space"]} >= {"companion.distance_mm", "place.height"}


def test_a_scene_without_the_judged_nodule_tells_nothing_of_what_is_asked_of_it():
    claim = Claim("invariant", {"of": "companion", "operating_point": 0.25, "margin": 0.1})
    assert not claim.tells({BASE: trial("b0", 0.9)})
    assert Claim("invariant", {"operating_point": 0.25, "margin": 0.1}).tells({BASE: trial("b0", 0.9)})
    assert Claim("silent", {"operating_point": 0.25}).tells({BASE: replace(trial("b0", 0.9), nodules=())})


def test_a_replay_judges_by_every_parameter_of_a_claim_also_of_an_installed_package(monkeypatch, tmp_path):
    @dataclass(frozen=True)
    class Scored(Searched):
        least: float = 0.1

    kind = ClaimKind("scored", "It scores.", Scored, lambda p, trials: trials[BASE] - p.least, lambda p: "it scores")
    monkeypatch.setattr("synnodtest.fuzzing.claims.find_claim", lambda name: kind)
    path = tmp_path / "spec.yaml"
    asked = {"vary": "{diameter_mm: [10, 20]}", "expect": "detected: {rate_at_least: 0.8}", "more": ""}
    path.write_text(SPEC.format(examples=4, replicates=2, **asked))
    behaviour = load_spec(path).behaviours[0]
    given = {"operating_point": 0.3, "rate_at_least": 0.6, "least": 0.7, "under": object(), "alpha": 0.1, "gate": None}
    variant = SimpleNamespace(id="scored", parameters=given, expectation=SimpleNamespace(kind="scored"))
    kept = entry_of(behaviour, variant, "gaussian", EXAMPLE, [])["parameters"]
    assert kept == {"operating_point": 0.3, "rate_at_least": 0.6, "least": 0.7, "alpha": 0.1}
    claim = Claim("scored", kept)
    assert [claim.holds(claim.margin({BASE: score})) for score in (0.69, 0.7)] == [False, True]
