"""A campaign plans by itself whatever an expectation needs, and makes shared scenes once."""

from dataclasses import replace

import numpy as np
import pytest

from synnodtest import Finding, Identity
from synnodtest.engine.bare import shown_bare
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Providers
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.expectations import Status
from synnodtest.matching import Matching
from synnodtest.planning.variants import variants
from synnodtest.spec import load_spec
from synnodtest.store import Store
from tests.engine.parts import Bright, Counting, Squares

SPEC = """
synnodtest: 1
behaviours:
  - id: b
    statement: s
    sampling: {sampling}
    scenes:
      backgrounds: {{set: squares, count: {count}}}
      nodules:
        - {{name: index, diameter_mm: {{uniform: [14, 20]}}, contrast: 0.9, location: {{region: lung}}}}
      {more}
    expect:
{expect}
"""
ARMS = "arms: {plain: {}, turned: {perturbations: [{rotate_deg: {uniform: [-9, 9]}}, {noise: 0.01}]}}"


class Half(Bright):
    """Finds the brightest place of the left half alone."""

    def detect(self, radiographs):
        found = super().detect(radiographs)
        half = radiographs[0].shape[1] / 2
        return [[f for f in fs if f.centre[0] < half] for fs in found]


class Everywhere:
    identity = Identity("everywhere", "1")

    def detect(self, radiographs):
        return [[Finding((1.0, 1.0, 9.0, 9.0), 0.9)] for _ in radiographs]


class Halves(Squares):
    """Squares with a region beside the lung."""

    def load(self, background):
        radiograph = super().load(background)
        half = np.zeros(radiograph.shape, dtype=bool)
        half[20:108, 64:108] = True
        return replace(radiograph, regions={**radiograph.regions, "right_lung": half})


def campaign_of(tmp_path, expect, count, sets=Squares):
    """A campaign on a set, and the behaviour and variant of one expectation."""
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "s.yaml"
    path.write_text(SPEC.format(expect=f"      - {expect}", more="", count=count, sampling="{}"))
    behaviour = load_spec(path).behaviours[0]
    [variant] = variants(behaviour, behaviour.expectations[0])
    providers = Providers(Bright(), lambda name: Counting(), lambda name, wanted: sets(wanted), "gaussian")
    return Campaign(providers, Store(tmp_path / "store")), behaviour, variant


@pytest.fixture
def judged(tmp_path):
    def judge(*expect, detector=None, more="", count=40, sampling="{}"):
        path = tmp_path / "s.yaml"
        lines = "\n".join(f"      - {text}" for text in expect)
        path.write_text(SPEC.format(expect=lines, more=more, count=count, sampling=sampling))
        behaviour = load_spec(path).behaviours[0]
        synthesizer = Counting()
        providers = Providers(
            detector or Bright(), lambda name: synthesizer, lambda name, wanted: Squares(wanted), "gaussian"
        )
        campaign = Campaign(providers, Store(tmp_path / "store"), seed=3)
        rulings = []
        for expectation in behaviour.expectations:
            for variant in variants(behaviour, expectation):
                gathered = campaign.gather(behaviour, variant)
                rulings.append((gathered, gathered.ruling))
        return rulings, synthesizer

    return judge


FLIP = "invariant: {under: {flip: horizontal}, margin: 0.3}"


def test_invariance_plans_the_perturbed_arm_by_itself_and_costs_no_synthesis(judged):
    [(gathered, ruling)], synthesizer = judged(FLIP)
    trials = gathered.evidence["gaussian"].trials
    assert {t.arm for t in trials} == {"default", "@under:default"}
    assert synthesizer.scenes == 40
    assert ruling.status is Status.PASSED
    plain, flipped = (next(t for t in trials if t.arm == arm) for arm in ("default", "@under:default"))
    (a, b), width = (t.nodules[0].truth.box for t in (plain, flipped)), plain.shape[1]
    assert (b[0], b[2]) == (width - a[2], width - a[0])


def test_an_arm_under_a_flip_is_compared_with_itself(judged):
    more = ARMS
    rulings, _ = judged(
        "invariant: {under: {flip: horizontal}, arm: plain, margin: 0.02, metric: confidence}",
        more=more,
        detector=Half(),
        count=20,
    )
    evidence = rulings[0][0].evidence["gaussian"]
    assert {t.arm for t in evidence.trials} == {"plain", "turned", "@under:plain", "@under:turned"}
    assert rulings[0][1].n_nodules == 20
    assert rulings[0][1].status is Status.INCONCLUSIVE


def test_untouched_backgrounds_carry_the_perturbations_of_the_arm_that_is_judged(judged):
    rulings, _ = judged(
        "specificity: {arm: turned, at_least: 0.5}",
        "equivalent: {arm: turned, reference: plain, metric: specificity, margin: 0.2}",
        more=ARMS,
        detector=Everywhere(),
        count=20,
    )
    (alone, first), (both, second) = rulings
    arms = {t.arm for t in alone.evidence["gaussian"].trials}
    assert arms == {"@untouched:turned"}
    turned = next(t for t in alone.evidence["gaussian"].trials)
    own = next(t for t in both.evidence["gaussian"].trials if t.arm == "turned" and t.background == turned.background)
    assert turned.scene.perturbations == own.scene.perturbations
    assert {t.arm for t in both.evidence["gaussian"].trials} == {"plain", "turned", "@untouched:turned", "@untouched"}
    assert first.status is Status.FAILED
    assert second.status is Status.INCONCLUSIVE  # equal, but the detector finds no nodule


def test_the_auc_sets_scenes_against_untouched_backgrounds(judged):
    [(gathered, ruling)], _ = judged("auc: {at_least: 0.8}")
    assert {t.arm for t in gathered.evidence["gaussian"].trials} == {"default", "@untouched"}
    assert ruling.status is Status.PASSED


def test_every_expectation_of_the_language_can_be_judged(judged):
    rulings, synthesizer = judged(
        "sensitivity: {at_least: 0.5, operating_point: [0.1, 0.2]}",
        "detected: {rate_at_least: 0.5}",
        "specificity: {at_least: 0.1}",
        "false_positives_per_image: {at_most: 3}",
        "correlation: {over: diameter_mm, at_least: -0.9}",
        "size_at_sensitivity: {at_most: 19}",
        "superior: {arm: plain, reference: turned}",
        "non_inferior: {arm: plain, reference: turned, margin: 0.3}",
        "parity: {across: {diameter_mm: [14, 17, 20]}, margin: 0.3}",
        "froc: {at_least: 0.1}",
        "average_precision: {at_least: 0.1}",
        "calibration: {at_most: 0.9}",
        "localization: {metric: iou, at_least: 0.1}",
        more=ARMS,
        count=20,
    )
    assert len(rulings) == 14
    assert synthesizer.scenes == 20  # both arms share the synthesized scene
    for _, ruling in rulings:
        assert ruling.sentence.startswith(ruling.status)
        assert np.isfinite(ruling.components[0].bound)


def test_copies_of_one_radiograph_under_many_names_are_one_background_and_never_pass(tmp_path):
    """Forty files, two pictures: a detector that finds everything has shown it on two radiographs."""

    class Copies(Squares):
        def __init__(self, count):
            super().__init__(count)
            self.backgrounds = tuple(
                replace(b, content=self.backgrounds[i % 2].content) for i, b in enumerate(self.backgrounds)
            )

    campaign, behaviour, variant = campaign_of(tmp_path, "sensitivity: {at_least: 0.5}", 40, Copies)
    ruling = campaign.gather(behaviour, variant).ruling
    assert (ruling.n_nodules, ruling.n_clusters, ruling.components[0].value) == (40, 2, 1.0)
    assert ruling.status is Status.INCONCLUSIVE


@pytest.mark.parametrize("lacking", [0, 3])
def test_backgrounds_that_a_set_lacks_are_counted_as_not_made(tmp_path, lacking):
    class Few(Squares):
        def __init__(self, count):
            super().__init__(count - lacking)

    campaign, behaviour, variant = campaign_of(tmp_path, "sensitivity: {at_least: 0.5}", 5, Few)
    (evidence,) = campaign.gather(behaviour, variant).evidence.values()
    told = {"the set has 2 of the 5 backgrounds asked for": 3} if lacking else {}
    assert (dict(evidence.shortfall), len(evidence.trials)) == (told, 5 - lacking)


@pytest.mark.parametrize("lacking", [0, 4, 5])
def test_a_region_that_some_backgrounds_lack_is_told_and_one_that_all_lack_is_no_evidence(tmp_path, lacking):
    class Patchy(Squares):
        def load(self, background):
            radiograph = super().load(background)
            there = int(background.id.removeprefix("square-")) >= lacking
            return radiograph if there else replace(radiograph, regions={"rib": radiograph.regions["lung"]})

    campaign, behaviour, variant = campaign_of(tmp_path, "sensitivity: {at_least: 0.5}", 5, Patchy)
    if lacking == 5:
        with pytest.raises(InvalidEvidence, match="no background of the set 'squares' has the region 'lung'"):
            campaign.gather(behaviour, variant)
        return
    (evidence,) = campaign.gather(behaviour, variant).evidence.values()
    told = {"the background has no region 'lung'": lacking} if lacking else {}
    assert (dict(evidence.shortfall), len(evidence.trials)) == (told, 5 - lacking)


def test_a_check_that_breaks_is_a_fault_of_the_harness(judged):
    with pytest.raises(SynnodError, match="absent_module"):
        judged("python: absent_module:check", count=2)


SEQUENTIAL = "{sequential: true, max_scenes: 400}"


def test_a_sequential_run_gathers_no_more_than_it_needs(judged):
    [(gathered, ruling)], synthesizer = judged("sensitivity: {at_least: 0.5}", count=200, sampling=SEQUENTIAL)
    evidence = gathered.evidence["gaussian"]
    assert ruling.status is Status.PASSED
    assert synthesizer.scenes == len(evidence.trials) == 8
    assert len(evidence.order) == 200
    assert [t.cluster for t in evidence.trials] == list(evidence.order[:8])
    assert list(evidence.order) != sorted(evidence.order)


def test_the_order_of_a_sequential_run_is_fixed_and_its_cap_counts_scenes(judged):
    capped = "{sequential: true, max_scenes: 21}"
    text = "non_inferior: {arm: plain, reference: turned, margin: 0.05}"
    [(first, ruling)], _ = judged(text, more=ARMS, count=50, sampling=capped)
    [(second, _)], _ = judged(text, more=ARMS, count=50, sampling=capped)
    assert first.evidence["gaussian"].order == second.evidence["gaussian"].order
    assert len(first.evidence["gaussian"].trials) == 20
    assert ruling.status is Status.INCONCLUSIVE


def test_the_order_of_a_sequential_run_hangs_on_the_names_of_its_backgrounds_and_not_on_theirs_in_the_set(tmp_path):
    class Turned(Squares):
        def __init__(self, count):
            super().__init__(count)
            self.backgrounds = self.backgrounds[::-1]

    orders = []
    for name, sets in (("one", Squares), ("other", Turned)):
        campaign, behaviour, variant = campaign_of(tmp_path / name, "sensitivity: {at_least: 0.5}", 20, sets)
        early = replace(behaviour, sampling=replace(behaviour.sampling, sequential=True))
        (evidence,) = campaign.gather(early, variant).evidence.values()
        orders.append(evidence.order)
    assert orders[0] == orders[1]
    assert len(orders[0]) == 20  # without max_scenes there is no cap


def test_a_cap_that_a_background_reaches_exactly_holds_it(judged):
    capped = "{sequential: true, max_scenes: 3}"
    [(gathered, _)], _ = judged("sensitivity: {at_least: 0.5}", count=5, sampling=capped)
    assert len(gathered.evidence["gaussian"].order) == 3


def test_a_sequential_run_refuses_what_it_cannot_stop(judged):
    with pytest.raises(SynnodError, match="cannot judge 'froc'"):
        judged("froc: {at_least: 0.5}", count=2, sampling=SEQUENTIAL)
    with pytest.raises(SynnodError, match="max_scenes"):
        judged("superior: {arm: plain, reference: turned}", more=ARMS, count=2, sampling=SEQUENTIAL.replace("400", "1"))


def test_the_cost_of_an_item_counts_its_groups_and_what_is_finished(tmp_path):
    campaign, behaviour, variant = campaign_of(tmp_path, "auc: {at_least: 0.5}", 5)
    assert campaign.cost(behaviour, variant) == (10, 0)
    campaign.gather(behaviour, variant)
    assert campaign.cost(behaviour, variant) == (10, 10)


def test_behaviours_of_one_name_and_scenes_in_two_specs_each_have_the_regions_that_they_test(tmp_path):
    silence = "no_detection: {region: right_lung, at_most: 0.9}"
    campaign, plain, _ = campaign_of(tmp_path, "sensitivity: {at_least: 0.5}", 20, Halves)
    _, silent, variant = campaign_of(tmp_path, silence, 20, Halves)
    (first,) = variants(plain, plain.expectations[0])
    assert (plain.id, plain.scenes) == (silent.id, silent.scenes)
    campaign.gather(plain, first)
    alone = campaign_of(tmp_path / "alone", silence, 20, Halves)[0]
    assert campaign.gather(silent, variant).ruling == alone.gather(silent, variant).ruling


class Named(Counting):
    """The same synthesizer under a name of its own."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    identity = property(lambda self: Identity(self.name, "1"))


def test_a_behaviour_that_names_synthesizers_is_judged_on_each_of_them_and_one_that_names_none_on_the_usual(tmp_path):
    _, behaviour, variant = campaign_of(tmp_path, "sensitivity: {at_least: 0.5}", 20)
    made = {}
    providers = Providers(
        Bright(), lambda name: made.setdefault(name, Named(name)), lambda name, wanted: Squares(wanted), "usual"
    )
    campaign = Campaign(providers, Store(tmp_path / "store"))
    gathered = campaign.gather(replace(behaviour, synthesizers=("one", "other")), variant)
    assert {name: one.scenes for name, one in made.items()} == {"one": 20, "other": 20}
    trials = {name: evidence.trials for name, evidence in gathered.evidence.items()}
    assert {name: {t.synthesizer for t in of} for name, of in trials.items()} == {"one": {"one"}, "other": {"other"}}
    assert len({t.scene_id for of in trials.values() for t in of}) == 40
    assert gathered.ruling.status is Status.PASSED
    assert [note.partition(":")[0] for note in gathered.ruling.notes][-2:] == ["one", "other"]
    usual = campaign.gather(behaviour, variant)
    assert list(usual.evidence) == ["usual"]
    assert usual.ruling == usual.rulings["usual"]


@pytest.mark.parametrize(
    ("expect", "most", "asked"),
    [("sensitivity: {at_least: 0.5}", 12, 12), ("sensitivity: {at_most: 0.5}", 0, 12), ("froc: {at_least: 0.5}", 0, 0)],
)
def test_the_scenes_that_are_shown_again_without_nodules_are_counted_before_the_run(tmp_path, expect, most, asked):
    campaign, behaviour, variant = campaign_of(tmp_path, expect, 12)
    assert campaign.most_bare(behaviour, variant) == most
    (evidence,) = campaign.gather(behaviour, variant).evidence.values()
    shown, engine, detector = [], campaign.engine(behaviour, "gaussian"), campaign.providers.detector
    seen = detector.detect
    detector.detect = lambda radiographs: shown.extend(radiographs) or seen(radiographs)
    shown_bare(engine, campaign.backgrounds(behaviour), evidence, Matching())
    assert len(shown) == asked  # a curve was shown them as untouched ones
    assert not any(radiograph.nodules for radiograph in shown)


class Elsewhere:
    """Makes the scenes by a campaign of its own over the same store, as workers of a cluster do."""

    def __init__(self, providers, store):
        self.campaign = Campaign(providers, store)

    def finish(self, source, recipes):
        yield sum(1 for _ in self.campaign.engine_on(source).run(recipes))

    def close(self):
        pass


def test_scenes_that_workers_make_are_not_counted_as_taken_from_the_cache(tmp_path):
    counted = []
    for count, place in ((4, "a"), (6, "b")):  # the second run finds four of its six in the store
        alone, behaviour, variant = campaign_of(tmp_path / place, "sensitivity: {at_least: 0.5}", count)
        store = Store(tmp_path / "shared")
        campaign = Campaign(alone.providers, store, executor=Elsewhere(alone.providers, store))
        campaign.gather(behaviour, variant)
        counted.append(campaign.tally().from_cache)
    serial, behaviour, variant = campaign_of(tmp_path / "c", "sensitivity: {at_least: 0.5}", 4)
    serial.gather(behaviour, variant)
    assert counted == [serial.tally().from_cache, 4]
