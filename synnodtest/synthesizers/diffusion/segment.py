"""The nodule in the difference of two redrawn windows: its mask, its size, and the difference free of residue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from synnodtest.geometry import BoolArray, FloatArray

__all__ = ["Drawn", "box_mask", "box_side_mm", "segment"]

SMOOTH_PX = 0.8
LEAST_PX = 6
KEEP_PX = 2.0
FADE_PX = 5.0
WIDEST_BOX_PX = 90


@dataclass(frozen=True, eq=False)
class Drawn:
    """A nodule as the model drew it, on the window's grid.

    Args:
        added: (size, size) brightness it adds, in lung ranges, 0 away from it.
        level: (size, size) smoothed difference relative to its peak; the nodule's edge is where it passes ``edge``.
        mask: (size, size) the nodule.
        edge: See ``level``.
        centre_px: Centroid of the mask ``(row, column)``.
        diameter_px: Equal-area diameter of the mask.
        contrast: Mean of ``added`` over the mask.
    """

    added: FloatArray
    level: FloatArray
    mask: BoolArray
    edge: float
    centre_px: tuple[float, float]
    diameter_px: float
    contrast: float


def box_side_mm(diameter_mm: float, size: int, spacing_mm: float) -> float:
    """Return the side of the square that is redrawn for a nodule of some diameter."""
    widest = min(WIDEST_BOX_PX, size - 6) * spacing_mm
    return min(1.4 * diameter_mm + 4.0, widest)


def box_mask(side_mm: float, size: int, spacing_mm: float) -> FloatArray:
    """Return 1 inside the square of some side around a window's centre, else 0; (size, size)."""
    inside = np.abs(np.arange(size) - (size - 1) / 2) <= side_mm / spacing_mm / 2
    return (inside[:, None] & inside[None, :]).astype(np.float32)


def segment(difference: FloatArray, box: FloatArray, edge: float, diameter_px: float) -> Drawn | None:
    """Find the nodule in a difference.

    Args:
        difference: (size, size) redrawn with minus without a nodule, in lung ranges.
        box: (size, size) 1 where it was redrawn.
        edge: Share of the peak at which the nodule ends; calibrated so that known nodules keep their size.
        diameter_px: What was asked for; sets the smoothing under which the peak is taken.

    Returns:
        The nodule, or None if there is no connected rise of at least a few pixels.
    """
    inside = difference * box
    smooth = ndimage.gaussian_filter(inside, SMOOTH_PX)
    broad = ndimage.gaussian_filter(inside, max(0.15 * diameter_px, SMOOTH_PX))
    top = np.unravel_index(int(np.argmax(broad)), broad.shape)
    peak = float(broad[top])
    if peak <= 0:
        return None
    level = np.asarray(smooth / peak, dtype=np.float32)
    labels, count = ndimage.label(level > edge)
    if not count:
        return None
    label = int(labels[top])
    if not label:
        label = 1 + int(np.argmax(ndimage.sum_labels(smooth, labels, np.arange(1, count + 1))))
    mask: BoolArray = np.asarray(ndimage.binary_fill_holes(labels == label))
    area = int(mask.sum())
    if area < LEAST_PX:
        return None
    away = ndimage.distance_transform_edt(~mask)
    keep = np.clip(1 - (away - KEEP_PX) / FADE_PX, 0, 1)
    positive = np.where(mask, inside, np.maximum(inside, 0))
    added = np.asarray(positive * keep, dtype=np.float32)
    row, column = ndimage.center_of_mass(mask)
    return Drawn(
        added=added,
        level=level,
        mask=mask,
        edge=edge,
        centre_px=(float(row), float(column)),
        diameter_px=float(2 * np.sqrt(area / np.pi)),
        contrast=float(added[mask].mean()),
    )
