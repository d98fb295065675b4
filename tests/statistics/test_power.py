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
    power_count,
    power_paired,
    power_rate,
    rate_difference_clustered,
    sample_size_paired,
    sample_size_rate,
    smallest_n_paired,
    smallest_n_rate,
    tango,
)


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


def beta_binomial(rng, backgrounds, nodules, rate, icc, runs):
    if icc == 0:
        return rng.binomial(nodules, rate, (runs, backgrounds))
    shape = 1 / icc - 1
    return rng.binomial(nodules, rng.beta(rate * shape, (1 - rate) * shape, (runs, backgrounds)))


@pytest.mark.parametrize(
    ("backgrounds", "nodules", "bound", "rate", "icc"),
    [
        (16, 10, 0.8, 0.9, 0.2),
        (30, 10, 0.8, 0.9, 0.2),
        (63, 2, 0.8, 0.9, 0.2),
        (40, 4, 0.9, 0.98, 0.05),
        (79, 20, 0.05, 0.01, 0.0),
        (107, 8, 0.05, 0.01, 0.2),
        (103, 2, 0.9, 0.97, 0.3),
    ],
)
def test_where_backgrounds_give_several_nodules_the_power_is_that_of_the_guarded_bound(
    backgrounds, nodules, bound, rate, icc
):
    """Within 0.05: two standard errors of 400 draws, and of the plan's own."""
    drawn = beta_binomial(np.random.default_rng(backgrounds), backgrounds, nodules, rate, icc, 400)
    of = np.full(backgrounds, nodules)
    judged = [korn_graubard(hits, of, guarded=True) for hits in drawn]
    shown = np.mean([one.lower > bound if rate > bound else one.upper < bound for one in judged])
    assert power_rate(backgrounds * nodules, bound, rate, per_cluster=nodules, icc=icc) == pytest.approx(
        shown, abs=0.05
    )


@pytest.mark.parametrize(
    ("nodules", "icc", "both"), [(2, 0.2, False), (2, 0.05, True), (8, 0.3, True), (20, 0.0, False)]
)
def test_so_many_pairs_of_a_background_reach_the_power_of_the_bounds_that_decide(nodules, icc, both):
    """Two pairs of 39 backgrounds were promised 0.8 of equivalence, and showed it in 48%."""
    share, margin, runs = 0.05, 0.1, 300
    pairs = sample_size_paired(share, margin, power=0.8, per_cluster=nodules, icc=icc, equivalence=both)
    backgrounds, rng = pairs // nodules, np.random.default_rng(nodules)
    cells = [share / 2, share / 2, 1 - share]
    chances = rng.dirichlet(np.array(cells) * (1 / icc - 1), (runs, backgrounds)) if icc else np.array(cells)
    gain, loss, _ = np.moveaxis(rng.multinomial(nodules, chances, (runs, backgrounds)), -1, 0)
    cluster, place, passed = np.repeat(np.arange(backgrounds), nodules), np.tile(np.arange(nodules), backgrounds), 0
    for up, down in zip(gain, loss, strict=True):
        arm, both_hit = place < up[cluster], place >= (up + down)[cluster]
        reference = ~arm & ~both_hit
        got = rate_difference_clustered(arm | both_hit, reference | both_hit, cluster)
        passed += got.lower > -margin and (got.upper < margin or not both)
    assert passed / runs == pytest.approx(0.8, abs=0.08)
    assert power_paired(pairs, share, margin, per_cluster=nodules, icc=icc, equivalence=both) >= 0.8


def test_where_nodules_of_a_background_are_one_the_power_is_that_of_as_many_backgrounds():
    alone = power_rate(60, 0.8, 0.92)
    assert power_rate(300, 0.8, 0.92, per_cluster=5, icc=1.0) == pytest.approx(alone, abs=0.04)
    assert power_rate(40, 0.8, 0.99, per_cluster=40) == power_paired(40, 0.05, 0.1, per_cluster=40) == 0.0


def test_backgrounds_too_many_to_draw_are_planned_by_the_design_effect():
    n = 40_000
    assert power_rate(n, 0.02, 0.018, per_cluster=4, icc=0.1) == power_rate(int(n / 1.3), 0.02, 0.018)


def test_pairs_of_few_backgrounds_show_no_difference_that_one_unlike_them_would_undo():
    lost = 1 - 0.05 ** (1 / 20)
    assert power_paired(100, 0.02, lost - 0.01) > 0.9
    assert power_paired(200, 0.02, lost - 0.01, per_cluster=10, icc=0.0) < 0.2
    assert sample_size_paired(0.02, 0.1, per_cluster=10, icc=0.0) / 10 >= math.log(0.05) / math.log(0.9)


def test_so_many_backgrounds_of_five_nodules_reach_the_power_and_a_tenth_less_do_not():
    backgrounds = sample_size_rate(0.8, 0.9, per_cluster=5) // 5
    for count, reaches in ((backgrounds, True), (backgrounds * 9 // 10, False)):
        drawn = beta_binomial(np.random.default_rng(5), count, 5, 0.9, 0.2, 600)
        shown = np.mean([korn_graubard(hits, np.full(count, 5), guarded=True).lower > 0.8 for hits in drawn])
        error = math.sqrt(0.9 * 0.1 / 600)
        assert shown >= 0.9 - 3 * error if reaches else shown <= 0.9 + error


def test_clusters_inflate_by_the_design_effect():
    alone, clustered = sample_size_rate(0.5, 0.7), sample_size_rate(0.5, 0.7, per_cluster=5)
    assert 0.95 * alone * design_effect(5) < clustered < 1.2 * alone * 1.8
    alone, clustered = sample_size_paired(0.1, 0.1), sample_size_paired(0.1, 0.1, per_cluster=3, icc=0.5)
    assert 0.95 * 2 * alone < clustered < 1.2 * 2 * alone
    for wrong in ((0.5, 0.2), (2, 1.5)):
        with pytest.raises(ValueError):
            design_effect(*wrong)


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
