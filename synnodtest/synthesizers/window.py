"""Windows: square cuts of a radiograph on an isotropic grid, and the way back to its own pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from synnodtest.geometry import FloatArray


@dataclass(frozen=True)
class Window:
    """Where a window lies: ``size`` x ``size`` pixels of ``spacing_mm`` around ``centre_mm`` ``(x, y)``."""

    centre_mm: tuple[float, float]
    size: int = 96
    spacing_mm: float = 0.7

    @property
    def corner_mm(self) -> tuple[float, float]:
        """The top left corner ``(x, y)``; it may lie outside the radiograph."""
        half = self.size * self.spacing_mm / 2
        return self.centre_mm[0] - half, self.centre_mm[1] - half


def _block(start: float, stop: float) -> tuple[int, int]:
    return int(np.floor(start)), int(np.ceil(stop))


def cut_window(pixels: FloatArray, spacing_mm: tuple[float, float], window: Window) -> FloatArray:
    """Return the window's pixels (size, size), low-passed to its grid; reflected beyond the radiograph's border."""
    corner_x, corner_y = window.corner_mm
    steps = (np.arange(window.size) + 0.5) * window.spacing_mm
    rows = (corner_y + steps) / spacing_mm[0] - 0.5
    columns = (corner_x + steps) / spacing_mm[1] - 0.5
    sigma = [0.45 * max(window.spacing_mm / s - 0.5, 0.0) for s in spacing_mm]
    pad = [int(np.ceil(4 * s)) + 2 for s in sigma]
    index = []
    for axis, points in enumerate((rows, columns)):
        low, high = _block(points[0] - pad[axis], points[-1] + pad[axis] + 1)
        length = pixels.shape[axis]
        position = np.arange(low, high) % (2 * length)
        index.append((low, np.where(position < length, position, 2 * length - 1 - position)))
    block = scipy.ndimage.gaussian_filter(pixels[np.ix_(index[0][1], index[1][1])], sigma)
    grid = np.meshgrid(rows - index[0][0], columns - index[1][0], indexing="ij")
    return np.asarray(scipy.ndimage.map_coordinates(block, grid, order=1), dtype=np.float32)


def on_own_grid(
    values: FloatArray,
    window: Window,
    shape: tuple[int, int],
    spacing_mm: tuple[float, float],
    *,
    order: Literal[0, 1, 2, 3, 4, 5] = 3,
) -> tuple[FloatArray, tuple[int, int]]:
    """Resample values (size, size) of a window to the radiograph's pixels.

    Returns:
        The part of the radiograph's grid that the window covers, and its ``(row, column)`` origin.
    """
    corner_x, corner_y = window.corner_mm
    extent = window.size * window.spacing_mm
    top = max(int(np.ceil(corner_y / spacing_mm[0] - 0.5)), 0)
    left = max(int(np.ceil(corner_x / spacing_mm[1] - 0.5)), 0)
    bottom = min(int(np.floor((corner_y + extent) / spacing_mm[0] - 0.5)) + 1, shape[0])
    right = min(int(np.floor((corner_x + extent) / spacing_mm[1] - 0.5)) + 1, shape[1])
    rows = ((np.arange(top, bottom) + 0.5) * spacing_mm[0] - corner_y) / window.spacing_mm - 0.5
    columns = ((np.arange(left, right) + 0.5) * spacing_mm[1] - corner_x) / window.spacing_mm - 0.5
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    part = scipy.ndimage.map_coordinates(values, grid, order=order, mode="nearest")
    return np.asarray(part, dtype=np.float32), (top, left)
