"""Bounds of the mean of independent values: Student's t, and a guard against skewness and rare exceptions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synnodtest.statistics.distributions import t_isf
from synnodtest.statistics.estimate import agreeing_bounds

_NO_SPREAD = 1e-12
"""Spread over the largest value that is rounding: some thousand times that of doubles, far below any difference of
scores."""


def agree(values: NDArray[np.float64]) -> bool:
    """Return whether all values are one value, up to rounding."""
    return float(np.ptp(values)) <= _NO_SPREAD * max(1.0, abs(float(values[0])))


def t_bounds(values: NDArray[np.float64], alpha: float, low: float, high: float) -> tuple[float, float]:
    """Return Student's t bounds of the mean of two or more values, cut to the range.

    Where all values agree t has no width: a share of 1 - alpha**(1/B) is then allowed to lie at the limits.
    """
    value = float(values.mean())
    if agree(values):
        return agreeing_bounds(value, len(values), alpha, low, high)
    half = t_isf(alpha, len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return max(low, value - half), min(high, value + half)


def hall_bounds(values: NDArray[np.float64], alpha: float) -> tuple[float, float]:
    """Return the bounds of the mean by Hall's monotone cubic transformation, which removes skewness.

    Source: Hall, J. R. Stat. Soc. B 54 (1992) 221, with Student's quantiles in place of the normal ones.
    """
    count, value = len(values), float(values.mean())
    if count < 3 or agree(values):
        return value, value
    spread, quantile = float(values.std(ddof=1)), t_isf(alpha, count - 1)
    error = spread / math.sqrt(count)
    skew = float((((values - value) / spread) ** 3).sum()) * count / ((count - 1) * (count - 2))

    def inverse(x: float) -> float:
        if abs(skew) < 1e-8:
            return x
        root = math.sqrt(count)
        return root * 3 / skew * (math.cbrt(1 + skew * (x / root - skew / (6 * count))) - 1)

    return value - inverse(quantile) * error, value - inverse(-quantile) * error


def guarded_bounds(
    values: NDArray[np.float64], alpha: float, low: float, high: float, unseen: tuple[float, float]
) -> tuple[float, float]:
    """Return the widest of t, Hall's bounds, and t with one more value that was not seen.

    Args:
        values: Two or more independent values.
        alpha: One-sided error rate of each bound.
        low: Lower end of the range.
        high: Upper end of the range.
        unseen: The further value for the lower bound, and for the upper one.
    """
    if agree(values):
        lower, upper = agreeing_bounds(float(values.mean()), len(values), alpha, *unseen)
    else:
        lower, upper = t_bounds(values, alpha, low, high)
    skewed = hall_bounds(values, alpha)
    fewer, _ = t_bounds(np.append(values, unseen[0]), alpha, low, high)
    _, more = t_bounds(np.append(values, unseen[1]), alpha, low, high)
    return max(low, min(lower, skewed[0], fewer)), min(high, max(upper, skewed[1], more))
