"""Rates of independent units, and of units that come in clusters (several nodules on one radiograph)."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from synnodtest.geometry import Array
from synnodtest.statistics.clusters import cluster_sums, equal_clusters, leverage
from synnodtest.statistics.distributions import beta_isf, beta_ppf, normal_isf, t_ppf
from synnodtest.statistics.estimate import (
    Estimate,
    agreeing_bounds,
    by_cluster,
    check_alpha,
    check_counts,
    vectors,
    yes_or_no,
)
from synnodtest.statistics.skewness import hall_bounds


def beta_bounds(successes: ArrayLike, n: ArrayLike, alpha: float) -> tuple[Array, Array]:
    """Return Clopper-Pearson bounds of any shape; counts need not be whole, ``n`` is above 0."""
    x, size = np.broadcast_arrays(np.asarray(successes, float), np.asarray(n, float))
    lower, upper = np.zeros(x.shape), np.ones(x.shape)
    some, rest = x > 0, x < size
    lower[some] = beta_ppf(alpha, x[some], size[some] - x[some] + 1)
    upper[rest] = beta_ppf(1 - alpha, x[rest] + 1, size[rest] - x[rest])
    return lower, upper


def wilson_bounds(successes: float, n: float, alpha: float) -> tuple[float, float]:
    """Return Wilson's score bounds, without continuity correction; ``n`` is above 0."""
    z = normal_isf(alpha)
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    lower = 0.0 if successes == 0 else max(0.0, centre - half)
    upper = 1.0 if successes == n else min(1.0, centre + half)
    return lower, upper


def _rate(
    successes: float, n: float, alpha: float, method: str, bounds: Callable[[float, float, float], tuple[Any, Any]]
) -> Estimate:
    check_alpha(alpha)
    check_counts(successes, n)
    made = partial(Estimate, alpha=alpha, method=method, n=round(n), clusters=round(n))
    if n == 0:
        return made(math.nan, 0.0, 1.0, reason="no trials")
    lower, upper = map(float, bounds(successes, n, alpha))
    return made(successes / n, lower, upper, reason="fewer than 2 trials" if n < 2 else "")


def clopper_pearson(successes: float, n: float, *, alpha: float = 0.05) -> Estimate:
    """Estimate a rate with exact bounds from the beta quantiles.

    Each bound errs at most ``alpha`` of the time, for any n and any rate.

    Args:
        successes: Number of successes, 0 to n.
        n: Number of independent units, each its own cluster.
        alpha: One-sided error rate of each bound.

    Returns:
        The estimate; NaN within [0, 1] if n is 0. With n below 2 it carries a ``reason``.

    Raises:
        ValueError: the counts are impossible.

    Source: Clopper & Pearson, Biometrika 26 (1934) 404.
    """
    return _rate(successes, n, alpha, "clopper-pearson", beta_bounds)


def wilson(successes: float, n: float, *, alpha: float = 0.05) -> Estimate:
    """Estimate a rate with Wilson's score bounds: for display, since coverage holds only on average.

    Arguments, returns and errors are those of :func:`clopper_pearson`.

    Source: Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
    """
    return _rate(successes, n, alpha, "wilson", wilson_bounds)


def jeffreys(successes: float, n: float, *, alpha: float = 0.05) -> Estimate:
    """Estimate a rate with the equal-tailed posterior bounds under the prior Beta(1/2, 1/2): for display.

    The lower bound is 0 when nothing succeeded and the upper 1 when everything did. Arguments, returns
    and errors are those of :func:`clopper_pearson`.

    Source: Brown, Cai & DasGupta, Statist. Sci. 16 (2001) 101, section 4.3.
    """
    return _rate(successes, n, alpha, "jeffreys", _jeffreys_bounds)


def _jeffreys_bounds(successes: float, n: float, alpha: float) -> tuple[float, float]:
    posterior = successes + 0.5, n - successes + 0.5
    lower = 0.0 if successes == 0 else float(beta_ppf(alpha, *posterior))
    upper = 1.0 if successes == n else beta_isf(alpha, *posterior)
    return lower, upper


def _counts(successes: ArrayLike, trials: ArrayLike) -> tuple[Array, Array]:
    x, n = vectors(successes_by_cluster=successes, trials_by_cluster=trials)
    if not (np.isfinite(x).all() and np.isfinite(n).all()) or (x < 0).any() or (x > n).any():
        raise ValueError("every cluster has between 0 and its number of trials successes, all finite")
    return x[n > 0], n[n > 0]


def effective_size(spread: ArrayLike, variance: ArrayLike, total: float, clusters: float, degrees: ArrayLike) -> Array:
    """Return the number of independent trials with the same information, at most ``total``.

    Args:
        spread: Variance of one trial, p(1-p) for a rate; 0 where all trials agree. Of any shape.
        variance: Variance of the estimate, from the spread between clusters.
        total: Number of trials.
        clusters: Number of clusters; the answer where all trials agree.
        degrees: Degrees of freedom that ``variance`` has.
    """
    one, mean = np.asarray(spread, float), np.asarray(variance, float)
    widening = t_ppf(0.975, total - 1) / t_ppf(0.975, degrees)
    size = np.where(mean > 0.0, one / np.where(mean > 0.0, mean, 1.0) * widening**2, total)
    return np.where(one > 0.0, np.minimum(total, size), clusters)


def guarded_size(
    spread: ArrayLike, variance: ArrayLike, total: float, clusters: int, telling: ArrayLike, equal: float | None = None
) -> Array:
    """Return :func:`effective_size` with the degrees of freedom of the ``telling`` clusters only.

    ``telling`` clusters are those in which the rarer outcome occurs at all: where they are few, the variance is
    little known however many clusters there are. Where clusters differ in size, degrees of freedom are no more than
    those of ``equal`` clusters of one size. Never below one trial for each of these, unless Korn and Graubard's is.
    """
    alike = float(clusters) if equal is None else equal
    plain = effective_size(spread, variance, total, alike, clusters - 1)
    sure = effective_size(spread, variance, total, alike, np.maximum(np.minimum(telling, alike), 2) - 1)
    return np.asarray(np.minimum(plain, np.maximum(sure, alike)))


def _size(x: Array, n: Array, guarded: bool) -> Array:
    clusters, total = len(n), float(n.sum())
    p = x.sum(axis=-1) / total
    rest = (x - p[..., None] * n) * (leverage(n) if guarded else 1.0)
    variance = clusters / (clusters - 1) * (rest**2).sum(axis=-1) / total**2
    if not guarded:
        return effective_size(p * (1 - p), variance, total, clusters, clusters - 1)
    telling = np.minimum(np.count_nonzero(x > 0, axis=-1), np.count_nonzero(x < n, axis=-1))
    size = guarded_size(p * (1 - p), variance, total, clusters, telling, equal_clusters(n))
    if np.ptp(n) == 0:
        return size
    return np.asarray(np.minimum(size, total / (1 + _correlation(x, n) * (float((n**2).sum()) / total - 1))))


def korn_graubard_bounds(x: Array, n: Array, alpha: float, guarded: bool) -> tuple[Array, Array, Array]:
    """Return bounds and effective sizes of :func:`korn_graubard` for many samples: successes of shape (..., B) of n."""
    total, size = float(n.sum()), _size(x, n, guarded)
    value = np.asarray(x.sum(axis=-1)) / total
    lower, upper = beta_bounds(value * size, size, alpha)
    if guarded:
        fewer, more = agreeing_bounds(value, equal_clusters(n), alpha, 0.0, 1.0)
        skewed = hall_bounds(value[..., None] + (x - value[..., None] * n) * len(n) / total, alpha)
        lower = np.maximum(0.0, np.minimum(np.minimum(lower, fewer), skewed[0]))
        upper = np.minimum(1.0, np.maximum(np.maximum(upper, more), skewed[1]))
    return lower, upper, size


def korn_graubard(
    successes_by_cluster: ArrayLike, trials_by_cluster: ArrayLike, *, alpha: float = 0.05, guarded: bool = False
) -> Estimate:
    """Estimate a rate of clustered trials: Clopper-Pearson at the effective sample size.

    With p the pooled rate, v its variance between clusters, B clusters and n trials, the effective size is
    n* = min(n, p(1-p)/v * (t_{n-1,.975} / t_{B-1,.975})^2), and n* = B when p is 0 or 1. It is what
    ``survey::svyciprop(method="beta")`` of R computes at level 0.95, truncated at n.

    Args:
        successes_by_cluster: Successes of each cluster; shape (B,).
        trials_by_cluster: Trials of each cluster; shape (B,). Clusters without trials are left out.
        alpha: One-sided error rate of each bound.
        guarded: Take as degrees of freedom the number of clusters in which the rarer outcome occurs, less one, in
            place of B - 1 (n* stays at least B); where clusters differ in size, B is Kish's number of equal clusters,
            (sum n)^2 / sum n^2, also at p of 0 and 1, and residuals are those from the rate of all other clusters: one
            patient with most of the films would hide its own deviation. Nor does n* then exceed what the intraclass
            correlation of all clusters leaves of these sizes, n / (1 + icc (sum n_b^2 / n - 1)): a few large ones may
            agree by chance. With 10 nodules on each of 20 backgrounds at an intraclass correlation of 0.4, a
            detector exactly at the bound then passes at most 3% of the time; by the plain formula 5% at a rate of 0.80,
            but 8% at 0.90 or 0.95. And a share 1 - alpha**(1/B) of clusters may be unlike all seen, with nothing but
            misses, or hits: agreement between few clusters of many trials makes v small, and of 15 backgrounds of 20
            nodules, one in twenty of which loses all, a detector exactly at the bound would pass 28% of the time. Nor
            are the bounds narrower than Student's over clusters, corrected for skewness (Hall 1992): of 100
            backgrounds, one in twenty of which loses all, it would pass 8% of the time.

    Returns:
        The estimate, with ``extra["effective_n"]`` and ``extra["design_effect"]`` (n / n*).
        One cluster says nothing about other clusters: bounds 0 and 1, whatever it holds.

    Raises:
        ValueError: the counts are impossible.

    Source: Korn & Graubard, Survey Methodology 24 (1998) 193.
    """
    x, n = _counts(successes_by_cluster, trials_by_cluster)
    total, name = float(n.sum()), "korn-graubard"
    value = float(x.sum()) / total if total else math.nan
    made = partial(Estimate, value, alpha=check_alpha(alpha), method=name, n=round(total), clusters=len(n))
    if len(n) < 2:
        return made(0.0, 1.0, reason="one cluster" if len(n) else "no trials")
    lower, upper, size = map(float, korn_graubard_bounds(x, n, alpha, guarded))
    extra = {"effective_n": size, "design_effect": total / size}
    return made(lower, upper, method=f"{name}, guarded" if guarded else name, extra=extra)


def clustered_rate(hit: ArrayLike, cluster: ArrayLike, *, alpha: float = 0.05) -> Estimate:
    """Estimate a rate from single trials, for decisions: exact where no cluster repeats, else guarded Korn-Graubard.

    Args:
        hit: 1 or True for a success, one per trial; shape (n,).
        cluster: The cluster of each trial, any labels; shape (n,).
        alpha: One-sided error rate of each bound.

    Raises:
        ValueError: lengths differ or a hit is neither 0 nor 1.
    """
    index, count, (hits,) = by_cluster(cluster, hit=hit)
    if not yes_or_no(hits):
        raise ValueError("a hit is 0 or 1")
    if count == len(hits):
        return clopper_pearson(float(hits.sum()), count, alpha=alpha)
    trials = np.bincount(index, minlength=count).astype(float)
    return korn_graubard(cluster_sums(hits, index, count), trials, alpha=alpha, guarded=True)


def icc(successes_by_cluster: ArrayLike, trials_by_cluster: ArrayLike) -> float:
    """Return the intraclass correlation of a yes/no outcome (ANOVA estimator), cut to [0, 1].

    NaN with fewer than two clusters, without a cluster of two trials, or when all trials agree.

    Source: Ridout, Demetrio & Firth, Biometrics 55 (1999) 137, their AOV estimator.
    """
    x, n = _counts(successes_by_cluster, trials_by_cluster)
    clusters, total = len(n), float(n.sum())
    if clusters < 2 or total <= clusters or x.sum() in (0.0, total):
        return math.nan
    return float(_correlation(x, n))


def _correlation(x: Array, n: Array) -> Array:
    """Return :func:`icc` of many samples: successes of shape (..., B) of n, of which some are 2 or more.

    0 where all trials of a sample agree.
    """
    clusters, total = len(n), float(n.sum())
    squares = (x**2 / n).sum(axis=-1)
    within = (x.sum(axis=-1) - squares) / (total - clusters)
    between = (squares - x.sum(axis=-1) ** 2 / total) / (clusters - 1)
    size = (total - float((n**2).sum()) / total) / (clusters - 1)
    spread = between + (size - 1) * within
    return np.asarray(np.clip((between - within) / np.where(spread > 0.0, spread, 1.0), 0.0, 1.0))
