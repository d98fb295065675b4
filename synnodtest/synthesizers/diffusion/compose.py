"""Puts what the model drew into the radiograph: on its own pixel grid, inside the redrawn box only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import scipy

from synnodtest.attenuation import Outline
from synnodtest.geometry import Array, BoolArray, FloatArray, around, equal_area_diameter_mm
from synnodtest.synthesizers.diffusion.outline import Bend
from synnodtest.synthesizers.diffusion.segment import Drawn, elongation_of
from synnodtest.synthesizers.patch import Patch
from synnodtest.synthesizers.window import Window

Order = Literal[0, 1, 2, 3, 4, 5]

ZOOM_LIMITS = (0.6, 1.7)
"""Limits of resizing a drawn nodule to the diameter asked for."""
STRETCH_LIMITS = (0.8, 1.3)
"""Limits of stretching its long axis to the elongation asked for, the short one being shrunk as much."""


FEATHER_MM = 1.5
"""Width of the edge of a redrawn square, over which it is left; set by hand, two pixels of a window."""


class Place(NamedTuple):
    """Place of a nodule on a radiograph.

    Args:
        centre_mm: Of the region that is redrawn, ``(x, y)``.
        side_mm: Of the square that holds it.
        shape: Of the radiograph.
        spacing_mm: Of its pixels, ``(row, column)``.
        window: That the model sees.
    """

    centre_mm: tuple[float, float]
    side_mm: float
    shape: tuple[int, int]
    spacing_mm: tuple[float, float]
    window: Window


@dataclass(frozen=True)
class _Grid:
    """The radiograph's pixels inside a square around a point: origin and offsets in mm."""

    origin: tuple[int, int]
    y: FloatArray
    x: FloatArray

    @classmethod
    def around(cls, place: Place, side_mm: float) -> _Grid:
        origin, y, x = around(place.centre_mm, side_mm / 2, place.shape, place.spacing_mm)
        return cls(origin, y.astype(np.float32), x.astype(np.float32))

    @classmethod
    def unbounded(cls, side_mm: float, spacing_mm: tuple[float, float]) -> _Grid:
        """The pixels of an endless radiograph, one of them centred on the point."""
        y, x = (np.arange(-int(side_mm / 2 / s), int(side_mm / 2 / s) + 1) * s for s in spacing_mm)
        return cls((0, 0), y.astype(np.float32), x.astype(np.float32))

    def points(
        self,
        centre_px: tuple[float, float],
        into: Array,
        bend: Bend | None = None,
        outline: Outline | None = None,
        diameter_mm: float = 0.0,
    ) -> Array:
        """Return these pixels (2, h, w) as points of an image; ``into`` (2, 2) takes offsets (y, x) in mm to pixels."""
        y, x = np.meshgrid(self.y, self.x, indexing="ij")
        if outline is not None:
            bent = outline.radius_at(x, y, diameter_mm).astype(np.float32)
            y, x = y / bent, x / bent
        points = np.stack([into[k, 0] * y + into[k, 1] * x + centre_px[k] for k in (0, 1)])
        return points if bend is None else bend(points)


def _looked_up(image: FloatArray, points: Array, order: Order) -> FloatArray:
    return np.asarray(scipy.ndimage.map_coordinates(image, points, order=order), dtype=np.float32)


def _feather(side_mm: float, grid: _Grid) -> FloatArray:
    """Return weights that fall from 1 to 0 over :data:`FEATHER_MM` at the edge of the square."""

    def ramp(offset: FloatArray) -> FloatArray:
        return np.asarray(np.clip((side_mm / 2 - np.abs(offset)) / FEATHER_MM, 0, 1), dtype=np.float32)

    return np.asarray(ramp(grid.y)[:, None] * ramp(grid.x)[None, :], dtype=np.float32)


def fit(
    drawn: Drawn,
    diameter_mm: float,
    place: Place,
    elongation: float | None = None,
    bend: Bend | None = None,
    outline: Outline | None = None,
) -> Patch:
    """Return the drawn nodule at the diameter, elongation, outline and place asked for, on the radiograph's grid.

    The nodule is resized about its centroid within :data:`ZOOM_LIMITS`, stretched along its long axis within
    :data:`STRETCH_LIMITS`, moved so that the centroid lies at its place, and cut to the square that was redrawn,
    which it leaves smoothly. An outline bends it at equal area; spicules may leave the square.
    """
    diameter_px, spacing_mm = diameter_mm / place.window.spacing_mm, place.spacing_mm
    stretched = _stretch(drawn, elongation) / place.window.spacing_mm
    inverse = np.linalg.inv(stretched)
    zoom = float(np.clip(diameter_px / drawn.diameter_px, *ZOOM_LIMITS))
    side_mm = place.side_mm * (1.0 if outline is None else outline.reach)
    grid = _Grid.around(place, side_mm)
    near = scipy.ndimage.binary_dilation(drawn.mask, iterations=2)
    bounded = np.where(near, drawn.level, 0).astype(np.float32)
    reach_px = _reach_px(near, drawn.centre_px) + (0.0 if bend is None else bend.farthest_px)
    for _ in range(3):
        # Wider than any nodule; an outline, whose spicules the square holds, is not bounded further.
        wide = 2 * side_mm if outline else min(2 * side_mm, 2 * reach_px * zoom * float(np.linalg.norm(inverse, 2)))
        points = _Grid.unbounded(wide, spacing_mm).points(drawn.centre_px, stretched / zoom, bend, outline, diameter_mm)
        area = float((_looked_up(bounded, points, 1) > drawn.edge).sum())
        realised = equal_area_diameter_mm(max(area, 1.0), spacing_mm)
        zoom = float(np.clip(zoom * diameter_mm / realised, *ZOOM_LIMITS))
    points = grid.points(drawn.centre_px, stretched / zoom, bend, outline, diameter_mm)
    added = _looked_up(drawn.added, points, 3) * _feather(side_mm, grid)
    if outline is not None:
        added = added * outline.weight_at(grid.x[None, :], grid.y[:, None], diameter_mm)
    mask = _looked_up(bounded, points, 1) > drawn.edge
    return Patch(grid.origin, np.asarray(added, dtype=np.float32), np.asarray(mask, dtype=np.bool_), zoom)


def _reach_px(mask: BoolArray, centre_px: tuple[float, float]) -> float:
    """Return how far from a point the pixel after a mask's farthest one lies."""
    return 1.0 + float(np.hypot(*(np.argwhere(mask) - centre_px).T).max())


def _stretch(drawn: Drawn, elongation: float | None) -> Array:
    """Return the (2, 2) map from offsets in the stretched nodule to offsets in the drawn one; it keeps areas."""
    ratio, axis = elongation_of(drawn.mask)
    if elongation is None or not 0 < elongation <= 1:
        return np.eye(2)
    longer = float(np.clip(np.sqrt(ratio / elongation), *STRETCH_LIMITS))
    along = np.outer(axis, axis)
    return np.asarray(along / longer + longer * (np.eye(2) - along), dtype=np.float64)


def redraw(change: FloatArray, drawn: Drawn | None, place: Place) -> Patch:
    """Return the whole redrawn square on the radiograph's grid.

    ``change`` is redrawn minus untouched window, so that the radiograph keeps its grain, which is finer than the
    window's grid. It is 0 at the edge of what was redrawn.
    """
    grid, middle = _Grid.around(place, place.side_mm), (place.window.size - 1) / 2
    points = grid.points((middle, middle), np.eye(2) / place.window.spacing_mm)
    added = _looked_up(change, points, 3) * _feather(place.side_mm, grid)
    if drawn is None:
        mask = np.zeros(added.shape, dtype=np.bool_)
    else:
        near = scipy.ndimage.binary_dilation(drawn.mask, iterations=2)
        level = np.where(near, drawn.level, 0).astype(np.float32)
        mask = np.asarray(_looked_up(level, points, 1) > drawn.edge)
    return Patch(grid.origin, np.asarray(added, dtype=np.float32), mask)
