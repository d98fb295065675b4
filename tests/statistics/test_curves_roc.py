"""Image-level AUC, against published data, brute force and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from synnodtest.statistics import auc, delong, delong_paired

modest = settings(max_examples=50, deadline=None, derandomize=True)
scores = st.lists(st.integers(0, 12), min_size=2, max_size=15)

# Hanley & McNeil, Radiology 143 (1982) 29, table I: ratings 1 to 5 of 58 normal and 51 abnormal CT scans.
NORMAL = np.repeat([1, 2, 3, 4, 5], [33, 6, 6, 11, 2])
ABNORMAL = np.repeat([1, 2, 3, 4, 5], [3, 2, 2, 11, 33])


def components(x, y):
    """DeLong's structural components, pair by pair."""
    kernel = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    return kernel.mean(axis=1), kernel.mean(axis=0)


def test_hanley_and_mcneils_data_as_printed_by_stata():
    """``roctab`` of Stata prints 0.8932, standard error 0.0307, 95% interval 0.83295 to 0.95339 (DeLong)."""
    got = delong(ABNORMAL, NORMAL, alpha=0.025)
    assert round(got.value, 4) == 0.8932
    assert round(got.extra["standard_error"], 4) == 0.0307
    assert (got.lower, got.upper) == pytest.approx((0.83295, 0.95339), abs=5.1e-6)
    assert (got.n, got.clusters) == (109, 109)


def test_paired_variance_is_that_of_the_structural_components():
    rng = np.random.default_rng(0)
    x1, y1 = rng.normal(1, 1, 25).round(1), rng.normal(0, 1, 40).round(1)
    x2, y2 = (x1 + rng.normal(0, 1, 25)).round(1), (y1 + rng.normal(0, 1, 40)).round(1)
    got = delong_paired(x1, y1, x2, y2)
    (a1, b1), (a2, b2) = components(x1, y1), components(x2, y2)
    s10, s01 = np.cov(a1, a2), np.cov(b1, b2)
    s = s10 / 25 + s01 / 40
    error = math.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    assert got.value == pytest.approx(a1.mean() - a2.mean())
    assert got.extra["standard_error"] == pytest.approx(error)
    assert (got.lower, got.upper) == pytest.approx((got.value - 1.6448536 * error, got.value + 1.6448536 * error))


def test_scikit_learn_agrees_on_the_area():
    metrics = pytest.importorskip("sklearn.metrics")
    want = metrics.roc_auc_score([1] * 51 + [0] * 58, np.r_[ABNORMAL, NORMAL])
    assert auc(ABNORMAL, NORMAL) == pytest.approx(want)


def test_a_perfect_separation_keeps_a_width_that_the_smaller_side_sets():
    got = delong([3, 4, 5], np.zeros(500))
    assert (got.value, got.lower, got.upper) == pytest.approx((1.0, 0.05 ** (1 / 3), 1.0))


def test_guarded_bounds_are_the_wider_of_both_scales():
    plain, guarded = delong(ABNORMAL, NORMAL), delong(ABNORMAL, NORMAL, guarded=True)
    assert guarded.lower == plain.extra["logit_lower"] < plain.lower
    assert guarded.upper == plain.upper


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([], [1, 2], "fewer than 2 images on a side"),
        ([1], [0, 0], "fewer than 2 images on a side"),
        ([1, math.nan], [0, 1], "scores are missing"),
    ],
)
def test_too_little_spans_the_range(x, y, reason):
    got = delong(x, y)
    assert (got.lower, got.upper, got.reason) == (0.0, 1.0, reason)
    got = delong_paired(x, y, x, y)
    assert (got.lower, got.upper, got.reason) == (-1.0, 1.0, reason)


def test_ties_everywhere_are_one_half_with_a_width():
    got = delong([0] * 10, [0] * 20)
    assert got.value == 0.5
    assert got.lower < 0.4
    assert got.upper > 0.6


def test_infinite_scores_rank_at_the_ends():
    assert auc([math.inf, 1], [-math.inf, 0]) == 1.0
    assert auc([-math.inf, -math.inf], [-math.inf, 0]) == 0.25


def test_two_detectors_that_order_alike_are_not_proven_equal_by_few_images():
    x, y = np.arange(5.0) + 3, np.arange(6.0)
    got = delong_paired(x, y, 2 * x, 2 * y)
    assert got.value == 0
    assert got.lower < -0.3
    assert got.upper > 0.3
    assert got.extra["p_value"] == 1


def test_a_pair_must_score_the_same_images():
    with pytest.raises(ValueError, match="same images"):
        delong_paired([1, 2], [0, 1], [1, 2, 3], [0, 1])


@modest
@given(scores, scores, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_sides_mirror(x, y, random):
    got, mirrored = delong(x, y), delong(y, x)
    shuffled = list(x)
    random.shuffle(shuffled)
    again = delong(shuffled, y)
    assert (again.lower, again.upper) == pytest.approx((got.lower, got.upper))
    assert (mirrored.lower, mirrored.upper) == pytest.approx((1 - got.upper, 1 - got.lower))
    assert 0 <= got.lower <= got.value <= got.upper <= 1
    assert got.lower < got.upper


def test_a_bound_at_the_truth_errs_at_most_about_alpha_when_guarded():
    rng, truth = np.random.default_rng(2), 0.921350
    errs = [delong(rng.normal(2, 1, 30), rng.normal(0, 1, 30), guarded=True).lower > truth for _ in range(600)]
    assert np.mean(errs) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 600)


def by_pairs(positives, negatives):
    """Whether each positive beats each negative, ties half; shape (m, n)."""
    first, second = np.asarray(positives, float)[:, None], np.asarray(negatives, float)[None, :]
    return (first > second) + 0.5 * (first == second)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("guarded", [True, False])
def test_the_guard_is_the_wider_of_plain_and_logit_bounds(seed, guarded):
    rng = np.random.default_rng(seed)
    positives, negatives = rng.integers(3, 10, 14), rng.integers(0, 7, 9)
    won = by_pairs(positives, negatives)
    value, z = won.mean(), stats.norm.isf(0.05)
    error = np.sqrt(won.mean(1).var(ddof=1) / 14 + won.mean(0).var(ddof=1) / 9)
    logit = special.expit(special.logit(value) + np.array([-z, z]) * error / (value * (1 - value)))
    plain = np.clip([value - z * error, value + z * error], 0, 1)
    got = delong(positives, negatives, guarded=guarded)
    assert (got.value, got.extra["standard_error"]) == pytest.approx((value, error))
    assert (got.extra["logit_lower"], got.extra["logit_upper"]) == pytest.approx(tuple(logit))
    want = (min(plain[0], logit[0]), max(plain[1], logit[1])) if guarded else tuple(plain)
    assert (got.lower, got.upper) == pytest.approx(want)
    assert got.method == ("delong, guarded" if guarded else "delong")


def test_the_difference_of_two_areas_has_the_p_value_of_its_standard_error():
    rng = np.random.default_rng(4)
    positives, negatives, others, rest = (
        rng.integers(low, low + 6, size) for low, size in [(2, 14), (0, 9), (1, 14), (0, 9)]
    )
    won = by_pairs(positives, negatives) - by_pairs(others, rest)
    error = np.sqrt(won.mean(1).var(ddof=1) / 14 + won.mean(0).var(ddof=1) / 9)
    got = delong_paired(positives, negatives, others, rest)
    assert (got.value, got.extra["standard_error"]) == pytest.approx((won.mean(), error))
    assert got.extra["p_value"] == pytest.approx(2 * stats.norm.sf(abs(won.mean()) / error))
    same = delong_paired(positives, negatives, positives, negatives)
    assert (same.value, same.extra["p_value"]) == (0.0, 1.0)


def test_two_images_of_a_kind_are_enough_for_an_area_and_one_is_not():
    assert delong([3, 2], [1, 2]).reason == delong_paired([3, 2], [1, 2], [3, 1], [1, 2]).reason == ""
    assert "fewer than 2" in delong([3], [1, 2]).reason
    assert "fewer than 2" in delong_paired([3, 2], [1], [3, 1], [1]).reason


def test_two_that_order_the_images_alike_may_differ_on_a_share_of_images_that_was_not_seen():
    positives, negatives = [0.9, 0.8, 0.3], [0.1, 0.5, 0.2, 0.4]
    for shift in (0.0, 2.0):
        got = delong_paired(positives, negatives, [p + shift for p in positives], [n + shift for n in negatives])
        unseen = 1 - 0.05 ** (1 / 3)
        assert (got.value, got.lower, got.upper) == pytest.approx((0.0, -unseen, unseen))
        assert got.extra["p_value"] == 1.0


@pytest.mark.parametrize(
    ("positives", "negatives"), [([0.5, 0.9], [0.1, math.nan]), ([math.nan, 0.9], [0.1]), ([], [1])]
)
def test_an_area_without_a_score_or_a_side_is_none(positives, negatives):
    for one, other in ((positives, negatives), (negatives, positives)):
        assert math.isnan(auc(one, other))
        assert (delong(one, other).lower, delong(one, other).upper, delong(one, other).usable) == (0.0, 1.0, False)
