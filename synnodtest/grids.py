"""Images looked up on a grid of rows and columns, and filtered on a part of it.

Each function gives, to the last bit, what the one of ``scipy.ndimage`` named there gives, which knows neither that the
points form a grid nor that only a part is wanted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.geometry import BoolArray

__all__ = ["bilinear", "laplacian_of_gaussian", "nearest"]

Array = NDArray[np.floating[Any]]
TRUNCATE = 4.0
"""Where a filter ends, in Gaussian widths."""


def bilinear(image: Array, rows: Array, columns: Array) -> Array:
    """Return ``map_coordinates(image, meshgrid(rows, columns), order=1, mode="nearest")``.

    Args:
        image: float64 (h, w).
        rows: Of the grid's rows, in pixels.
        columns: Likewise.

    Returns:
        (rows, columns), float64.
    """
    total = np.zeros((len(rows), len(columns)))
    across = _neighbours(columns, image.shape[1])
    for row, row_weight in _neighbours(rows, image.shape[0]):
        lines = image.take(row, axis=0) * row_weight[:, None]
        for column, column_weight in across:
            total += lines.take(column, axis=1) * column_weight
    return total


def _neighbours(positions: Array, length: int) -> tuple[tuple[NDArray[np.intp], Array], tuple[NDArray[np.intp], Array]]:
    """Return the pixels before and after each position of an axis, with their weights."""
    before = np.floor(positions)
    weight = 1 - (positions - before)
    first, last = (np.clip(before + step, 0, length - 1).astype(np.intp) for step in (0, 1))
    return (first, weight), (last, 1 - weight)


def nearest(mask: BoolArray, rows: Array, columns: Array) -> BoolArray:
    """Return ``map_coordinates(mask, meshgrid(rows, columns), order=0) > 0``: nothing beyond the outermost centres."""
    (row, row_inside), (column, column_inside) = map(_nearest, (rows, columns), mask.shape)
    found: BoolArray = mask[np.ix_(row, column)] & row_inside[:, None] & column_inside
    return found


def _nearest(positions: Array, length: int) -> tuple[NDArray[np.intp], BoolArray]:
    """Return the pixel nearest to each position of an axis, and whether the position lies between the centres."""
    inside: BoolArray = (positions >= 0) & (positions <= length - 1)
    return np.floor(np.clip(positions, 0, length - 1) + 0.5).astype(np.intp), inside


def laplacian_of_gaussian(image: Array, sigma: float, rows: slice, columns: slice) -> Array:
    """Return ``gaussian_laplace(image, sigma)[rows, columns]``."""
    smooth, bent = (_kernel(sigma, order) for order in (0, 2))
    down, across = (np.ascontiguousarray(_correlated(image, kernel, rows).T) for kernel in (bent, smooth))
    return (_correlated(down, smooth, columns) + _correlated(across, bent, columns)).T


def _kernel(sigma: float, order: int) -> Array:
    """Return the weights of a derivative of a Gaussian: the filter's answer to a single one."""
    radius = int(TRUNCATE * sigma + 0.5)
    one = np.zeros(2 * radius + 1)
    one[radius] = 1.0
    answer: Array = scipy.ndimage.gaussian_filter1d(one, sigma, order=order, mode="constant", truncate=TRUNCATE)
    return answer


def _correlated(image: Array, weights: Array, wanted: slice) -> Array:
    """Return the wanted rows of an image correlated with even weights down its columns, mirrored at its edges."""
    radius, count = len(weights) // 2, wanted.stop - wanted.start
    beyond = max(radius - wanted.start, wanted.stop + radius - len(image), 0)
    if beyond:
        image = np.pad(image, ((beyond, beyond), (0, 0)), mode="symmetric")
    first = wanted.start + beyond
    total: Array = image[first : first + count] * weights[radius]
    pair = np.empty_like(total)
    for k in range(radius, 0, -1):  # as SciPy adds them up, from the outermost
        np.add(image[first - k : first - k + count], image[first + k : first + k + count], out=pair)
        pair *= weights[radius - k]
        total += pair
    return total
