"""A radiograph as the segmenter sees it: a small square, brightness overall and brightness against its surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from PIL import Image

from synnodtest.geometry import FloatArray

SIDE = 160
"""Pixels a side, that the shipped weights were trained at (models/segmenter/README.md): other sides need other weights.
2.7 mm on an adult's film."""
_LOCAL_PX = 19
"""Width of the mean that stands for the surroundings, in pixels, taken twice; the weights were trained with it. Set by
hand: about 5 cm, wider than ribs."""


@dataclass(frozen=True, eq=False)
class Framed:
    """A radiograph in the segmenter's square, and where it lies there.

    Args:
        channels: float32, 2 x SIDE x SIDE; 0 beside the radiograph.
        rows: Rows of the square that the radiograph fills; ``columns`` likewise.
    """

    channels: FloatArray
    rows: slice
    columns: slice

    def back(self, plane: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return a plane of the square (SIDE x SIDE) on the radiograph's own pixels, ``shape``."""
        cut = Image.fromarray(np.ascontiguousarray(plane[self.rows, self.columns], dtype=np.float32))
        return np.asarray(cut.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), dtype=np.float32)


def framed(pixels: FloatArray, spacing_mm: tuple[float, float]) -> Framed:
    """Scale a radiograph (H x W, 0..1, spacing row, column) to fill the square with its longer side, centred."""
    height, width = pixels.shape[0] * spacing_mm[0], pixels.shape[1] * spacing_mm[1]
    scale = SIDE / max(height, width)
    size = (max(round(width * scale), 8), max(round(height * scale), 8))
    small = np.asarray(Image.fromarray(pixels.astype(np.float32)).resize(size, Image.Resampling.BOX))
    top, left = (SIDE - small.shape[0]) // 2, (SIDE - small.shape[1]) // 2
    rows, columns = slice(top, top + small.shape[0]), slice(left, left + small.shape[1])
    square = np.zeros((2, SIDE, SIDE), dtype=np.float32)
    square[:, rows, columns] = channels(small)
    return Framed(square, rows, columns)


def channels(small: FloatArray) -> FloatArray:
    """Return the two channels (2 x h x w, about -1..1) of a small picture; neither knows its exposure."""
    low, high = np.percentile(small, [1, 99])
    overall = np.clip((small - low) / max(float(high - low), 1e-6), 0, 1)
    mean = _around(overall)
    spread = np.sqrt(np.maximum(_around(overall**2) - mean**2, 0))
    local = np.clip((overall - mean) / (spread + 0.02) / 2, -1.5, 1.5)
    return np.stack([2 * overall - 1, local]).astype(np.float32)


def _around(image: FloatArray) -> FloatArray:
    """Return the mean of every pixel's surroundings, weighted like a tent."""
    once = scipy.ndimage.uniform_filter(image, _LOCAL_PX, mode="nearest")
    return np.asarray(scipy.ndimage.uniform_filter(once, _LOCAL_PX, mode="nearest"), dtype=np.float32)
