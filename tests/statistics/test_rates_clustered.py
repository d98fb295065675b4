"""Clustered rates: definition, degenerate clusters, and error rates by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synnodtest.statistics import clopper_pearson, cluster_index, clustered_rate, icc, korn_graubard
from synnodtest.statistics.clusters import leverage
from synnodtest.statistics.rates import korn_graubard_bounds
from synnodtest.statistics.skewness import hall_bounds

modest = settings(max_examples=60, deadline=None, derandomize=True)
clusters = st.lists(
    st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=25
)


def by_hand(x, n, alpha):
    """The formula of Korn and Graubard (1998), read off the page."""
    b, total, p = len(x), sum(n), sum(x) / sum(n)
    v = b / (b - 1) * sum((xi - p * ni) ** 2 for xi, ni in zip(x, n, strict=True)) / total**2
    ratio = stats.t.ppf(0.975, total - 1) / stats.t.ppf(0.975, b - 1)
    size = min(total, p * (1 - p) / v * ratio**2)
    hit = p * size
    lower_f = stats.f.ppf(alpha, 2 * hit, 2 * (size - hit + 1))
    upper_f = stats.f.ppf(1 - alpha, 2 * (hit + 1), 2 * (size - hit))
    lower = hit * lower_f / (size - hit + 1 + hit * lower_f)
    return lower, (hit + 1) * upper_f / (size - hit + (hit + 1) * upper_f)


@pytest.mark.parametrize("alpha", [0.025, 0.05])
def test_korn_graubard_is_the_published_formula_in_its_f_form(alpha):
    x, n = [8, 10, 3, 9, 7, 10, 10, 2], [10, 10, 10, 10, 8, 10, 12, 9]
    got = korn_graubard(x, n, alpha=alpha)
    assert (got.lower, got.upper) == pytest.approx(by_hand(x, n, alpha), rel=1e-9)


def test_agreement_of_all_trials_counts_each_cluster_once():
    for x in (0, 6):
        got, want = korn_graubard([x] * 20, [6] * 20), clopper_pearson(20 * x / 6, 20)
        assert (got.lower, got.upper) == pytest.approx((want.lower, want.upper))


def test_one_cluster_says_nothing_about_others():
    got = korn_graubard([10], [10])
    assert (got.value, got.lower, got.upper, got.reason) == (1.0, 0.0, 1.0, "one cluster")
    got = korn_graubard([], [])
    assert (got.lower, got.upper, got.reason) == (0.0, 1.0, "no trials")
    assert korn_graubard([3, 0], [4, 0]).reason == "one cluster"


@pytest.mark.parametrize(("x", "n"), [([2], [1]), ([-1, 2], [3, 3]), ([1, math.nan], [3, 3]), ([1], [1, 2])])
def test_impossible_counts_are_refused(x, n):
    with pytest.raises(ValueError):
        korn_graubard(x, n)


def test_single_trials_per_cluster_are_exact_and_repeats_are_not():
    hits = [1] * 18 + [0, 0]
    assert clustered_rate(hits, range(20)).lower == clopper_pearson(18, 20).lower
    assert clustered_rate(hits, [i // 2 for i in range(20)]).method == "korn-graubard, guarded"
    with pytest.raises(ValueError):
        clustered_rate([0.5], [1])
    assert clustered_rate([], []).reason == "no trials"


@pytest.mark.parametrize("guarded", [False, True])
@modest
@given(clusters)
def test_bounds_hold_the_value_mirror_and_ignore_order(guarded, pairs):
    x, n = np.array(pairs).T
    got = korn_graubard(x, n, guarded=guarded)
    assert 0 <= got.lower <= got.value <= got.upper <= 1
    assert got.lower < got.upper
    mirrored, turned = korn_graubard(n - x, n, guarded=guarded), korn_graubard(x[::-1], n[::-1], guarded=guarded)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((1 - got.upper, 1 - got.lower), abs=1e-9)
    assert (turned.lower, turned.upper) == pytest.approx((got.lower, got.upper), abs=1e-9)
    assert got.extra["effective_n"] <= n.sum()


@modest
@given(clusters)
def test_the_guard_only_widens(pairs):
    x, n = np.array(pairs).T
    plain, guarded = korn_graubard(x, n), korn_graubard(x, n, guarded=True)
    assert guarded.lower <= plain.lower + 1e-12
    assert guarded.upper >= plain.upper - 1e-12


def beta_binomial(rate, rho, shape, size, seed):
    rng = np.random.default_rng(seed)
    scale = (1 - rho) / rho
    return rng.binomial(size, rng.beta(rate * scale, (1 - rate) * scale, size=shape))


def share_above(rate, x, sizes, guarded):
    """Share of samples, a row each, whose lower bound exceeds a rate; all bounds at once are those of one by one."""
    lower = korn_graubard_bounds(x.astype(float), np.asarray(sizes, float), 0.05, guarded)[0]
    one_by_one = [korn_graubard(row, sizes, guarded=guarded).lower for row in x[:20]]
    np.testing.assert_allclose(lower[:20], one_by_one, rtol=1e-12)
    return float(np.mean(lower > rate))


def share_passing(rate, *, guarded, rho=0.4, backgrounds=20, nodules=10, runs=2500):
    trials = np.full(backgrounds, nodules)
    x = beta_binomial(rate, rho, (runs, backgrounds), nodules, seed=7)
    return share_above(rate, x, trials, guarded)


def test_a_detector_at_the_bound_passes_korn_graubard_at_most_alpha_of_the_time():
    assert share_passing(0.8, guarded=False) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2500)


@pytest.mark.parametrize("rate", [0.8, 0.9, 0.95])
def test_guarded_it_passes_at_most_alpha_at_any_rate(rate):
    assert share_passing(rate, guarded=True) <= 0.05


ONE_PATIENT_WITH_MOST = [50] + [1] * 19


def share_passing_unlike(rate, sizes, rho, *, guarded, runs=400):
    sizes = np.array(sizes)
    x = beta_binomial(rate, rho, (runs, len(sizes)), sizes, seed=11)
    return share_above(rate, x, sizes, guarded)


@pytest.mark.parametrize("sizes", [ONE_PATIENT_WITH_MOST, [30, 30] + [1] * 15, [40, 20, 10, 5, 3, 2, 1, 1]])
@pytest.mark.parametrize("rho", [0.5, 0.999])
def test_a_patient_with_most_of_the_films_does_not_pass_a_detector_at_the_bound(sizes, rho):
    assert share_passing_unlike(0.5, sizes, rho, guarded=True) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def share_passing_lost(lost, found, sizes, *, guarded, runs=400):
    """Nothing at all is found in the share ``lost`` of clusters, and in the others ``found`` of the trials."""
    rng, sizes = np.random.default_rng(13), np.array(sizes)
    x = rng.binomial(sizes, np.where(rng.random((runs, len(sizes))) < lost, 0, found))
    return share_above((1 - lost) * found, x, sizes, guarded)


@pytest.mark.parametrize(
    ("lost", "found", "sizes"),
    [(0.05, 0.9, [20] * 15), (0.05, 0.9, [10] * 20), (0.375, 0.8, [20] * 3 + [2] * 5), (0.2, 0.9, [10] * 5)],
)
def test_films_on_which_nothing_is_found_rarely_pass_a_detector_at_the_bound_though_none_of_them_was_seen(
    lost, found, sizes
):
    assert share_passing_lost(lost, found, sizes, guarded=True) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    assert share_passing_lost(lost, found, sizes, guarded=False) > 0.1


@pytest.mark.parametrize(
    ("x", "n"), [((18, 17, 18, 19, 18), (20,) * 5), ((18, 17, 17, 2, 1, 2, 1, 2), (20,) * 3 + (2,) * 5)]
)
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_a_share_of_clusters_unlike_all_seen_is_allowed_to_miss_or_find_everything(x, n, alpha):
    got, p, equal = korn_graubard(x, n, alpha=alpha, guarded=True), sum(x) / sum(n), sum(n) ** 2 / sum(k * k for k in n)
    size = got.extra["effective_n"]
    low, high = stats.beta.ppf((alpha, 1 - alpha), (p * size, p * size + 1), (size - p * size + 1, size - p * size))
    like_these = alpha ** (1 / equal)
    assert got.lower == pytest.approx(min(low, p * like_these))
    assert got.upper == pytest.approx(max(high, 1 - (1 - p) * like_these))
    assert got.lower < low


def test_by_the_plain_formula_such_a_patient_passes_it_often():
    assert share_passing_unlike(0.5, ONE_PATIENT_WITH_MOST, 0.5, guarded=False) > 0.2


def test_a_residual_is_enlarged_to_that_from_the_rate_without_its_cluster():
    """The first patient has 24 of 33 films: the rate of the other three says how far its own lies away."""
    x, n = np.array([12.0, 2.0, 1.0, 3.0]), np.array([24.0, 2.0, 3.0, 4.0])
    p = x.sum() / n.sum()
    without = p - (x.sum() - x) / (n.sum() - n)
    enlarged = leverage(n) * (x - p * n) / n.sum()
    assert enlarged[0] == pytest.approx(0.75 * without[0])
    assert enlarged[1:] == pytest.approx((x - p * n)[1:] / n.sum())  # smaller than the average: as they are
    assert leverage(np.full(5, 7.0)) == pytest.approx(np.ones(5))


def test_where_all_agree_one_patient_with_most_of_the_films_counts_little_more_than_once():
    got = korn_graubard(ONE_PATIENT_WITH_MOST, ONE_PATIENT_WITH_MOST, guarded=True)
    assert got.lower == pytest.approx(0.05 ** (1 / (69**2 / (50**2 + 19))))


def test_the_simulation_would_notice_an_interval_that_ignores_clusters():
    x = beta_binomial(0.8, 0.4, (2500, 20), 10, seed=7).sum(axis=1)
    passing = {int(k): clopper_pearson(int(k), 200).lower > 0.8 for k in set(x)}
    assert np.mean([passing[int(k)] for k in x]) > 0.2


def test_icc_finds_the_correlation_that_made_the_data():
    x = beta_binomial(0.7, 0.3, 4000, 6, seed=3)
    assert icc(x, np.full(4000, 6)) == pytest.approx(0.3, abs=0.02)


def test_icc_equals_the_anova_table():
    groups = [[1, 1, 0], [0, 0, 0, 1], [1, 1], [1, 0, 1, 1]]
    grand = np.mean(np.concatenate(groups))
    between = sum(len(g) * (np.mean(g) - grand) ** 2 for g in groups) / 3
    within = sum(((np.array(g) - np.mean(g)) ** 2).sum() for g in groups) / (13 - 4)
    size = (13 - sum(len(g) ** 2 for g in groups) / 13) / 3
    want = max(0.0, (between - within) / (between + (size - 1) * within))
    assert icc([sum(g) for g in groups], [len(g) for g in groups]) == pytest.approx(want)


@pytest.mark.parametrize(("x", "n"), [([3], [5]), ([1, 0, 1], [1, 1, 1]), ([0, 0], [4, 4]), ([4, 4], [4, 4])])
def test_icc_is_undefined_without_repeats_or_variation(x, n):
    assert math.isnan(icc(x, n))


def test_the_patient_is_the_cluster_where_known_else_the_background():
    assert cluster_index(["a", "b", "a", "c", "d"], ["p", None, "", "p", math.nan]).tolist() == [0, 1, 0, 0, 2]
    assert cluster_index(["a", "b"], [math.nan, math.nan]).tolist() == [0, 1]
    assert cluster_index(["x", "y", "x"]).tolist() == [0, 1, 0]
    assert cluster_index([]).tolist() == []


def test_a_patient_and_a_background_of_one_name_are_two_things():
    assert cluster_index(["a", "b"], ["b", None]).tolist() == [0, 1]


def test_backgrounds_and_patients_of_unequal_number_are_refused():
    with pytest.raises(ValueError, match="2 backgrounds, but 1"):
        cluster_index(["a", "b"], ["p"])
    with pytest.raises(ValueError, match="background"):
        cluster_index(["a", None])


@pytest.mark.parametrize(
    ("x", "n"),
    [
        ((3, 5, 2, 4, 1), (5, 5, 5, 5, 5)),
        ((5, 5, 5, 5, 1), (5, 5, 5, 5, 5)),
        ((0, 0, 0, 9, 0, 1), (10, 3, 2, 30, 4, 2)),
        ((10, 3, 2, 21, 4, 1), (10, 3, 2, 30, 4, 2)),
        ((2, 0, 2, 2, 0, 1, 2, 14, 13), (2, 2, 2, 2, 2, 2, 2, 15, 15)),
        ((1, 0), (3, 4)),
        ((2, 2, 2, 2), (4, 4, 4, 4)),
        ((4, 2, 7, 0), (4, 2, 7, 0)),
        ((0, 0, 0), (1, 2, 9)),
    ],
)
@pytest.mark.parametrize("guarded", [True, False])
def test_the_effective_size_is_the_one_that_is_written_down(x, n, guarded):
    got = korn_graubard(x, n, guarded=guarded)
    x, n = (np.array(of, float)[np.array(n) > 0] for of in (x, n))
    count, total, p = len(n), n.sum(), x.sum() / n.sum()
    equal = total**2 / (n**2).sum() if guarded else count
    enlarged = np.maximum(1, (1 - 1 / count) / (1 - n / total)) if guarded else 1.0
    variance = count / (count - 1) * ((enlarged * (x - p * n)) ** 2).sum() / total**2

    def size(degrees):
        if p in (0, 1):
            return equal
        if variance == 0:
            return total
        return min(total, p * (1 - p) / variance * (stats.t.ppf(0.975, total - 1) / stats.t.ppf(0.975, degrees)) ** 2)

    telling = min((x > 0).sum(), (x < n).sum())
    want = min(size(count - 1), max(size(max(min(telling, equal), 2) - 1), equal)) if guarded else size(count - 1)
    if guarded and np.ptp(n) > 0 and 0 < p < 1:
        between = stats.f_oneway(*(np.arange(k) < hits for hits, k in zip(x, n, strict=True))).statistic
        typical = (total - (n**2).sum() / total) / (count - 1)
        rho = max(0, (between - 1) / (between + typical - 1)) if np.isfinite(between) else 1.0
        want = min(want, total / (1 + rho * ((n**2).sum() / total - 1)))
    assert got.extra["effective_n"] == pytest.approx(want)
    assert got.extra["design_effect"] == pytest.approx(total / want)
    lower = stats.beta.ppf(0.05, p * want, want - p * want + 1) if p else 0.0
    upper = stats.beta.isf(0.05, p * want + 1, want - p * want) if p < 1 else 1.0
    like_these = 0.05 ** (1 / equal) if guarded else 1.0
    skewed = hall_bounds(p + (x - p * n) * count / total, 0.05) if guarded else (lower, upper)
    assert got.lower == pytest.approx(max(0, min(lower, p * like_these, skewed[0])))
    assert got.upper == pytest.approx(min(1, max(upper, 1 - (1 - p) * like_these, skewed[1])))
    assert got.method == "korn-graubard" + ", guarded" * guarded


def test_two_clusters_have_a_correlation():
    assert icc([0, 2], [2, 2]) == 1.0
    assert icc([1, 1], [2, 2]) == 0.0


@pytest.mark.parametrize(("films", "lost"), [(200, 0.1), (60, 0.2)])
def test_films_of_which_few_have_most_nodules_rarely_pass_a_detector_at_the_bound(films, lost):
    """One film in ten has 15 nodules, all others two; of each film all are found, or none."""
    n, runs = np.where(np.arange(films) < films // 10, 15, 2), 600
    x = n * (np.random.default_rng(2026).random((runs, films)) >= lost)
    lower, _, _ = korn_graubard_bounds(x.astype(float), n.astype(float), 0.05, guarded=True)
    assert (lower > 1 - lost).mean() <= 0.05 + 1.5 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(("films", "share"), [(100, 0.05), (60, 0.1)])
def test_many_films_of_which_some_are_lost_rarely_pass_a_detector_at_the_bound(films, share):
    """Twenty nodules on each film, 90% of them found; on the share of films none is: a long tail of few."""
    runs, rng = 600, np.random.default_rng(2026)
    passed = 0
    for _ in range(runs):
        hits = np.where(rng.random(films) < share, 0, rng.binomial(20, 0.9, films))
        passed += korn_graubard(hits, np.full(films, 20), guarded=True).lower > 0.9 * (1 - share)
    assert passed / runs <= 0.05 + 1.5 * math.sqrt(0.05 * 0.95 / runs)
