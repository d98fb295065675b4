"""Paired differences of confidence and of clustered rates."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synnodtest.statistics import paired_mean, rate_difference_clustered, tango
from synnodtest.statistics.paired import tango_bounds
from synnodtest.statistics.skewness import hall_bounds

modest = settings(max_examples=40, deadline=None, derandomize=True)


def test_one_difference_per_cluster_is_scipys_paired_t():
    d = np.random.default_rng(0).normal(0.05, 0.1, 25)
    got, want = paired_mean(d, range(25)), stats.ttest_1samp(d, 0).confidence_interval(0.9)
    assert (got.value, got.lower, got.upper) == pytest.approx((d.mean(), want.low, want.high))
    assert got.flags == ("bootstrap over fewer than 30 clusters",)
    assert paired_mean(d, range(25), guarded=True).flags == ()


def test_bca_beside_it_is_scipys():
    d = np.random.default_rng(1).exponential(0.1, 60)
    got = paired_mean(d, range(60), resamples=20_000)
    want = stats.bootstrap((d,), np.mean, confidence_level=0.9, n_resamples=20_000, rng=0).confidence_interval
    assert (got.extra["bca_lower"], got.extra["bca_upper"]) == pytest.approx((want.low, want.high), abs=1.5e-3)


def test_repeats_within_a_cluster_are_averaged():
    d = np.random.default_rng(2).normal(0, 0.1, 20)
    once, thrice = paired_mean(d, range(20)), paired_mean(np.repeat(d, 3), np.repeat(np.arange(20), 3))
    assert (thrice.lower, thrice.upper) == pytest.approx((once.lower, once.upper))


def test_no_change_at_all_is_not_proof_beyond_the_number_of_clusters():
    got = paired_mean([0.0] * 30, range(30))
    assert (got.lower, got.upper) == pytest.approx((0.05 ** (1 / 30) - 1, 1 - 0.05 ** (1 / 30)))
    assert paired_mean([0.0] * 2, range(2)).upper > 0.7


@pytest.mark.parametrize(
    ("d", "c", "reason"),
    [
        ([], [], "no pairs"),
        ([0.1, 0.2], [1, 1], "one cluster"),
        ([0.1, math.nan], [1, 2], "values are missing or infinite"),
    ],
)
def test_too_little_spans_the_range(d, c, reason):
    got = paired_mean(d, c)
    assert (got.lower, got.upper, got.reason) == (-1.0, 1.0, reason)


def test_differences_beyond_the_limits_have_no_limits():
    assert paired_mean([5.0, 5.0], [1, 2]).upper == math.inf
    assert paired_mean([0.1, -math.inf], [1, 2]).lower == -math.inf


def test_the_guard_allows_for_one_background_at_the_limit():
    d = np.random.default_rng(3).normal(0, 0.02, 30)
    plain, guarded = paired_mean(d, range(30)), paired_mean(d, range(30), guarded=True)
    assert guarded.lower == pytest.approx(paired_mean(np.append(d, -1), range(31)).lower)
    assert guarded.lower < plain.lower <= plain.upper < guarded.upper


def test_rare_large_losses_pass_at_most_alpha_of_the_time_when_guarded():
    """One background in ten loses 0.5, so that the mean is -0.05, exactly the margin."""
    rng = np.random.default_rng(5)
    runs = np.where(rng.random((300, 30)) < 0.1, -0.5, 0.0) + rng.normal(0, 0.01, (300, 30))
    plain = np.mean([paired_mean(d, range(30), resamples=100).lower > -0.05 for d in runs])
    guarded = np.mean([paired_mean(d, range(30), resamples=100, guarded=True).lower > -0.05 for d in runs])
    assert guarded <= 0.05 < plain


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="differing lengths"):
        paired_mean([0.1, 0.2], [1])


@modest
@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_signs_mirror(d, random):
    cluster = [i // 2 for i in range(len(d))]
    rows = list(range(len(d)))
    random.shuffle(rows)
    got = paired_mean(d, cluster, resamples=100)
    turned = paired_mean([d[i] for i in rows], [cluster[i] for i in rows], resamples=100)
    mirrored = paired_mean([-v for v in d], cluster, resamples=100)
    assert (turned.lower, turned.upper) == pytest.approx((got.lower, got.upper), abs=1e-9)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-got.upper, -got.lower), abs=1e-9)
    assert -1 <= got.lower <= got.upper <= 1


def test_one_pair_per_background_is_tango():
    arm, ref = [1, 1, 1, 0, 0, 1], [1, 0, 1, 1, 0, 1]
    got, want = rate_difference_clustered(arm, ref, range(6)), tango(3, 1, 1, 1)
    assert (got.value, got.lower, got.upper) == (want.value, want.lower, want.upper)


def test_silent_arms_on_clusters_keep_the_width_of_one_pair_per_cluster():
    got = rate_difference_clustered([0] * 40, [0] * 40, [i // 4 for i in range(40)])
    want = tango(0, 0, 0, 10)
    assert got.lower <= want.lower
    assert got.upper >= want.upper


def test_one_background_of_many_pairs_says_nothing():
    got = rate_difference_clustered([1] * 9, [0] * 9, [0] * 9)
    assert (got.value, got.lower, got.upper, got.usable) == (1.0, -1.0, 1.0, False)
    assert not rate_difference_clustered([], [], []).usable
    with pytest.raises(ValueError):
        rate_difference_clustered([2], [0], [0])


@pytest.mark.parametrize(
    ("backgrounds", "pairs", "discordant", "margin", "rho"),
    [(20, 5, 0.12, 0.1, 0.4), (50, 5, 0.1, 0.05, 0.4), (30, 3, 0.4, 0.1, 0.2)],
)
def test_clustered_pairs_at_the_margin_pass_at_most_alpha_of_the_time(backgrounds, pairs, discordant, margin, rho):
    rng, runs = np.random.default_rng(9), 250
    share = np.array([(discordant - margin) / 2, (discordant + margin) / 2, 1 - discordant])
    weights = rng.gamma(share * (1 - rho) / rho, size=(runs, backgrounds, 3))
    weights /= weights.sum(axis=-1, keepdims=True)
    cluster, passed, by_t = np.repeat(np.arange(backgrounds), pairs), 0, 0
    for run in weights:
        kind = (rng.random((backgrounds, pairs, 1)) > np.cumsum(run, axis=1)[:, None, :2]).sum(axis=-1).ravel()
        got = rate_difference_clustered(kind == 0, kind == 1, cluster)
        passed += got.lower > -margin
        by_t += got.extra["t_lower"] > -margin
    assert passed / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert by_t >= passed


@pytest.mark.parametrize("clusters", ["aabbbcdee", "aabbccdde", "aaaaabbcd", "aaaaabbbb"])
def test_clustered_pairs_have_the_widest_of_students_halls_tangos_at_the_effective_number_and_those_of_unseen_clusters(
    clusters,
):
    arm, reference = np.array([1, 1, 0, 1, 1, 0, 1, 1, 1]), np.array([0, 1, 1, 0, 1, 0, 0, 0, 1])
    got = rate_difference_clustered(arm, reference, list(clusters))
    place, count = np.unique(list(clusters), return_inverse=True)[1], len(set(clusters))

    def means(values):
        return np.bincount(place, values) / np.bincount(place)

    gain, loss = means(arm * (1 - reference)), means(reference * (1 - arm))
    shift = gain - loss
    value, error = shift.mean(), shift.std(ddof=1) / math.sqrt(count)
    spread = gain.mean() + loss.mean() - value**2
    telling = np.count_nonzero(gain + loss)
    plain, sure = (
        min(9, spread / error**2 * (stats.t.ppf(0.975, 8) / stats.t.ppf(0.975, degrees)) ** 2)
        for degrees in (count - 1, max(min(telling, count), 2) - 1)
    )
    size = min(plain, max(sure, count))
    low, high = tango_bounds(gain.mean() * size, loss.mean() * size, size, 0.05)
    half = stats.t.isf(0.05, count - 1) * error
    assert got.value == pytest.approx(value)
    assert got.extra["effective_n"] == pytest.approx(size)
    assert got.extra["discordant"] == 5
    unseen = 1 - 0.05 ** (1 / count)
    skewed = hall_bounds(shift, 0.05)
    assert got.lower == pytest.approx(max(-1, min(float(low), value - half, value - unseen * (1 + value), skewed[0])))
    assert got.upper == pytest.approx(min(1, max(float(high), value + half, value + unseen * (1 - value), skewed[1])))


@pytest.mark.parametrize(("clusters", "pairs", "lost", "noise"), [(15, 20, 0.05, 0.02), (20, 10, 0.1, 0.05)])
def test_films_on_which_the_arm_finds_nothing_rarely_pass_a_loss_at_the_margin_though_none_of_them_was_seen(
    clusters, pairs, lost, noise
):
    """Of the other films nine in ten nodules are found in both arms, but for a few in one of them."""
    rng, passed, runs = np.random.default_rng(3), 0, 150
    cluster = np.repeat(np.arange(clusters), pairs)
    for _ in range(runs):
        found, u = rng.random((2, clusters * pairs))
        alone = [(u < noise) | (found < 0.9) & (u < 1 - noise), (u >= 1 - noise) | (found < 0.9) & (u >= noise)]
        arm = alone[0] & ~np.repeat(rng.random(clusters) < lost, pairs)
        reference_rate = noise + 0.9 * (1 - 2 * noise)
        passed += rate_difference_clustered(arm, alone[1], cluster).lower > -lost * reference_rate
    assert passed / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_two_clusters_give_an_interval_and_outcomes_are_yes_or_no():
    assert rate_difference_clustered([1, 1, 0], [0, 1, 0], [0, 0, 1]).reason == ""
    assert paired_mean([0.1, 0.2], [0, 1]).reason == ""
    for wrong in (([0.5, 1], [0, 1]), ([0, 1], [0.5, 1])):
        with pytest.raises(ValueError, match="0 or 1"):
            rate_difference_clustered(*wrong, [0, 1])


@pytest.mark.parametrize("sign", [1, -1])
def test_differences_beyond_one_end_alone_have_no_limits_either(sign):
    values = sign * np.array([0.5, 2.0, 3.5, 1.0])
    got = paired_mean(values, range(4))
    half = stats.t.isf(0.05, 3) * values.std(ddof=1) / 2
    assert (got.lower, got.upper) == pytest.approx((values.mean() - half, values.mean() + half))
    assert got.method == "cluster-t"
