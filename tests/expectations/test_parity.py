"""The difference of two groups that share backgrounds, against its formula written out with matrices."""

import math

import numpy as np
import pytest
from scipy import stats

from synnodtest.expectations.kinds.parity import Group, group_difference
from synnodtest.statistics import clustered_rate, count_rate, korn_graubard, miettinen_nurminen, paired_mean
from tests.expectations.evidence import trial


def group(values, clusters):
    return Group("g", list(values), [trial(c, cluster=c) for c in clusters])


def spread(groups, alpha):
    """Student's t of the difference of two means, linearized: each cluster pulls on both."""
    names = sorted({c for g in groups for c in g.clusters})
    pulls = np.zeros((2, len(names)))
    for row, one in enumerate(groups):
        member = np.array([[c == name for name in names] for c in one.clusters], float)
        pulls[row] = (np.array(one.values) - np.mean(one.values)) @ member / len(one.values)
    variance = len(names) / (len(names) - 1) * ((pulls[0] - pulls[1]) ** 2).sum()
    fewest = min(len(set(one.clusters)) for one in groups)
    return stats.t.isf(alpha, fewest - 1) * math.sqrt(variance)


FIRST = ([1, 1, 0, 1, 0, 1, 1, 1], list("aabbcdef"))
SECOND = ([0, 1, 0, 0, 1], list("abgga"))


@pytest.mark.parametrize("alpha", [0.05, 0.025])
@pytest.mark.parametrize("swap", [False, True])
def test_rates_have_the_widest_of_the_hybrid_score_bounds_at_effective_sizes_and_students(alpha, swap):
    one, other = (group(*g) for g in ((SECOND, FIRST) if swap else (FIRST, SECOND)))
    sizes, means, own = [], [], []
    for each in (one, other):
        place = np.unique(each.clusters, return_inverse=True)[1]
        made = korn_graubard(np.bincount(place, each.values), np.bincount(place), alpha=alpha, guarded=True)
        sizes.append(made.extra["effective_n"])
        own.append(made)
        means.append(np.mean(each.values))
    score = miettinen_nurminen(means[0] * sizes[0], sizes[0], means[1] * sizes[1], sizes[1], alpha=alpha)
    value, half = means[0] - means[1], spread((one, other), alpha)
    got = group_difference(one, other, "sensitivity", alpha, 0)
    assert got.value == pytest.approx(value)
    below = value - np.hypot(own[0].value - own[0].lower, own[1].upper - own[1].value)
    above = value + np.hypot(own[0].upper - own[0].value, own[1].value - own[1].lower)
    want = min(below, score.lower, value - half), max(above, score.upper, value + half)
    assert (got.lower, got.upper) == pytest.approx(want)
    assert (got.n, got.clusters) == (13, 7)


def test_groups_that_hardly_vary_have_score_bounds_at_effective_sizes_or_the_hybrid_of_their_own():
    """One of sixty is missed: Student's interval is narrow."""
    owners = [f"b{i // 2}" for i in range(60)]
    one, other = group([0, *[1] * 59], owners), group([1] * 60, owners)
    sizes = [
        korn_graubard(*np.add.reduceat([g.values, [1] * 60], range(0, 60, 2), axis=1), guarded=True)
        for g in (one, other)
    ]
    first, second = (size.extra["effective_n"] for size in sizes)
    score = miettinen_nurminen(59 / 60 * first, first, second, second)
    got = group_difference(one, other, "sensitivity", 0.05, 0)
    below = got.value - np.hypot(sizes[0].value - sizes[0].lower, sizes[1].upper - sizes[1].value)
    above = got.value + np.hypot(sizes[0].upper - sizes[0].value, sizes[1].value - sizes[1].lower)
    assert (got.lower, got.upper) == pytest.approx((min(score.lower, below), max(score.upper, above)))


@pytest.mark.parametrize("metric", ["confidence", "false_positives_per_image"])
@pytest.mark.parametrize("swap", [False, True])
def test_means_and_counts_have_the_wider_of_the_hybrid_and_students(metric, swap):
    scale = 3 if metric == "confidence" else 1  # scores of some detectors exceed 1
    groups = [group(scale * np.array(values), clusters) for values, clusters in (FIRST, SECOND)]
    one, other = groups[::-1] if swap else groups
    if metric == "confidence":
        own = [paired_mean(g.values, g.clusters, limits=(0, 3), guarded=True) for g in (one, other)]
    else:
        own = [count_rate(g.values, g.clusters, seed=0, guarded=True) for g in (one, other)]
    value, half = own[0].value - own[1].value, spread((one, other), 0.05)
    down = math.hypot(own[0].value - own[0].lower, own[1].upper - own[1].value)
    up = math.hypot(own[0].upper - own[0].value, own[1].value - own[1].lower)
    got = group_difference(one, other, metric, 0.05, 0)
    middle = np.mean(one.values) - np.mean(other.values)
    assert got.value == pytest.approx(middle)
    assert got.lower == pytest.approx(min(value - down, middle - half))
    assert got.upper == pytest.approx(max(value + up, middle + half))


def test_a_group_on_one_background_says_nothing():
    alone = group([1, 0, 1], "aaa")
    got = group_difference(group(*FIRST), alone, "sensitivity", 0.05, 0)
    assert got.reason == clustered_rate([1, 0, 1], list("aaa")).reason == "one cluster"
