"""Rank correlation, pooled and within clusters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synnodtest.statistics.distributions import midranks, normal_isf
from synnodtest.statistics.estimate import Estimate, agreeing_bounds, by_cluster, check_alpha, unknown, vectors
from synnodtest.statistics.means import agree, guarded_bounds, t_bounds

MIN_LEVELS = 5
"""Levels of a curve below which its rank correlation is left out; set by hand: of 4 there are 24 orders, so that one in
24 is perfect by chance."""


def _rank_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's correlation of midranks; NaN where either is constant."""
    first, second = midranks(x), midranks(y)
    first, second = first - first.mean(), second - second.mean()
    scale = math.sqrt(float(first @ first) * float(second @ second))
    return min(1.0, max(-1.0, float(first @ second) / scale)) if scale > 0 else math.nan


def spearman(x: ArrayLike, y: ArrayLike, *, alpha: float = 0.05) -> Estimate:
    """Estimate the rank correlation of independent points with Bonett and Wright's interval: for display.

    ``tanh(atanh(r) +- z sqrt((1 + r^2/2) / (n - 3)))``. At r = +-1, where it is undefined, r is replaced in it
    by the next smaller correlation that n points can have.

    Args:
        x: Shape (n,).
        y: Shape (n,). Infinite values rank at the ends.
        alpha: One-sided error rate of each bound.

    Returns:
        The estimate; bounds -1 and 1 with fewer than 4 points, a constant side, or NaN among the values.

    Raises:
        ValueError: lengths differ.

    Source: Bonett & Wright, Psychometrika 65 (2000) 23.
    """
    check_alpha(alpha)
    first, second = vectors(x=x, y=y)
    n = len(first)

    def cannot(reason: str, value: float = math.nan) -> Estimate:
        return unknown(-1.0, 1.0, alpha=alpha, method="bonett-wright", reason=reason, value=value, n=n, k=n)

    if np.isnan(first).any() or np.isnan(second).any():
        return cannot("values are missing")
    value = _rank_correlation(first, second) if n > 1 else math.nan
    if math.isnan(value):
        return cannot("one side does not vary")
    if n < 4:
        return cannot("fewer than 4 points", value)
    step = 12 / (n * (n * n - 1))
    r = min(1 - step, max(-1 + step, value))
    half = normal_isf(alpha) * math.sqrt((1 + r * r / 2) / (n - 3))
    lower, upper = math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
    return Estimate(value, min(lower, value), max(upper, value), alpha=alpha, method="bonett-wright", n=n, clusters=n)


def _cluster_correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Correlation of one cluster over the means of its levels; None with too few levels."""
    levels, place = np.unique(x, return_inverse=True)
    if len(levels) < MIN_LEVELS:
        return None
    means = np.bincount(place, weights=y) / np.bincount(place)
    rho = _rank_correlation(levels, means)
    return 0.0 if math.isnan(rho) else rho


def mean_cluster_spearman(
    x: ArrayLike, y: ArrayLike, cluster: ArrayLike, *, alpha: float = 0.05, guarded: bool = False
) -> Estimate:
    """Estimate the mean over clusters of the rank correlation within each: the decision for "monotone".

    In each cluster replicates of a level of ``x`` are averaged, then ranked. A constant response has
    correlation 0 and stays in. The bounds are Student's t over the B clusters.

    Args:
        x: What is varied, e.g. the diameter; shape (n,).
        y: The response, e.g. the confidence; shape (n,).
        cluster: The cluster of each point, any labels; shape (n,).
        alpha: One-sided error rate of each bound.
        guarded: For decisions: the widest of t, t corrected for skewness (Hall 1992), and t with one more cluster
            that shows no response. Correlations near 1 with a tail towards 0 deceive t alone: at 15 backgrounds a
            detector exactly at the bound passes some 10% of the time, and where one background in twenty does not
            respond, up to 45%.

    Returns:
        The estimate. Clusters with fewer than 5 levels are left out and counted in ``extra["left_out"]``;
        fewer than 2 left, or NaN among the values, give -1 and 1. Where all clusters agree, t would have no width:
        then a share of 1 - alpha**(1/B) of clusters is allowed to show no response (or, if none was seen, any).

    Raises:
        ValueError: lengths differ.
    """
    check_alpha(alpha)
    index, count, (first, second) = by_cluster(cluster, x=x, y=y)

    def cannot(reason: str, value: float = math.nan, used: int = 0) -> Estimate:
        return unknown(-1.0, 1.0, alpha=alpha, method="cluster-t", reason=reason, value=value, n=len(first), k=used)

    if np.isnan(first).any() or np.isnan(second).any():
        return cannot("values are missing")
    order = np.argsort(index, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(index, minlength=count))[:-1])
    correlations = [rho for row in rows if (rho := _cluster_correlation(first[row], second[row])) is not None]
    if len(correlations) < 2:
        reason = "one cluster" if count == 1 else f"fewer than 2 clusters with {MIN_LEVELS} levels"
        return cannot(reason, correlations[0] if correlations else math.nan, len(correlations))
    rhos = np.array(correlations)
    value, spread, used = float(rhos.mean()), float(rhos.std(ddof=1)), len(rhos)
    unseen = 0.0 if value > 0 else -1.0, 0.0 if value < 0 else 1.0
    bounds = agreeing_bounds(value, used, alpha, *unseen) if agree(rhos) else t_bounds(rhos, alpha, -1.0, 1.0)
    if guarded:
        wide = guarded_bounds(rhos, alpha, -1.0, 1.0, (min(0.0, value), max(0.0, value)))
        bounds = min(bounds[0], wide[0]), max(bounds[1], wide[1])
    return Estimate(
        value,
        *bounds,
        alpha=alpha,
        method="cluster-t, guarded" if guarded else "cluster-t",
        n=len(first),
        clusters=used,
        extra={"left_out": float(count - used), "between_cluster_sd": spread},
    )
