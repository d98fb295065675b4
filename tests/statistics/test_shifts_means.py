"""Bounds of a mean: Student's t, Hall's correction for skewness, and one value that was not seen."""

import math

import numpy as np
import pytest
from scipy import optimize, stats

from synnodtest.statistics.shifts import guarded_bounds, t_bounds
from synnodtest.statistics.skewness import hall_bounds

SKEWED = np.array([0.9, 0.8, 0.95, 0.1, 0.85, 0.9, 0.7])


def by_students(values):
    half = stats.t.isf(0.05, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return values.mean() - half, values.mean() + half


@pytest.mark.parametrize("values", [SKEWED, -SKEWED, np.array([0.1, 0.2, 0.9]), np.array([1.0, 2.0, 3.0, 4.0])])
def test_halls_bounds_invert_his_cubic(values):
    """g(T) = T + s T^2/3 + s^2 T^3/27 + s/6 with s the skewness over the root of n; g(T) has Student's quantiles."""
    count = len(values)
    skew = stats.skew(values, bias=False) / math.sqrt(count)

    def turned(quantile):
        return optimize.brentq(lambda t: t + skew * t**2 / 3 + skew**2 * t**3 / 27 + skew / 6 - quantile, -60, 60)

    error, quantile = values.std(ddof=1) / math.sqrt(count), stats.t.isf(0.05, count - 1)
    want = values.mean() - turned(quantile) * error, values.mean() - turned(-quantile) * error
    assert hall_bounds(values, 0.05) == pytest.approx(want)


def test_two_values_or_equal_ones_have_no_skewness():
    assert hall_bounds(np.array([0.2, 0.4]), 0.05) == pytest.approx((0.3, 0.3))
    assert hall_bounds(np.full(9, 0.4), 0.05) == pytest.approx((0.4, 0.4))


@pytest.mark.parametrize("values", [SKEWED, 1 - SKEWED, np.array([0.5, 0.52, 0.48, 0.5])])
def test_the_guard_is_the_widest_of_t_halls_and_t_with_one_more_value_at_the_end(values):
    hall, plain = hall_bounds(values, 0.05), by_students(values)
    low, high = by_students(np.append(values, 0.0))[0], by_students(np.append(values, 1.0))[1]
    want = max(0.0, min(plain[0], hall[0], low)), min(1.0, max(plain[1], hall[1], high))
    assert guarded_bounds(values, 0.05, 0.0, 1.0, (0.0, 1.0)) == pytest.approx(want)
    assert t_bounds(values, 0.05, 0.0, 1.0) == pytest.approx((max(0, plain[0]), min(1, plain[1])))


@pytest.mark.parametrize(
    ("values", "unseen", "widest"),
    [
        (np.array([0.45, 0.55]), (0.4, 0.6), "t"),
        (np.array([0.45, 0.55]), (0.0, 1.0), "one more"),
        (SKEWED, (0.7, 0.8), "hall"),
    ],
)
def test_each_of_the_three_is_the_widest_of_some_values(values, unseen, widest):
    more = by_students(np.append(values, unseen[0]))[0], by_students(np.append(values, unseen[1]))[1]
    lowers = {"t": by_students(values)[0], "hall": hall_bounds(values, 0.05)[0], "one more": more[0]}
    lower, upper = guarded_bounds(values, 0.05, -9.0, 9.0, unseen)
    assert min(lowers, key=lowers.get) == widest
    assert lower == pytest.approx(lowers[widest])
    assert upper == pytest.approx(max(by_students(values)[1], hall_bounds(values, 0.05)[1], more[1]))


def test_of_many_that_agree_the_share_that_was_not_seen_is_wider_than_one_more_value():
    """1 - alpha**(1/60) is some 3/60; Student's t with one more value reaches 1/61 + 1.67/61."""
    share = 1 - 0.05 ** (1 / 60)
    lower, upper = guarded_bounds(np.full(60, 0.4), 0.05, 0.0, 1.0, (0.2, 0.6))
    assert by_students(np.array([0.4] * 60 + [0.2]))[0] > 0.4 - 0.2 * share
    assert (lower, upper) == pytest.approx((0.4 - 0.2 * share, 0.4 + 0.2 * share))


def test_where_all_agree_a_share_that_was_not_seen_lies_at_the_ends():
    share = 1 - 0.05 ** (1 / 9)
    assert t_bounds(np.full(9, 0.4), 0.05, 0.0, 1.0) == pytest.approx((0.4 - 0.4 * share, 0.4 + 0.6 * share))
    lower, upper = guarded_bounds(np.full(9, 0.4), 0.05, 0.0, 1.0, (0.2, 0.6))
    assert lower == pytest.approx(min(0.4 - 0.2 * share, by_students(np.array([0.4] * 9 + [0.2]))[0]))
    assert upper == pytest.approx(max(0.4 + 0.2 * share, by_students(np.array([0.4] * 9 + [0.6]))[1]))
