"""Bounds of the mean of skewed values: a few films on which all is lost make a long tail."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synnodtest.statistics.distributions import t_isf

_NO_SPREAD = 1e-12
"""Spread over the largest value that is rounding: some thousand times that of doubles, far below any difference of
scores."""


def agree(values: NDArray[np.float64]) -> bool:
    """Return whether all values are one value, up to rounding."""
    return float(np.ptp(values)) <= _NO_SPREAD * max(1.0, abs(float(values[0])))


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
