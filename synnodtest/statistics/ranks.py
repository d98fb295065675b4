"""Rank correlation, pooled and within clusters; by how much a curve that should rise falls."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from synnodtest.geometry import Array, Indices
from synnodtest.statistics.bootstrap import RESAMPLES, bca_bounds, few_clusters, resampled_means
from synnodtest.statistics.clusters import equal_clusters
from synnodtest.statistics.distributions import midranks, normal_isf, t_isf
from synnodtest.statistics.estimate import Estimate, agreeing_bounds, by_cluster, check_alpha, vector
from synnodtest.statistics.shifts import guarded_bounds, t_bounds
from synnodtest.statistics.skewness import agree, hall_bounds

MIN_LEVELS = 5
"""Levels of a curve below which its rank correlation is left out; set by hand: of 4 there are 24 orders, so that one in
24 is perfect by chance."""


def _rank_correlation(x: Array, y: Array) -> float:
    """Pearson's correlation of midranks; NaN where either is constant."""
    first, second = midranks(x), midranks(y)
    first, second = first - first.mean(), second - second.mean()
    scale = math.sqrt(float(first @ first) * float(second @ second))
    return min(1.0, max(-1.0, float(first @ second) / scale)) if scale > 0 else math.nan


def spearman(x: ArrayLike, y: ArrayLike, *, cluster: ArrayLike | None = None, alpha: float = 0.05) -> Estimate:
    """Estimate the rank correlation of points with Bonett and Wright's interval: for display.

    ``tanh(atanh(r) +- z sqrt((1 + r^2/2) / (n - 3)))``. At r = +-1, where it is undefined, r is replaced in it
    by the next smaller correlation that n points can have. Where several points come from one cluster, n in the
    interval is the number of clusters, as if those of a cluster told one thing; of clusters that differ in size, Kish's
    number of equal ones.

    Args:
        x: Shape (n,).
        y: Shape (n,). Infinite values rank at the ends.
        cluster: The cluster of each point, any labels; shape (n,). Without it each point is one.
        alpha: One-sided error rate of each bound.

    Returns:
        The estimate; bounds -1 and 1 with fewer than 4 (equal) clusters, a constant side, or NaN among the values.

    Raises:
        ValueError: lengths differ.

    Source: Bonett & Wright, Psychometrika 65 (2000) 23.
    """
    index, units, (first, second) = by_cluster(np.arange(np.size(x)) if cluster is None else cluster, x=x, y=y)
    n = len(first)
    made = partial(Estimate, alpha=check_alpha(alpha), method="bonett-wright", n=n, clusters=units)
    if np.isnan(first).any() or np.isnan(second).any():
        return made(math.nan, -1.0, 1.0, reason="values are missing")
    value = _rank_correlation(first, second) if n > 1 else math.nan
    equal = 0.0 if math.isnan(value) else equal_clusters(np.bincount(index).astype(np.float64))
    if equal < 4:
        reason = "one side does not vary" if math.isnan(value) else "fewer than 4 independent points"
        return made(value, -1.0, 1.0, reason=reason)
    step = 12 / (n * (n * n - 1))
    r = min(1 - step, max(-1 + step, value))
    half = normal_isf(alpha) * math.sqrt((1 + r * r / 2) / (equal - 3))
    lower, upper = math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
    return made(value, min(lower, value), max(upper, value))


def _cluster_correlation(x: Array, y: Array) -> float | None:
    """Correlation of one cluster over the means of its levels; None with too few levels."""
    levels, place = np.unique(x, return_inverse=True)
    if len(levels) < MIN_LEVELS:
        return None
    means = np.bincount(place, weights=y) / np.bincount(place)
    rho = _rank_correlation(levels, means)
    return 0.0 if math.isnan(rho) else rho


def _cluster_correlations(x: Array, y: Array, index: Indices, count: int) -> list[float]:
    """Return correlations of clusters with enough levels, in order; at once where all have the same, as in a sweep."""
    levels, place = np.unique(x, return_inverse=True)
    cells, number = index * len(levels) + place, count * len(levels)
    if len(levels) < MIN_LEVELS or number > len(x) or not (rows_in := np.bincount(cells, minlength=number)).all():
        order = np.argsort(index, kind="stable")
        rows = np.split(order, np.cumsum(np.bincount(index, minlength=count))[:-1])
        return [rho for row in rows if (rho := _cluster_correlation(x[row], y[row])) is not None]
    means = (np.bincount(cells, weights=y) / rows_in).reshape(count, -1)
    middle = (len(levels) + 1) / 2
    first, second = np.arange(1, len(levels) + 1) - middle, np.stack([midranks(row) for row in means]) - middle
    scale = np.sqrt(float(first @ first) * (second**2).sum(axis=1))
    return [float(rho) for rho in np.clip((second @ first) / np.where(scale > 0, scale, 1.0), -1.0, 1.0)]


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
    index, count, (first, second) = by_cluster(cluster, x=x, y=y)
    made = partial(Estimate, alpha=check_alpha(alpha), method="cluster-t", n=len(first))
    if np.isnan(first).any() or np.isnan(second).any():
        return made(math.nan, -1.0, 1.0, reason="values are missing")
    correlations = _cluster_correlations(first, second, index, count)
    if len(correlations) < 2:
        reason = "one cluster" if count == 1 else f"fewer than 2 clusters with {MIN_LEVELS} levels"
        return made(correlations[0] if correlations else math.nan, -1.0, 1.0, clusters=len(correlations), reason=reason)
    rhos = np.array(correlations)
    value, spread, used = float(rhos.mean()), float(rhos.std(ddof=1)), len(rhos)
    unseen = 0.0 if value > 0 else -1.0, 0.0 if value < 0 else 1.0
    plain = agreeing_bounds(value, used, alpha, *unseen) if agree(rhos) else t_bounds(rhos, alpha, -1.0, 1.0)
    bounds = float(plain[0]), float(plain[1])
    extra = {"left_out": float(count - used), "between_cluster_sd": spread}
    if guarded:
        wide = guarded_bounds(rhos, alpha, -1.0, 1.0, (min(0.0, value), max(0.0, value)))
        bounds = min(bounds[0], float(wide[0])), max(bounds[1], float(wide[1]))
        return made(value, *bounds, method="cluster-t, guarded", clusters=used, extra=extra)
    return made(value, *bounds, clusters=used, extra=extra)


class IsotonicViolation(NamedTuple):
    """Drop of a sequence against never falling, in its own units."""

    drawdown: float
    deviation: float


def isotonic_violation(y: ArrayLike) -> IsotonicViolation:
    """Return by how much a sequence that should rise falls.

    Args:
        y: The responses in the order in which they should rise; shape (k,).

    Returns:
        ``drawdown``, the largest fall from any earlier value (running maximum minus y), and ``deviation``, the
        largest distance from the isotonic least-squares fit. Both NaN if y is empty or holds NaN.
    """
    values = vector(y, "y")
    if len(values) == 0 or np.isnan(values).any():
        return IsotonicViolation(math.nan, math.nan)
    if np.isinf(values).any():
        falls = bool((np.maximum.accumulate(values) > values).any())
        return IsotonicViolation(math.inf, math.inf) if falls else IsotonicViolation(0.0, 0.0)
    fit = scipy.optimize.isotonic_regression(values).x
    fall = np.maximum.accumulate(values) - values
    return IsotonicViolation(float(fall.max()), float(np.abs(values - fit).max()))


def _largest_fall(curves: Array) -> Array:
    """Largest fall from an earlier to a later level along the last axis; negative where all rise."""
    earlier = np.maximum.accumulate(curves, axis=-1)[..., :-1]
    fall: Array = np.max(earlier - curves[..., 1:], axis=-1)
    return fall


def _bounds_of_falls(curves: Array, alpha: float, span: float) -> tuple[float, float]:
    """Return the highest lower bound and the highest upper bound of the falls between two levels.

    Each is the wider of Student's and Hall's. The upper one is an intersection-union test; the lower one is
    Bonferroni's over all pairs of levels, since the largest of many falls is large by chance.

    Source: Berger, Technometrics 24 (1982) 295.
    """
    earlier, later = np.triu_indices(curves.shape[1], 1)
    falls = (curves[:, earlier] - curves[:, later]).T
    among = alpha / len(falls)
    lower = np.minimum(t_bounds(falls, among, -span, span)[0], hall_bounds(falls, among)[0])
    half = t_isf(alpha, len(curves) - 1) * falls.std(axis=-1, ddof=1) / math.sqrt(len(curves))
    return float(lower.max()), float(np.maximum(falls.mean(axis=-1) + half, hall_bounds(falls, alpha)[1]).max())


def drawdown(
    curves: ArrayLike,
    *,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
    seed: int,
    limits: tuple[float, float] = (0.0, 1.0),
) -> Estimate:
    """Estimate the drawdown of the curve averaged over clusters, with guarded BCa bounds over clusters.

    The largest fall between two levels is resampled with its sign (negative where the averaged curve
    rises everywhere) and cut at 0 last, so that a clear rise is told from a flat curve. The upper bound is no lower
    than Student's, or Hall's, of any single fall: BCa takes too much of a maximum's bias back and alone misses a fall
    up to 19% of the time. The lower bound is no higher than the highest of theirs, corrected for their number
    (Bonferroni): by BCa alone it lies above the true fall in a third of runs where several levels fall alike.

    Args:
        curves: One row per cluster, one column per level, in the order in which they should rise; shape (B, L).
        alpha: One-sided error rate of each bound.
        resamples: Bootstrap samples.
        seed: Seed of the bootstrap.
        limits: Least and greatest value a response can have.

    Returns:
        The estimate in the responses' units, 0 or more. Fewer than 2 clusters or levels, or NaN, give 0 and
        the width of the limits. ``extra["largest_fall"]`` has the sign kept.

    Raises:
        ValueError: ``curves`` is not two-dimensional.
    """
    table = np.asarray(curves, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"curves have shape (clusters, levels), not {table.shape}")
    count, levels = table.shape
    span = limits[1] - limits[0]
    enough = count >= 2 and levels >= 2 and bool(np.isfinite(table).all())
    name = "cluster-bootstrap-bca, guarded"
    made = partial(Estimate, alpha=check_alpha(alpha), method=name, n=table.size, clusters=count)
    if not enough:
        reason = "fewer than 2 clusters" if count < 2 else "fewer than 2 levels" if levels < 2 else "values are missing"
        return made(math.nan, 0.0, span, reason=reason)
    fall = float(_largest_fall(table.mean(axis=0)))
    if bool((table == table[0]).all()):
        lower, upper = agreeing_bounds(fall, count, alpha, -span, span)
    else:
        draws = _largest_fall(resampled_means(table, resamples, seed, "drawdown"))
        left_out = (table.sum(axis=0) - table) / (count - 1)
        lower, upper = bca_bounds(fall, draws, _largest_fall(left_out), alpha, -span, span)
        single = _bounds_of_falls(table, alpha, span)
        lower, upper = min(lower, single[0]), max(upper, single[1])
    bounds = max(0.0, min(fall, lower)), max(0.0, fall, upper)
    extra = {"largest_fall": fall, "seed": float(seed)}
    return made(max(0.0, fall), *bounds, flags=few_clusters(count), extra=extra)
