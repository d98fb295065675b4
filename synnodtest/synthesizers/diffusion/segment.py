"""The nodule in the difference of two redrawn windows: its mask, its size, and the difference free of residue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from synnodtest.geometry import Array, BoolArray, FloatArray

SMOOTH_PX = 0.8
"""Blur under which the mask is taken, in pixels; set by eye: less lets grain fray it, more swells small nodules."""
LEAST_PX = 6
"""Area of a nodule, in pixels: a disc of 1.9 mm at 0.7 mm per pixel; set by hand, less is grain."""
KEEP_PX = 2.0
"""Distance from the mask within which the difference is kept whole, in pixels; set by eye: less would cut soft edges
off."""
FADE_PX = 5.0
"""Distance over which it fades beyond that, in pixels; set by eye: less shows a rim, more leaves residue of the
redrawing."""
RIM_PERCENTILE = 10
"""Brightness below this percentile of a nodule's mask is its rim, which no tone changes: the mask stays true."""
RIM_PX = 3.0
"""Of a window, never redrawn: the brightness of the surroundings is measured there."""
BLEND_PX = 4.0
"""Over this distance a redrawn region passes into its surroundings."""


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
    """

    added: FloatArray
    level: FloatArray
    mask: BoolArray
    edge: float
    centre_px: tuple[float, float]
    diameter_px: float


@dataclass(frozen=True)
class Region:
    """The ellipse that is redrawn for a nodule, around the window's centre.

    Args:
        diameter_mm: Equal-area diameter of the nodule.
        elongation: Its short axis over its long one, 0..1.
        angle: Direction of the long axis in radians, from the columns' direction towards the rows'.
        size: Edge of the window in pixels.
        spacing_mm: Distance between its pixel centres.
    """

    diameter_mm: float
    elongation: float = 1.0
    angle: float = 0.0
    size: int = 96
    spacing_mm: float = 0.7

    @property
    def side_mm(self) -> float:
        """Side of a square that holds the ellipse."""
        return 2 * self._axes_px()[0] * self.spacing_mm

    def _axes_px(self) -> tuple[float, float]:
        """Return the long and the short half axis, neither beyond the window: a cut ellipse makes nodules squarish."""
        radius, root = self.diameter_mm / self.spacing_mm / 2, float(np.sqrt(np.clip(self.elongation, 0.2, 1)))
        longest = self.size / 2 - RIM_PX
        return min(1.5 * radius / root + 2.75, longest), min(1.5 * radius * root + 2.75, longest)

    def mask(self) -> FloatArray:
        """Return 1 inside, else 0; (size, size)."""
        y, x = (axis - (self.size - 1) / 2 for axis in np.mgrid[: self.size, : self.size].astype(np.float32))
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        long, short = self._axes_px()
        return np.asarray(np.hypot((cos * x + sin * y) / long, (cos * y - sin * x) / short) <= 1, dtype=np.float32)


def elongation_of(mask: BoolArray) -> tuple[float, Array]:
    """Return short over long axis of a mask, as PyRadiomics has it, and the long axis's direction ``(y, x)``."""
    points = np.argwhere(mask).astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(points.T) + 1e-9 * np.eye(2))
    return float(np.sqrt(max(values[0], 0.0) / values[1])), np.asarray(vectors[:, 1], dtype=np.float64)


def shares_of(added: FloatArray, mask: BoolArray) -> tuple[Array, float, float]:
    """Return where each pixel lies between a nodule's rim (0) and its peak (1), and the brightness of both.

    The rim is the dimmest tenth of the mask; what lies below it is 0.
    """
    values = added.astype(np.float64)
    rim, top = float(np.percentile(values[mask], RIM_PERCENTILE)), float(values[mask].max())
    return np.clip((values - rim) / max(top - rim, 1e-9), 0, 1), rim, top


def flatness_of(added: FloatArray, mask: BoolArray) -> float:
    """Return the mean of :func:`shares_of` over a nodule: near 0 a spike, a third a cone, near 1 a plateau."""
    return float(shares_of(added, mask)[0][mask].mean())


def softened(region: FloatArray) -> FloatArray:
    """Return weights that rise from 0 at a region's edge to 1 at :data:`BLEND_PX` inside it."""
    away = scipy.ndimage.distance_transform_edt(region)
    return np.asarray(np.clip(away / BLEND_PX, 0, 1), dtype=np.float32)


def segment(difference: FloatArray, region: FloatArray, edge: float, diameter_px: float) -> Drawn | None:
    """Find the nodule in a difference.

    Args:
        difference: (size, size) redrawn with minus without a nodule, in lung ranges.
        region: (size, size) 1 where it was redrawn.
        edge: Share of the peak at which the nodule ends; calibrated so that known nodules keep their size.
        diameter_px: What was asked for; sets the smoothing under which the peak is taken.

    Returns:
        The nodule, or None if there is no connected rise of at least a few pixels.
    """
    inside = difference * region
    smooth = scipy.ndimage.gaussian_filter(inside, SMOOTH_PX)
    broad = scipy.ndimage.gaussian_filter(inside, max(0.15 * diameter_px, SMOOTH_PX))
    top = np.unravel_index(int(np.argmax(broad)), broad.shape)
    peak = float(broad[top])
    if peak <= 0:
        return None
    level = np.asarray(smooth / peak, dtype=np.float32)
    labels, count = scipy.ndimage.label(level > edge)
    if not count:
        return None
    label = int(labels[top])
    if not label:
        label = 1 + int(np.argmax(scipy.ndimage.sum_labels(smooth, labels, np.arange(1, count + 1))))
    mask: BoolArray = scipy.ndimage.binary_fill_holes(labels == label)
    area = int(mask.sum())
    if area < LEAST_PX:
        return None
    away = scipy.ndimage.distance_transform_edt(~mask)
    keep = np.clip(1 - (away - KEEP_PX) / FADE_PX, 0, 1)
    positive = np.where(mask, inside, np.maximum(inside, 0))
    added = np.asarray(positive * keep, dtype=np.float32)
    row, column = scipy.ndimage.center_of_mass(mask)
    return Drawn(
        added=added,
        level=level,
        mask=mask,
        edge=edge,
        centre_px=(float(row), float(column)),
        diameter_px=float(2 * np.sqrt(area / np.pi)),
    )
