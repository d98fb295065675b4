"""An interval held against a bound: its p value is the exact tail, and a guard only widens."""

import math
from dataclasses import replace

import pytest
from scipy import stats

from synnodtest.expectations import Status
from synnodtest.expectations.rule import alarm_p, hold, no_narrower
from synnodtest.statistics import Estimate, clopper_pearson


def rate(successes, trials, shift=0.0):
    def estimator(alpha):
        made = clopper_pearson(successes, trials, alpha=alpha)
        return replace(made, value=made.value + shift, lower=made.lower + shift, upper=made.upper + shift)

    return estimator


@pytest.mark.parametrize(("successes", "trials", "bound"), [(3, 20, 0.5), (9, 20, 0.5), (70, 100, 0.8), (0, 40, 0.1)])
def test_the_p_value_of_a_failure_is_the_exact_binomial_tail_rounded_up(successes, trials, bound):
    tail = stats.binom.cdf(successes, trials, bound)
    above = alarm_p(rate(successes, trials), bound, "above")
    below = alarm_p(rate(trials - successes, trials), 1 - bound, "below")
    within = alarm_p(rate(successes, trials, -1.0), 1 - bound, "within")
    assert tail <= above < 1.005 * tail
    assert above == pytest.approx(below, rel=1e-6) == pytest.approx(within, rel=1e-6)


@pytest.mark.parametrize(("value", "side"), [(10, "above"), (12, "above"), (10, "below"), (8, "below"), (10, "within")])
def test_a_value_on_the_right_side_of_its_bound_or_at_it_raises_no_alarm(value, side):
    assert alarm_p(rate(value, 20), 0.5, side) == 1.0


def test_a_p_value_is_at_least_the_least_and_none_without_an_interval():
    assert alarm_p(rate(0, 400), 0.9, "above") == 1e-8
    held = hold("rate", "rate", rate(0, 1), alpha=0.05, bound=0.9, side="above")
    assert (held.part.status, math.isnan(held.p_value)) == (Status.INCONCLUSIVE, True)
    sure = hold("rate", "rate", rate(0, 30), alpha=0.05, bound=0.9, side="above")
    assert (sure.part.status, sure.p_value) == (Status.FAILED, 1e-8)
    assert (sure.part.upper, sure.part.upper95) == pytest.approx((1 - 0.05 ** (1 / 30), 1 - 0.025 ** (1 / 30)))


@pytest.mark.parametrize(("lower", "upper"), [(0.9, 0.95), (0.1, 0.2)])
def test_an_estimate_on_which_no_decision_may_rest_decides_nothing_whatever_its_bounds(lower, upper):
    one_cluster = Estimate((lower + upper) / 2, lower, upper, reason="one cluster")
    held = hold("rate", "rate", lambda alpha: one_cluster, alpha=0.05, bound=0.5, side="above")
    assert (held.part.status, math.isnan(held.p_value)) == (Status.INCONCLUSIVE, True)
    assert alarm_p(held.estimator, 0.5, "above") == 1.0


def test_an_interval_that_reaches_the_bound_at_any_error_rate_has_a_p_value_of_1():
    assert alarm_p(lambda alpha: Estimate(0.4, 0.2, 0.6), 0.5, "above") == 1.0


def test_the_wider_of_two_intervals_is_taken_end_by_end():
    drawn, exact = clopper_pearson(8, 20), clopper_pearson(80, 200)
    for one, other in ((drawn, exact), (exact, drawn)):
        made = no_narrower(replace(one, method="drawn"), replace(other, method="exact"))
        assert (made.lower, made.upper) == (drawn.lower, drawn.upper)
        assert (made.value, made.n, made.method) == (one.value, one.n, "drawn, no narrower than exact")
