"""Intervals for one rate of independent units."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synnodtest.statistics.distributions import beta_isf, beta_ppf, normal_isf
from synnodtest.statistics.estimate import Estimate, check_alpha, check_counts, unknown


def beta_bounds(successes: ArrayLike, n: ArrayLike, alpha: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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
    if n == 0:
        return unknown(0.0, 1.0, alpha=alpha, method=method, reason="no trials")
    lower, upper = map(float, bounds(successes, n, alpha))
    reason = "fewer than 2 trials" if n < 2 else ""
    return Estimate(
        successes / n, lower, upper, alpha=alpha, method=method, n=round(n), clusters=round(n), reason=reason
    )


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
