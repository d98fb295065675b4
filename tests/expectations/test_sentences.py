"""The sentence of a verdict, word for word, and the p value beside it."""

import math

import numpy as np
import pytest

from synnodtest.evidence.ruling import Component
from synnodtest.expectations import Status, find_check
from synnodtest.expectations.limits import too_few_clusters, too_few_equal_clusters, too_many_left_out
from synnodtest.expectations.rule import hold, rule
from synnodtest.expectations.sentences import beside, counts_phrase, limit, number, percent, sentence_for, signed
from synnodtest.statistics import Estimate, clopper_pearson
from tests.expectations.evidence import evidence, trial

PASSED, FAILED, INCONCLUSIVE = Status.PASSED, Status.FAILED, Status.INCONCLUSIVE


def part(status, side="above", role="decides", label="rate", value=0.9, lower=0.85, upper=0.95, bound=0.8):
    return Component(label, label, value, lower, upper, bound, side, status, "m", role=role)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (part(PASSED), "rate 0.90 (one-sided 95% lower bound 0.85) exceeds the pre-specified 0.80"),
        (part(FAILED), "rate 0.90 (one-sided 95% upper bound 0.95) falls short of the pre-specified 0.80"),
        (part(INCONCLUSIVE), "rate 0.90 (90% interval 0.85 to 0.95) does not settle the pre-specified 0.80"),
        (part(PASSED, "below"), "rate 0.90 (one-sided 95% upper bound 0.95) stays below the pre-specified 0.80"),
        (part(FAILED, "below"), "rate 0.90 (one-sided 95% lower bound 0.85) exceeds the pre-specified limit of 0.80"),
        (part(INCONCLUSIVE, "below"), "rate 0.90 (90% interval 0.85 to 0.95) does not settle the pre-specified 0.80"),
        (part(PASSED, "within"), "rate 0.90 (90% interval 0.85 to 0.95) lies inside the pre-specified ±0.80"),
        (part(FAILED, "within"), "rate 0.90 (90% interval 0.85 to 0.95) lies outside the pre-specified ±0.80"),
        (part(INCONCLUSIVE, "within"), "rate 0.90 (90% interval 0.85 to 0.95) does not settle the pre-specified ±0.80"),
    ],
)
def test_a_component_is_told_with_the_bound_that_decides_it(made, told):
    assert sentence_for(made.status, [made], 0.05, "n = 9") == f"{made.status} {told}; n = 9"


def test_the_decisive_parts_lead_and_what_is_only_shown_is_left_out():
    shown, gate = (part(FAILED, role=role) for role in ("shown", "gate"))
    good, bad, open_ = part(PASSED), part(FAILED, label="other"), part(INCONCLUSIVE, label="third")

    def told(status, *parts, reasons=()):
        return sentence_for(status, parts, 0.05, "n", reasons)

    failed = told(FAILED, good, gate, bad, shown)
    assert failed.startswith("FAILED other 0.90 (")
    assert failed.count("(") == 1
    assert told(INCONCLUSIVE, good, open_, shown).startswith("INCONCLUSIVE third 0.90 (")
    assert told(INCONCLUSIVE, good, open_, shown, reasons=["few", ""]).endswith("; n; few")
    assert told(INCONCLUSIVE, good, gate).count("(") == 1
    assert told(INCONCLUSIVE, good, shown, reasons=["few"]).startswith("INCONCLUSIVE few; rate 0.90 (")
    assert told(PASSED, good, good, shown).count(", and rate") == 1
    assert told(PASSED, good, reasons=["seen"]).endswith("; n; seen")


@pytest.mark.parametrize(
    ("value", "bound", "told"),
    [
        (0.8996, 0.9, "0.8996"),
        (0.9004, 0.9, "0.9004"),
        (0.9, 0.9, "0.90"),
        (0.8, 0.9, "0.80"),
        (-0.0996, 0.1, "-0.0996"),
        (-0.1004, 0.1, "-0.1004"),
        (123.4, 100, "123"),
        (99.6, 100, "99.6"),
        (99.4, 30, "99.40"),
        (99.5, 30, "100"),
        (math.nan, 0.9, "not estimable"),
    ],
)
def test_a_number_keeps_its_side_of_the_bound_in_print(value, bound, told):
    assert beside(value, bound) == told


def test_numbers_bounds_and_counts_in_words():
    assert [number(x) for x in (0.125, 99.49, 99.5, -150.2, math.nan)] == [
        "0.12",
        "99.49",
        "100",
        "-150",
        "not estimable",
    ]
    assert [limit(x) for x in (0.8, 0.125, 30, 0.001, 1e-9)] == ["0.80", "0.125", "30.00", "0.001", "1e-09"]
    assert [percent(a) for a in (0.05, 0.025, 0.1)] == ["95%", "97.5%", "90%"]
    assert [signed(x, 0.03) for x in (0.1, -0.02999, -0.03, None)] == ["+0.100", "-0.02999", "-0.030", "none"]
    assert [signed(x, 0.03) for x in (0.0, -0.0, 4e-4, -4e-4)] == ["0.000"] * 4
    assert counts_phrase(1, 1) == "n = 1 nodule on 1 background"
    assert counts_phrase(2, 1, "pair") == "n = 2 pairs on 1 background"
    assert counts_phrase(3, 2, "image") == "n = 3 images"


def rate(successes, n, role="decides", reason=""):
    def estimator(alpha):
        made = clopper_pearson(successes, n, alpha=alpha)
        return Estimate(made.value, made.lower, made.upper, alpha=alpha, method="m", reason=reason)

    return hold("rate", "rate", estimator, alpha=0.05, bound=0.8, side="above", role=role)


def test_the_p_value_is_that_of_the_worst_deciding_part_times_their_number():
    trials = [trial(f"b{i}", 0.9) for i in range(3)]

    def p_of(*held, reasons=()):
        return rule(held, evidence(trials), "asked", trials, reasons=reasons).p_value

    one, other, gate = rate(10, 20), rate(14, 20), rate(0, 20, role="gate")
    assert p_of(one) == one.p_value < other.p_value
    assert p_of(other, one, gate) == pytest.approx(2 * one.p_value)
    assert p_of(*[rate(15, 20)] * 8) == 1.0 < 8 * rate(15, 20).p_value
    assert np.isnan(p_of(one, reasons=["few"]))
    assert np.isnan(p_of(rate(1, 1, reason="one cluster"), gate))
    assert p_of(one, rate(1, 1, reason="one cluster")) == pytest.approx(2 * one.p_value)


def test_why_an_estimate_cannot_be_used_is_said_once_and_never_of_what_is_only_shown():
    trials = [trial("b", 0.9)]
    held = [rate(1, 1, reason="one cluster"), rate(1, 1, role="gate", reason="one cluster")]
    shown = rate(1, 1, role="shown", reason="no trials")
    ruling = rule([*held, shown], evidence(trials), "asked", trials, reasons=["one cluster", "few"])
    assert ruling.sentence.endswith("; n = 1 nodule on 1 background; one cluster; few")


NOTHING = {
    "sensitivity": {"at_least": 0.5},
    "specificity": {"at_least": 0.5},
    "false_positives_per_image": {"at_most": 1.0},
    "no_detection": {"region": "hilar", "at_most": 0.1},
    "detected": {"rate_at_least": 0.5},
    "monotone": {"over": "diameter_mm"},
    "correlation": {"over": "diameter_mm", "at_least": 0.5},
    "size_at_sensitivity": {"level": 0.5, "at_most": 10},
    "superior": {"arm": "a", "reference": "b"},
    "growth": {"at_least": 0.1},
    "localization": {"at_least": 0.5},
    "distractor": {"at_most": 0.1},
    "froc": {"at_least": 0.5},
    "auc": {"at_least": 0.5},
    "afroc": {"at_least": 0.5},
    "average_precision": {"at_least": 0.5},
    "calibration": {"at_most": 0.1},
}


@pytest.mark.parametrize("kind", NOTHING)
def test_without_a_trial_a_kind_says_that_there_is_nothing_and_why(kind):
    for shortfall, why in (({}, ""), ({"no place": 3, "no region": 1}, ": no place (3); no region (1)")):
        ruling = find_check(kind).judge(NOTHING[kind], evidence([], shortfall=shortfall))
        assert ruling.sentence.startswith("INCONCLUSIVE no ")
        assert ruling.sentence.endswith(f" to judge{why}")
        assert (ruling.status, ruling.components, ruling.n_nodules) == (INCONCLUSIVE, (), 0)


def test_fifteen_backgrounds_with_equally_many_images_are_enough():
    assert too_few_clusters(15) == too_few_equal_clusters([f"b{i % 15}" for i in range(45)]) == []
    assert too_few_clusters(14) == too_few_equal_clusters([f"b{i}" for i in range(14)])
    assert too_few_clusters(14) == ["14 independent backgrounds are too few, 15 are needed"]
    assert too_few_clusters(1) == ["1 independent background is too few, 15 are needed"]
    (told,) = too_few_equal_clusters([*map(str, range(16)), "0", "0"])
    assert told.startswith(
        f"16 patients or backgrounds with unequally many images tell as much as {18**2 / 24:.1f} equal"
    )


def test_a_trend_within_half_of_the_backgrounds_speaks_for_them():
    assert too_many_left_out(10, 20) == []
    assert too_many_left_out(9, 20) == ["11 of 20 independent backgrounds lack levels and are left out"]
