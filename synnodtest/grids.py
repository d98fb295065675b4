"""Images looked up on a grid of rows and columns, and filtered on a part of it.

Each function gives what those of ``scipy.ndimage`` named there give, which know neither that the points form a grid nor
that only a part is wanted: masks to the last bit, numbers to the rounding of their sums.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.geometry import BoolArray

Array = NDArray[np.floating[Any]]
TRUNCATE = 4.0
"""End of a filter, in Gaussian widths."""
ROWS = 16
"""Made at a time: what they are sums of still fits the processor's cache."""


def smoothed(image: Array, sigmas: tuple[float, float], rows: Array, columns: Array) -> Array:
    """Return ``map_coordinates(gaussian_filter(image, sigmas), meshgrid(rows, columns), order=1, mode="nearest")``.

    Args:
        image: (h, w).
        sigmas: Gaussian widths down and across, in pixels; 0 smooths nothing.
        rows: Of the grid's rows, in pixels.
        columns: Likewise.

    Returns:
        (rows, columns), float64.
    """
    down = _smoothed_at(image.astype(np.float64), sigmas[0], rows)
    return _smoothed_at(np.ascontiguousarray(down.T), sigmas[1], columns).T


def _smoothed_at(image: Array, sigma: float, positions: Array) -> Array:
    """Return the smoothed image between its rows: each a weighted sum of those around, mirrored at the edges."""
    kernel = _kernel(sigma, 0) if sigma else np.ones(1)
    radius, length = len(kernel) // 2, len(image)
    places = np.clip(positions, 0, length - 1)
    before = np.floor(places).astype(np.intp)[:, None]
    part = places[:, None] - before
    weights = np.zeros((len(places), len(kernel) + 1))
    weights[:, :-1] = (1 - part) * kernel
    weights[:, 1:] += part * kernel
    around = (before + np.arange(-radius, radius + 2)) % (2 * length)
    around = np.minimum(around, 2 * length - 1 - around)
    smoothed = np.empty((len(places), image.shape[1]))
    for some in (slice(start, start + ROWS) for start in range(0, len(places), ROWS)):
        np.matmul(weights[some, None], image[around[some]], out=smoothed[some, None])
    return smoothed


def nearest(mask: BoolArray, rows: Array, columns: Array) -> BoolArray:
    """Return ``map_coordinates(mask, meshgrid(rows, columns), order=0) > 0``: nothing beyond the outermost centres."""
    (row, row_inside), (column, column_inside) = map(_nearest, (rows, columns), mask.shape)
    sampled: BoolArray = mask[np.ix_(row, column)] & row_inside[:, None] & column_inside
    return sampled


def _nearest(positions: Array, length: int) -> tuple[NDArray[np.intp], BoolArray]:
    """Return the pixel nearest to each position of an axis, and whether the position lies between the centres."""
    inside: BoolArray = (positions >= 0) & (positions <= length - 1)
    return np.floor(np.clip(positions, 0, length - 1) + 0.5).astype(np.intp), inside


def laplacian_of_gaussian(image: Array, sigma: float, rows: slice, columns: slice) -> Array:
    """Return ``gaussian_laplace(image, sigma)[rows, columns]``."""
    smooth, bent = (_kernel(sigma, order) for order in (0, 2))
    taps, ends = len(smooth), ((rows, len(image)), (columns, image.shape[1]))
    beyond = [max(taps // 2 - cut.start, cut.stop + taps // 2 - length, 0) for cut, length in ends]
    around = np.pad(image, [(margin, margin) for margin in beyond], mode="symmetric") if any(beyond) else image
    first, left = (cut.start + margin - taps // 2 for (cut, _), margin in zip(ends, beyond, strict=True))
    height, width = rows.stop - rows.start, columns.stop - columns.start
    around = around[first : first + height + taps - 1, left : left + width + taps - 1]
    down = np.matmul(np.stack([smooth, bent]), _windows(around, taps, 1))  # (height, 2, width + taps - 1)
    pairs = down.transpose(2, 1, 0).reshape(-1, height)
    across = np.matmul(np.stack([bent, smooth], axis=1).ravel(), _windows(pairs, 2 * taps, 2))
    return np.asarray(across.T)


def _windows(image: Array, length: int, step: int) -> Array:
    """Return ``length`` rows of an image from each ``step``-th row on, while there are so many: (n, length, width)."""
    windows = np.lib.stride_tricks.sliding_window_view(image, length, axis=0)[::step]
    return windows.transpose(0, 2, 1)


@lru_cache(maxsize=64)
def _kernel(sigma: float, order: int) -> Array:
    """Return the weights of a derivative of a Gaussian: the filter's answer to a single one."""
    radius = int(TRUNCATE * sigma + 0.5)
    one = np.zeros(2 * radius + 1)
    one[radius] = 1.0
    answer: Array = scipy.ndimage.gaussian_filter1d(one, sigma, order=order, mode="constant", truncate=TRUNCATE)
    answer.flags.writeable = False
    return answer
