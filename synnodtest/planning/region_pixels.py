"""The pixels of a region, and which of them lie far enough from its edge for a nodule."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.geometry import BoolArray, FloatArray, box_of_mask, depths_mm

Whole = NDArray[np.unsignedinteger[Any]]

LEAST_SHARE = 0.2
"""Clearance from the region's edge is relaxed until at least this share of the region is allowed."""
PIECE = 4096
"""Of a mask, in pixels, in which one that is counted off is looked for."""


class RegionPixels:
    """The pixels of a region, within its box.

    Args:
        region: (H, W) of the radiograph.
        spacing_mm: ``(row, column)``.
        largest_mm: The largest of the clearances that it will be asked for, if these are many.
    """

    def __init__(self, region: BoolArray, spacing_mm: tuple[float, float], largest_mm: float = 0.0) -> None:
        x_min, y_min, x_max, y_max = map(int, box_of_mask(region) or (0, 0, 0, 0))
        self._cut = slice(y_min, y_max), slice(x_min, x_max)
        self.inside = region[self._cut]
        self.count = int(np.count_nonzero(self.inside))
        self._spacing, self._largest_mm = spacing_mm, largest_mm
        self._squared: tuple[int, Whole] | None = None

    def window(self, mask: BoolArray) -> BoolArray:
        """Return a mask of the radiograph (H, W) within the box."""
        return mask[self._cut]

    def row_column(self, place: int) -> tuple[int, int]:
        """Return row and column in the radiograph of a place in the flattened box."""
        row, column = divmod(place, self.inside.shape[1])
        return row + self._cut[0].start, column + self._cut[1].start

    @property
    def middles_mm(self) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
        """Middles of rows and of columns of the box in the radiograph."""
        rows, columns = (
            (np.arange(cut.start, cut.stop) + 0.5) * mm for cut, mm in zip(self._cut, self._spacing, strict=True)
        )
        return rows, columns

    def clear_of_edge(self, clearance_mm: float) -> BoolArray:
        """Return which pixels of the box lie so far within the region; less far where too few of them do."""
        if "_depth_mm" not in vars(self):
            deep = self._deep(clearance_mm)
            if deep is not None and np.count_nonzero(deep) > LEAST_SHARE * self.count + 2:
                return deep  # the clearance is below the most
        return self.inside & (self._depth_mm >= min(clearance_mm, self._most_clearance_mm))

    def _deep(self, clearance_mm: float) -> BoolArray | None:
        """Return which pixels of the box lie so deep; None where that is not to be had without each one's depth."""
        if not self._largest_mm:
            return deep_in(self.inside, clearance_mm, self._spacing)
        row_mm, column_mm = self._spacing
        if row_mm != column_mm:
            return None
        least, largest = (_least_square(mm, row_mm) for mm in (clearance_mm, max(clearance_mm, self._largest_mm)))
        if self._squared is None or self._squared[0] < least:
            self._squared = largest, squared_depths(self.inside, math.isqrt(largest) + 1)
        return np.asarray(self._squared[1] >= least)

    @cached_property
    def _depth_mm(self) -> FloatArray:
        return depths_mm(self.inside, self._spacing).astype(np.float32)

    @cached_property
    def _most_clearance_mm(self) -> float:
        """The clearance that leaves the least share of the pixels."""
        return float(np.quantile(self._depth_mm[self.inside], 1.0 - LEAST_SHARE))


def nth_of(mask: BoolArray, nth: int) -> int:
    """Return where in the flattened mask its nth pixel is, from 0."""
    flat = mask.ravel()
    first, last = 0, flat.size
    while last - first > PIECE:
        middle = (first + last) // 2
        before = int(np.count_nonzero(flat[first:middle]))
        if nth < before:
            last = middle
        else:
            first, nth = middle, nth - before
    return first + int(np.flatnonzero(flat[first:last])[nth])


def deep_in(mask: BoolArray, depth_mm: float, spacing_mm: tuple[float, float]) -> BoolArray:
    """Return where float32 :func:`depths_mm` are at least ``depth_mm``, which takes a tenth of its time."""
    reach = _half_widths(depth_mm, spacing_mm)
    if len(reach) > len(mask):
        return np.zeros_like(mask)
    away, width, row = _along_rows(mask, max(reach, default=0) + 1, len(reach))
    near, outside = away == 0, np.empty(away.shape, dtype=np.bool_)
    middle = slice(len(reach) * row, away.size - len(reach) * row)
    for step, half in enumerate(reach):
        np.less_equal(away, half, out=outside)
        near[middle] |= outside[middle.start - step * row : middle.stop - step * row]
        near[middle] |= outside[middle.start + step * row : middle.stop + step * row]
    return np.asarray(~near[middle].reshape(-1, row)[:, :width])


def squared_depths(mask: BoolArray, most: int) -> Whole:
    """Return the squared distance of each pixel to the nearest one that is not of the mask, in pixels.

    Beyond the edge nothing is of the mask. Distances from ``most`` on are not measured: there it is at least their
    square.
    """
    rows = min(most, len(mask) + 1)
    across, width, row = _along_rows(mask, most, rows)
    kind = np.min_scalar_type(2 * most * most)
    away = across.astype(kind)
    away *= away
    middle = slice(rows * row, away.size - rows * row)
    least = away[middle].copy()
    nearer = np.empty_like(least)
    for step in range(1, rows):
        above, below = (away[middle.start + k : middle.stop + k] for k in (-step * row, step * row))
        np.minimum(above, below, out=nearer)
        nearer += kind.type(step * step)
        np.minimum(least, nearer, out=least)
    return least.reshape(-1, row)[:, :width]


def _least_square(depth_mm: float, spacing_mm: float) -> int:
    """Return the least squared distance in pixels, from 1, that is as a float32 at least so many mm."""
    least = max(int((depth_mm / spacing_mm) ** 2) - 2, 1)
    while np.float32(math.sqrt(least) * spacing_mm) < np.float32(depth_mm):
        least += 1
    return least


def _half_widths(radius: float, spacing_mm: tuple[float, float]) -> list[int]:
    """Return how many columns to either side a disc without its rim reaches, in its middle row and in those below."""
    widths: list[int] = []
    columns = np.arange(math.ceil(max(radius, 0.0) / spacing_mm[1]) + 1) * spacing_mm[1]
    while True:
        away = np.sqrt(columns * columns + (len(widths) * spacing_mm[0]) ** 2).astype(np.float32)
        inside = int(np.count_nonzero(away < np.float32(radius)))
        if not inside:
            return widths
        widths.append(inside - 1)


def _along_rows(mask: BoolArray, most: int, margin: int) -> tuple[Whole, int, int]:
    """Return how far along its row each pixel lies from one that is not of the mask, at most ``most``, flattened.

    Rows are followed by a column, preceded and followed by ``margin`` rows, that are not of the mask, so that a step in
    the flattened array is one in the mask. Width and length of a row come with it.
    """
    height, width = mask.shape
    kind = np.min_scalar_type(2 * most)
    padded = np.zeros((height + 2 * margin, width + 1), dtype=kind)
    np.multiply(mask, kind.type(most), out=padded[margin : margin + height, :width])
    away, step = padded.ravel(), 1
    further = np.empty_like(away)
    while step < most:  # steps of 1, 2, 4, ... make up every distance
        for here, there in ((slice(step, None), slice(-step)), (slice(-step), slice(step, None))):
            np.add(away[there], kind.type(step), out=further[here])
            np.minimum(away[here], further[here], out=away[here])
        step *= 2
    return away, width, width + 1
