"""Ways in which a verdict could come out PASSED without evidence, each of them closed."""

import math
from dataclasses import replace

import numpy as np
import pytest

from synnodtest import Finding, Truth
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.evidence.regions import shown_name
from synnodtest.evidence.ruling import Component
from synnodtest.evidence.sightings import Sighting
from synnodtest.evidence.trial import NoduleTrial
from synnodtest.expectations import Ruling, Status, find_check
from synnodtest.planning.control import with_controls
from synnodtest.radiograph import Radiograph
from synnodtest.statistics import clopper_pearson, count_rate
from tests.expectations.evidence import MASK, evidence, trial

SIZES = (5.0, 8.0, 12.0, 16.0, 20.0)
LEAK = {"region": "air_leak", "at_most": 0.1}


def judge(kind, parameters, trials):
    return find_check(kind).judge(parameters, evidence(trials))


def silent(backgrounds=60):
    for i in range(backgrounds):
        yield from (trial(f"b{i}", 0.0, diameter_mm=d, levels={"diameter_mm": d}) for d in SIZES)
        yield trial(f"b{i}", arm="@untouched")


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("auc", {"at_least": 0.3}),
        ("correlation", {"over": "diameter_mm", "at_least": -0.5}),
        ("monotone", {"over": "diameter_mm", "min_spearman": -0.5, "max_drop": 0.5}),
    ],
)
def test_silence_does_not_pass_a_bound_that_a_constant_score_satisfies(kind, parameters):
    ruling = judge(kind, parameters, list(silent()))
    assert ruling.components[0].status is Status.PASSED
    assert ruling.status is Status.INCONCLUSIVE
    assert "sensitivity" in ruling.sentence


def images(shown, hidden):
    """Images of which some show an air leak and some do not, a silent detector, and a control that finds all."""
    of = frozenset({"lung", shown_name("air_leak")})
    inside = [trial(f"b{i}", 0.0, regions=of if i < shown else frozenset({"lung"})) for i in range(shown + hidden)]
    return inside + [trial(f"b{i}", 0.9, arm="@outside") for i in range(shown + hidden)]


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("sensitivity", {"at_least": 0}),
        ("afroc", {"at_least": 0}),
        ("correlation", {"over": "diameter_mm", "at_least": -1}),
        ("monotone", {"over": "diameter_mm", "min_spearman": -1, "max_drop": 1}),
    ],
)
def test_a_bound_at_the_end_of_its_scale_which_nothing_breaks_is_noted_in_the_ruling(kind, parameters):
    upside_down = [
        trial(f"b{i}", 1 - d / 20, diameter_mm=d, levels={"diameter_mm": d}, false_positives=(1.0,))
        for i in range(20)
        for d in SIZES
    ] + [trial(f"b{i}", arm="@untouched", false_positives=(1.0,)) for i in range(20)]
    for trials in (upside_down, silent(20)):
        ruling = judge(kind, parameters, list(trials))
        assert ruling.status is not Status.FAILED
        assert any("the end of its scale" in note for note in ruling.notes)
    tight = {name: 0.01 if isinstance(bound, int) else bound for name, bound in parameters.items()}
    ruling = judge(kind, tight, upside_down)
    assert not any("the end of its scale" in note for note in ruling.notes)


def test_images_without_the_region_are_no_evidence_of_silence_in_it():
    assert judge("no_detection", LEAK, images(60, 0)).status is Status.PASSED
    ruling = judge("no_detection", LEAK, images(20, 40))
    assert ruling.status is Status.INCONCLUSIVE
    assert ruling.n_nodules == 20
    assert "40 images show nothing of the region" in ruling.notes[0]


def test_a_region_that_no_image_shows_is_invalid():
    with pytest.raises(InvalidEvidence, match="none of 60 images shows"):
        judge("no_detection", LEAK, images(0, 60))


@pytest.mark.parametrize(("leak", "shown"), [("there", True), ("empty", False), ("unknown", False)])
def test_a_radiograph_says_whether_it_shows_the_region_under_test(leak, shown):
    lung = np.zeros((20, 20), bool)
    lung[2:18, 2:18] = True
    masks = {"there": lung & (np.arange(20) > 12), "empty": lung & False}
    regions = {"lung": lung} | ({"air_leak": masks[leak]} if leak in masks else {})
    made = with_controls(Radiograph(np.zeros((20, 20), np.float32), (1.0, 1.0), regions), ("air_leak",))
    assert (shown_name("air_leak") in made.regions) is shown


def test_excluded_control_scenes_count_as_missed():
    kept = [trial(f"b{i}", 0.0) for i in range(60)] + [trial(f"b{i}", 0.9, arm="@outside") for i in range(6)]
    assert judge("no_detection", LEAK, kept).status is Status.PASSED
    lost = [trial(f"b{i}", 0.0, arm="@outside", rejected="contrast") for i in range(6, 60)]
    ruling = judge("no_detection", LEAK, kept + lost)
    assert ruling.status is Status.INCONCLUSIVE
    assert "54 excluded scenes" in ruling.sentence


def test_an_excluded_scene_does_not_count_as_a_loud_image():
    """A pretended false positive would be the loudest finding of the image, and raise the area it should lower."""
    trials = [t for i in range(40) for t in (trial(f"b{i}", 0.9), trial(f"b{i}", arm="@untouched"))]
    assert judge("auc", {"at_least": 0.75}, trials).status is Status.PASSED
    ruling = judge("auc", {"at_least": 0.75}, trials + [trial(f"x{i}", 0.9, rejected="contrast") for i in range(40)])
    assert ruling.status is Status.INCONCLUSIVE
    assert "image-level AUC 0.75" in ruling.notes[-1]


def test_no_alarm_on_few_patients_with_many_images_says_no_more_than_the_patients():
    quiet = count_rate(np.zeros(60), np.repeat(np.arange(20), 3), seed=0)
    assert quiet.upper == pytest.approx(3 * (1 - 0.05 ** (1 / 20)))
    assert count_rate(np.zeros(60), np.arange(60), seed=0).upper == pytest.approx(-np.log(0.05) / 60)


def test_patients_that_fire_on_all_their_images_rarely_pass_at_the_bound():
    rng, passed = np.random.default_rng(5), 0
    for _ in range(200):
        fires = np.repeat(rng.random(20) < 0.05, 3).astype(float)
        passed += count_rate(fires, np.repeat(np.arange(20), 3), seed=0, resamples=200).upper < 0.05
    assert passed / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_the_few_hits_of_a_nearly_silent_detector_do_not_speak_for_its_boxes():
    ruling = judge("localization", {"at_least": 0.25}, [trial(f"b{i}", 0.9 * (i < 8)) for i in range(100)])
    assert ruling.components[0].status is Status.PASSED
    assert ruling.status is Status.INCONCLUSIVE
    assert "sensitivity 0.08" in ruling.sentence


def test_average_precision_of_a_detector_with_one_score_is_its_precision_wherever_its_false_positives_lie():
    """Half of its findings are wrong; those on untouched radiographs stood behind all hits of the same score."""
    trials = [
        one
        for i in range(60)
        for one in (trial(f"b{i}", 1.0), trial(f"b{i}", arm="@untouched", false_positives=[1.0] * (i < 59)))
    ]
    ruling = judge("average_precision", {"at_least": 0.6}, trials)
    assert ruling.components[0].value == pytest.approx(60 / 119)
    assert ruling.status is Status.FAILED


def test_average_precision_is_shown_no_better_than_the_share_of_nodules_found():
    """19 of 20 found, no false positive: the exact lower bound of the share is 0.784, the bootstrap's alone 0.80.

    A simulation of 220 runs (30 backgrounds of 2 nodules, ICC 0.4) passes a detector at the bound 9% of the time by the
    bootstrap alone and 3% with both guards.
    """
    trials = [t for i in range(20) for t in (trial(f"b{i}", 0.9 * (i > 0)), trial(f"b{i}", arm="@untouched"))]
    ruling = judge("average_precision", {"at_least": 0.79}, trials)
    assert ruling.components[0].lower < clopper_pearson(19, 20).lower
    assert ruling.status is Status.INCONCLUSIVE


def test_a_pass_on_less_than_was_planned_says_what_was_not_made():
    kept = evidence([trial(f"b{i}", 0.9) for i in range(5)], shortfall={"no region 'hilar'": 35})
    ruling = find_check("sensitivity").judge({"at_least": 0.5}, kept)
    assert ruling.status is Status.PASSED
    assert ruling.notes == ("not made: 35 x no region 'hilar'",)


def grown(i, prior, rejected=""):
    now = trial(f"b{i}", 0.9)
    nodule = replace(now.nodules[0], requested={**now.nodules[0].requested, "doubling_days": 100.0})
    return [replace(now, nodules=(nodule,)), trial(f"b{i}", prior, arm="@prior:default", rejected=rejected)]


def test_excluded_priors_count_against_growth():
    """20 pairs grow by 0.8; the priors of 40 more were excluded, and may have been as loud as their currents."""
    pairs = [t for i in range(20) for t in grown(i, 0.1)]
    assert judge("growth", {"at_least": 0.3}, pairs).status is Status.PASSED
    lost = [t for i in range(20, 60) for t in grown(i, 0.1, rejected="diameter")]
    ruling = judge("growth", {"at_least": 0.3}, pairs + lost)
    assert ruling.status is Status.INCONCLUSIVE
    assert "40 excluded scenes" in ruling.sentence
    assert f"{(20 * 0.8 - 40 * 0.1) / 60:.2f}" in ruling.notes[-1]


@pytest.mark.parametrize(("alone", "status"), [(40, Status.PASSED), (41, Status.INCONCLUSIVE)])
def test_growth_of_few_does_not_speak_for_a_majority_without_a_prior(alone, status):
    pairs = [t for i in range(40) for t in grown(i, 0.1)]
    currents = [grown(i, 0.1)[0] for i in range(40, 40 + alone)]
    ruling = judge("growth", {"at_least": 0.3}, pairs + currents)
    assert ruling.status is status
    assert ("41 of 81 nodules that grow have no prior" in ruling.sentence) is (alone == 41)


def test_excluded_scenes_are_as_loud_as_the_loudest_finding_of_a_detector_whose_scores_exceed_1():
    """Confidences in percent, equal in both arms; of 30 excluded scenes each could have fallen from 100 to 0."""
    confidence = {"arm": "a", "reference": "r", "metric": "confidence", "margin": 5.0}
    arms = [trial(f"b{i}", 90.0 + i % 7, arm=arm) for i in range(300) for arm in "ar"]
    lost = [trial(f"x{i}", 90.0, arm=arm, rejected="contrast") for i in range(30) for arm in "ar"]
    assert judge("non_inferior", confidence, arms).status is Status.PASSED
    assert judge("non_inferior", confidence, arms + lost).status is Status.INCONCLUSIVE


def test_scores_in_percent_pass_what_the_same_scores_as_shares_pass():
    """20 equal pairs: 1 - 0.05**(1/20) of further backgrounds could fall by all that there is to fall."""

    def lower(scale):
        trials = [trial(f"b{i}", 0.9 * scale, arm=arm) for i in range(20) for arm in "ar"]
        parameters = {"arm": "a", "reference": "r", "metric": "confidence", "margin": 0.2 * scale}
        return judge("non_inferior", parameters, trials).components[0].lower / scale

    assert lower(100.0) == pytest.approx(-0.9 * (1 - 0.05 ** (1 / 20)))
    assert lower(1.0) == pytest.approx(-(1 - 0.05 ** (1 / 20)))


def test_silence_in_a_region_is_held_against_the_same_nodules_outside_it():
    """Of the nodules outside, only those of 20 mm are found; those of 6 mm are judged: silence says nothing of them."""
    of, sizes = frozenset({"lung", shown_name("air_leak")}), (6.0, 20.0)
    trials = [trial(f"b{i}", 0.0, diameter_mm=sizes[i % 2], regions=of) for i in range(120)]
    trials += [trial(f"b{i}", 0.9 * (i % 2), diameter_mm=sizes[i % 2], arm="@outside") for i in range(120)]
    large = judge("no_detection", {**LEAK, "where": {"diameter_mm": {"at_least": 10}}}, trials)
    small = judge("no_detection", {**LEAK, "where": {"diameter_mm": {"at_most": 10}}}, trials)
    assert (large.status, small.status) == (Status.PASSED, Status.INCONCLUSIVE)
    assert "sensitivity outside air_leak 0.00" in small.sentence


@pytest.mark.usefixtures("resampled_seldom")
@pytest.mark.parametrize("kind", ["auc", "afroc", "froc", "average_precision"])
def test_a_curve_of_one_patient_with_most_of_the_films_decides_nothing(kind):
    """Twenty patients with two films each show it; of as many films, 20 of one patient and one each of 19 do not."""

    def films(sizes):
        for patient, count in enumerate(sizes):
            for k in range(count):
                yield trial(f"b{patient}-{k}", 0.9, cluster=f"p{patient}")
                yield trial(f"b{patient}-{k}", arm="@untouched", cluster=f"p{patient}")

    bound = {"at_least": 0.5} | ({"at_false_positives_per_image": 0.5} if kind == "froc" else {})
    assert judge(kind, bound, list(films([2] * 20))).status is Status.PASSED
    ruling = judge(kind, bound, list(films([20] + [1] * 19)))
    assert ruling.status is Status.INCONCLUSIVE
    assert f"as much as {39**2 / (20**2 + 19):.1f} equal ones" in ruling.sentence


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [("monotone", {"min_spearman": 0.5, "max_drop": 0.1}), ("correlation", {"at_least": 0.5})],
)
def test_a_trend_on_the_few_backgrounds_that_have_all_levels_does_not_speak_for_the_others(kind, parameters):
    """On 20 backgrounds with five sizes the confidence rises; on the others, which lack the largest, it falls."""

    def trend(others):
        for i in range(20 + others):
            for d in SIZES[: 5 if i < 20 else 4]:
                yield trial(f"b{i}", d / 25 if i < 20 else 0.9 - d / 25, diameter_mm=d, levels={"diameter_mm": d})

    parameters = {"over": "diameter_mm", **parameters}
    assert judge(kind, parameters, list(trend(5))).status is Status.PASSED
    ruling = judge(kind, parameters, list(trend(40)))
    assert ruling.status is Status.INCONCLUSIVE
    assert "40 of 60 independent backgrounds lack levels" in ruling.sentence


def test_another_nodule_of_the_scene_does_not_stand_for_the_one_that_is_judged():
    """Each scene has a companion, which is found, and an index nodule, which is not."""

    def scenes(found):
        for i in range(40):
            index, companion = (trial(f"b{i}", score, name=name) for name, score in found.items())
            yield replace(companion, nodules=(*companion.nodules, *index.nodules))
            yield trial(f"b{i}", arm="@untouched")

    missed = list(scenes({"index": 0.0, "companion": 0.9}))
    assert judge("auc", {"at_least": 0.6, "of": "companion"}, missed).status is Status.PASSED
    assert judge("auc", {"at_least": 0.6}, missed).status is Status.PASSED
    ruling = judge("auc", {"at_least": 0.6, "of": "index"}, missed)
    assert ruling.status is Status.FAILED
    assert ruling.components[0].value == 0.5


@pytest.mark.parametrize(("found", "elsewhere", "area"), [(0.0, 0.0, 0.5), (0.0, 0.4, 1.0), (0.9, 0.0, 1.0)])
def test_a_distractor_does_not_stand_for_the_nodule_beside_it(found, elsewhere, area):
    """A clip is reported on every image with a nodule; untouched images show none."""

    def scenes():
        for i in range(40):
            made = trial(f"b{i}", found, false_positives=[0.9])
            clip = NoduleTrial("clip", 6.0, Truth("clip", MASK, (80, 80), 6.0, 0.3, {}), {}, 0.9, 0)
            other = Sighting(Finding((30, 30, 34, 34), elsewhere))
            beside = (*made.false_positives, len(made.sightings))
            yield replace(made, mimics=(clip,), sightings=(*made.sightings, other), false_positives=beside)
            yield trial(f"b{i}", arm="@untouched")

    ruling = judge("auc", {"at_least": 0.6}, list(scenes()))
    assert ruling.components[0].value == area
    assert ruling.status is (Status.PASSED if area > 0.6 else Status.FAILED)


def confident(evidence):
    """A user's check that passes whatever it is shown."""
    return Ruling(Status.PASSED, "PASSED everything is fine", "fine")


@pytest.mark.parametrize(("backgrounds", "status"), [(1, Status.INCONCLUSIVE), (2, Status.PASSED)])
def test_a_ruling_of_one_s_own_on_a_single_background_is_no_pass(backgrounds, status):
    trials = [trial(f"b{i % backgrounds}", 0.9, replicate=i) for i in range(30)]
    ruling = judge("python", {"function": f"{__name__}:confident"}, trials)
    assert ruling.status is status
    assert ruling.sentence.startswith(status)


def part(value=0.9, lower=0.85, upper=0.95, status=Status.PASSED, role="decides"):
    return Component("mine", "my rate", value, lower, upper, 0.8, "above", status, "by hand", role=role)


def of_status(status, sentence, *parts):
    return Ruling(status, sentence, "mine", parts)


ANSWERS = {
    "sound": of_status(Status.PASSED, "PASSED mine", part(), part(math.nan, math.nan, math.nan, role="shown")),
    "nan": of_status(Status.PASSED, "PASSED mine", part(value=math.nan)),
    "no-interval": of_status(Status.PASSED, "PASSED mine", part(lower=math.nan)),
    "below": of_status(Status.PASSED, "PASSED mine", part(lower=0.7)),
    "outside": of_status(Status.PASSED, "PASSED mine", part(value=0.6)),
    "failed-part": of_status(Status.PASSED, "PASSED mine", part(), part(status=Status.FAILED, role="gate")),
    "sentence": of_status(Status.PASSED, "FAILED mine"),
    "word": of_status("passed", "mine"),
    "interval": of_status(Status.FAILED, "PASSED mine", part()),
}


def answering(evidence, which):
    """A user's check that returns one of the answers above."""
    return ANSWERS[which]


@pytest.mark.parametrize("which", ANSWERS)
def test_a_ruling_that_contradicts_its_own_numbers_is_a_fault(which):
    trials = [trial(f"b{i}", 0.9) for i in range(30)]
    wanted = {"function": f"{__name__}:answering", "with": {"which": which}}
    if which == "sound":
        assert judge("python", wanted, trials).status is Status.PASSED
        return
    with pytest.raises(SynnodError, match=r"but its|returned"):
        judge("python", wanted, trials)


def invalid(evidence):
    """A user's check that says its evidence is worth nothing."""
    return Ruling(Status.INVALID, "INVALID nothing to see", "mine")


def test_an_invalid_ruling_of_one_s_own_is_no_verdict_that_could_be_waived():
    with pytest.raises(InvalidEvidence, match="nothing to see"):
        judge("python", {"function": f"{__name__}:invalid"}, [trial(f"b{i}", 0.9) for i in range(3)])


def happy(evidence):
    """A user's check that says yes."""
    return True


@pytest.mark.parametrize(("excluded", "status"), [(14, Status.PASSED), (15, Status.INCONCLUSIVE)])
@pytest.mark.parametrize("check", ["happy", "confident"])
def test_a_check_of_one_s_own_does_not_pass_on_the_few_scenes_that_were_left(check, excluded, status):
    trials = [trial(f"b{i}", 0.9, rejected="left no mask" if i < excluded else "") for i in range(15 + excluded)]
    assert judge("python", {"function": f"{__name__}:{check}"}, trials).status is status
