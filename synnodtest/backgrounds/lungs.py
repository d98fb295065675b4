"""Lungs estimated from the picture alone, for radiographs that come without masks.

An average pair of lungs is fitted to the picture; the lungs are the dark around it, by a threshold that varies over the
picture and is taken from the lungs of the round before. The estimate covers the *visible* lungs, without what lies
behind heart and diaphragm. It is meant for choosing places and measuring contrast, not for diagnosis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from PIL import Image

from synnodtest.backgrounds.lung_template import (
    LungPicture,
    Outlines,
    fill,
    plausibility,
    prepare,
    template_fits,
    within,
)
from synnodtest.geometry import BoolArray, FloatArray

ESTIMATOR_VERSION = "3"
CLEAR_QUALITY = 1.1
"""Quality below which an estimate is doubtful; set by hand between noise (1.0 at most) and an ordinary radiograph
(1.6). It doubts 8 of 38 NIH films, together with what the segmenter says (models/segmenter/README.md)."""

_CANDIDATES = 3
"""Places of the average lungs around which lungs are sought; set by hand: with one the mean Dice on eight Hannover
films is 0.887, with six 0.892, here 0.896."""
_ROUNDS = 3
"""Times that the threshold is taken from the lungs of before; set by eye: on the eight films one gives 0.848, five
0.900, and less on a drawn chest."""
_REACH_PX = 20
"""Pixels of about 1.6 mm by which a lung may pass its template; set by eye: on the eight films 12 give 0.885, 30 give
0.894."""
_RING_PX = 9
"""Width of the surroundings that the threshold is taken from, in pixels; set by eye: on the eight films 5 give 0.880,
15 give 0.897, and less on a drawn chest."""
_THRESHOLD_PX = 7.0
"""Blur, in pixels, over which the threshold may vary; set by eye: on the eight films 4 give 0.882, 14 give 0.893."""
_SMOOTH_PX = 2.0
"""Blur of the excess over the threshold, in pixels; set by eye: on the eight films 1 gives 0.889, 3 the same 0.896."""
_DARK = 0.3
"""Excess over the threshold (-1..1) up to which a pixel is lung; set by eye: on the eight films 0.2 gives 0.871, 0.4
gives 0.891."""
_OPENING = 4
"""Half width, in pixels, of what is cut off a lung; set by eye: on the eight films 2 give 0.898, 6 give 0.880."""


@dataclass(frozen=True, eq=False)
class LungEstimate:
    """Two estimated lungs.

    Args:
        left_lung: Mask (H x W) of the patient's left lung, on the right of the picture.
        right_lung: Mask of the patient's right lung.
        quality: How convincing they are: contrast at the borders, fit to an average chest. 1.0 at most for a
            picture without lungs, 1.6 and more for an ordinary radiograph.
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
    candidates = [_grown(picture, fit) for fit in template_fits(picture, _CANDIDATES)]
    best = max(candidates, key=lambda estimate: estimate.quality)
    left, right = (_enlarged(mask & picture.body, pixels.shape) for mask in (best.left_lung, best.right_lung))
    return LungEstimate(left, right & ~left, best.quality)


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


def _grown(picture: LungPicture, fit: Outlines) -> LungEstimate:
    """Return the dark around a template, on the pixels of the prepared picture; the template where nothing is dark."""
    templates = masks = [fill(outline, picture.shape) for outline in (fit.right, fit.left)]
    on_right = np.arange(picture.shape[1]) < (fit.right[:, 0].max() + fit.left[:, 0].min()) / 2
    near = [within(mask, _REACH_PX) for mask in templates]
    near = [near[0] & on_right, near[1] & ~on_right]
    for _ in range(_ROUNDS):
        excess = scipy.ndimage.gaussian_filter(_excess(picture.ranks, masks[0] | masks[1]), _SMOOTH_PX)
        dark = [_largest_part((excess < _DARK) & part) for part in near]
        masks = [mask if mask.any() else template for mask, template in zip(dark, templates, strict=True)]
    right, left = masks
    return LungEstimate(left, right, _quality(picture, right, left, templates[0] | templates[1], fit.fit))


def _largest_part(mask: BoolArray) -> BoolArray:
    """Return the largest part of a mask without spurs and holes."""
    labels, _ = scipy.ndimage.label(scipy.ndimage.binary_opening(mask, iterations=_OPENING))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(scipy.ndimage.binary_fill_holes((labels == sizes.argmax()) & (labels > 0)))


def _excess(ranks: FloatArray, lungs: BoolArray) -> FloatArray:
    """Return how far each pixel lies above the local threshold between lung and surroundings (-1..1)."""
    inner = ~within(~lungs, 2)
    outer = within(lungs, _RING_PX) & ~within(lungs, 1)
    inside, outside = _local_mean(ranks, inner), _local_mean(ranks, outer)
    gap = np.maximum(outside - inside, 0.08)
    return np.asarray(np.clip((ranks - (inside + outside) / 2) / gap, -1, 1), dtype=np.float32)


def _local_mean(image: FloatArray, where: BoolArray) -> FloatArray:
    """Return the mean of the nearby pixels of ``where``, computed on half the resolution."""
    mask = where.astype(np.float32)
    overall = float((image * mask).sum() / max(float(mask.sum()), 1.0))
    weight, total = (scipy.ndimage.gaussian_filter(part[::2, ::2], _THRESHOLD_PX / 2) for part in (mask, image * mask))
    coarse = (total + 1e-3 * overall) / (weight + 1e-3)
    full = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)
    return np.asarray(full[: image.shape[0], : image.shape[1]])


def _quality(picture: LungPicture, right: BoolArray, left: BoolArray, template: BoolArray, fit: float) -> float:
    """Return how convincing two lungs are: contrast at their borders, fit of the template, size, no air inside."""
    both = right | left
    contrasts = [_border_contrast(picture.ranks, mask, both) for mask in (right, left)]
    if min(contrasts) == -np.inf:
        return -np.inf
    rows, columns = np.flatnonzero(both.any(axis=1)), np.flatnonzero(both.any(axis=0))
    size = plausibility((np.ptp(columns) + 1) * picture.mm, (np.ptp(rows) + 1) * picture.mm)
    in_air = float((~picture.body)[template].mean())
    area = 0.15 * float(np.log(4 * both.mean()))
    return 0.5 * min(contrasts) + 0.5 * float(np.mean(contrasts)) + 0.5 * fit + size + area - 5.0 * in_air


def _border_contrast(ranks: FloatArray, lung: BoolArray, both: BoolArray) -> float:
    """Return the difference of the strips outside and inside of a lung's border, over their spread."""
    inside = ranks[lung & within(~lung, 5)]
    outside = ranks[within(lung, 5) & ~both]
    if lung.sum() < 200 or min(inside.size, outside.size) < 10:
        return -np.inf
    return float((outside.mean() - inside.mean()) / np.sqrt((outside.var() + inside.var()) / 2 + 1e-3))
