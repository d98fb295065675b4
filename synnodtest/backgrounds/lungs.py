"""Lungs estimated from the picture alone, for radiographs that come without masks.

An average pair of lungs is fitted to the picture, its base and apices are moved to the diaphragm and the first
ribs, and its outline is drawn to the borders of the dark. The estimate covers the *visible* lungs, without
what lies behind heart and diaphragm. It is meant for choosing places and measuring contrast, not for diagnosis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from PIL import Image

from synnodtest.backgrounds.lung_contour import draw_contours
from synnodtest.backgrounds.lung_picture import prepare
from synnodtest.backgrounds.lung_template import template_fits
from synnodtest.geometry import BoolArray, FloatArray

ESTIMATOR_VERSION = "2"
CLEAR_QUALITY = 1.0
"""Quality below which an estimate is doubtful; set by hand halfway between none (0.5) and an ordinary radiograph (1.5).
It doubts 8 of 38 NIH films (models/segmenter/README.md)."""

_CANDIDATES = 3
"""Places of the average lungs that are drawn to the picture; set by hand: with one the mean Dice on eight Hannover
films is 0.818, with six 0.852, here 0.856."""


@dataclass(frozen=True, eq=False)
class LungEstimate:
    """Two estimated lungs.

    Args:
        left_lung: Mask (H x W) of the patient's left lung, on the right of the picture.
        right_lung: Mask of the patient's right lung.
        quality: How convincing they are: contrast at the borders, fit to an average chest. About 0.5 for a
            picture without lungs, 1.5 and more for an ordinary radiograph.
    """

    left_lung: BoolArray
    right_lung: BoolArray
    quality: float

    @property
    def doubtful(self) -> bool:
        """True where someone should look: rotated patients, a white hemithorax, or no chest at all."""
        return self.quality < CLEAR_QUALITY


def estimate_lungs(pixels: FloatArray, spacing_mm: tuple[float, float]) -> dict[str, BoolArray]:
    """Return masks (H x W) of ``lung``, ``left_lung`` and ``right_lung`` of a frontal chest radiograph."""
    estimate = estimate_lungs_of(pixels, spacing_mm)
    left, right = estimate.left_lung, estimate.right_lung
    return {"lung": left | right, "left_lung": left, "right_lung": right}


def estimate_lungs_of(pixels: FloatArray, spacing_mm: tuple[float, float]) -> LungEstimate:
    """Return the lungs of a frontal chest radiograph and how convincing they are.

    Args:
        pixels: float32, H x W, 0..1, air dark, patient upright, the patient's left on the right.
        spacing_mm: Distance between pixels, ``(row, column)``.
    """
    picture = prepare(pixels, spacing_mm)
    drawn = draw_contours(picture, template_fits(picture, _CANDIDATES))
    left, right = (_enlarged(mask & picture.body, pixels.shape) for mask in (drawn.left & ~drawn.right, drawn.right))
    return LungEstimate(left, right & ~left, drawn.quality)


def split_lung(lung: BoolArray) -> dict[str, BoolArray]:
    """Return ``left_lung`` and ``right_lung`` of a mask of both (the patient's left is on the right)."""
    labels, count = scipy.ndimage.label(lung)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    columns = np.arange(lung.shape[1])
    middle = float(np.average(columns, weights=lung.sum(axis=0)))
    left = np.zeros(lung.shape, dtype=np.bool_)
    for index in np.flatnonzero(sizes):
        part = labels == index + 1
        if sizes[index] > 0.75 * sizes.sum():
            left |= part & (columns >= middle)
        elif float(np.average(columns, weights=part.sum(axis=0))) >= middle:
            left |= part
    return {"left_lung": left, "right_lung": lung & ~left}


def _enlarged(mask: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    grey = Image.fromarray(mask.astype(np.float32)).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(np.asarray(grey) > 0.5)
