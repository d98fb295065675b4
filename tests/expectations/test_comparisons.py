"""Two arms, by four metrics: better, no worse, alike, and unmoved by a perturbation."""

from dataclasses import replace

import pytest

from synnodtest.expectations import Status, find_check
from synnodtest.expectations.pairing import is_arm
from synnodtest.spec.model import PerturbationSpec
from synnodtest.spec.values import Constant
from synnodtest.statistics import paired_mean, rate_difference_clustered, tango
from tests.expectations.evidence import evidence, trial

ARMS = {"arm": "double", "reference": "single"}
UNDER = {"under": (PerturbationSpec("flip", Constant("horizontal")),)}


def judge(kind, parameters, trials, **options):
    return find_check(kind).judge(parameters, evidence(trials, **options))


def pairs(n11, n10, n01, n00, names=("double", "single")):
    outcomes = [(1, 1)] * n11 + [(1, 0)] * n10 + [(0, 1)] * n01 + [(0, 0)] * n00
    return [
        trial(f"b{i}", 0.9 * hit, arm=arm)
        for i, pair in enumerate(outcomes)
        for arm, hit in zip(names, pair, strict=True)
    ]


def test_a_difference_in_which_every_patient_counts_alike_says_what_all_pairs_together_show():
    trials = pairs(60, 10, 0, 30)
    ruling = judge("superior", ARMS, trials)
    assert ruling.notes == ()
    of_few = [replace(t, cluster="p" if int(t.background[1:]) >= 40 else t.cluster) for t in trials]
    ruling = judge("superior", ARMS, of_few)  # all that differ are of one patient of 41, who has 10 such pairs of 60
    assert ruling.components[0].value == pytest.approx(10 / 60 / 41)
    told = "every patient or background counts alike; over all pairs together the difference is 0.10"
    assert told in ruling.notes


@pytest.mark.parametrize(
    ("cells", "margin", "status"),
    [((40, 30, 5, 25), 0.1, "PASSED"), ((40, 5, 30, 25), 0.1, "FAILED"), ((40, 10, 5, 45), 0.1, "INCONCLUSIVE")],
)
def test_superiority_is_decided_by_tangos_bounds(cells, margin, status):
    ruling = judge("superior", {**ARMS, "margin": margin}, pairs(*cells))
    expected = tango(*cells)
    assert (ruling.components[0].lower, ruling.components[0].upper) == (expected.lower, expected.upper)
    assert ruling.status == status


@pytest.mark.parametrize(("gone", "status"), [(50, "PASSED"), (51, "INCONCLUSIVE")])
def test_pairs_that_are_left_do_not_speak_for_a_majority_that_dropped_out(gone, status):
    """A companion that finds no place, or a shift that moves nodules out of the picture, leaves few pairs."""
    every = pairs(100, 0, 0, 0)
    left = [t for t in every if t.arm == "single" or int(t.background[1:]) >= gone]
    ruling = judge("non_inferior", {**ARMS, "margin": 0.2}, left)
    assert ruling.status == status
    assert (f"{gone} of 100 of single have no partner in double" in ruling.sentence) is (gone == 51)
    others = [trial(f"b{i}", 0.9, arm="single", name="only-here") for i in range(100)]
    assert judge("non_inferior", {**ARMS, "margin": 0.2}, every + others).status is Status.PASSED


@pytest.mark.parametrize("metric", ["sensitivity", "confidence"])
@pytest.mark.parametrize("kind", ["non_inferior", "equivalent", "invariant"])
def test_an_arm_that_finds_nothing_does_not_pass_a_margin_as_wide_as_its_reference(kind, metric):
    """The reference finds 35% of 300: surely more than the 0.2 that it must, and 0.35 less lies within 0.45."""
    parameters = {**ARMS, "margin": 0.45, "metric": metric}
    ruling = judge(kind, parameters, pairs(0, 0, 105, 195))
    assert ruling.components[0].status is Status.PASSED
    assert ruling.status is Status.INCONCLUSIVE
    assert "leaves no room for a loss of 0.45" in ruling.sentence

    assert judge(kind, parameters, pairs(200, 0, 20, 80)).status is Status.PASSED


def test_a_reference_with_nothing_to_lose_does_not_hide_a_gain_beyond_the_margin():
    """Blind on one side: what is missed as it is hung is found in the mirror image."""
    assert judge("invariant", {**ARMS, "margin": 0.25}, pairs(0, 20, 0, 0)).status is Status.FAILED
    assert judge("equivalent", {**ARMS, "margin": 0.25}, pairs(0, 20, 0, 0)).status is Status.FAILED


def test_images_without_a_partner_do_not_count_either():
    parameters = {**ARMS, "margin": 0.5, "metric": "false_positives_per_image"}
    every = with_images([0] * 50, [0] * 50)
    left = [t for t in every if t.arm != "@untouched:double" or int(t.background[1:]) < 24]
    assert judge("non_inferior", parameters, every).status is Status.PASSED
    assert judge("non_inferior", parameters, left).status is Status.INCONCLUSIVE


def test_equivalence_needs_the_interval_within_the_margins_on_both_sides():
    parameters = {**ARMS, "margin": 0.1}
    assert judge("equivalent", parameters, pairs(80, 3, 3, 14)).status is Status.PASSED
    assert judge("equivalent", parameters, pairs(60, 35, 1, 4)).status is Status.FAILED
    assert judge("equivalent", parameters, pairs(60, 15, 5, 20)).status is Status.INCONCLUSIVE
    assert judge("equivalent", {**ARMS, "margin": 0.05}, pairs(10, 0, 0, 0)).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("kind", ["non_inferior", "superior", "equivalent", "invariant"])
@pytest.mark.parametrize("metric", ["sensitivity", "confidence", "specificity", "false_positives_per_image"])
def test_two_silent_arms_never_pass(kind, metric):
    trials = pairs(0, 0, 0, 100)
    trials += [trial(f"b{i}", arm=f"@untouched:{arm}") for i in range(100) for arm in ("double", "single")]
    assert judge(kind, {**ARMS, "margin": 0.1, "metric": metric}, trials).status is not Status.PASSED


@pytest.mark.parametrize("hit", [0, 1])
@pytest.mark.parametrize("metric", ["specificity", "false_positives_per_image"])
@pytest.mark.parametrize(("kind", "parameters", "names"), [
    ("non_inferior", ARMS, ("double", "single")), ("equivalent", ARMS, ("double", "single")),
    ("invariant", UNDER, ("@under:default", "default")),
])  # fmt: skip
def test_an_arm_in_which_the_detector_is_dead_is_not_as_quiet_as_its_reference(kind, parameters, names, metric, hit):
    """An adapter that answers nothing once a radiograph is turned has no false positive there."""
    trials = pairs(100 * hit, 0, 100 - 100 * hit, 0, names)
    under = ("@under:@untouched", "@untouched") if kind == "invariant" else ("@untouched:double", "@untouched:single")
    trials += [trial(f"b{i}", arm=arm) for i in range(100) for arm in under]
    ruling = judge(kind, {**parameters, "margin": 0.1, "metric": metric}, trials)
    assert ruling.status is (Status.PASSED if hit else Status.INCONCLUSIVE)
    if not hit:
        gate = ruling.components[1]
        assert (gate.role, gate.value) == ("gate", 0.0)
        assert gate.label == ("sensitivity under flip" if kind == "invariant" else "sensitivity of the arm 'double'")


def test_several_pairs_on_a_background_are_one_cluster():
    trials = [
        trial(f"b{i}", 0.9 * hit, arm=arm, replicate=r)
        for i in range(20)
        for r in range(3)
        for arm, hit in (("double", (i + r) % 4 != 0), ("single", i % 4 != 0))
    ]
    ruling = judge("non_inferior", {**ARMS, "margin": 0.3}, trials)
    arm = [(i + r) % 4 != 0 for i in range(20) for r in range(3)]
    reference = [i % 4 != 0 for i in range(20) for _ in range(3)]
    expected = rate_difference_clustered(arm, reference, [i for i in range(20) for _ in range(3)])
    assert ruling.components[0].lower == expected.lower
    assert ruling.n_clusters == 20
    one = [trial("only", 0.9, arm=arm, replicate=r) for r in range(100) for arm in ("double", "single")]
    assert judge("non_inferior", {**ARMS, "margin": 0.3}, one).status is Status.INCONCLUSIVE


def test_confidence_is_compared_by_the_paired_mean_with_undetected_nodules_at_zero():
    shifts = [0.01 * (i % 5) for i in range(40)]
    trials = [trial(f"b{i}", 0.0 if i == 0 else 0.6, arm="single") for i in range(40)]
    trials += [trial(f"b{i}", 0.0 if i == 0 else 0.6 - s, arm="double") for i, s in enumerate(shifts)]
    ruling = judge("equivalent", {**ARMS, "margin": 0.1, "metric": "confidence"}, trials)
    expected = paired_mean([-s for s in shifts], range(40), guarded=True, seed=0)
    assert ruling.components[0].lower == pytest.approx(expected.lower)
    assert ruling.status is Status.PASSED
    assert ruling.figure["pairs"][0] == [0.0, 0.0]


def with_images(arm_counts, reference_counts):
    trials = pairs(50, 0, 0, 0)
    for i, (a, r) in enumerate(zip(arm_counts, reference_counts, strict=True)):
        trials.append(trial(f"b{i}", arm="@untouched:double", false_positives=[0.9] * a))
        trials.append(trial(f"b{i}", arm="@untouched:single", false_positives=[0.9] * r))
    return trials


def test_false_positives_count_the_other_way_round():
    more, same = with_images([2] * 50, [0] * 50), with_images([1] * 50, [1] * 50)
    parameters = {**ARMS, "margin": 0.5, "metric": "false_positives_per_image"}
    assert judge("non_inferior", parameters, more).status is Status.FAILED
    assert judge("non_inferior", parameters, same).status is Status.PASSED
    fewer = with_images([0] * 50, [2] * 50)
    assert judge("superior", parameters, fewer).status is Status.PASSED
    assert judge("superior", parameters, more).status is Status.FAILED


def test_alarms_that_a_perturbation_brings_on_few_backgrounds_are_allowed_for_before_they_are_seen():
    """Where one background in ten shows two more, none of 20 does in 12% of runs: no difference of 0.2 is shown."""
    trials = [t for t in with_images([0] * 20, [0] * 20) if t.background in {f"b{i}" for i in range(20)}]
    parameters = {**ARMS, "margin": 0.2, "metric": "false_positives_per_image"}
    ruling = judge("non_inferior", parameters, trials)
    assert ruling.status is Status.INCONCLUSIVE
    assert ruling.components[0].upper == pytest.approx(2 * (1 - 0.05 ** (1 / 20)))


def test_alarms_on_every_image_of_few_patients_are_allowed_for_before_they_are_seen():
    """Where one patient in ten shows four more on each image, none of 15 does in 21% of runs."""
    trials = [t for t in with_images([0] * 60, [0] * 60) if int(t.background[1:]) < 60]
    trials = [replace(t, cluster=f"p{int(t.background[1:]) // 4}") for t in trials]
    parameters = {**ARMS, "margin": 0.4, "metric": "false_positives_per_image"}
    ruling = judge("non_inferior", parameters, trials)
    assert ruling.status is Status.INCONCLUSIVE
    assert ruling.components[0].upper == pytest.approx(3 * (1 - 0.05 ** (1 / 15)))


def test_specificity_is_compared_on_untouched_backgrounds():
    trials = with_images([1] * 30 + [0] * 20, [0] * 50)
    ruling = judge("non_inferior", {**ARMS, "margin": 0.2, "metric": "specificity"}, trials)
    assert ruling.components[0].value == pytest.approx(-0.6)
    assert ruling.status is Status.FAILED


def test_arms_of_different_nodules_compare_false_positives_on_their_own_scenes():
    trials = [trial(f"b{i}", 0.9, arm="single") for i in range(40)]
    trials += [trial(f"b{i}", 0.9, arm="double", false_positives=[0.9]) for i in range(40)]
    ruling = judge("non_inferior", {**ARMS, "margin": 0.2, "metric": "specificity"}, trials)
    assert ruling.components[0].value == -1.0
    assert "on images with nodules" in ruling.criterion


def test_invariance_pairs_each_scene_with_its_perturbed_self():
    names = ("@under:default", "default")
    assert judge("invariant", {**UNDER, "margin": 0.1}, pairs(80, 2, 2, 16, names)).status is Status.PASSED
    blind = judge("invariant", {**UNDER, "margin": 0.1}, pairs(0, 0, 80, 20, names))
    assert blind.status is Status.FAILED
    assert blind.components[0].value == pytest.approx(-0.8)


@pytest.mark.parametrize(("of_the_other", "status"), [("same", Status.INCONCLUSIVE), ("other", Status.PASSED)])
@pytest.mark.parametrize("metric", ["sensitivity", "specificity"])
def test_a_perturbation_that_left_every_pixel_as_it_was_is_passed_by_no_detector(metric, of_the_other, status):
    """A blur of 0.1 pixels, say; one radiograph that it changed is a comparison."""
    under = [PerturbationSpec("blur", Constant(0.1))]
    trials = []
    for i in range(60):
        digests = f"{i} same", f"{i} same" if i else f"{i} {of_the_other}"
        for arm, digest in zip(("default", "@under:default"), digests, strict=True):
            trials.append(replace(trial(f"b{i}", 0.9, arm=arm), radiograph_sha256=digest))
        for arm, digest in zip(("@untouched", "@under:@untouched"), digests, strict=True):
            trials.append(replace(trial(f"b{i}", arm=arm), radiograph_sha256=digest))
    ruling = judge("invariant", {"under": under, "metric": metric, "margin": 0.2}, trials)
    assert ruling.status is status
    assert ("pixel for pixel, so that any detector passes" in ruling.sentence) == (of_the_other == "same")


@pytest.mark.parametrize("same", [True, False])
def test_a_pass_of_two_arms_that_show_the_same_pixels_says_so(same):
    made = [replace(one, radiograph_sha256=one.background if same else one.scene_id) for one in pairs(60, 0, 0, 0)]
    ruling = judge("non_inferior", {**ARMS, "margin": 0.1}, made)
    assert ruling.status is Status.PASSED
    words = "every radiograph of 'double' is that of 'single', pixel for pixel, so that any detector passes"
    assert (words in ruling.notes) == same


def test_a_nodule_that_the_perturbation_moves_out_of_the_image_is_not_compared():
    trials = pairs(60, 0, 0, 0, ("@under:default", "default"))
    trials += [trial("b60", 0.9), trial("b60", arm="@under:default")]
    ruling = judge("invariant", {**UNDER, "margin": 0.1}, trials)
    assert ruling.n_nodules == 60
    assert any(note.startswith("1 nodule of unperturbed") for note in ruling.notes)


def test_where_chooses_nodules_of_the_reference_and_their_partners_follow():
    trials = pairs(60, 0, 0, 0)
    trials += [
        trial(f"x{i}", 0.9 * (arm == "single"), arm=arm, diameter_mm=4.0) for i in range(40) for arm in ARMS.values()
    ]
    parameters = {**ARMS, "margin": 0.1, "where": {"diameter_mm": {"at_least": 8}}}
    assert judge("non_inferior", parameters, trials).n_nodules == 60
    assert judge("non_inferior", {**ARMS, "margin": 0.1}, trials).status is Status.FAILED


def test_excluded_scenes_counted_against_either_arm_take_the_pass_away():
    trials = pairs(80, 2, 2, 16)
    excluded = [trial(f"x{i}", 0.0, arm=arm, rejected="contrast") for i in range(20) for arm in ARMS.values()]
    for kind in ("non_inferior", "equivalent"):
        assert judge(kind, {**ARMS, "margin": 0.1}, trials).status is Status.PASSED
        ruling = judge(kind, {**ARMS, "margin": 0.1}, trials + excluded)
        assert ruling.status is Status.INCONCLUSIVE
        assert "40 excluded scenes" in ruling.sentence


def test_each_arm_is_paired_with_its_own_perturbed_self():
    """Of one arm everything is lost and of the other everything is found: their means hide nothing where arms mix."""
    scores = {"a": 0.9, "@under:a": 0.0, "b": 0.0, "@under:b": 0.9}
    trials = [trial(f"b{i}", score, arm=arm) for i in range(30) for arm, score in scores.items()]
    ruling = judge("invariant", {**UNDER, "margin": 0.1}, trials)
    assert ", 60 of them discordant" in ruling.sentence
    assert (ruling.n_nodules, ruling.components[0].value, ruling.notes) == (60, 0.0, ())
    alone = judge("invariant", {**UNDER, "margin": 0.1, "arm": "a"}, trials)
    assert (alone.n_nodules, alone.components[0].value, alone.status) == (30, -1.0, Status.FAILED)


@pytest.mark.parametrize(("carried", "of"), [("", {}), (":*", {}), (":default", {"arm": "default"})])
def test_invariance_of_images_pairs_each_untouched_background_with_its_perturbed_self(carried, of):
    """30 of 50 backgrounds show a false positive once they are flipped; those of another arm are none of these."""
    trials = pairs(50, 0, 0, 0, ("@under:default", "default"))
    for i in range(50):
        trials.append(trial(f"b{i}", arm=f"@untouched{carried}"))
        trials.append(trial(f"b{i}", arm=f"@under:@untouched{carried}", false_positives=[0.9] * (i < 30)))
        trials.append(trial(f"b{i}", arm="@under:@untouched:other", false_positives=[0.9] * 9))
    for metric, value in (("specificity", -0.6), ("false_positives_per_image", 0.6)):
        ruling = judge("invariant", {**UNDER, **of, "margin": 0.2, "metric": metric}, trials)
        assert (ruling.n_nodules, ruling.components[0].value) == (50, pytest.approx(value))
        assert ruling.status is Status.FAILED


def test_untouched_backgrounds_are_chosen_by_what_is_known_of_them():
    """One arm makes false positives on all men and on no woman."""
    trials = pairs(80, 0, 0, 0)
    for i in range(80):
        sex = "FM"[i % 2]
        fires = [0.9] * (sex == "M")
        trials.append(trial(f"b{i}", arm="@untouched:double", false_positives=fires, strata={"sex": sex}))
        trials.append(trial(f"b{i}", arm="@untouched:single", strata={"sex": sex}))
    asked = {**ARMS, "margin": 0.2, "metric": "specificity"}
    for sex, value in (("F", 0.0), ("M", -1.0)):
        ruling = judge("non_inferior", {**asked, "where": {"sex": sex}}, trials)
        assert (ruling.n_nodules, ruling.components[0].value) == (40, value)


def test_images_of_arms_of_different_nodules_are_chosen_by_their_nodules():
    trials = [
        trial(f"{mm}-{i}", 0.9, arm=arm, diameter_mm=mm, false_positives=[0.9] * (arm == "double" and mm > 10))
        for i in range(60)
        for mm in (6.0, 20.0)
        for arm in ARMS.values()
    ]
    asked = {**ARMS, "margin": 0.2, "metric": "specificity"}
    values = {}
    for where in (None, {"diameter_mm": {"at_least": 10}}, {"diameter_mm": {"at_most": 10}}):
        ruling = judge("non_inferior", {**asked, "where": where}, trials)
        values[str(where)] = (ruling.n_nodules, ruling.components[0].value)
    assert list(values.values()) == [(120, -0.5), (60, -1.0), (60, 0.0)]


def test_a_reference_that_plants_nothing_is_gated_by_whatever_nodules_there_are():
    trials = [trial(f"b{i}", arm=arm) for i in range(80) for arm in ARMS.values()]
    asked = {**ARMS, "margin": 0.2, "metric": "specificity"}
    assert judge("non_inferior", asked, trials).status is Status.INCONCLUSIVE
    seen = [trial(f"n{i}", 0.9, arm="third") for i in range(40)]
    ruling = judge("non_inferior", asked, trials + seen)
    assert (ruling.status, ruling.components[1].value) == (Status.PASSED, 1.0)


def test_a_silent_reference_is_not_gated_by_what_its_arm_finds():
    ruling = judge("superior", {**ARMS, "margin": 0.1}, pairs(0, 80, 0, 0))
    assert (ruling.components[0].status, ruling.components[1].value) == (Status.PASSED, 0.0)
    assert ruling.status is Status.INCONCLUSIVE


def test_of_two_nodules_of_a_scene_the_one_that_is_named_is_compared():
    both = [
        replace(t, nodules=(*t.nodules, *trial("s", 0.9 * (t.arm == "single"), name="second").nodules))
        for t in pairs(80, 0, 0, 0)
    ]
    for name, value in (("nodule", 0.0), ("second", -1.0)):
        ruling = judge("non_inferior", {**ARMS, "of": name, "margin": 0.1}, both)
        assert (ruling.n_nodules, ruling.components[0].value) == (80, value)
    few = {"where": {"nodule": "second"}}
    assert judge("non_inferior", {**ARMS, **few, "margin": 0.1}, both).components[0].value == -1.0


def test_a_scene_of_the_arm_under_test_is_told_from_its_reference():
    under, named = (find_check("invariant").read({"margin": 0.1, **given}) for given in (UNDER, ARMS))
    arms = ("default", "@under:default", "double", "single")
    assert [is_arm(under, trial("b", arm=arm)) for arm in arms] == [False, True, False, False]
    assert [is_arm(named, trial("b", arm=arm)) for arm in arms] == [False, False, True, False]


def test_a_reference_below_the_margin_leaves_room_for_a_gain():
    ruling = judge("superior", {**ARMS, "margin": 0.3}, pairs(110, 260, 0, 30))
    assert (ruling.status, ruling.components[0].value) == (Status.PASSED, 0.65)
    assert 110 / 400 < 0.3


def test_without_a_pair_nothing_is_said():
    alone = [trial(f"b{i}", 0.9, arm="double") for i in range(40)]
    assert judge("non_inferior", {**ARMS, "margin": 0.1}, alone).sentence == "INCONCLUSIVE no pair to judge"


@pytest.mark.parametrize(
    ("kind", "given", "criterion", "figure"),
    [
        ("non_inferior", {}, "sensitivity in 'double' minus 'single' exceeds -0.1 at operating point 0.25", "paired"),
        ("superior", {}, "sensitivity in 'double' minus 'single' exceeds 0.1 at operating point 0.25", "paired"),
        (
            "equivalent",
            {"metric": "confidence"},
            "confidence in 'double' minus 'single' lies within ±0.1",
            "equivalence",
        ),
        (
            "non_inferior",
            {"metric": "specificity"},
            "specificity (findings that hit no nodule, on images with nodules) in 'double' minus 'single' exceeds -0.1 "
            "at operating point 0.25",
            "paired",
        ),
    ],
)
def test_the_criterion_of_a_comparison_says_what_is_held_against_what(kind, given, criterion, figure):
    ruling = judge(kind, {**ARMS, "margin": 0.1, **given}, pairs(30, 4, 2, 14))
    assert ruling.criterion == criterion
    assert (", 6 of them discordant" in ruling.sentence) is ("metric" not in given)
    assert "sensitivity of the reference arm 'single'" in [part.label for part in ruling.components]
    assert ruling.figure["kind"] == ("equivalence" if figure == "both" else figure)
    cells = (30, 4, 2, 14) if "metric" not in given or given["metric"] == "confidence" else (50, 0, 0, 0)
    assert tuple(ruling.figure[name] for name in ("n11", "n10", "n01", "n00")) == cells


@pytest.mark.parametrize(
    ("kind", "cells", "noted"),
    [
        ("equivalent", (100, 100, 100, 100), True),
        ("non_inferior", (100, 100, 100, 100), True),
        ("equivalent", (200, 20, 20, 160), False),
        ("superior", (100, 150, 50, 100), False),
    ],
)
def test_a_pass_of_gains_that_outweigh_as_many_losses_says_how_many_pairs_changed(kind, cells, noted):
    """Half of 400 pairs change, or a tenth; the margin is a tenth, and gains are what ``superior`` asks for."""
    ruling = judge(kind, {**ARMS, "margin": 0.1}, pairs(*cells))
    assert ruling.status is Status.PASSED
    words = (
        "200 of 400 pairs changed: 100 for the better and 100 for the worse, of which the difference shows the balance"
    )
    assert any(note.startswith(words) for note in ruling.notes) is noted


def test_a_reference_without_nodules_is_said_to_be_gated_by_those_of_the_other_arm():
    healthy = [trial(f"b{i}", arm="single") for i in range(40)]
    ruling = judge(
        "non_inferior",
        {**ARMS, "metric": "false_positives_per_image", "margin": 0.5},
        healthy + [trial(f"b{i}", 0.9, arm="double") for i in range(40)],
    )
    assert ruling.status is Status.PASSED
    assert ruling.components[1].label == "sensitivity for the nodules of 'double'"


def test_of_both_worst_cases_of_an_equivalence_the_graver_counts():
    """Eight pairs speak for the arm: 20 excluded ones may speak for it, too, or against it."""
    trials = pairs(92, 8, 0, 0) + [
        trial(f"x{i}", 0.0, arm=arm, rejected="contrast") for i in range(20) for arm in ARMS.values()
    ]
    for kind, value in (("equivalent", 28 / 120), ("non_inferior", -12 / 120)):
        note = judge(kind, {**ARMS, "margin": 0.15}, trials).notes[-1]
        assert f"difference in sensitivity (double - single) {value:.2f} (" in note
