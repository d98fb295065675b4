"""The sham control: a detector that reacts to the edit and not to the nodule makes its evidence INVALID."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from synnodtest import Finding, Identity
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Providers
from synnodtest.engine.sham import judge_ranked, judge_sham
from synnodtest.errors import InvalidEvidence
from synnodtest.expectations import Status
from synnodtest.matching import Matching
from synnodtest.planning.variants import variants
from synnodtest.spec import load_spec
from synnodtest.statistics import Estimate, paired_mean, tango
from synnodtest.store import Store
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.engine.parts import Squares
from tests.expectations.evidence import trial

SPEC = """
synnodtest: 1
behaviours:
  - id: found
    statement: s
    scenes:
      backgrounds: {set: squares, count: 30}
      nodules: [{diameter_mm: 20, contrast: 0.9, location: {region: lung}}]
    expect: [sensitivity: {at_least: 0.5}, froc: {at_least: 0.5, at_false_positives_per_image: 1}, auc: {at_least: 0.6}]
"""
SEAM = 0.03


class Seamy:
    """Inpaints: every edit, with a nodule or without, leaves a slightly brighter square."""

    identity = Identity("seamy", "1")
    sham_is_identity = False

    def __init__(self):
        self.shams = 0

    def synthesize(self, scenes, backgrounds):
        made = GaussianSynthesizer().synthesize([replace(scene, sham=False) for scene in scenes], backgrounds)
        self.shams += sum(scene.sham for scene in scenes)
        return [self._seam(*each) for each in zip(scenes, made, backgrounds, strict=True)]

    def _seam(self, scene, radiograph, background):
        pixels = (background if scene.sham else radiograph).pixels.copy()
        for truth in radiograph.nodules:
            x_min, y_min, x_max, y_max = (int(edge) for edge in truth.box)
            pixels[y_min:y_max, x_min:x_max] += SEAM
        return radiograph.with_pixels(pixels)


class Above:
    """Reports the brightest smooth place where it is brighter than a threshold."""

    def __init__(self, threshold, score=0.9, corner=False):
        self.threshold, self.score, self.corner = threshold, score, corner
        self.identity = Identity(f"above {threshold} {score} {corner}", "1")

    def detect(self, radiographs):
        found = []
        for radiograph in radiographs:
            smooth = gaussian_filter(radiograph.pixels, 4.0)
            row, column = np.unravel_index(int(smooth.argmax()), smooth.shape)
            seen = smooth[row, column] > self.threshold
            row, column = (4, 4) if self.corner else (row, column)
            found.append([Finding((column - 3.0, row - 3.0, column + 4.0, row + 4.0), self.score)] if seen else [])
        return found


class Everywhere:
    identity = Identity("everywhere", "1")

    def detect(self, radiographs):
        grid = [(float(x), float(y)) for x in range(0, 120, 8) for y in range(0, 120, 8)]
        return [[Finding((x, y, x + 8, y + 8), 0.9) for x, y in grid] for _ in radiographs]


@pytest.fixture
def gathered(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(SPEC)
    behaviour = load_spec(path).behaviours[0]
    every = [variant for asked in behaviour.expectations for variant in variants(behaviour, asked)]

    def gather(detector, behaviour=behaviour, variant=every[0]):
        synthesizer = Seamy()
        providers = Providers(detector, lambda name: synthesizer, lambda name, wanted: Squares(wanted), "seamy")
        campaign = Campaign(providers, Store(tmp_path / "store"), seed=3)
        made = campaign.gather(behaviour, variant)
        return made.sham["seamy"], made.ruling, campaign.cost(behaviour, variant)

    gather.behaviour, gather.variants = behaviour, {one.expectation.kind: one for one in every}
    return gather


def test_a_detector_that_sees_the_edit_is_invalid_and_not_passed(gathered):
    with pytest.raises(InvalidEvidence, match="sham control: INVALID the detector fires more inside sham edits"):
        gathered(Above(0.3 + SEAM / 2))


@pytest.mark.parametrize(
    ("kind", "corner", "where"),
    [("froc", False, "inside sham edits than at the same places untouched"),
     ("auc", True, "on radiographs with sham edits than on untouched ones")],
)  # fmt: skip
def test_scores_below_the_operating_point_are_asked_about_where_they_are_ranked(gathered, kind, corner, where):
    """And findings anywhere where images are ranked and hardly any nodule is hit."""
    ranked = gathered.variants[kind]
    with pytest.raises(InvalidEvidence, match=f"INVALID the detector fires more {where}: excess 1.00"):
        gathered(Above(0.3 + SEAM / 2, 0.1, corner), variant=ranked)
    sham, ruling, _ = gathered(Above(0.3 + 3 * SEAM, 0.1, corner), variant=ranked)
    assert (sham.status, sham.n00, ruling.status) == ("PASSED", 30, Status.PASSED)


class Both:
    """What two detectors report."""

    def __init__(self, *detectors):
        self.detectors, self.identity = detectors, Identity("both", " ".join(d.identity.name for d in detectors))

    def detect(self, radiographs):
        return [[*a, *b] for a, b in zip(*(d.detect(radiographs) for d in self.detectors), strict=True)]


@pytest.mark.parametrize("always", [0.0, 0.5])
def test_an_area_under_the_curve_that_the_edit_earns_beside_hits_is_invalid(gathered, always):
    """Whatever else is found everywhere, half as loud."""
    sight, noise = Above(0.3 + 3 * SEAM, 0.2), Above(0.0, always, corner=True)
    ranked = gathered.variants["auc"]
    with pytest.raises(InvalidEvidence, match="fires more on radiographs with sham edits than on untouched ones"):
        gathered(Both(Both(sight, noise), Above(0.3 + SEAM / 2, 0.9, corner=True)), variant=ranked)
    sham, ruling, _ = gathered(Both(Above(0.3 + 3 * SEAM, 0.9), noise), variant=ranked)
    assert (sham.status, ruling.status) == ("PASSED", Status.PASSED)


def test_loud_findings_everywhere_do_not_hide_a_reaction_in_the_masks(gathered):
    """Though hardly any nodule is hit, and the reaction is what hits it."""
    trials = [trial(f"b{k}", 0.9 if k < 3 else 0.0, false_positives=[0.8]) for k in range(30)]
    sham = [trial(f"b{k}", 0.9, false_positives=[0.8]) for k in range(30)]
    plain = [trial(f"b{k}", false_positives=[0.8]) for k in range(30)]
    assert judge_ranked(sham, plain, trials, 0.25, Matching(), 0.05).status == "INVALID"


def test_a_detector_that_sees_the_nodule_alone_is_judged(gathered):
    sham, ruling, cost = gathered(Above(0.3 + 3 * SEAM))
    assert (sham.mode, sham.status, sham.n00) == ("inpaint", "PASSED", 30)
    assert ruling.status is Status.PASSED
    assert cost == (90, 90)  # nodules, shams and untouched backgrounds, all of them finished


def test_a_sequential_run_has_its_control_on_the_backgrounds_that_it_used(gathered):
    early = replace(gathered.behaviour, sampling=replace(gathered.behaviour.sampling, sequential=True))
    with pytest.raises(InvalidEvidence, match="fires more inside sham edits"):
        gathered(Above(0.3 + SEAM / 2), early)
    sham, ruling, _ = gathered(Above(0.3 + 3 * SEAM), early)
    assert ruling.status is Status.PASSED
    assert (sham.status, sham.n00) == ("PASSED", 16)  # two looks of eight; the rest of thirty is not made


def test_firing_everywhere_is_no_reaction_to_the_edit(gathered):
    sham, _, _ = gathered(Everywhere())
    assert (sham.status, sham.n11, sham.n10) == ("PASSED", 30, 0)


def test_a_control_of_which_every_edit_is_excluded_is_none(gathered, monkeypatch):
    def spoiled(self, scene, radiograph, background):
        pixels = (background if scene.sham else radiograph).pixels.copy()
        pixels[[0, 0, -1, -1], [0, -1, 0, -1]] += 0.5 * scene.sham  # one corner is far from any nodule
        return radiograph.with_pixels(pixels)

    monkeypatch.setattr(Seamy, "_seam", spoiled)
    with pytest.raises(InvalidEvidence, match="none of 30 sham edits could be used: pixels changed far"):
        gathered(Above(0.3 + 3 * SEAM))


def pairs(edited, plain):
    """Sham edits and untouched backgrounds, of which the first so many fire at the nodule's place."""
    return (
        [trial(f"b{i}", 0.9 * (i < edited), arm="@sham") for i in range(30)],
        [replace(trial(f"b{i}", 0.9 * (i < plain)), nodules=()) for i in range(30)],
    )


@pytest.mark.parametrize(
    ("edited", "plain", "status"), [(5, 0, "INVALID"), (4, 0, "PASSED"), (9, 9, "PASSED"), (0, 9, "PASSED")]
)
def test_invalid_where_tangos_lower_bound_of_the_excess_is_above_a_twentieth(edited, plain, status):
    matching = Matching.from_dict({"criterion": "centre-in-nodule", "tolerance_mm": 5})
    sham = judge_sham(*pairs(edited, plain), 0.25, matching, 0.05)
    assert sham.status == status
    assert (sham.estimate.lower > 0.05) is (status == "INVALID")
    assert sham.n10 - sham.n01 == edited - plain


@pytest.mark.parametrize(("lower", "status"), [(0.0496, "PASSED"), (0.05, "PASSED"), (0.0504, "INVALID")])
def test_a_bound_of_the_excess_is_not_printed_at_or_across_what_is_allowed(monkeypatch, lower, status):
    monkeypatch.setattr(
        "synnodtest.engine.sham.tango", lambda *_, **__: Estimate(0.2, lower, 1.0, method="given", n=30)
    )
    sham = judge_sham(*pairs(3, 0), 0.25, Matching.from_dict({"criterion": "centre-in-nodule"}), 0.05)
    assert sham.status == status
    printed = float(sham.sentence.partition("lower bound ")[2].partition(",")[0])
    assert (printed > 0.05, printed < 0.05) == (lower > 0.05, lower < 0.05)


def test_without_an_edit_there_is_no_control():
    assert judge_sham([], [], 0.25, Matching.from_dict({"criterion": "centre-in-nodule"}), 0.05).status == "NOT NEEDED"


@pytest.mark.parametrize(("left", "status"), [(15, "PASSED"), (14, "INVALID")])
def test_few_sham_edits_do_not_speak_for_a_majority_that_was_excluded(left, status):
    matching = Matching.from_dict({"criterion": "centre-in-nodule", "tolerance_mm": 5})
    edited, plain = pairs(0, 0)
    spoilt = [t if k < left else replace(t, rejected="pixels changed far") for k, t in enumerate(edited)]
    made = judge_sham(spoilt, plain, 0.25, matching, 0.05)
    assert made.status == status
    assert ("only 14 of 30 sham edits could be used: pixels changed far" in made.sentence) is (left == 14)


CENTRE = Matching.from_dict({"criterion": "centre-in-nodule", "tolerance_mm": 5})


@pytest.mark.parametrize(("score", "cells"), [(0.24, (0, 0, 0, 30)), (0.25, (3, 9, 0, 18))])
def test_only_findings_at_the_operating_point_count_as_firing(score, cells):
    def at(side):
        for one in side:
            made = [replace(s, finding=replace(s.finding, score=score)) for s in one.sightings]
            yield replace(one, sightings=tuple(made))

    edited, plain = (list(at(side)) for side in pairs(12, 3))
    made = judge_sham(edited, plain, 0.25, CENTRE, 0.05)
    assert (made.n11, made.n10, made.n01, made.n00) == cells
    told = made.as_dict()
    assert (told["n"], told["n10"], told["status"]) == (30, cells[1], "INVALID" if score == 0.25 else "PASSED")
    assert told["estimate"]["lower"] == made.estimate.lower
    words = "fires more inside sham edits than" if score == 0.25 else "does not react to the edit"
    assert words in made.sentence
    assert made.sentence.endswith(" on 30 backgrounds")


def test_pairs_need_both_radiographs_and_one_edit_of_several_is_enough():
    edited, plain = pairs(30, 0)
    spoilt = [*plain[2:], replace(plain[0], rejected="no lung")]
    other = trial("x", 0.0, name="other").nodules[0]
    away = replace(other, truth=replace(other.truth, origin=(60, 60)))
    two = [replace(t, nodules=(away, *t.nodules)) for t in edited]
    made = judge_sham(two, spoilt, 0.25, CENTRE, 0.05)
    assert (made.n11, made.n10, made.n01, made.n00) == (0, 28, 0, 0)


def test_edits_of_one_patient_are_one_cluster():
    edited, plain = ([replace(t, cluster=f"p{i // 3}") for i, t in enumerate(side)] for side in pairs(20, 4))
    made = judge_sham(edited, plain, 0.25, CENTRE, 0.05)
    shifts = [float(i < 20) - float(i < 4) for i in range(30)]
    want = paired_mean(shifts, [i // 3 for i in range(30)], guarded=True)
    assert (made.estimate.value, made.estimate.lower) == (want.value, want.lower)


@pytest.mark.parametrize("alpha", [0.01, 0.2])
@pytest.mark.parametrize("of_one", [1, 3])
def test_the_bounds_have_the_error_rate_of_the_behaviour_and_every_pair_is_counted(alpha, of_one):
    edited = [trial(f"b{i}", 0.9 * (i < 12), arm="@sham", cluster=f"p{i // of_one}") for i in range(30)]
    plain = [replace(trial(f"b{i}", 0.9 * (9 <= i < 14)), nodules=()) for i in range(30)]
    made = judge_sham(edited, plain, 0.25, CENTRE, alpha)
    shifts = [float(i < 12) - float(9 <= i < 14) for i in range(30)]
    clusters = [i // of_one for i in range(30)]
    want = tango(3, 9, 2, 16, alpha=alpha) if of_one == 1 else paired_mean(shifts, clusters, alpha=alpha, guarded=True)
    assert (made.estimate.lower, made.estimate.upper) == (want.lower, want.upper)
    told = made.as_dict()
    assert (told["n11"], told["n10"], told["n01"], told["n00"], told["n"]) == (3, 9, 2, 16, 30)
    assert told["estimate"] == {"value": want.value, "lower": want.lower, "upper": want.upper}
    assert judge_sham([], [], 0.25, CENTRE, alpha).as_dict()["estimate"] is None
