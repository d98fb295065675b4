"""Rates of independent units, against printed tables and SciPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synnodtest.statistics import clopper_pearson, jeffreys, wilson

INTERVALS = [clopper_pearson, wilson, jeffreys]
counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
modest = settings(max_examples=60, deadline=None, derandomize=True)


# Newcombe, Statist. Med. 17 (1998) 857, table I: 95% intervals by methods 3 (Wilson) and 5 (Clopper-Pearson).
@pytest.mark.parametrize(
    ("x", "n", "score", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_newcombes_printed_examples(x, n, score, exact):
    got = wilson(x, n, alpha=0.025)
    assert (got.lower, got.upper) == pytest.approx(score, abs=5.1e-5)
    got = clopper_pearson(x, n, alpha=0.025)
    assert (got.lower, got.upper) == pytest.approx(exact, abs=5.1e-5)


# Brown, Cai & DasGupta, Statist. Sci. 16 (2001) 101, table 5: 95% limits of the Jeffreys interval, n = 7 and n = 10.
@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(1, 7, 0.016, 0.501), (2, 7, 0.065, 0.648), (3, 7, 0.139, 0.766), (5, 10, 0.224, 0.776), (1, 10, 0.011, 0.381)],
)
def test_jeffreys_limits_of_brown_cai_and_dasgupta(x, n, low, high):
    got = jeffreys(x, n, alpha=0.025)
    assert (got.lower, got.upper) == pytest.approx((low, high), abs=5.1e-4)


@pytest.mark.parametrize("n", [1, 2, 7, 59, 400])
@pytest.mark.parametrize("alpha", [0.001, 0.025, 0.05, 0.2])
def test_scipy_agrees(n, alpha):
    for x in {0, 1, n // 2, n - 1, n}:
        reference = stats.binomtest(x, n)
        for ours, name in ((clopper_pearson, "exact"), (wilson, "wilson")):
            got, want = ours(x, n, alpha=alpha), reference.proportion_ci(1 - 2 * alpha, method=name)
            assert (got.lower, got.upper) == pytest.approx((want.low, want.high), abs=1e-9)


@pytest.mark.parametrize("alpha", [0.025, 0.05])
def test_statsmodels_agrees_on_jeffreys(alpha):
    from statsmodels.stats.proportion import proportion_confint

    for x, n in [(3, 10), (1, 59), (40, 41)]:
        got = jeffreys(x, n, alpha=alpha)
        assert (got.lower, got.upper) == pytest.approx(proportion_confint(x, n, 2 * alpha, "jeffreys"))


@pytest.mark.parametrize(("events", "numbers"), [(0, (59, 149, 299)), (1, (93, 236, 473))])
def test_the_smallest_n_that_shows_a_rate_below_5_2_and_1_percent(events, numbers):
    for n, bound in zip(numbers, (0.05, 0.02, 0.01), strict=True):
        assert clopper_pearson(events, n).upper < bound < clopper_pearson(events, n - 1).upper


@pytest.mark.parametrize("n", [5, 20, 47])
@pytest.mark.parametrize("rate", [0.05, 0.5, 0.8, 0.97])
def test_clopper_pearson_errs_at_most_alpha_on_either_side(n, rate):
    x = np.arange(n + 1)
    mass = stats.binom.pmf(x, n, rate)
    bounds = [clopper_pearson(int(k), n) for k in x]
    assert mass[[b.lower > rate for b in bounds]].sum() <= 0.05
    assert mass[[b.upper < rate for b in bounds]].sum() <= 0.05


@pytest.mark.parametrize("interval", INTERVALS)
def test_no_trials_say_nothing(interval):
    got = interval(0, 0)
    assert math.isnan(got.value)
    assert (got.lower, got.upper, got.usable) == (0.0, 1.0, False)


@pytest.mark.parametrize("interval", INTERVALS)
def test_one_trial_decides_nothing(interval):
    assert not interval(1, 1).usable
    assert interval(1, 1).lower < 1


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize(
    ("x", "n", "alpha"), [(-1, 3, 0.05), (4, 3, 0.05), (math.nan, 3, 0.05), (1, 3, 0), (1, 3, 0.5)]
)
def test_impossible_arguments_are_refused(interval, x, n, alpha):
    with pytest.raises(ValueError):
        interval(x, n, alpha=alpha)


def test_three_of_three_do_not_exceed_four_fifths():
    assert clopper_pearson(3, 3).lower == pytest.approx(0.05 ** (1 / 3))


@pytest.mark.parametrize("interval", INTERVALS)
@modest
@given(counts)
def test_bounds_hold_the_value_lie_in_the_range_and_mirror(interval, xn):
    x, n = xn
    got, mirrored = interval(x, n), interval(n - x, n)
    assert 0 <= got.lower <= got.value <= got.upper <= 1
    assert got.lower < got.upper
    assert (mirrored.lower, mirrored.upper) == pytest.approx((1 - got.upper, 1 - got.lower))


@pytest.mark.parametrize("interval", INTERVALS)
@modest
@given(counts.filter(lambda xn: xn[0] < xn[1]))
def test_one_more_success_raises_both_bounds(interval, xn):
    x, n = xn
    less, more = interval(x, n), interval(x + 1, n)
    assert more.lower > less.lower
    assert more.upper > less.upper or less.upper == 1.0
