"""Bounds of the mean of skewed values: a few films on which all is lost make a long tail."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synnodtest.geometry import Array
from synnodtest.statistics.distributions import t_isf

_NO_SPREAD = 1e-12
"""Spread over the largest value that is rounding: some thousand times that of doubles, far below any difference of
scores."""


def agree(values: Array) -> NDArray[np.bool_]:
    """Return whether all values of the last axis are one value, up to rounding."""
    return np.asarray(np.ptp(values, axis=-1) <= _NO_SPREAD * np.maximum(1.0, np.abs(values[..., 0])))


def hall_bounds(values: Array, alpha: float) -> tuple[Array, Array]:
    """Return the bounds of the mean of the last axis by Hall's monotone cubic transformation, which removes skewness.

    Where there are fewer than three values, or all agree, they are the mean itself.

    Source: Hall, J. R. Stat. Soc. B 54 (1992) 221, with Student's quantiles in place of the normal ones.
    """
    count, value = values.shape[-1], np.asarray(values.mean(axis=-1))
    if count < 3:
        return value, value
    flat, root = agree(values), math.sqrt(count)
    away = values - value[..., None]
    square = away * away  # a power of 3 takes ten times as long as its product
    spread = np.where(flat, 1.0, np.sqrt(square.sum(axis=-1) / (count - 1)))
    skew = (square * away).sum(axis=-1) / spread**3 * count / ((count - 1) * (count - 2))
    straight = np.abs(skew) < 1e-8
    bent, error = np.where(straight, 1.0, skew), np.where(flat, 0.0, spread / root)

    def inverse(x: float) -> Array:
        curved = root * 3 / bent * (np.cbrt(1 + bent * (x / root - bent / (6 * count))) - 1)
        return np.asarray(np.where(straight, x, curved))

    quantile = t_isf(alpha, count - 1)
    return value - inverse(quantile) * error, value - inverse(-quantile) * error
