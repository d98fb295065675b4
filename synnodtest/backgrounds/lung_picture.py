"""A radiograph prepared for finding lungs: small, square pixels, brightness as ranks, air around the patient known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from PIL import Image

from synnodtest.geometry import BoolArray, FloatArray

_LONGER_SIDE = 256
"""Pixels, about 1.6 mm each on an adult's film; set by hand: at 128 the mean Dice on eight Hannover films falls from
0.856 to 0.830, the least to 0.68."""
_NEUTRAL = 0.6
"""Rank given to air around the patient; set by eye, a little above the middle: 0.4 and 0.8 change the Dice of eight
Hannover films by 0.001."""
_LOCAL_PX = 16.0
"""Blur, in pixels, that stands for a place's surroundings; set by eye: with 8 or 32 the least Dice on eight Hannover
films falls from 0.82 to 0.79 and 0.78."""


@dataclass(frozen=True, eq=False)
class LungPicture:
    """The picture in which lungs are sought; all arrays have one shape, the longer side 256.

    Args:
        mm: Size of a pixel.
        body: All but the air around the patient.
        ranks: Brightness as rank within the body, 0 the darkest, smoothed; 1 in air, where no lung can be.
        neutral: The same with a middle value in air.
        local: Ranks less their surroundings' mean, over their spread: edges, whatever the exposure.
        neutral_local: The same from ``neutral``.
        air: 1 in air, smoothed.
    """

    mm: float
    body: BoolArray
    ranks: FloatArray
    neutral: FloatArray
    local: FloatArray
    neutral_local: FloatArray
    air: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return int(self.body.shape[0]), int(self.body.shape[1])


def prepare(pixels: FloatArray, spacing_mm: tuple[float, float]) -> LungPicture:
    """Return the prepared picture of a radiograph (H x W, 0..1, air dark; spacing row, column)."""
    height, width = pixels.shape[0] * spacing_mm[0], pixels.shape[1] * spacing_mm[1]
    mm = max(height, width) / _LONGER_SIDE
    size = (max(round(width / mm), 64), max(round(height / mm), 64))
    small = np.asarray(Image.fromarray(pixels.astype(np.float32)).resize(size, Image.Resampling.BOX))
    body = _body(small)
    ranks = _ranks(small, body)
    neutral = np.where(body, ranks, np.float32(_NEUTRAL))
    return LungPicture(
        mm=mm,
        body=body,
        ranks=scipy.ndimage.gaussian_filter(ranks, 1.5),
        neutral=scipy.ndimage.gaussian_filter(neutral, 1.5),
        local=_local(ranks),
        neutral_local=_local(neutral),
        air=scipy.ndimage.gaussian_filter((~body).astype(np.float32), 2.0),
    )


def _body(small: FloatArray) -> BoolArray:
    """Return all but the dark that reaches the border; everything, if hardly anything would be left."""
    smooth = scipy.ndimage.gaussian_filter(small, 1.5)
    low, high = np.percentile(smooth, [1, 99])
    labels, _ = scipy.ndimage.label(smooth < low + 0.12 * (high - low))
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    body = ~np.isin(labels, np.unique(border[border > 0]))
    return np.asarray(body if body.mean() > 0.2 else np.ones_like(body))


def _ranks(small: FloatArray, body: BoolArray) -> FloatArray:
    low, high = np.percentile(small[body], [2, 98])
    clipped = np.clip((small - low) / max(float(high - low), 1e-6), 0, 1)
    levels = np.quantile(clipped[body], np.linspace(0, 1, 129)) + np.arange(129) * 1e-9
    ranks = np.interp(clipped, levels, np.linspace(0, 1, 129))
    ranks[~body] = 1.0
    return np.asarray(ranks, dtype=np.float32)


def _local(ranks: FloatArray) -> FloatArray:
    mean = _blurred(ranks)
    spread = np.sqrt(np.maximum(_blurred(ranks**2) - mean**2, 0.0))
    return np.asarray((ranks - mean) / (spread + 0.05), dtype=np.float32)


def _blurred(image: FloatArray) -> FloatArray:
    """Return a wide Gaussian blur, computed on half the resolution."""
    rows, columns = image.shape
    half = np.pad(image, ((0, rows % 2), (0, columns % 2)), mode="edge").reshape(-(-rows // 2), 2, -(-columns // 2), 2)
    blurred = scipy.ndimage.gaussian_filter(half.mean(axis=(1, 3)), _LOCAL_PX / 2)
    return np.asarray(np.repeat(np.repeat(blurred, 2, axis=0), 2, axis=1)[:rows, :columns], dtype=np.float32)
