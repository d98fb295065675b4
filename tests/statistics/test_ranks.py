"""Rank correlation and curves that should rise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from synnodtest.statistics import drawdown, isotonic_violation, mean_cluster_spearman, spearman
from synnodtest.statistics.bootstrap import resampled_means
from synnodtest.statistics.skewness import hall_bounds

modest = settings(max_examples=40, deadline=None, derandomize=True)
LEVELS = np.array([4.0, 6, 8, 10, 14, 20, 28, 40])


def curves(slopes, noise, seed):
    """Responses of len(slopes) backgrounds over LEVELS."""
    rng = np.random.default_rng(seed)
    ranks = np.arange(len(LEVELS)) - 3.5
    return np.asarray(slopes)[:, None] * ranks + rng.normal(0, noise, (len(slopes), len(LEVELS)))


def flat(table):
    count = len(table)
    return np.tile(LEVELS, count), table.ravel(), np.repeat(np.arange(count), table.shape[1])


def test_spearman_equals_scipy_with_ties():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, 80), rng.integers(0, 5, 80)
    assert spearman(x, y).value == pytest.approx(stats.spearmanr(x, y).statistic)


def test_spearmans_interval_is_bonett_and_wrights():
    x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    y = [2, 1, 4, 3, 6, 5, 8, 7, 10, 9]
    got = spearman(x, y, alpha=0.025)
    r = 1 - 6 * 10 / (10 * 99)
    half = 1.959964 * math.sqrt((1 + r**2 / 2) / 7)
    assert got.value == pytest.approx(r)
    assert (got.lower, got.upper) == pytest.approx((math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)))


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([], [], "one side does not vary"),
        ([1, 2, 3], [1, 2, 3], "fewer than 4 independent points"),
        ([1, 2, 3, 4, 5], [2, 2, 2, 2, 2], "one side does not vary"),
        ([1, 2, 3, 4, math.nan], [1, 2, 3, 4, 5], "values are missing"),
    ],
)
def test_spearman_without_information_spans_the_range(x, y, reason):
    got = spearman(x, y)
    assert (got.lower, got.upper, got.reason) == (-1.0, 1.0, reason)


def test_a_perfect_correlation_of_few_points_keeps_a_width():
    got = spearman([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])
    assert got.value == got.upper == 1.0
    assert got.lower < 0.9


def test_infinite_scores_rank_at_the_ends():
    assert spearman([1, 2, 3, 4, 5], [-math.inf, 0, 1, 2, math.inf]).value == 1.0


def test_the_mean_of_cluster_correlations_is_students_t_over_scipys_correlations():
    table = curves(np.full(12, 0.3), 1.0, seed=2)
    rhos = [stats.spearmanr(LEVELS, row).statistic for row in table]
    got, want = mean_cluster_spearman(*flat(table)), stats.ttest_1samp(rhos, 0).confidence_interval(0.9)
    assert (got.value, got.lower, got.upper) == pytest.approx((np.mean(rhos), want.low, want.high))
    assert (got.clusters, got.extra["left_out"]) == (12, 0)


def test_replicates_of_a_level_are_averaged_first():
    table = curves(np.full(6, 0.2), 1.0, seed=3)
    x, y, c = flat(table)
    doubled = mean_cluster_spearman(np.r_[x, x], np.r_[y + 0.5, y - 0.5], np.r_[c, c])
    assert doubled.value == pytest.approx(mean_cluster_spearman(x, y, c).value)


def test_a_silent_background_counts_as_no_correlation():
    table = np.vstack([curves(np.full(9, 5.0), 0.1, seed=1), np.zeros(len(LEVELS))])
    assert mean_cluster_spearman(*flat(table)).value == pytest.approx(0.9)


def test_always_silent_is_zero_and_not_a_narrow_zero():
    got = mean_cluster_spearman(*flat(np.zeros((20, 8))))
    assert got.value == 0
    assert got.lower == pytest.approx(-got.upper)
    assert got.upper == pytest.approx(1 - 0.05 ** (1 / 20))


def test_backgrounds_that_all_agree_keep_a_width_that_shrinks_with_their_number():
    few, many = (mean_cluster_spearman(*flat(np.tile(LEVELS, (b, 1)))) for b in (2, 60))
    assert few.lower < 0.3 < 0.95 < many.lower < 1.0 == many.upper


@pytest.mark.parametrize(("backgrounds", "lower"), [(15, 0.05 ** (1 / 15)), (30, 0.05 ** (1 / 30))])
def test_guarded_perfect_agreement_allows_for_backgrounds_that_do_not_respond(backgrounds, lower):
    got = mean_cluster_spearman(*flat(np.tile(LEVELS, (backgrounds, 1))), guarded=True)
    assert (got.lower, got.upper) == (pytest.approx(lower), 1.0)


def test_backgrounds_with_few_levels_are_left_out_and_counted():
    x, y, c = flat(curves(np.full(4, 1.0), 0.1, seed=1))
    keep = ~((c == 0) & (x > 10))
    got = mean_cluster_spearman(x[keep], y[keep], c[keep])
    assert (got.clusters, got.extra["left_out"]) == (3, 1)


@pytest.mark.parametrize("backgrounds", [0, 1])
def test_one_background_is_never_enough(backgrounds):
    got = mean_cluster_spearman(*flat(np.tile(LEVELS, (backgrounds, 1))))
    assert (got.lower, got.upper, got.usable) == (-1.0, 1.0, False)


def test_missing_responses_span_the_range():
    x, y, c = flat(curves(np.full(4, 1.0), 0.1, seed=1))
    y[3] = math.nan
    assert mean_cluster_spearman(x, y, c).reason == "values are missing"


def share_passing(mean_slope, sd_slope, silent, *, backgrounds, guarded, runs=300):
    """Share of runs whose lower bound exceeds the true mean correlation; slopes differ between backgrounds."""
    rng = np.random.default_rng(11)

    def draw(count):
        slopes = np.where(rng.random(count) < silent, 0.0, rng.normal(mean_slope, sd_slope, count))
        return curves(slopes, 0.6, seed=int(rng.integers(1 << 31)))

    ranks = stats.rankdata(draw(50_000), axis=1) - 4.5
    truth = float((ranks @ (np.arange(8) - 3.5) / 42).mean())
    tables = draw(runs * backgrounds).reshape(runs, backgrounds, len(LEVELS))
    return float(np.mean([mean_cluster_spearman(*flat(t), guarded=guarded).lower > truth for t in tables]))


LIMIT = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)


@pytest.mark.parametrize("slopes", [(0.1, 0.1, 0), (0.0, 0.3, 0)])
def test_random_slopes_at_the_bound_pass_at_most_alpha_of_the_time(slopes):
    assert 0.01 < share_passing(*slopes, backgrounds=30, guarded=False) <= LIMIT


@pytest.mark.parametrize("slopes", [(0.1, 0.1, 0), (0.5, 0.5, 0), (1.0, 0.1, 0.05)])
def test_guarded_even_skewed_correlations_and_rare_silence_pass_at_most_alpha_of_the_time(slopes):
    assert share_passing(*slopes, backgrounds=15, guarded=True) <= LIMIT


def test_the_guard_is_needed():
    assert share_passing(1.0, 0.1, 0.05, backgrounds=15, guarded=False) > 0.3


def test_the_guard_only_widens():
    data = flat(curves(np.full(15, 0.4), 0.6, seed=4))
    plain, guarded = mean_cluster_spearman(*data), mean_cluster_spearman(*data, guarded=True)
    assert guarded.lower < plain.lower <= plain.upper <= guarded.upper <= 1


# Barlow, Bartholomew, Bremner & Brunk (1972): pool adjacent violators.
def test_isotonic_violation_by_hand():
    got = isotonic_violation([1.0, 3.0, 2.0, 4.0, 1.0])
    assert got.drawdown == 3.0
    assert got.deviation == pytest.approx(1.5)
    assert isotonic_violation([1, 2, 2, 5]) == (0.0, 0.0)
    assert isotonic_violation([7]) == (0.0, 0.0)


@pytest.mark.parametrize("y", [[], [1, math.nan]])
def test_isotonic_violation_of_nothing_is_not_a_number(y):
    assert all(math.isnan(part) for part in isotonic_violation(y))


def test_isotonic_violation_with_infinite_scores():
    assert isotonic_violation([-math.inf, 0, math.inf]) == (0.0, 0.0)
    assert isotonic_violation([0, math.inf, 3]) == (math.inf, math.inf)


@modest
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=12))
def test_drawdown_is_the_largest_fall_over_all_pairs(y):
    brute = max((y[i] - y[j] for i in range(len(y)) for j in range(i, len(y))), default=0)
    assert isotonic_violation(y).drawdown == pytest.approx(brute)
    assert isotonic_violation(y).deviation <= brute + 1e-9


def test_a_clear_rise_has_no_drawdown_and_a_clear_fall_has_all_of_it():
    rising = curves(np.full(30, 0.1), 0.02, seed=1)
    got = drawdown(rising, seed=1)
    assert (got.value, got.lower, got.upper, got.flags) == (0.0, 0.0, 0.0, ())
    assert got.extra["largest_fall"] < 0
    falling = drawdown(-rising, seed=1)
    assert falling.lower > 0.6


def test_a_flat_noisy_curve_keeps_a_drawdown_above_zero():
    assert drawdown(curves(np.zeros(30), 0.2, seed=1), seed=1).upper > 0.05


def test_identical_backgrounds_do_not_prove_the_absence_of_a_fall():
    assert drawdown(np.full((10, 6), 0.4), seed=1).upper == pytest.approx(1 - 0.05 ** (1 / 10))


@pytest.mark.parametrize("table", [np.zeros((0, 5)), np.zeros((1, 5)), np.zeros((5, 1)), np.full((4, 5), math.nan)])
def test_drawdown_without_information_spans_the_range(table):
    got = drawdown(table, seed=1)
    assert (got.lower, got.upper, got.usable) == (0.0, 1.0, False)


def test_the_bounds_of_a_drawdown_are_the_widest_of_bcas_of_its_signed_fall_and_those_of_single_falls():
    """Efron's formula written out: one background in ten falls far, so that both corrections count."""
    rng = np.random.default_rng(4)
    table = np.linspace(0.9, 0.5, 6) + 0.02 * rng.standard_normal((20, 6))
    table[:2, 3:] -= 0.3

    def fall(curve):
        return max(curve[i] - curve[j] for i in range(6) for j in range(i + 1, 6))

    value = fall(table.mean(axis=0))
    draws = np.array([fall(curve) for curve in resampled_means(table, 2000, 3, "drawdown")])
    pull = np.array([fall(np.delete(table, k, axis=0).mean(axis=0)) for k in range(20)])
    pull = pull.mean() - pull
    skew = (pull**3).sum() / (6 * (pull**2).sum() ** 1.5)
    bias = stats.norm.ppf((draws < value).mean() + (draws == value).mean() / 2)
    ends = [bias + (bias + z) / (1 - skew * (bias + z)) for z in stats.norm.ppf([0.05, 0.95])]
    want = [np.quantile(draws, stats.norm.cdf(z), method=m) for z, m in zip(ends, ("lower", "higher"), strict=True)]
    falls = np.array([table[:, i] - table[:, j] for i in range(6) for j in range(i + 1, 6)])
    among = [stats.ttest_1samp(one, 0).confidence_interval(1 - 2 * 0.05 / 15).low for one in falls]
    ends = (
        min(want[0], np.minimum(among, hall_bounds(falls, 0.05 / 15)[0]).max()),
        max(want[1], hall_bounds(falls, 0.05)[1].max()),
    )
    got = drawdown(table, seed=3)
    assert abs(skew) > 0.05
    assert 0 < ends[0] < want[0]
    assert (got.value, got.lower, got.upper) == pytest.approx((value, *ends))


@pytest.mark.parametrize("shape", [(0.3, 0.4, 0.3, 0.5, 0.4, 0.6, 0.5, 0.7, 0.6, 0.8), (0.5,) * 6])
def test_drawdown_lower_bound_exceeds_the_true_fall_of_levels_that_fall_alike_at_most_alpha_of_the_time(shape):
    """The largest of many falls is large by chance: by BCa alone the bound exceeded the true one in a third of runs."""
    rng, missed, runs = np.random.default_rng(3), 0, 200
    for _ in range(runs):
        table = shape + rng.normal(0, 0.1, (30, 1)) + rng.normal(0, 0.2, (30, len(shape)))
        missed += drawdown(table, seed=1, resamples=100).lower > isotonic_violation(shape).drawdown + 1e-9
    assert missed <= proportion_confint(runs * 0.05, runs, 0.01, "beta")[1] * runs


def test_a_fall_of_some_backgrounds_alone_is_bounded_as_by_clopper_and_pearson_or_wider():
    """Of 60 backgrounds one in seven loses all at the last level: by Student's t five such passed a bound of 0.15."""
    for lost in (3, 5, 9):
        table = np.ones((60, 3))
        table[:lost, 2] = 0
        assert drawdown(table, seed=1).upper > 0.99 * stats.beta.ppf(0.95, lost + 1, 60 - lost)


def test_a_drawdown_is_bounded_no_lower_than_any_fall_between_two_levels_by_students_t():
    table = np.linspace(0.2, 0.6, 6) + 0.25 * np.random.default_rng(5).standard_normal((30, 6))
    falls = [table[:, i] - table[:, j] for i in range(6) for j in range(i + 1, 6)]
    for alpha in (0.025, 0.05, 0.2):
        each = [stats.ttest_1samp(one, 0).confidence_interval(1 - 2 * alpha).high for one in falls]
        assert drawdown(table, alpha=alpha, seed=1).upper == pytest.approx(max(each))


@pytest.mark.parametrize("noise", [0.15, 0.25])
@pytest.mark.parametrize(
    "shape", [(0.1, 0.3, 0.5, 0.7, 0.6, 0.8), (0.2, 0.3, 0.4, 0.5, 0.6, 0.5), (0.5, 0.5, 0.4, 0.5, 0.5, 0.5)]
)
def test_drawdown_upper_bound_misses_the_true_fall_about_alpha_of_the_time(shape, noise):
    """The averaged curve truly falls by 0.1 between two levels; the bound lies below that seldom."""
    rng, missed, runs = np.random.default_rng(3), 0, 300
    for _ in range(runs):
        table = shape + rng.normal(0, 0.15, (30, 1)) + rng.normal(0, noise, (30, 6))
        missed += drawdown(table, seed=1, resamples=400).upper < 0.1
    assert missed <= proportion_confint(runs * 0.065, runs, 0.01, "beta")[1] * runs


@modest
@given(st.permutations(range(15)))
def test_the_order_of_backgrounds_does_not_matter(order):
    table = curves(np.full(15, 0.2), 0.6, seed=4)
    x, y, c = flat(table)
    shuffled = mean_cluster_spearman(*flat(table[list(order)]))
    assert (shuffled.lower, shuffled.upper) == pytest.approx(
        (mean_cluster_spearman(x, y, c).lower, mean_cluster_spearman(x, -y, c).lower * -1), abs=1e-9
    )


def test_replicates_of_a_level_are_averaged_however_many_there_are():
    rng = np.random.default_rng(8)
    x = np.tile(np.repeat([4.0, 6.0, 8.0, 10.0, 14.0, 20.0], [1, 3, 2, 5, 1, 4]), 9)
    y, cluster = rng.uniform(0, 1, x.size), np.repeat(np.arange(9), 16)
    levels = np.unique(x)
    want = [
        stats.spearmanr(levels, [y[(cluster == k) & (x == level)].mean() for level in levels]).statistic
        for k in range(9)
    ]
    got = mean_cluster_spearman(x, y, cluster)
    assert got.value == pytest.approx(np.mean(want))
    half = stats.t.isf(0.05, 8) * np.std(want, ddof=1) / 3
    assert (got.lower, got.upper) == pytest.approx((np.mean(want) - half, np.mean(want) + half))
    assert got.extra["between_cluster_sd"] == pytest.approx(np.std(want, ddof=1))


@pytest.mark.parametrize(
    ("curve", "value", "least", "most"), [([1, 2, 3, 4, 5], 1, 0, 1), ([5, 4, 3, 2, 1], -1, -1, 0)]
)
def test_where_all_clusters_agree_some_unseen_ones_may_show_no_response(curve, value, least, most):
    x, y, cluster = np.tile(np.arange(5), 12), np.tile(curve, 12), np.repeat(np.arange(12), 5)
    share = 1 - 0.05 ** (1 / 12)
    got = mean_cluster_spearman(x, y, cluster)
    assert (got.value, got.lower, got.upper) == pytest.approx(
        (value, value + share * (least - value), value + share * (most - value))
    )
    flat = mean_cluster_spearman(x, np.zeros(60), cluster)
    assert (flat.value, flat.lower, flat.upper) == pytest.approx((0, -share, share))
    two = mean_cluster_spearman(x[:10], y[:10], cluster[:10])
    assert (two.reason, two.clusters) == ("", 2)
    assert mean_cluster_spearman(x[:10], y[:10], [0] * 10).reason == "one cluster"
    few = mean_cluster_spearman(x[:14], y[:14], np.repeat([0, 1, 2, 3], [5, 3, 3, 3]))
    assert (few.reason, few.value) == ("fewer than 2 clusters with 5 levels", value)
    assert mean_cluster_spearman(x, np.where(np.arange(60) == 7, np.nan, y), cluster).reason == "values are missing"


@pytest.mark.parametrize("n", [4, 5, 12])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_correlation_is_held_as_the_next_smaller_one(n, sign):
    got = spearman(range(n), sign * np.arange(n))
    y = np.arange(n)
    y[:2] = 1, 0  # the next smaller correlation that n points can have
    r = stats.spearmanr(range(n), y).statistic
    half = stats.norm.isf(0.05) * np.sqrt((1 + r**2 / 2) / (n - 3))
    ends = sorted([sign * np.tanh(np.arctanh(r) - half), float(sign)])
    assert (got.value, got.lower, got.upper, got.reason) == (sign, *map(pytest.approx, ends), "")


def test_curves_that_agree_may_drop_by_the_whole_range_where_unseen():
    share = 1 - 0.05 ** (1 / 20)
    got = drawdown([[0.0, 0.5, 0.3]] * 20, seed=0, limits=(-1.0, 1.0))
    assert (got.value, got.lower, got.upper) == pytest.approx((0.2, max(0, 0.2 - 2.2 * share), 0.2 + 1.8 * share))
    two = drawdown([[0.0, 0.1], [0.3, 0.2]], seed=0)
    assert two.reason == ""
    for curves, reason in (([[0.0, 1.0]], "2 clusters"), ([[0.0], [1.0]], "2 levels"), ([[0, np.nan]] * 2, "missing")):
        made = drawdown(curves, seed=0, limits=(-1.0, 1.0))
        assert reason in made.reason
        assert (made.lower, made.upper) == (0.0, 2.0)
