"""Sequential runs stop early, whichever look it is, and refuse what cannot be judged that way."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from synnodtest.errors import SynnodError
from synnodtest.expectations import Status
from synnodtest.expectations.registry import sequential_judge
from synnodtest.statistics import (
    confidence_sequence,
    confidence_sequence_paired,
    e_value_above,
    e_value_paired_above,
)
from tests.expectations.evidence import evidence, trial

ARMS = {"arm": "a", "reference": "r", "margin": 0.1}


def judge(kind, parameters, trials, clusters=None, **options):
    order = tuple(dict.fromkeys(t.cluster for t in trials)) if clusters is None else clusters
    return sequential_judge(kind, parameters)(parameters, replace(evidence(trials, **options), order=order))


def hits(outcomes):
    return [trial(f"b{i}", 0.9 * hit) for i, hit in enumerate(outcomes)]


def test_it_stops_at_the_first_look_at_which_the_e_value_reaches_one_over_alpha():
    ruling = judge("sensitivity", {"at_least": 0.8}, hits([1] * 60))
    first = next(n for n in range(1, 60) if e_value_above(n, 0, 0.8) >= 20)
    assert ruling.status is Status.PASSED
    assert f"decided after {first} of 60" in ruling.sentence
    assert ruling.figure["threshold"] == pytest.approx(math.log(20))
    assert ruling.figure["log_e_above"][9] == pytest.approx(math.log(e_value_above(10, 0, 0.8)), abs=1e-4)
    assert ruling.components[0].lower > 0.8


def test_what_is_counted_is_what_was_looked_at_when_it_was_decided_and_not_the_rest_of_the_batch():
    twice = [trial(f"b{i}", 0.9, replicate=r) for i in range(60) for r in range(2)]
    ruling = judge("sensitivity", {"at_least": 0.8}, twice)
    first = next(n for n in range(1, 60) if e_value_above(n, 0, 0.8) >= 20)
    assert (ruling.n_nodules, ruling.n_backgrounds, ruling.n_clusters) == (2 * first, first, first)
    failed = judge("sensitivity", {"at_least": 0.8}, hits([0] * 60))
    assert f"decided after {failed.n_nodules} of 60" in failed.sentence
    assert judge("sensitivity", {"at_least": 0.8}, hits([1] * 3)).n_nodules == 3


def test_the_record_keeps_every_look_with_its_background_so_that_the_log_can_be_computed_again():
    outcomes = np.random.default_rng(2).random(900) < 0.85
    order = tuple(f"b{i}" for i in np.random.default_rng(3).permutation(900))
    figure = judge("sensitivity", {"at_least": 0.8}, hits(outcomes), order).figure
    assert figure["n"] == list(range(1, 901))
    assert figure["cluster"] == list(order)
    found = np.cumsum([outcomes[int(name[1:])] for name in figure["cluster"]])
    for look in (1, 40, 900):
        again = math.log(e_value_above(found[look - 1], look - found[look - 1], 0.8))
        assert figure["log_e_above"][look - 1] == pytest.approx(again, abs=1e-4)


def test_a_decision_once_reached_is_not_taken_back_by_later_looks():
    assert judge("sensitivity", {"at_least": 0.8}, hits([1] * 40 + [0] * 10)).status is Status.PASSED


def test_a_failure_that_came_first_is_not_taken_back_though_a_pass_would_follow():
    """After r misses the e-value against a rate of m or more is (1 - (1-m)^(r+1)) / ((r+1) m (1-m)^r)."""
    e_values = [(1 - 0.2 ** (r + 1)) / ((r + 1) * 0.8 * 0.2**r) for r in range(21)]
    first = next(r for r in range(2, 21) if e_values[r] >= 20)
    ruling = judge("sensitivity", {"at_least": 0.8}, hits([0] * 20 + [1] * 600))
    assert max(ruling.figure["log_e_above"]) > math.log(20)
    assert (ruling.status, f"decided after {first} of 620" in ruling.sentence) == (Status.FAILED, True)
    assert ruling.p_value == pytest.approx(1 / e_values[20])
    bounds, part = confidence_sequence(0, first, alpha=0.05), ruling.components[0]
    assert (part.value, part.lower, part.upper) == pytest.approx((bounds.value, bounds.lower, bounds.upper))
    assert judge("sensitivity", {"at_least": 0.8}, hits([1] * 60)).p_value == 1.0


def test_a_single_background_never_decides_whatever_its_e_value():
    """One hit against a rate of at most m: (1 + m) / 2m, which is 25.5 of 0.02."""
    alone, two = (judge("sensitivity", {"at_least": 0.02}, hits([1] * n)) for n in (1, 2))
    assert alone.figure["log_e_above"] == [pytest.approx(math.log(25.5), abs=1e-4)]
    assert (alone.status, two.status) == (Status.INCONCLUSIVE, Status.PASSED)
    assert "decided after 2 of 2" in two.sentence


def test_misses_fail_and_few_looks_settle_nothing():
    assert judge("sensitivity", {"at_least": 0.8}, hits([0, 1] * 30)).status is Status.FAILED
    assert judge("sensitivity", {"at_least": 0.8}, hits([1] * 3)).status is Status.INCONCLUSIVE
    assert judge("sensitivity", {"at_least": 0.8}, []).status is Status.INCONCLUSIVE


def test_a_background_with_many_nodules_is_one_unit():
    trials = [trial("only", 0.9, replicate=r) for r in range(200)]
    assert judge("sensitivity", {"at_least": 0.5}, trials).status is Status.INCONCLUSIVE


def test_specificity_and_scenes_can_stop_too():
    quiet = [trial(f"b{i}", arm="@untouched") for i in range(60)]
    assert judge("specificity", {"at_least": 0.8}, quiet).status is Status.PASSED
    assert judge("specificity", {"at_most": 0.8}, quiet).status is Status.FAILED
    assert judge("detected", {"rate_at_least": 0.8}, hits([1] * 60)).status is Status.PASSED


def pairs(outcomes):
    return [
        trial(f"b{i}", 0.9 * hit, arm=arm)
        for i, pair in enumerate(outcomes)
        for arm, hit in zip("ar", pair, strict=True)
    ]


def test_paired_rates_are_judged_by_the_paired_e_value_and_gated_by_the_reference():
    ruling = judge("non_inferior", ARMS, pairs([(1, 1)] * 200))
    first = next(n for n in range(1, 200) if e_value_paired_above(0, 0, n, -0.1) >= 20)
    assert ruling.status is Status.PASSED
    assert f"decided after {first} of 200" in ruling.sentence
    silent = judge("non_inferior", ARMS, pairs([(0, 0)] * 200))
    assert silent.status is Status.INCONCLUSIVE
    assert "not shown to exceed 0.2" in silent.sentence
    assert judge("non_inferior", ARMS, pairs([(0, 1), (1, 1)] * 50)).status is Status.FAILED
    assert judge("superior", ARMS, pairs([(1, 0), (1, 1)] * 50)).status is Status.PASSED


@pytest.mark.parametrize("hits_of_reference", [0, 60])
def test_two_silent_arms_pass_no_gate_however_low_it_is_set(hits_of_reference):
    outcomes = [(1, 1)] * hits_of_reference + [(0, 0)] * (200 - hits_of_reference)
    ruling = judge("non_inferior", {**ARMS, "reference_at_least": 0}, pairs(outcomes))
    assert ruling.status is (Status.PASSED if hits_of_reference else Status.INCONCLUSIVE)


def test_an_arm_that_finds_nothing_does_not_pass_a_margin_as_wide_as_its_reference():
    """300 pairs, 35% found by the reference alone: more than 0.2 of them surely, and 0.35 less lies within 0.45."""
    ruling = judge("non_inferior", {**ARMS, "margin": 0.45}, pairs([(0, 7 * i % 20 > 12) for i in range(300)]))
    assert ruling.status is Status.INCONCLUSIVE
    assert "not shown to exceed 0.45" in ruling.sentence


def test_excluded_scenes_delay_a_pass_and_cause_no_failure():
    accepted = hits([1] * 30)
    excluded = [trial(f"x{i}", 0.9, rejected="contrast") for i in range(30)]
    order = tuple(f"{kind}{i}" for i in range(30) for kind in "xb")
    assert judge("sensitivity", {"at_least": 0.8}, accepted, order).status is Status.PASSED
    assert judge("sensitivity", {"at_least": 0.8}, accepted + excluded, order).status is Status.INCONCLUSIVE


def test_excluded_scenes_of_the_reference_keep_the_gate_shut():
    """180 of 300 nodules found show more than 0.45, of 360 no longer; 60 losses among 360 stay within the margin."""
    assert e_value_above(180, 120, 0.45) > 20 > e_value_above(180, 180, 0.45)
    accepted = pairs([(k % 5 < 3,) * 2 for k in range(300)])
    excluded = [trial(f"x{i}", 0.9, arm=arm, rejected="contrast") for i in range(60) for arm in "ar"]
    order = tuple(f"{kind}{i // 5 if kind == 'x' else i}" for i in range(300) for kind in ("xb" if i % 5 == 0 else "b"))
    asked = {**ARMS, "margin": 0.45}
    assert judge("non_inferior", asked, accepted, order).status is Status.PASSED
    ruling = judge("non_inferior", asked, accepted + excluded, order)
    assert ruling.status is Status.INCONCLUSIVE
    assert "not shown to exceed 0.45" in ruling.sentence


def test_a_pass_is_told_with_the_excluded_counted_and_all_else_without():
    excluded = [trial("x", 0.9, rejected="contrast")]
    order = ("b0", "x", *(f"b{i}" for i in range(1, 100)))
    passed = judge("sensitivity", {"at_least": 0.5}, hits([1] * 100) + excluded, order)
    look = next(n for n in range(2, 100) if e_value_above(n - 1, 1, 0.5) >= 20)
    assert passed.components[0].value == pytest.approx((look - 1) / look)
    assert passed.n_nodules == look
    assert f"; decided after {look} of 101 planned independent backgrounds by e-values" in passed.sentence
    open_still = judge("sensitivity", {"at_least": 0.5}, hits([1, 0] * 4) + excluded, order)
    assert (open_still.status, open_still.components[0].value) == (Status.INCONCLUSIVE, 0.5)
    assert (
        "; undecided after 9 of 101 planned independent backgrounds by e-values, 8 of which are judged"
        in open_still.sentence
    )


def test_of_a_stratum_it_is_said_how_many_backgrounds_were_looked_at_and_how_many_are_of_it():
    """Every second patient is a woman: of 20 women, 40 patients were looked at."""
    trials = [trial(f"b{i}", 0.9, strata={"sex": "FM"[i % 2]}) for i in range(60)]
    women = judge("sensitivity", {"at_least": 0.8, "where": {"sex": "F"}}, trials)
    first = next(n for n in range(2, 60) if e_value_above(n, 0, 0.8) >= 20)
    assert women.n_backgrounds == first
    words = (
        f"decided after {2 * first - 1} of 60 planned independent backgrounds by e-values, {first} of which are judged"
    )
    assert words in women.sentence


def test_what_images_may_lose_is_no_gate_on_nodules():
    """60 of 200 nodules found are enough to show 0.2, not to show 0.45."""
    asked = {**ARMS, "margin": 0.45, "metric": "specificity"}
    made = pairs([(i % 10 < 3,) * 2 for i in range(400)])
    untouched = [trial(t.background, arm="@untouched") for t in made[::2]]
    ruling = judge("non_inferior", asked, made + untouched)
    assert ruling.status is Status.PASSED


@pytest.mark.parametrize(("kind", "given"), [("sensitivity", {"at_least": bound}) for bound in (0, 1)])
def test_a_bound_at_the_end_of_the_range_is_refused(kind, given):
    with pytest.raises(SynnodError, match="cannot be crossed"):
        sequential_judge(kind, given)
    sequential_judge("non_inferior", {**ARMS, "margin": 0.9})
    sequential_judge("superior", ARMS)
    with pytest.raises(SynnodError, match="cannot be crossed"):
        sequential_judge("non_inferior", {**ARMS, "margin": 1})


def test_what_was_not_made_is_told_and_a_difference_is_called_one():
    lost = {"no place in region 'hilar'": 4}
    for kind, asked, trials, unit in (
        ("sensitivity", {"at_least": 0.5}, hits([1] * 30), "rate"),
        ("non_inferior", ARMS, pairs([(1, 1)] * 200), "difference"),
    ):
        ruling = judge(kind, asked, trials, shortfall=lost)
        assert ruling.notes[1:] == ("not made: 4 x no place in region 'hilar'",)
        assert (ruling.status, ruling.components[0].unit) == (Status.PASSED, unit)


@pytest.mark.parametrize(
    "kind", ["froc", "monotone", "calibration", "equivalent", "false_positives_per_image", "python"]
)
def test_other_expectations_are_refused(kind):
    with pytest.raises(SynnodError, match="rates and paired rates"):
        sequential_judge(kind, {"at_least": 0.5, "margin": 0.1})


def test_the_interval_of_pairs_is_that_of_gains_losses_and_all_others():
    ruling = judge("non_inferior", ARMS, pairs([(1, 1)] * 9 + [(1, 0)] * 3 + [(0, 1)] + [(0, 0)] * 2))
    want, part = confidence_sequence_paired(3, 1, 11, alpha=0.05), ruling.components[0]
    assert (part.value, part.lower, part.upper) == pytest.approx((want.value, want.lower, want.upper))
    wide = confidence_sequence_paired(3, 1, 11, alpha=0.025)
    assert (part.lower95, part.upper95) == pytest.approx((wide.lower, wide.upper))
    assert ruling.status is Status.INCONCLUSIVE


def test_several_pairs_on_a_background_and_other_metrics_are_refused():
    with pytest.raises(SynnodError, match="confidence"):
        sequential_judge("non_inferior", {**ARMS, "metric": "confidence"})
    twice = [trial("b", 0.9, arm=arm, replicate=r) for arm in "ar" for r in range(2)]
    with pytest.raises(SynnodError, match="one pair per background"):
        judge("non_inferior", ARMS, twice)


def test_peeking_at_every_background_passes_a_detector_at_the_bound_at_most_alpha_of_the_time():
    runs = 150
    rng = np.random.default_rng(5)
    verdicts = Counter(judge("sensitivity", {"at_least": 0.8}, hits(rng.random(150) < 0.8)).status for _ in range(runs))
    allowed = 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert verdicts[Status.PASSED] / runs <= allowed
    assert verdicts[Status.FAILED] / runs <= allowed


def test_a_pass_is_said_at_a_look_whose_own_bound_allows_it_however_late_the_reference_shows_that_it_sees():
    """20 pairs that agree show less than 0.2 lost; the reference, with every third found, shows 0.2 after 91."""
    early = pairs([(i % 3 == 0 and i < 20, i % 3 == 0) for i in range(120)])
    ruling = judge("non_inferior", {**ARMS, "margin": 0.2}, early)
    reached = [n for n, e in zip(ruling.figure["n"], ruling.figure["log_e_above"], strict=True) if e >= math.log(20)]
    found = [i % 3 == 0 for i in range(120)]
    awake = next(n for n in range(2, 120) if e_value_above(sum(found[:n]), n - sum(found[:n]), 0.2) >= 20)
    assert reached
    assert max(reached) < awake == 91
    assert ruling.status is Status.INCONCLUSIVE
    lost_late = judge("non_inferior", {**ARMS, "margin": 0.2}, pairs([(x, x) for x in found]))
    assert f"decided after {awake} of 120" in lost_late.sentence
    assert lost_late.components[0].lower > -0.2


def test_what_the_first_background_alone_reached_is_no_pass_at_a_second_that_takes_it_back():
    """One hit against a rate of at most 0.02 is 25.5; a hit and a miss are (1 + 2m) / 6m, which is 8.67."""
    ruling = judge("sensitivity", {"at_least": 0.02}, hits([1, 0]))
    assert ruling.figure["log_e_above"] == pytest.approx([math.log(25.5), math.log(26 / 3)], abs=1e-4)
    assert ruling.status is Status.INCONCLUSIVE


def test_a_reference_has_shown_that_it_sees_only_where_its_own_backgrounds_are_reached():
    """Backgrounds that show one arm alone, and excluded ones, which the reference may have missed, come in between."""
    order = tuple(f"{kind}{i}" for i in range(100) for kind in "xb")
    excluded = [trial(f"x{i}", 0.9, arm=arm, rejected="contrast") for i in range(3) for arm in "ar"]
    asked = {**ARMS, "margin": 0.7, "reference_at_least": 0.8}
    ruling = judge("non_inferior", asked, pairs([(1, 1)] * 100) + excluded, order)
    hits = next(n for n in range(2, 100) if e_value_above(n, 3, 0.8) >= 20)
    assert f", {hits + 3} of which are judged" in ruling.sentence
