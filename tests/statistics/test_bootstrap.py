"""Bootstrap over clusters, against SciPy and its own definition."""

import math

import numpy as np
import pytest
from scipy import special, stats

from synnodtest.statistics import cluster_bootstrap
from synnodtest.statistics.bootstrap import _jackknife_error, _sure_bounds, bca_bounds, resampled

DATA = np.random.default_rng(4).exponential(1.0, 40)


def mean(rows):
    return float(DATA[rows].mean())


def test_bca_over_single_rows_is_scipys():
    got = cluster_bootstrap(mean, range(40), seed=1, resamples=8000)
    want = stats.bootstrap((DATA,), np.mean, confidence_level=0.9, n_resamples=20_000, rng=1).confidence_interval
    assert (got.lower, got.upper) == pytest.approx((want.low, want.high), abs=0.02)
    assert (got.value, got.n, got.clusters, got.flags) == (DATA.mean(), 40, 40, ())


@pytest.mark.parametrize("data", [DATA[:15], np.round(DATA[:25]), -DATA[:12]])
def test_bca_bounds_are_the_order_statistics_about_scipys(data):
    """On the same draws, ties among them included; SciPy interpolates between two, a bound here is the outer one."""
    seen = stats.bootstrap((data,), np.mean, n_resamples=3000, confidence_level=0.9, rng=1, method="percentile")
    want = stats.bootstrap(
        (data,), np.mean, n_resamples=0, bootstrap_result=seen, confidence_level=0.9, method="BCa"
    ).confidence_interval
    draws, left_out = np.sort(seen.bootstrap_distribution), (data.sum() - data) / (len(data) - 1)
    lower, upper = bca_bounds(float(data.mean()), draws, left_out, 0.05, -np.inf, np.inf)
    assert lower == draws[draws <= want.low + 1e-12].max()
    assert upper == draws[draws >= want.high - 1e-12].min()


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_bca_ends_at_the_outermost_draws_where_its_formula_turns_over(side):
    """One cluster makes the skew; at an error rate as small as an alarm's the formula would put the bounds inside."""
    draws, left_out = np.linspace(-1.0, 1.0, 400), np.append(np.zeros(29), side)
    lower, upper = bca_bounds(-0.9 * side, draws, left_out, 1e-9, -2, 2)
    assert (lower if side > 0 else upper) == -side
    lower, upper = bca_bounds(0.999 * -side, draws, -left_out, 1e-9, -2, 2)
    assert (lower, upper)[int(side > 0)] == side


@pytest.mark.parametrize("side", [-1, 1])
def test_bca_has_bounds_where_every_draw_lies_on_one_side(side):
    """Half a draw is allowed for beyond them all, as if one more were drawn; with no skew the formula is plain."""
    draws, bias = side * np.arange(1.0, 201.0), -side * stats.norm.ppf(1 - 0.5 / 200)
    levels = stats.norm.cdf(2 * bias + stats.norm.ppf([0.05, 0.95]))
    want = np.quantile(draws, levels[0], method="lower"), np.quantile(draws, levels[1], method="higher")
    assert bca_bounds(0.0, draws, np.zeros(9), 0.05, -math.inf, math.inf) == want


@pytest.mark.parametrize("largest", [9.0, 40.0])
@pytest.mark.parametrize("limits", [(0.0, 1.0), (-1.0, 1.0), (0.0, 4.0)])
def test_the_guard_is_the_wider_of_the_plain_and_the_logit_interval(limits, largest):
    low, high = limits
    left_out, rows, value = np.array([0.52, 0.7, 0.65, 0.61]), np.array([largest, 2.0, 1.0, 3.0]), 0.62
    degrees = max(1.0, rows.sum() ** 2 / (rows**2).sum() - 1)
    half = stats.t.isf(0.05, degrees) * math.sqrt(3 / 4 * ((left_out - value) ** 2).sum())
    share = (value - low) / (high - low)
    logit = special.logit(share) + np.array([-1, 1]) * half / (high - low) / (share * (1 - share))
    wide = low + (high - low) * special.expit(logit)
    got = _sure_bounds(value, left_out, rows, 0.05, low, high)
    assert got == pytest.approx((min(value - half, wide[0]), max(value + half, wide[1])))


def test_bootstrap_t_is_davison_and_hinkleys_studentized_interval():
    got = cluster_bootstrap(mean, range(40), seed=1, resamples=800, method="t")
    draws = np.random.default_rng(0).choice(DATA, (20_000, 40))
    ratios = (draws.mean(1) - DATA.mean()) / (draws.std(1, ddof=1) / math.sqrt(40))
    error = DATA.std(ddof=1) / math.sqrt(40)
    want = DATA.mean() - np.quantile(ratios, [0.95, 0.05]) * error
    assert (got.lower, got.upper) == pytest.approx(want, abs=0.04)


def test_bootstrap_t_over_two_clusters_says_nothing():
    """Half of the draws hold one cluster twice: they lie off the value and have no error to be measured in."""
    got = cluster_bootstrap(mean, [0] * 20 + [1] * 20, seed=1, resamples=100, method="t", limits=(0.0, 9.0))
    assert (got.lower, got.upper) == (0.0, 9.0)


def test_whole_clusters_are_drawn():
    values, labels = np.repeat([0.0, 1.0, 0.0, 1.0, 1.0, 0.0] * 6, 50), np.repeat(np.arange(36), 50)
    by_cluster = cluster_bootstrap(lambda rows: float(values[rows].mean()), labels, seed=1)
    by_row = cluster_bootstrap(lambda rows: float(values[rows].mean()), range(1800), seed=1, resamples=500)
    assert by_cluster.upper - by_cluster.lower > 5 * (by_row.upper - by_row.lower)


@pytest.mark.parametrize("method", ["bca", "t", "percentile"])
def test_one_seed_gives_one_answer(method):
    first, second, other = (cluster_bootstrap(mean, range(40), seed=s, resamples=100, method=method) for s in (1, 1, 2))
    assert first == second
    assert (first.lower, first.upper) != (other.lower, other.upper)
    assert first.lower <= first.value <= first.upper


@pytest.mark.parametrize("method", ["bca", "t", "percentile"])
def test_draws_made_once_give_the_bounds_of_every_error_rate(method):
    calls = []
    made = resampled(lambda rows: calls.append(1) or mean(rows), range(40), seed=1, resamples=100, method=method)
    drawn = len(calls)
    for alpha in (1e-6, 0.025, 0.05, 0.4):
        assert made(alpha) == cluster_bootstrap(mean, range(40), alpha=alpha, seed=1, resamples=100, method=method)
    assert len(calls) == drawn


@pytest.mark.parametrize(("labels", "reason"), [([], "no data"), ([3] * 40, "one cluster")])
def test_fewer_than_two_clusters_say_nothing(labels, reason):
    got = cluster_bootstrap(mean, labels, seed=1, limits=(0, 5))
    assert (got.lower, got.upper, got.reason) == (0, 5, reason)


def test_clusters_that_all_agree_keep_a_width():
    got = cluster_bootstrap(lambda rows: 0.9, range(20), seed=1, limits=(0, 1))
    share = 1 - 0.05 ** (1 / 20)
    assert (got.lower, got.upper) == pytest.approx((0.9 - share * 0.9, 0.9 + share * 0.1))
    assert cluster_bootstrap(lambda rows: 0.9, range(20), seed=1).lower == -math.inf


def test_an_undefined_statistic_says_nothing():
    got = cluster_bootstrap(lambda rows: math.nan, range(20), seed=1, limits=(0, 1))
    assert (got.lower, got.upper, got.usable) == (0, 1, False)
    rests_on_one = cluster_bootstrap(lambda rows: 1.0 if 0 in rows else math.nan, range(20), seed=1, limits=(0, 1))
    assert rests_on_one.reason == "the statistic rests on a single cluster"


def test_undefined_resamples_count_against_both_bounds():
    def rare(rows):
        return float(DATA[rows].mean()) if (rows < 2).any() else math.nan

    got = cluster_bootstrap(rare, range(40), seed=1, limits=(-7.0, 70.0))
    assert (got.lower, got.upper) == (-7.0, 70.0)


def test_few_clusters_are_flagged():
    assert cluster_bootstrap(mean, np.arange(40) // 2, seed=1, resamples=100).flags


@pytest.mark.parametrize("wrong", [{"method": "normal"}, {"resamples": 10}, {"alpha": 0.7}])
def test_arguments_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError):
        cluster_bootstrap(mean, range(40), seed=1, **wrong)


def test_guarded_it_is_no_narrower_than_the_jackknife_s_t_where_clusters_are_unlike():
    rows = np.repeat(np.arange(20), [30] + [1] * 19)
    values = np.random.default_rng(4).uniform(size=20)[rows]

    def mean(chosen):
        return float(values[chosen].mean())

    plain = cluster_bootstrap(mean, rows, seed=1, limits=(0.0, 1.0))
    got = cluster_bootstrap(mean, rows, seed=1, limits=(0.0, 1.0), guarded=True)
    without = np.array([values[rows != i].mean() for i in range(20)])
    error = math.sqrt(19 / 20 * ((without - values.mean()) ** 2).sum())
    half = stats.t.ppf(0.95, 49**2 / (30**2 + 19) - 1) * error
    odds = math.log(values.mean() / (1 - values.mean()))
    ends = [special.expit(odds + sign * half / (values.mean() * (1 - values.mean()))) for sign in (-1, 1)]
    assert got.lower == pytest.approx(max(0.0, min(plain.lower, values.mean() - half, ends[0])))
    assert got.upper == pytest.approx(min(1.0, max(plain.upper, values.mean() + half, ends[1])))
    assert got.upper - got.lower > 1.5 * (plain.upper - plain.lower)


def test_guarded_it_is_as_it_was_where_clusters_are_alike():
    rows, values = np.repeat(np.arange(20), 3), np.random.default_rng(4).uniform(size=60)

    def mean(chosen):
        return float(values[chosen].mean())

    assert cluster_bootstrap(mean, rows, seed=1, guarded=True) == cluster_bootstrap(mean, rows, seed=1)


@pytest.mark.parametrize(("value", "limits"), [(1.0, (0.0, 1.0)), (0.0, (0.0, 1.0)), (0.6, (-math.inf, math.inf))])
def test_at_the_end_of_its_range_or_without_one_the_guard_is_students_interval(value, limits):
    left_out, rows = np.array([0.9, 1.0, 0.7]), np.array([4.0, 1.0, 1.0])
    half = stats.t.isf(0.05, 1) * math.sqrt(2 / 3 * ((left_out - value) ** 2).sum())  # 36 / 18 equal clusters less one
    assert _sure_bounds(value, left_out, rows, 0.05, *limits) == pytest.approx((value - half, value + half))


def test_the_jackknife_of_a_mean_has_its_standard_error():
    left_out = (DATA.sum() - DATA) / 39
    assert _jackknife_error(left_out) == pytest.approx(DATA.std(ddof=1) / math.sqrt(40))


def test_two_clusters_have_an_interval():
    got = cluster_bootstrap(mean, [0] * 20 + [1] * 20, seed=1)
    assert (got.reason, got.clusters) == ("", 2)
    assert got.lower < got.value < got.upper


@pytest.mark.parametrize("found", [0.0, 1.0])
def test_images_without_a_nodule_make_an_agreeing_sensitivity_no_surer(found):
    """Three patients with a nodule say as much with ten patients without: at most the exact binomial bound allows."""
    nodules = np.array([1.0] * 3 + [0.0] * 10)

    def sensitivity(rows):
        return float((found * nodules[rows]).sum() / nodules[rows].sum()) if nodules[rows].any() else math.nan

    estimate = cluster_bootstrap(sensitivity, np.arange(13), resamples=300, seed=1, limits=(0.0, 1.0))
    ends = (0.05 ** (1 / 3), 1.0) if found else (0.0, 1 - 0.05 ** (1 / 3))
    assert (estimate.lower, estimate.upper) == pytest.approx(ends, abs=1e-12)


@pytest.mark.parametrize(("clusters", "open_"), [(6, True), (60, False)])
def test_resamples_that_define_no_statistic_count_against_both_bounds_where_all_others_agree(clusters, open_):
    """A third of the clusters define it: of 6, (4/6)^6 = 9% of resamples hold none of these, more than alpha."""

    def half(rows):
        return 0.5 if (rows % 3 == 0).any() else math.nan

    got = cluster_bootstrap(half, range(clusters), seed=1, limits=(0.0, 1.0))
    share = 1 - 0.05 ** (1 / (clusters // 3))
    assert (got.lower, got.upper) == pytest.approx((0, 1) if open_ else (0.5 - share / 2, 0.5 + share / 2))
