"""Power and sample size, against enumeration with the intervals that decide."""

import math

import numpy as np
import pytest
from scipy import stats

from synnodtest.evidence.ruling import Status, decide
from synnodtest.statistics import (
    clopper_pearson,
    design_effect,
    korn_graubard,
    poisson_exact,
    power_count,
    power_drop,
    power_mean,
    power_paired,
    power_rate,
    sample_size_count,
    sample_size_paired,
    sample_size_rate,
    smallest_n_paired,
    smallest_n_rate,
    tango,
)
from synnodtest.statistics.power import smallest_n


@pytest.mark.parametrize(
    ("n", "p0", "p1"), [(20, 0.8, 0.95), (59, 0.05, 0.0), (60, 0.5, 0.7), (45, 0.3, 0.1), (3, 0.8, 1)]
)
@pytest.mark.parametrize("alpha", [0.025, 0.05])
def test_power_of_a_rate_is_the_mass_of_the_counts_that_pass(n, p0, p1, alpha):
    bounds = [clopper_pearson(x, n, alpha=alpha) for x in range(n + 1)]
    passed = [b.lower > p0 if p1 > p0 else b.upper < p0 for b in bounds]
    want = sum(stats.binom.pmf(x, n, p1) for x in range(n + 1) if passed[x])
    assert power_rate(n, p0, p1, alpha=alpha) == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize(
    ("n", "p0", "alpha", "below"),
    [
        (4, 0.5, 0.0625, False),
        (3, 0.5, 0.125, True),
        (2, 0.25, 0.0625, False),
        (2, 0.75, 0.0625, True),
        (2, 0.9, 0.01, True),
    ],
)
def test_a_bound_that_equals_the_rate_shows_nothing_in_power_as_in_a_verdict(n, p0, alpha, below):
    def passes(x, n):
        bounds = clopper_pearson(x, n, alpha=alpha)
        return decide(bounds.lower, bounds.upper, p0, "below" if below else "above") is Status.PASSED

    best = 0.0 if below else 1.0
    assert stats.binom.pmf(round(best * n), n, p0) == pytest.approx(alpha)
    assert not passes(round(best * n), n)
    assert power_rate(n, p0, best, alpha=alpha) == 0
    assert power_rate(n + 1, p0, best, alpha=alpha) == 1
    assert passes(round(best * (n + 1)), n + 1)
    assert smallest_n_rate(p0, alpha=alpha, below=below) == n + 1


def test_five_hundred_and_one_units_tell_85_from_80_percent():
    assert sample_size_rate(0.80, 0.85, alpha=0.05, power=0.9) == 501
    assert power_rate(501, 0.8, 0.85) >= 0.9 > max(power_rate(n, 0.8, 0.85) for n in range(460, 501))


@pytest.mark.parametrize(("p0", "p1"), [(0.8, 0.9), (0.05, 0.01), (0.5, 0.75)])
def test_the_sample_size_is_the_smallest_that_reaches_the_power(p0, p1):
    n = sample_size_rate(p0, p1, power=0.8)
    assert power_rate(n, p0, p1) >= 0.8
    assert all(power_rate(k, p0, p1) < 0.8 for k in range(1, n))


@pytest.mark.parametrize(("rate", "n"), [(0.05, 59), (0.02, 149), (0.01, 299)])
def test_the_fewest_units_that_can_show_silence(rate, n):
    assert smallest_n_rate(rate, below=True) == n
    assert clopper_pearson(0, n).upper < rate <= clopper_pearson(0, n - 1).upper


def test_the_fewest_units_that_can_show_a_sensitivity():
    n = smallest_n_rate(0.8)
    assert clopper_pearson(n, n).lower > 0.8 >= clopper_pearson(n - 1, n - 1).lower
    assert smallest_n_rate(0.0) == 0
    with pytest.raises(ValueError):
        smallest_n_rate(1.0)


def test_the_fewest_pairs_that_can_show_a_margin():
    for margin in (0.02, 0.05, 0.1):
        n = smallest_n_paired(margin)
        assert tango(n, 0, 0, 0).lower > -margin >= tango(n - 1, 0, 0, 0).lower
    with pytest.raises(ValueError):
        smallest_n_paired(0)


@pytest.mark.parametrize("equivalence", [False, True])
@pytest.mark.parametrize(("n", "discordant", "difference"), [(25, 0.2, 0.0), (30, 0.3, -0.05), (25, 0.0, 0.0)])
def test_power_of_pairs_is_the_mass_of_the_tables_that_pass(n, discordant, difference, equivalence):
    want, margin = 0.0, 0.15
    for b in range(n + 1):
        for c in range(n + 1 - b):
            p = ((discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant)
            got = tango(0, b, c, n - b - c)
            if got.lower > -margin and (got.upper < margin or not equivalence):
                want += stats.multinomial.pmf([b, c, n - b - c], n, p)
    got = power_paired(n, discordant, margin, difference=difference, equivalence=equivalence)
    assert got == pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize(("discordant", "power"), [(0.02, 1.00), (0.05, 0.98), (0.10, 0.90)])
def test_a_hundred_pairs_of_equal_arms_pass_a_margin_of_a_tenth(discordant, power):
    assert round(power_paired(100, discordant, 0.10), 2) == power


def test_sample_size_of_pairs_reaches_the_power_and_25_less_do_not():
    n = sample_size_paired(0.1, 0.1, power=0.9)
    assert power_paired(n, 0.1, 0.1) >= 0.9
    assert all(power_paired(k, 0.1, 0.1) < 0.9 for k in range(n - 25, n))
    with pytest.raises(ValueError, match="beyond the margin"):
        sample_size_paired(0.3, 0.1, difference=-0.1)


@pytest.mark.parametrize(
    ("backgrounds", "nodules", "bound", "rate"),
    [(16, 10, 0.8, 0.9), (30, 10, 0.8, 0.9), (60, 5, 0.8, 0.9), (60, 2, 0.8, 0.9), (40, 4, 0.9, 0.98)],
)
def test_where_backgrounds_give_several_nodules_the_power_is_that_of_the_guarded_bound(
    backgrounds, nodules, bound, rate
):
    rng, icc = np.random.default_rng(backgrounds), 0.2
    shape = 1 / icc - 1
    drawn = rng.binomial(nodules, rng.beta(rate * shape, (1 - rate) * shape, (400, backgrounds)))
    of = np.full(backgrounds, nodules)
    shown = np.mean([korn_graubard(hits, of, guarded=True).lower > bound for hits in drawn])
    n = int(backgrounds * nodules / design_effect(nodules, icc))
    assert power_rate(n, bound, rate, clusters=backgrounds) == pytest.approx(shown, abs=0.1)
    assert power_rate(n, bound, rate) > shown + 0.01


def test_pairs_of_few_backgrounds_show_no_difference_that_one_unlike_them_would_undo():
    lost = 1 - 0.05 ** (1 / 20)
    assert power_paired(100, 0.02, lost - 0.01) > 0.9
    assert power_paired(100, 0.02, lost - 0.01, clusters=20) < 0.2
    assert sample_size_paired(0.02, 0.1, per_cluster=10, icc=0.0) / 10 >= math.log(0.05) / math.log(0.9)


def test_so_many_backgrounds_of_five_nodules_reach_the_power():
    backgrounds, rng = math.ceil(sample_size_rate(0.8, 0.9, per_cluster=5) / 5), np.random.default_rng(5)
    drawn = rng.binomial(5, rng.beta(0.9 * 4, 0.1 * 4, (600, backgrounds)))
    shown = np.mean([korn_graubard(hits, np.full(backgrounds, 5), guarded=True).lower > 0.8 for hits in drawn])
    assert shown >= 0.9 - 3 * math.sqrt(0.9 * 0.1 / 600)


def test_clusters_inflate_by_the_design_effect():
    alone, clustered = sample_size_rate(0.5, 0.7), sample_size_rate(0.5, 0.7, per_cluster=5)
    assert math.ceil(alone * 1.8) == math.ceil(alone * design_effect(5)) <= clustered < 1.2 * alone * 1.8
    assert sample_size_paired(0.1, 0.1, per_cluster=3, icc=0.5) == 2 * sample_size_paired(0.1, 0.1)
    for wrong in ((0.5, 0.2), (2, 1.5)):
        with pytest.raises(ValueError):
            design_effect(*wrong)


@pytest.mark.parametrize(("images", "bound", "rate"), [(30, 1.0, 0.6), (10, 0.25, 0.1), (2, 1.0, 0.5), (0, 1.0, 0.5)])
def test_power_of_counts_is_the_mass_of_the_counts_that_pass(images, bound, rate):
    events = range(200)
    passed = [x for x in events if images and poisson_exact(x, images).upper < bound]
    want = sum(stats.poisson.pmf(x, rate * images) for x in passed)
    assert power_count(images, bound, rate) == pytest.approx(want, abs=1e-9)


def test_sample_size_of_counts_reaches_the_power():
    n = sample_size_count(1.0, 0.7, power=0.8)
    assert power_count(n, 1.0, 0.7) >= 0.8 > power_count(n - 1, 1.0, 0.7)


@pytest.mark.parametrize(
    "call",
    [
        lambda: power_rate(10, 0.5, 0.5),
        lambda: power_rate(10, 0.5, 1.5),
        lambda: sample_size_rate(0.5, 0.6, power=1.0),
        lambda: sample_size_rate(0.5, 0.50001),
        lambda: power_paired(10, 0.1, 0.1, difference=0.2),
        lambda: power_count(10, 1.0, 1.5),
    ],
)
def test_impossible_plans_are_refused(call):
    with pytest.raises(ValueError):
        call()


@pytest.mark.parametrize(
    ("n", "bound", "mean", "spread", "alpha"),
    [(15, 0.3, 0.5, 0.3, 0.05), (30, 0.5, 0.7, 0.4, 0.05), (60, 0.5, 0.7, 0.4, 0.05), (30, 0.1, 0.3, 0.4, 0.025)],
)
def test_power_of_a_mean_is_how_often_students_bound_with_one_more_value_of_0_exceeds_it(n, bound, mean, spread, alpha):
    values = np.pad(np.random.default_rng(0).normal(mean, spread, (20_000, n)), ((0, 0), (0, 1)))
    half = stats.t.isf(alpha, n) * values.std(axis=1, ddof=1) / math.sqrt(n + 1)
    passed = (values.mean(axis=1) - half > bound).mean()
    assert power_mean(n, bound, mean, spread, alpha=alpha) == pytest.approx(passed, abs=0.03)


def test_the_sample_size_of_a_mean_is_the_smallest_that_reaches_the_power():
    n = smallest_n(lambda size: power_mean(size, 0.5, 0.7, 0.4), 0.8, 2)
    assert power_mean(n, 0.5, 0.7, 0.4) >= 0.8 > power_mean(n - 1, 0.5, 0.7, 0.4)
    assert power_mean(1, 0.5, 0.7, 0.4) == 0.0
    for mean, spread in ((0.5, 0.4), (0.7, 0.0)):
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
