"""No false alarms, the same answer twice, budgets kept, crashes that are errors."""

import copy
import itertools
import math
import time
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom

from synnodtest import Identity
from synnodtest.detectors.guard import Guard
from synnodtest.engine.engine import Engine
from synnodtest.errors import DetectorError, InvalidEvidence, RecordError
from synnodtest.evidence.ruling import Status
from synnodtest.fuzzing import replay_failure
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.clock import Clock, Pace
from synnodtest.fuzzing.confirm import _p_value, _placements, held_out
from synnodtest.fuzzing.coverage import coverage, coverage_points, never_planted, never_tried
from synnodtest.fuzzing.investigation import Investigation
from synnodtest.fuzzing.judged import Replicate
from synnodtest.fuzzing.places import Places
from synnodtest.fuzzing.shrink import shrink
from synnodtest.fuzzing.sweep import Sweep, scenes_needed, sweep
from synnodtest.planning.difficulty import Dimension, Space, ranged
from synnodtest.planning.example import Example
from synnodtest.ports import Background
from synnodtest.spec.model import Location
from synnodtest.spec.plain import flow
from synnodtest.statistics import clopper_pearson
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.expectations.evidence import trial
from tests.fuzzing.conftest import describe_briefly
from tests.fuzzing.parts import Discs, Held, Holed, Lungs, asked, centre, hunt, noisy, ruling

pytestmark = pytest.mark.usefixtures("briefly_described")
SMALL = "{diameter_mm: [10, 20], contrast: [0.3, 1.0]}"


@pytest.mark.parametrize("seed", range(4))
def test_a_noisy_detector_above_the_rate_ends_in_no_confirmed_counterexample(tmp_path, seed):
    gathered = hunt(tmp_path, Holed(noisy(0.92, seed)), vary=SMALL, examples=12, replicates=5, seed=seed)
    assert ruling(gathered).sentence == "PASSED no confirmed counterexample in 12 examples"
    assert ruling(gathered).status is Status.PASSED


def test_a_region_where_too_many_fail_never_passes(tmp_path, monkeypatch):
    """Three in ten are missed where one in five may be: close to the bound, so FAILED or INCONCLUSIVE.

    Every place is as hard as any other; a search would ease each for hundreds of scenes.
    """
    monkeypatch.setattr("synnodtest.fuzzing.candidates.shrink", lambda space, point, *others: point)
    gathered = hunt(tmp_path, Holed(noisy(0.70)), vary=SMALL, examples=12, replicates=5)
    assert ruling(gathered).status is not Status.PASSED


def test_two_looks_raise_no_more_false_alarms_than_one():
    """A detector exactly at the rate, the least favourable case: 60 trials, and 120 more where those leave it open."""
    first = {x: 2 * binom.cdf(x, 60, 0.8) for x in range(61)}
    alarm = 0.0
    for x, p_value in first.items():
        estimate = clopper_pearson(x, 60)
        if x < 60:
            assert _p_value(estimate, 0.8) == pytest.approx(min(p_value, 1.0))
        later = [] if p_value < 0.05 else [y for y in range(121) if 2 * binom.cdf(x + y, 180, 0.8) < 0.05]
        share = 1.0 if p_value < 0.05 else sum(binom.pmf(y, 120, 0.8) for y in later)
        alarm += binom.pmf(x, 60, 0.8) * share
    assert alarm <= 0.05


def test_a_sweep_clears_only_what_surely_holds():
    estimates = {kept: Sweep(7, 120, kept, clopper_pearson(kept, 120)) for kept in (84, 96, 110)}
    assert {kept: made.clears(0.8) for kept, made in estimates.items()} == {84: False, 96: False, 110: True}
    assert not Sweep(7, 24, 24, clopper_pearson(24, 24)).clears(0.8)


@pytest.mark.parametrize(("rate", "count"), [(0.5, 20), (0.8, 20), (0.5, 90), (0.5, 130)])
def test_failing_examples_that_hold_do_not_hide_one_that_never_does(rate, count):
    examples = [Example.of({"diameter_mm": float(k)}) for k in range(count)]
    backgrounds = [Background(f"b{k}", content=str(k)) for k in range(150)]

    def shown(placements, hole):
        return (Replicate(e, b, {}, 1.0, e != hole) for e, b, _ in placements)

    def swept(hole):
        stage = SimpleNamespace(claim=Claim("detected", {"rate_at_least": rate, "operating_point": 0.25}))
        stage.pool, stage.run_all = lambda example: backgrounds, lambda placements: shown(placements, hole)
        return sweep(stage, examples, 0.05, lambda: False)

    hidden = swept(examples[7])
    assert hidden.estimate.lower > rate
    assert not hidden.clears(rate)
    assert swept(None).clears(rate) is (count * scenes_needed(rate) <= 600)
    assert "of one of them" in hidden.sentence()
    assert ("of one of them" in swept(None).sentence()) is (count == 130)


def test_a_view_that_no_radiograph_has_is_a_gap(tmp_path):
    """Less than half of the examples have no place, and of that view nothing is known."""
    gathered = hunt(tmp_path, Holed(), vary="{diameter_mm: [10, 20], view: [PA, AP, LL]}", examples=24)
    told = ruling(gathered)
    assert told.status is Status.INCONCLUSIVE
    assert "examples with view LL could be planted" in told.sentence
    assert any("of the coverage phase could not be planted" in note for note in told.notes)


def test_what_never_had_a_place_is_told_by_level_and_by_third_of_a_range():
    space = Space((Dimension("margin", levels=("smooth", "lobulated", "spiculated")), ranged("diameter_mm", 10, 40)))
    seen = {(0, 0): "seen", (0, 1000): None, (1, 0): None, (1, 400): None, (2, 500): "seen", (2, 0): None}
    assert list(never_planted(space, seen)) == ["none of 2 examples with margin lobulated could be planted"]
    seen |= {(2, 900): None}
    assert list(never_planted(space, seen))[1] == "none of 2 examples with diameter_mm 10 to 20 could be planted"
    assert not list(never_tried(space, seen))
    (told,) = never_tried(space, {(1, 0): "seen"})
    assert told == "too few examples: none with margin smooth, margin spiculated, diameter_mm 10 to 20 was tried"


def test_few_examples_of_many_parameters_are_no_pass(tmp_path):
    """Half of 6 are for boundary values: most parameters never leave their easy end."""
    vary = "{diameter_mm: [10, 20], contrast: [0.3, 1.0], perturbations: {jpeg: [40, 95], gamma: [0.7, 1.4]}}"
    few, more = (ruling(hunt(tmp_path, Holed(), vary=vary, examples=n, store=f"s{n}")) for n in (6, 60))
    assert few.status is Status.INCONCLUSIVE
    assert "too few examples: none with" in few.sentence
    assert more.status is Status.PASSED


OPTIONAL = Space(
    (
        Dimension("mimic", levels=(None, "clip", "line")),
        ranged("mimic_distance_mm", 10, 60, 60),
        Dimension("companion.present", levels=(False, True)),
        ranged("companion.distance_mm", 14, 60),
        ranged("contrast", 0.2, 1),
    )
)
"""What may be left out, and how far away it is where it is not."""


def test_what_was_left_out_was_not_tried_far_or_near():
    alone = [(0, k, 0, j, i) for k in (0, 1000) for j in (0, 1000) for i in (0, 1000)]
    (told,) = never_tried(OPTIONAL, dict.fromkeys(alone, "seen"))
    assert told.endswith("none with mimic clip, mimic line, mimic_distance_mm 43.4 to 60 and 4 more was tried")
    assert not any("distance" in told for told in never_planted(OPTIONAL, dict.fromkeys(alone)))
    together = [(k, 1000 * j, 1, 1000 * j, 1000 * j) for k in (1, 2) for j in (0, 1)]
    assert not list(never_tried(OPTIONAL, dict.fromkeys([*alone, *together], "seen")))
    assert len({Example.of(OPTIONAL.values(point)).key() for point in alone}) == 2


def test_the_coverage_phase_tries_a_second_nodule_and_a_mimic_near_and_far_at_every_contrast():
    points = coverage_points(OPTIONAL, 500, 0)
    for host, distance in ((0, 1), (2, 3)):
        there = {(p[distance], p[4]) for p in points if p[host]}
        assert there >= {(a, b) for a in (0, 500, 1000) for b in (0, 500, 1000)}
        assert not any(p[distance] for p in points if not p[host])
    assert len({Example.of(OPTIONAL.values(point)).key() for point in points}) == len(points) < 60
    assert coverage(OPTIONAL, points)[0] == 1.0


def test_what_lies_at_a_distance_lies_on_the_radiograph():
    squares = Lungs(1)
    places = Places(squares.load, Location(region=None, at_mm=(56.0, 56.0)))
    (background,) = squares.backgrounds
    rng = np.random.default_rng(0)
    found = [places.near(background, (56.0, 56.0), 56.8, rng) for _ in range(300)]
    assert np.array(found).min() >= 0
    assert np.array(found).max() <= 112
    assert [math.dist(at, (56.0, 56.0)) for at in found] == pytest.approx([56.8] * 300, abs=1.0)


def test_no_example_is_counted_twice_for_how_far_away_something_is_that_it_has_not(tmp_path):
    """Nothing but what is left out can be tried in more than three ways."""
    vary = "{mimic: [clip, line], location: {at_mm: [56, 56]}}"
    gathered = hunt(tmp_path, Holed(), vary=vary, examples=20, more="fixed: {diameter_mm: 12, contrast: 0.5}")
    points = gathered.entry["coverage"]["points"]
    assert sum(gathered.entry["tried"].values()) == 20
    assert [kind for kind, *_ in points].count("left out") == 1


@pytest.fixture(scope="module")
def failure(tmp_path_factory):
    """What a search keeps of nodules of a contrast under 0.6 that are missed."""
    with pytest.MonkeyPatch.context() as patch:
        describe_briefly(patch)
        return hunt(
            tmp_path_factory.mktemp("failure"), Holed(lambda t, _: asked(t, "contrast") < 0.6), vary=SMALL, examples=20
        ).entry


def test_a_walk_that_was_cut_short_does_not_say_what_does_not_matter(failure):
    assert failure["counterexamples"][0]["matters"] == "contrast"
    assert not failure["region"]["complete"]
    assert not failure["region"]["free"]
    assert "matter" not in failure["region"]["sentence"]


@pytest.mark.parametrize(("rate", "verdict"), [(0.9, "FIXED"), (0.77, "FAILED"), (0.2, "FAILED")])
def test_a_replayed_failure_is_fixed_only_where_it_holds_as_often_as_asked(failure, tmp_path, rate, verdict):
    again = Engine(Lungs(66), Discs(), Guard(Holed(noisy(rate, seed=2)), 30.0), Held(tmp_path / "again"))
    found, lines = replay_failure(again, failure)
    assert found == verdict
    assert ("though not surely so" in lines[-1]) is (rate == 0.77)
    again.backgrounds.backgrounds = again.backgrounds.backgrounds[:3]
    with pytest.raises(RecordError, match="is not in the set"):
        replay_failure(again, failure)


@pytest.mark.parametrize(("missed", "verdict"), [(12, "FIXED"), (13, "FAILED")])
def test_a_replayed_failure_that_holds_exactly_as_often_as_asked_is_fixed(failure, tmp_path, missed, verdict):
    shown = itertools.count()
    detector = Guard(Holed(lambda truth, radiograph: next(shown) < missed), 30.0)
    again = Engine(Lungs(66), Discs(), detector, Held(tmp_path / "again"))
    found, (told, *_) = replay_failure(again, {**failure, "trials": failure["trials"][:60]})
    assert (found, told) == (verdict, f"{60 - missed} of 60 scenes keep the claim (asked for: 0.8)")


OTHER, OPEN = "DIFFER from the record: judged on other pictures", "is not shown to be fixed"


@pytest.mark.parametrize("status", ["FAILED", "ERROR"])
def test_on_other_pictures_than_those_that_failed_nothing_is_shown_to_be_fixed(failure, tmp_path, status):
    again = Engine(Lungs(66), Discs(), Guard(Holed(), 30.0), Held(tmp_path / "again"))
    trials = copy.deepcopy(failure["trials"][:10])
    asked_for = {**failure, "status": status, "trials": trials}
    assert replay_failure(again, asked_for)[0] == "FIXED"
    for differing, verdict in enumerate(
        ["FIXED", "FIXED", "INCONCLUSIVE"] if status == "FAILED" else ["INCONCLUSIVE"], 1
    ):
        trials[differing]["scenes"]["example"]["radiograph_sha256"] = "0" * 64
        found, lines = replay_failure(again, asked_for)
        assert found == verdict  # 8 of 10 are asked for, of all for a crash
        assert OTHER in lines[1]
        assert (OPEN in lines[-1]) is (verdict == "INCONCLUSIVE")
    found, lines = replay_failure(again, asked_for, only_rounded=True)
    assert (found, "rounded otherwise" in lines[1]) == ("FIXED", True)


def test_a_failure_on_other_pictures_is_one(failure, tmp_path):
    again = Engine(Lungs(66), Discs(), Guard(Holed(lambda truth, radiograph: True), 30.0), Held(tmp_path / "again"))
    (trial,) = copy.deepcopy(failure["trials"][:1])
    trial["scenes"]["example"]["radiograph_sha256"] = "0" * 64
    found, lines = replay_failure(again, {**failure, "trials": [trial]})
    assert (found, OTHER in lines[1]) == ("FAILED", True)


def test_a_perfect_detector_passes_in_the_prescribed_words(tmp_path):
    gathered = hunt(tmp_path, Holed(), vary=SMALL, examples=12)
    assert ruling(gathered).sentence == "PASSED no confirmed counterexample in 12 examples"
    assert ruling(gathered).components == ()


def test_a_budget_stops_the_search_and_leaves_time_to_confirm(tmp_path):
    slow = Holed(lambda t, _: asked(t, "contrast") < 0.45)
    inner = slow.detect
    slow.detect = lambda radiographs: (time.sleep(0.004 * len(radiographs)), inner(radiographs))[1]
    started = time.perf_counter()
    gathered = hunt(tmp_path, slow, vary=SMALL, examples=5000, more="time_budget: 3s")
    assert time.perf_counter() - started < 3 * 1.1 + 1.3
    assert gathered.entry["stopped"] == "time budget"
    assert "time budget" in ruling(gathered).sentence or ruling(gathered).status is Status.FAILED


def test_the_clock_counts_down():
    now = iter([10.0, 12.0, 15.5])
    clock = Clock(5.0, now=lambda: next(now))
    assert clock.left_s == 3.0
    assert clock.left_s == -0.5


def test_an_interruption_reports_what_was_found_so_far(tmp_path):
    detector = Holed(lambda t, _: asked(t, "contrast") < 0.45)
    inner, calls = detector.detect, []

    def detect(radiographs):
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return inner(radiographs)

    class Plain:
        identity = detector.identity

        def detect(self, radiographs):
            return detect(radiographs)

    gathered = hunt(tmp_path, Plain(), vary=SMALL, guarded=False)
    assert gathered.interrupted
    assert ruling(gathered).status is Status.INCONCLUSIVE
    assert "it was interrupted" in ruling(gathered).sentence


@pytest.mark.parametrize(("misses", "controlled"), [(False, False), (True, True)])
def test_an_interrupted_search_controls_the_edit_where_it_confirmed_something(
    tmp_path, monkeypatch, misses, controlled
):
    """Ctrl-C in what comes after the confirmations; nothing is planted after it for a search that shows nothing."""

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Investigation, "_look_longer", interrupted)
    detector, made = Holed(lambda *_: misses), {"gaussian": Traces()}
    gathered = hunt(tmp_path, detector, vary="{diameter_mm: [10, 20]}", examples=4, synthesizers=made)
    assert gathered.interrupted
    assert ruling(gathered).status is (Status.FAILED if misses else Status.INCONCLUSIVE)
    assert bool(gathered.sham) is controlled


def test_a_crash_is_an_error_with_that_example_shrunk(tmp_path):
    detector = Holed(crashes=lambda t, _: asked(t, "contrast") < 0.45)
    with pytest.raises(DetectorError, match="index out of range") as caught:
        hunt(tmp_path, detector, vary=SMALL, examples=20)
    entry = caught.value.entry
    assert 0.4 <= entry["example"]["contrast"] < 0.45
    assert entry["example"]["diameter_mm"] == 20
    assert entry["trials"]


def test_an_explicit_example_is_tried_first_and_confirmed_as_it_is(tmp_path):
    detector = Holed(lambda t, _: asked(t, "diameter_mm") < 8)
    more = "explicit:\n  - {diameter_mm: 7, contrast: 0.6, place: {height: 0.2}}"
    gathered = hunt(tmp_path, detector, vary=SMALL, examples=4, more=more)
    assert ruling(gathered).status is Status.FAILED
    assert gathered.entry["example"] == {"diameter_mm": 7, "contrast": 0.6, "place": {"height": 0.2}}
    assert gathered.entry["counterexamples"][0]["found_by"] == "explicit"


def test_a_counterexample_that_was_promoted_is_no_further_distinct_failure(tmp_path):
    """The search comes to the same example again: of one confirmation two were told, and each paid for by Holm."""
    detector = Holed(lambda t, _: asked(t, "diameter_mm") < 12)
    first = hunt(tmp_path, detector, vary=SMALL, examples=12).entry
    more = f"explicit:\n  - {flow(first['example'])}"
    again = hunt(tmp_path, detector, vary=SMALL, examples=12, more=more).entry
    assert again["example"] == first["example"]
    assert [one["found_by"] for one in again["counterexamples"]] == ["explicit"]


@pytest.mark.parametrize(
    ("background", "told"),
    [
        (
            "square-000",
            "1 unconfirmed: background square-000, contrast 0.6, diameter 7 mm (0 scenes are too few; it names",
        ),
        (
            "square-040",
            "1 explicit example could not be planted: background square-040, contrast 0.6, diameter 7 mm; it names",
        ),
    ],
)
def test_an_explicit_example_that_names_its_background_cannot_be_confirmed_and_the_remedy_is_told(
    tmp_path, background, told
):
    """One of the search's fails there and none of its scenes is held out; one that is held out is not searched."""
    detector = Holed(lambda t, _: asked(t, "diameter_mm") < 8)
    pinned = f"explicit:\n  - {{diameter_mm: 7, contrast: 0.6, background: {background}}}"
    gathered = hunt(tmp_path, detector, vary=SMALL, examples=4, more=pinned)
    assert ruling(gathered).status is Status.INCONCLUSIVE
    assert told in ruling(gathered).sentence
    assert "is none of a confirmation: leave 'background' out" in ruling(gathered).sentence
    free = pinned.replace(f", background: {background}", "")
    (tmp_path / "free").mkdir()
    assert ruling(hunt(tmp_path / "free", detector, vary=SMALL, examples=4, more=free)).status is Status.FAILED


def test_the_search_may_run_on_another_synthesizer_and_confirms_on_the_one_under_test(tmp_path):
    class Other(GaussianSynthesizer):
        def __init__(self, edge):
            super().__init__(edge=edge)
            self.scenes = 0

        def synthesize(self, scenes, backgrounds):
            self.scenes += len(scenes)
            return super().synthesize(scenes, backgrounds)

    cheap, tested = Other(0.5), Other(0.6)
    detector = Holed(lambda t, _: asked(t, "contrast") < 0.45)
    gathered = hunt(
        tmp_path, detector, vary=SMALL, examples=10, more="search_with: cheap",
        synthesizers={"cheap": cheap, "gaussian": tested},
    )  # fmt: skip
    assert gathered.entry["synthesizer"] == "gaussian"
    assert tested.scenes > 70  # 60 of the confirmation, 10 around it, and the walk to where it holds again
    assert gathered.entry["counterexamples"]
    assert cheap.scenes >= 20


def test_the_synthesizer_under_test_is_seen_where_the_search_with_another_suspects_nothing(tmp_path, monkeypatch):
    class Striped(Discs):
        identity = Identity("striped", "1")

        def _plant(self, pixels, nodule, *others):
            truth = super()._plant(pixels, nodule, *others)
            x, y = (int(edge) for edge in centre(truth))
            pixels[y, x - 2 : x + 2] += 0.3 * np.array([1, -1, 1, -1], dtype=np.float32)
            return truth

    def striped(truth, radiograph):
        x, y = (int(edge) for edge in centre(truth))
        return np.abs(np.diff(radiograph.pixels[y, x - 2 : x + 2])).mean() > 0.3

    spec = {"vary": "{diameter_mm: [10, 20]}", "more": "search_with: cheap\nfixed: {contrast: 0.9}", "examples": 6}
    for tested, status in ((Striped(), Status.FAILED), (Discs(), Status.PASSED)):
        gathered = hunt(
            tmp_path, Holed(striped), synthesizers={"cheap": Discs(), "gaussian": tested},
            store=tested.identity.name, **spec,
        )  # fmt: skip
        assert ruling(gathered).status is status, ruling(gathered).sentence
        assert gathered.evidence["gaussian"].trials
    monkeypatch.setattr(Investigation, "_enough", lambda self: True)
    hurried = hunt(tmp_path, Holed(), synthesizers={"cheap": Discs(), "gaussian": Striped()}, store="hurried", **spec)
    assert ruling(hurried).status is Status.INCONCLUSIVE
    assert "(0 scenes are too few)" in ruling(hurried).sentence


class Traces(Discs):
    """Every edit leaves its mask behind, with a nodule or without; ``far`` changes a corner as well."""

    sham_is_identity = False

    def __init__(self, far=0.0):
        self.identity, self.far = Identity(f"traces {far}", "1"), far

    def _plant(self, pixels, nodule, scene, *others):
        pixels[0, 0] += self.far * scene.sham
        return super()._plant(pixels, nodule, scene, *others)


@pytest.mark.parametrize(
    ("far", "why"), [(0.0, "fires more inside sham edits"), (0.5, "none of 30 sham edits could be used")]
)
def test_a_search_that_finds_nothing_is_no_pass_of_a_detector_that_sees_the_edit(tmp_path, far, why):
    with pytest.raises(InvalidEvidence, match=why):
        hunt(tmp_path, Holed(), vary="{diameter_mm: [10, 20]}", examples=4, synthesizers={"gaussian": Traces(far)})


@pytest.mark.parametrize(
    ("kind", "parameters", "before", "after", "holds"),
    [
        ("invariant", {"margin": 0.2}, 0.9, 0.75, True),
        ("invariant", {"margin": 0.1}, 0.9, 0.75, False),
        ("not_lower", {"max_drop": 0.1}, 0.9, 0.85, True),
        ("not_lower", {"max_drop": 0.1}, 0.9, 0.0, False),
        ("no_reversal", {"max_drop": 0.0}, 0.5, 0.5, True),
        ("no_reversal", {"max_drop": 0.1}, 0.9, 0.7, False),
    ],
)
def test_metamorphic_claims(kind, parameters, before, after, holds):
    claim = Claim(kind, {"operating_point": 0.25, **parameters})
    trials = {arm: trial("b", c, arm=arm) for arm, c in zip(claim.arms, (before, after), strict=True)}
    assert claim.holds(claim.margin(trials)) is holds


@pytest.mark.parametrize(
    ("expect", "vary", "matters"),
    [
        (
            "not_lower: {companion: {diameter_mm: 10, distance_mm: [15, 45]}, max_drop: 0.1}",
            "{diameter_mm: [10, 14]}",
            "companion.distance_mm",
        ),
        ("no_reversal: {over: diameter_mm, factor: 1.5, max_drop: 0.1}", "{diameter_mm: [8, 16]}", "diameter_mm"),
        (
            "invariant: {under: {flip: horizontal}, margin: 0.2}",
            "{diameter_mm: [8, 16], contrast: [0.3, 1.0]}",
            "contrast",
        ),
    ],
)
def test_metamorphic_holes_are_found(tmp_path, expect, vary, matters):
    def misses(truth, radiograph):
        if expect.startswith("not_lower") and len(radiograph.nodules) == 2 and truth.name == "nodule":
            a, b = (np.array(t.requested["centre_mm"]) for t in radiograph.nodules)
            return float(np.hypot(*(a - b))) < 30
        if expect.startswith("no_reversal"):
            return 15 < asked(truth, "diameter_mm") < 20
        if expect.startswith("invariant"):
            mirrored = abs(truth.box[0] + truth.box[2] - 2 * asked_x(truth)) > 1.5
            return mirrored and asked(truth, "contrast") < 0.6
        return False

    def asked_x(truth):
        return float(truth.requested["centre_mm"][0])

    gathered = hunt(tmp_path, Holed(misses), vary=vary, expect=expect, examples=15)
    assert ruling(gathered).status is Status.FAILED
    assert matters in gathered.entry["counterexamples"][0]["matters"]


def test_no_patient_is_in_both_search_and_confirmation():
    backgrounds = [Background(f"b{i}", patient=f"p{i // 3}") for i in range(30)]
    first, held = held_out(backgrounds, 10)
    assert len(first) == 10
    assert not {b.cluster for b in first} & {b.cluster for b in held}
    assert len(held_out(backgrounds[:6], 20)[0]) == 3


def test_the_coverage_phase_visits_every_pair_of_landmarks():
    space = Space((ranged("diameter_mm", 4, 40), ranged("contrast", 0.2, 1), Dimension("view", levels=("PA", "AP"))))
    points = coverage_points(space, 100, 0)
    assert {(p[0], p[1]) for p in points} >= {(a, b) for a in (0, 500, 1000) for b in (0, 500, 1000)}
    assert {(p[1], p[2]) for p in points} >= {(a, b) for a in (0, 500, 1000) for b in (0, 1)}
    assert coverage(space, points)[0] == 1.0
    assert coverage(space, [])[0] == 0.0


def test_a_range_of_a_single_value_is_covered_by_that_value():
    space = Space((ranged("diameter_mm", 12, 12), ranged("contrast", 0.2, 1)))
    assert coverage(space, [(0, k) for k in (0, 500, 1000)]) == (1.0, 3, 3)
    assert coverage(Space(space.dimensions[:1]), [(0,)]) == (1.0, 1, 1)


def test_shrinking_stops_at_the_boundary_from_the_failing_side():
    space = Space((ranged("contrast", 0.0, 1.0), ranged("perturbations.rotate_deg", -10.0, 10.0)))
    seen = []

    def fails(point):
        seen.append(point)
        return point[0] >= 371 and point[1] <= -222

    assert shrink(space, (1000, -1000), fails, lambda: False) == pytest.approx((371, -222), abs=4)
    assert fails(shrink(space, (1000, -1000), fails, lambda: False))
    assert len(seen) < 80


def test_trials_on_few_backgrounds_are_all_different_and_read_each_background_once():
    backgrounds = [Background(f"b{k}") for k in range(7)]
    stage, candidate = SimpleNamespace(pool=lambda example: backgrounds), SimpleNamespace(example=None)
    placements = _placements(stage, candidate, 60, range(6 * 60), 5)
    assert len(set((b.id, number) for _, b, number in placements)) == 360
    first = [b.id for _, b, _ in placements[:60]]
    assert first == sorted(first)
    assert {first.count(f"b{k}") for k in range(5)} == {12}
    alone = [placement[1:] for placement in _placements(stage, candidate, 5, range(8), None)]
    assert alone == [(b, 0) for b in backgrounds] + [(backgrounds[0], 1)]


@pytest.mark.parametrize(("left_s", "most"), [(math.inf, None), (200.0, 60), (60.0, 20), (5.0, 20)])
def test_a_budget_limits_how_many_held_out_radiographs_a_confirmation_reads(left_s, most):
    """Reading takes 1 s, a further scene 0.5 s: a confirmation of 60 scenes and a closer look of 30 take 45 s."""
    pace = Pace()
    pace.note(["a", "b"], 2.0)
    pace.note(["a", "b"], 1.0)
    synthesizer = SimpleNamespace(sham_is_identity=True)
    stage = SimpleNamespace(pace=Pace(), backgrounds=range(80), engine=SimpleNamespace(synthesizer=synthesizer))
    searched = SimpleNamespace(pace=pace)
    investigation = object.__new__(Investigation)
    investigation.setup = SimpleNamespace(
        confirm_stage=stage, search_stage=searched, fuzz=SimpleNamespace(confirm_trials=60, time_budget_s=240.0)
    )
    investigation.clock = SimpleNamespace(left_s=left_s)
    investigation.search = SimpleNamespace(first_failing=0)
    assert investigation._most == most if most != 60 else 100 < investigation._most < 115
    assert investigation._search_enough() == (left_s < 1.3 * (45.0 + 20.0))
    investigation.setup.fuzz.time_budget_s = 100.0
    investigation.clock.left_s = 75.0
    assert not investigation._search_enough()
    investigation.search.first_failing = 3
    assert investigation._search_enough()


@pytest.mark.parametrize(("region", "status"), [("air_leak", Status.INCONCLUSIVE), ("lung", Status.FAILED)])
def test_radiographs_that_do_not_show_the_region_are_no_evidence_of_silence_in_it(tmp_path, region, status):
    vary = "{diameter_mm: [10, 20], location: {region: lung}}"
    gathered = hunt(tmp_path, Holed(), vary=vary, expect=f"silent: {{region: {region}}}", examples=8)
    assert ruling(gathered).status is status
    assert ("could not be planted" in ruling(gathered).sentence) is (region == "air_leak")
