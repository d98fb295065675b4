"""Growth: diameters by the doubling time, priors beside current radiographs, detectors that take pairs, the verdict."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from synnodtest import Finding, Identity, Nodule, Scene
from synnodtest.detectors.guard import Guard
from synnodtest.detectors.pairs import PairDetector, ask
from synnodtest.detectors.resolve import resolve_detector
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Providers
from synnodtest.evidence.arm import PRIOR_ARM
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations import find_check
from synnodtest.planning.growth import before_growth, diameter_before
from synnodtest.planning.variants import variants
from synnodtest.spec import load_spec
from synnodtest.spec.plain import resolved
from synnodtest.store import Store
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.engine.parts import Squares
from tests.expectations.evidence import trial

SPEC = """
synnodtest: 1
behaviours:
  - id: grows
    statement: A nodule that has grown scores higher.
    scenes:
      backgrounds: {set: squares, count: 8}
      nodules:
        - name: index
          diameter_mm: 16
          contrast: 0.8
          growth: {doubling_days: 60, interval_days: 180}
        - {name: other, diameter_mm: 10, contrast: 0.8, location: {region: lung, min_distance_mm: 30}}
      prior_perturbations: {noise: 0.01}
    expect:
      - growth: {at_least: -0.5, of: index}
"""


def test_the_volume_halves_in_a_doubling_time():
    for days in (10.0, 90.0, 365.0):
        assert (16.0 / diameter_before(16.0, days, days)) ** 3 == pytest.approx(2)
        assert (16.0 / diameter_before(16.0, days, 2.5 * days)) ** 3 == pytest.approx(2**2.5)
    assert diameter_before(16.0, 1e5, 180) == pytest.approx(16.0, rel=1e-3)


def test_the_prior_has_the_same_place_seed_and_density_and_what_was_too_small_is_not_in_it():
    grown = Nodule(12, (30, 40), density=1.4, contrast=0.1, seed=7, doubling_days=60, interval_days=180)
    ordered = replace(grown, name="ordered", density=None)
    tiny = replace(grown, name="tiny", interval_days=600)
    stable = Nodule(9, (60, 60), contrast=0.3, name="stable")
    scene = Scene("b", (grown, ordered, tiny, stable), seed=3)
    assert Scene.from_dict(replace(scene, prior=before_growth(scene, ())).as_dict()).prior == before_growth(scene, ())
    prior = {n.name: n for n in before_growth(scene, ()).nodules}
    assert set(prior) == {"nodule", "ordered", "stable"}
    assert prior["stable"] == stable
    assert prior["nodule"] == replace(grown, diameter_mm=6.0, contrast=None, doubling_days=None, interval_days=None)
    assert prior["ordered"].contrast == pytest.approx(0.05)


class Pairs:
    """Keeps what it is given; finds every nodule, at a score that falls where the prior had it too."""

    identity = Identity("pairs", "1")

    def __init__(self):
        self.seen = []

    def detect(self, radiographs):
        return self.detect_pairs(radiographs, [None] * len(radiographs))

    def detect_pairs(self, radiographs, priors):
        self.seen += zip(radiographs, priors, strict=True)
        return [
            [Finding(truth.box, 0.9 if prior is None else 0.5) for truth in radiograph.nodules]
            for radiograph, prior in zip(radiographs, priors, strict=True)
        ]


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(SPEC)
    return load_spec(path)


def ruled(spec, tmp_path, detector, synthesizer=None):
    providers = Providers(
        detector=detector,
        synthesizer=lambda name: synthesizer or GaussianSynthesizer(),
        backgrounds=lambda name, count: Squares(count),
        default_synthesizer="gaussian",
    )
    behaviour = spec.behaviours[0]
    (variant,) = variants(behaviour, behaviour.expectations[0])
    campaign = Campaign(providers, Store(tmp_path / "store"))
    return campaign.gather(behaviour, variant)


def test_a_detector_of_pairs_is_given_the_prior_and_any_other_each_alone(spec, tmp_path):
    pairs = Pairs()
    judged = ruled(spec, tmp_path, Guard(pairs, 60))
    with_prior = [(now, prior) for now, prior in pairs.seen if prior is not None]
    assert len(with_prior) == 8
    assert len(pairs.seen) == 16
    for now, prior in with_prior:
        (index, other), (before, same) = now.nodules, prior.nodules
        assert before.diameter_mm == pytest.approx(8, abs=0.3)
        assert index.diameter_mm == pytest.approx(16, abs=0.3)
        assert np.allclose(index.requested["centre_mm"], before.requested["centre_mm"])
        assert (other.crop == same.crop).all()
        assert prior.background == now.background
        assert now.prior is None, "it comes as an argument of its own"
    part = judged.ruling.components[0]
    assert part.value == pytest.approx(0.5 - 0.9)
    alone = ruled(spec, tmp_path, Guard(Alone(), 60))
    assert alone.ruling.components[0].value == pytest.approx(0)


class Watching(Pairs):
    """Reports nothing."""

    def detect_pairs(self, radiographs, priors):
        return [[] for _ in super().detect_pairs(radiographs, priors)]


class Seamy(GaussianSynthesizer):
    """Says that an edit without a nodule may leave traces, so that the sham control is made."""

    sham_is_identity = False


def test_untouched_backgrounds_and_shams_have_priors_as_the_scenes_have(tmp_path):
    """Else whoever reports something wherever a prior is given, and sees no nodule, tells the scenes from them."""
    path = tmp_path / "s.yaml"
    path.write_text(SPEC.replace("growth: {at_least: -0.5, of: index}", "auc: {at_least: 0.7}"))
    pairs = Watching()
    ruled(load_spec(path), tmp_path, Guard(pairs, 60), Seamy())
    assert len(pairs.seen) == 8 * 3
    assert all(prior is not None for _, prior in pairs.seen)
    bare = [(now, prior) for now, prior in pairs.seen if not prior.nodules]
    assert len(bare) == 8 * 2
    priors = {prior.content_sha256() for _, prior in bare}
    assert len(priors) == 8
    for now, prior in bare:
        assert prior.background == now.background
        noise = prior.pixels - Squares(8).load(next(b for b in Squares(8).backgrounds if b.id == now.background)).pixels
        assert noise.std() == pytest.approx(0.01, rel=0.1)


class Alone:
    identity = Identity("alone", "1")

    def detect(self, radiographs):
        assert all(radiograph.prior is None for radiograph in radiographs)
        return [[Finding(truth.box, 0.9) for truth in radiograph.nodules] for radiograph in radiographs]


def test_pairs_are_found_by_capability(tmp_path):
    (tmp_path / "mine.py").write_text(
        "class D:\n"
        "    def detect(self, radiographs):\n        return [[] for _ in radiographs]\n"
        "    def detect_pairs(self, radiographs, priors):\n"
        "        from synnodtest import Finding\n"
        "        return [[Finding((1, 1, 5, 5), 0.1 if p is None else 0.8)] for p in priors]\n"
        "def make():\n    return D()\n"
        "def plain():\n    return lambda radiographs: [[] for _ in radiographs]\n"
    )
    squares = Squares(2)
    now, before = (squares.load(b) for b in squares.backgrounds)
    mine = resolve_detector("mine.py:make", base=tmp_path)
    assert isinstance(mine.detector, PairDetector)
    (with_prior,), (without,) = mine.detect([replace(now, prior=before), now])
    assert (with_prior.score, without.score) == (0.8, 0.1)
    assert not isinstance(resolve_detector("mine.py:plain", base=tmp_path).detector, PairDetector)
    assert ask(Alone(), [replace(now, prior=before)]) == [[]]


def test_a_program_takes_pairs_where_its_command_has_a_place_for_priors(tmp_path):
    (tmp_path / "p.py").write_text(
        "import json, sys, pathlib\n"
        "given, out, prior = map(pathlib.Path, sys.argv[1:])\n"
        "names = [one['file'] for one in json.loads((given / 'radiographs.json').read_text())]\n"
        "found = {n: [{'box': [1, 1, 5, 5], 'score': 0.9 if (prior / n).exists() else 0.2}] for n in names}\n"
        "out.write_text(json.dumps(found))\n"
    )
    squares = Squares(2)
    now, before = (squares.load(b) for b in squares.backgrounds)
    program = resolve_detector(f"command:{sys.executable} p.py {{in}} {{out}} {{prior}}", base=tmp_path)
    (a,), (b,) = program.detect([replace(now, prior=before), now])
    assert (a.score, b.score) == (0.9, 0.2)


def pair(background, before, after):
    grown = {"diameter_mm": 10.0, "contrast": 0.3, "doubling_days": 100.0}
    now = trial(background, after)
    nodule = replace(now.nodules[0], requested=grown)
    return [replace(now, nodules=(nodule,)), trial(background, before, arm=PRIOR_ARM.of("default"))]


@pytest.mark.parametrize(
    ("before", "after", "parameters", "status"),
    [
        (0.1, 0.9, {"at_least": 0.3}, "PASSED"),
        (0.9, 0.1, {"at_least": 0.3}, "FAILED"),
        (0.9, 0.9, {"at_most": 0.2}, "PASSED"),
        (0.3, 0.9, {"at_most": 0.2}, "FAILED"),
        (0.0, 0.0, {"at_most": 0.2}, "INCONCLUSIVE"),
    ],
)
def test_the_change_is_held_to_its_bound_and_silence_never_passes(before, after, parameters, status):
    trials = [t for i in range(40) for t in pair(f"b{i}", before, after)]
    ruling = find_check("growth").judge(parameters, Evidence(tuple(trials)))
    assert str(ruling.status) == status
    assert ruling.components[0].value == pytest.approx(after - before)
    assert ruling.n_nodules == 40


def test_the_resolved_spec_loads_to_the_same(spec, tmp_path):
    again = tmp_path / "again.yaml"
    again.write_text(resolved(spec))
    assert load_spec(again).sha256 == spec.sha256
    assert json.dumps(resolved(spec)).count("doubling_days") == 1


class Spoiling(GaussianSynthesizer):
    """Draws on a far corner of scenes whose first nodule has one of these sizes."""

    def __init__(self, smallest, largest):
        super().__init__()
        self.sizes = smallest, largest

    def synthesize(self, scenes, backgrounds):
        made = super().synthesize(scenes, backgrounds)
        smallest, largest = self.sizes
        for scene, radiograph in zip(scenes, made, strict=True):
            if scene.nodules and smallest < scene.nodules[0].diameter_mm < largest:
                radiograph.pixels[[0, 0, -1, -1], [0, -1, 0, -1]] += 0.2
        return made


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ((0, 10), "prior: pixels changed far from the nodules"),
        ((10, 30), "pixels changed far from the nodules"),
        ((0, 30), "pixels changed far from the nodules"),
    ],
)
def test_a_scene_is_excluded_with_its_prior_and_a_prior_alone_where_it_is_rejected_itself(
    spec, tmp_path, sizes, reason
):
    (evidence,) = ruled(spec, tmp_path, Guard(Pairs(), 60), Spoiling(*sizes)).evidence.values()
    assert len(evidence.rejected) + len(evidence.trials) == 16
    reasons = {str(t.arm): t.rejected for t in evidence.rejected}
    alone = {"@prior:default": "pixels changed far from the nodules"} if sizes[0] == 0 else {}
    assert reasons == {"default": reason, **alone}
    assert [str(t.arm) for t in evidence.trials] == ([] if alone else ["@prior:default"] * 8)
