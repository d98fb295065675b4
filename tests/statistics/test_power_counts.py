"""Power and sample size of counts and means, against draws judged by the bounds that decide."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from synnodtest.statistics import count_rate, poisson_exact, power_count, power_drop, power_mean, sample_size_count
from synnodtest.statistics.power import smallest_n
from synnodtest.statistics.shifts import guarded_bounds


@pytest.mark.parametrize(
    ("patients", "images", "bound", "rate", "icc"),
    [
        (30, 1, 1.0, 0.6, 0),
        (44, 1, 0.5, 0.25, 0),
        (53, 2, 0.25, 0.1, 0),
        (60, 4, 0.25, 0.1, 0.2),
        (30, 4, 2.0, 1.5, 0.2),
    ],
)
def test_power_of_counts_is_how_often_the_bound_that_decides_undercuts(patients, images, bound, rate, icc):
    """By Garwood's bound 53 patients of two images each were promised 0.83, where 0.39 come."""
    rng, passed, runs, shape = np.random.default_rng(patients), 0, 300, rate * (1 / icc - 1) if icc else 0
    cluster = np.repeat(np.arange(patients), images)
    for run in range(runs):
        each = rng.gamma(shape, rate / shape, patients) if icc else np.full(patients, rate)
        passed += count_rate(rng.poisson(each[cluster]), cluster, seed=run, resamples=300).upper < bound
    made = power_count(patients * images, bound, rate, per_cluster=images, icc=icc)
    assert made == pytest.approx(passed / runs, abs=0.08)


def test_power_of_counts_without_chance_and_of_more_images_than_are_drawn():
    assert power_count(0, 1.0, 0.5) == power_count(1, 1.0, 0.0) == 0.0
    assert power_count(2, 2.0, 0.0) == power_count(6000, 1.0, 0.0) == 1.0
    garwood = max(x for x in range(5000, 6001) if poisson_exact(x, 6000).upper < 1.0)
    assert power_count(6000, 1.0, 0.97) == pytest.approx(stats.poisson.cdf(garwood, 5820), abs=0.02)


@pytest.mark.parametrize(("n", "bound", "rate"), [(2700, 0.05, 0.04), (4000, 0.05, 0.04), (350, 1.0, 0.9)])
def test_power_of_counts_of_many_single_images_is_exact(n, bound, rate):
    shown = max(x for x in range(round(n * bound)) if poisson_exact(x, n).upper < bound)
    assert power_count(n, bound, rate) == pytest.approx(stats.poisson.cdf(shown, n * rate))


@pytest.mark.parametrize(("images", "bound", "rate", "each"), [(60, 1.0, 0.5, 4), (240, 0.5, 0.25, 4)])
def test_power_of_counts_does_not_rise_with_their_correlation(images, bound, rate, each):
    powers = [power_count(images, bound, rate, per_cluster=each, icc=icc) for icc in (0.0, 0.2, 0.5, 0.8, 0.95, 1.0)]
    assert all(later <= earlier + 0.02 for earlier, later in pairwise(powers))


def test_sample_size_of_counts_reaches_the_power():
    n = sample_size_count(0.05, 0.04)
    assert power_count(n, 0.05, 0.04) >= 0.9 > power_count(n - 1, 0.05, 0.04)
    n = sample_size_count(1.0, 0.7, power=0.8)
    assert power_count(n, 1.0, 0.7) >= 0.8 > power_count(n - 1, 1.0, 0.7)
    n = sample_size_count(1.0, 0.7, power=0.8, per_cluster=3)
    reached = [power_count(k, 1.0, 0.7, per_cluster=3) >= 0.8 for k in (n, n - 3)]
    assert n % 3 == 0
    assert reached == [True, False]


def correlations(rng, mean, spread, shape):
    """Beta distributed within -1 and 1."""
    share = (1 + mean) / 2
    common = share * (1 - share) / (spread / 2) ** 2 - 1
    return 2 * rng.beta(share * common, (1 - share) * common, shape) - 1


@pytest.mark.parametrize(
    ("n", "bound", "mean", "spread", "alpha"),
    [(15, 0.5, 0.8, 0.3, 0.05), (30, 0.5, 0.7, 0.4, 0.05), (60, 0.9, 0.95, 0.1, 0.05), (30, 0.1, 0.3, 0.4, 0.025)],
)
def test_power_of_a_mean_is_how_often_the_bound_that_decides_exceeds_it(n, bound, mean, spread, alpha):
    """By Student's t with one more value of 0, 30 were promised 0.76, where 0.66 come."""
    passed = 0
    for rhos in correlations(np.random.default_rng(1), mean, spread, (400, n)):
        low, _ = guarded_bounds(rhos, alpha, -1.0, 1.0, (0.0, 0.0))
        passed += low > bound
    assert power_mean(n, bound, mean, spread, alpha=alpha) == pytest.approx(passed / 400, abs=0.06)


def test_the_sample_size_of_a_mean_is_the_smallest_that_reaches_the_power():
    n = smallest_n(lambda size: power_mean(size, 0.5, 0.7, 0.4), 0.8, 2, smooth=True)
    assert power_mean(n, 0.5, 0.7, 0.4) >= 0.8 > power_mean(n - 1, 0.5, 0.7, 0.4)
    assert power_mean(1, 0.5, 0.7, 0.4) == 0.0
    assert power_mean(5001, 0.5, 0.51, 0.4) == pytest.approx(power_mean(5000, 0.5, 0.51, 0.4), abs=0.05)
    assert power_mean(400, 0.9, 0.95, 0.4) == power_mean(400, 0.9, 0.95, 9.0)
    for mean, spread in ((0.5, 0.4), (0.7, 0.0), (1.1, 0.4)):
        with pytest.raises(ValueError, match="the mean exceeds the bound and the spread is above 0"):
            power_mean(20, 0.5, mean, spread)


@pytest.mark.parametrize(
    ("n", "bound", "spread", "alpha"),
    [(15, 0.1, 0.2, 0.05), (30, 0.1, 0.35, 0.05), (60, 0.05, 0.25, 0.025), (20, 0, 1, 0.05)],
)
def test_power_of_a_drop_is_how_often_students_bound_of_a_fall_that_is_none_stays_below_it(n, bound, spread, alpha):
    falls = np.random.default_rng(0).normal(0, spread, (20_000, n))
    half = stats.t.isf(alpha, n - 1) * falls.std(axis=1, ddof=1) / math.sqrt(n)
    assert power_drop(n, bound, spread, alpha=alpha) == pytest.approx(
        (falls.mean(axis=1) + half < bound).mean(), abs=0.01
    )
    assert power_drop(1, bound, spread) == 0.0
    for impossible in ((-0.1, spread), (bound, 0.0)):
        with pytest.raises(ValueError, match="the bound is not below 0 and the spread is above 0"):
            power_drop(n, *impossible)
