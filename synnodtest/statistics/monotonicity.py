"""Drop of a curve that should rise: the worst fall, and the deviation from the nearest monotone curve."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from synnodtest.statistics.bootstrap import bca_bounds, few_clusters, resampled_means
from synnodtest.statistics.estimate import (
    Estimate,
    agreeing_bounds,
    check_alpha,
    unknown,
    vector,
)


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


def _largest_fall(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Largest fall from an earlier to a later level along the last axis; negative where all rise."""
    earlier = np.maximum.accumulate(curves, axis=-1)[..., :-1]
    fall: NDArray[np.float64] = np.max(earlier - curves[..., 1:], axis=-1)
    return fall


def drawdown(
    curves: ArrayLike,
    *,
    alpha: float = 0.05,
    resamples: int = 2000,
    seed: int,
    limits: tuple[float, float] = (0.0, 1.0),
) -> Estimate:
    """Estimate the drawdown of the curve averaged over clusters, with BCa bounds over clusters.

    The largest fall between two levels is resampled with its sign (negative where the averaged curve
    rises everywhere) and cut at 0 last, so that a clear rise is told from a flat curve.

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
    check_alpha(alpha)
    table = np.asarray(curves, dtype=np.float64)
    if table.ndim != 2:
        raise ValueError(f"curves have shape (clusters, levels), not {table.shape}")
    count, levels = table.shape
    span = limits[1] - limits[0]
    enough = count >= 2 and levels >= 2 and bool(np.isfinite(table).all())
    if not enough:
        reason = "fewer than 2 clusters" if count < 2 else "fewer than 2 levels" if levels < 2 else "values are missing"
        return unknown(0.0, span, alpha=alpha, method="cluster-bootstrap-bca", reason=reason, n=table.size, k=count)
    fall = float(_largest_fall(table.mean(axis=0)))
    if bool((table == table[0]).all()):
        lower, upper = agreeing_bounds(fall, count, alpha, -span, span)
    else:
        draws = _largest_fall(resampled_means(table, resamples, seed, "drawdown"))
        left_out = (table.sum(axis=0) - table) / (count - 1)
        lower, upper = bca_bounds(fall, draws, _largest_fall(left_out), alpha, -span, span)
    return Estimate(
        max(0.0, fall),
        max(0.0, min(fall, lower)),
        max(0.0, fall, upper),
        alpha=alpha,
        method="cluster-bootstrap-bca",
        n=table.size,
        clusters=count,
        flags=few_clusters(count),
        extra={"largest_fall": fall, "seed": float(seed)},
    )
