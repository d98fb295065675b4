"""Paired differences: of confidence, and of rates where a background gives several pairs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from synnodtest.statistics.bootstrap import bca_bounds, few_clusters, resampled_means
from synnodtest.statistics.clusters import cluster_means, codes
from synnodtest.statistics.estimate import Estimate, agreeing_bounds, check_alpha, same_length, unknown, vector

__all__ = ["paired_mean"]

_NO_SPREAD = 1e-12


def t_bounds(means: NDArray[np.float64], alpha: float, low: float, high: float) -> tuple[float, float]:
    """Return Student's t bounds of the mean of two or more cluster means, cut to the range."""
    value, spread = float(means.mean()), float(means.std(ddof=1))
    if spread <= _NO_SPREAD * max(1.0, abs(value)):
        return agreeing_bounds(value, len(means), alpha, low, high)
    half = float(stats.t.isf(alpha, len(means) - 1)) * spread / math.sqrt(len(means))
    return max(low, value - half), min(high, value + half)


def paired_mean(
    differences: ArrayLike,
    cluster: ArrayLike,
    *,
    alpha: float = 0.05,
    limits: tuple[float, float] = (-1.0, 1.0),
    resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Estimate the mean paired difference with Student's t over cluster means, BCa beside it.

    Args:
        differences: Arm minus reference of each pair; shape (n,).
        cluster: The cluster of each pair, any labels; shape (n,).
        alpha: One-sided error rate of each bound.
        limits: Range of a difference, (-1, 1) for confidences. Differences beyond it make the range infinite.
        resamples: Bootstrap samples for BCa.
        seed: Seed of the bootstrap.

    Returns:
        The estimate, every cluster weighing the same; ``extra`` has ``bca_lower`` and ``bca_upper``.
        Fewer than 2 clusters, or differences that are not finite, give the limits. Where all clusters agree, t would
        have no width: then a share of 1 - alpha**(1/B) of clusters is allowed to lie at the limits.

    Raises:
        ValueError: lengths differ.
    """
    check_alpha(alpha)
    values = vector(differences, "differences")
    index, count = codes(cluster)
    same_length(differences=values, cluster=index)
    low, high = limits
    if len(values) and (values.min() < low or values.max() > high):
        low, high = -math.inf, math.inf
    if not np.isfinite(values).all():
        return unknown(
            low, high, alpha=alpha, method="cluster-t", reason="values are missing or infinite", n=len(values), k=count
        )
    means = cluster_means(values, index, count)
    value = float(means.mean()) if count else math.nan
    if count < 2:
        reason = "one cluster" if count else "no pairs"
        return unknown(low, high, alpha=alpha, method="cluster-t", reason=reason, value=value, n=len(values), k=count)
    lower, upper = t_bounds(means, alpha, low, high)
    if float(np.ptp(means)) <= _NO_SPREAD * max(1.0, abs(value)):
        beside = lower, upper
    else:
        left_out = (means.sum() - means) / (count - 1)
        beside = bca_bounds(value, resampled_means(means, resamples, seed, "paired-mean"), left_out, alpha, low, high)
    return Estimate(
        value,
        lower,
        upper,
        alpha=alpha,
        method="cluster-t",
        n=len(values),
        clusters=count,
        flags=few_clusters(count),
        extra={"bca_lower": beside[0], "bca_upper": beside[1], "seed": float(seed)},
    )
