"""Windows: square cuts of a radiograph on an isotropic grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy

from synnodtest.geometry import FloatArray
from synnodtest.radiograph import Radiograph, lung_range


@dataclass(frozen=True)
class Window:
    """Place of a window: ``size`` x ``size`` pixels of ``spacing_mm`` around ``centre_mm`` ``(x, y)``."""

    centre_mm: tuple[float, float]
    size: int = 96
    spacing_mm: float = 0.7

    @property
    def corner_mm(self) -> tuple[float, float]:
        """The top left corner ``(x, y)``; it may lie outside the radiograph."""
        half = self.size * self.spacing_mm / 2
        return self.centre_mm[0] - half, self.centre_mm[1] - half


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
        low, high = math.floor(points[0] - pad[axis]), math.ceil(points[-1] + pad[axis] + 1)
        length = pixels.shape[axis]
        position = np.arange(low, high) % (2 * length)
        index.append((low, np.where(position < length, position, 2 * length - 1 - position)))
    block = scipy.ndimage.gaussian_filter(pixels[np.ix_(index[0][1], index[1][1])], sigma)
    grid = np.meshgrid(rows - index[0][0], columns - index[1][0], indexing="ij")
    return np.asarray(scipy.ndimage.map_coordinates(block, grid, order=1), dtype=np.float32)


def lung_window(radiograph: Radiograph, window: Window) -> FloatArray:
    """Return what :func:`cut_window` does, in lung ranges."""
    return cut_window(radiograph.pixels, radiograph.spacing_mm, window) / np.float32(lung_range(radiograph))
