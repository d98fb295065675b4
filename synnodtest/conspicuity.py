"""Visibility of a nodule in its radiograph, blind to every detector: one rule for planted and for real nodules.

The model observer is a matched filter that knows size and place of the nodule and is disturbed by the anatomy around
it: a Laplacian of Gaussian as wide as the nodule is laid over the film, and the *conspicuity* is its response at the
nodule, in standard deviations of its response in the lung around. It stands in the line of Kundel and Revesz, "Lesion
conspicuity, structured noise, and film reader error", AJR 126 (1976) 1233, who put the lesion over the complexity of
its surroundings, and of Burgess, Jacobson and Judy, Med. Phys. 28 (2001) 419, whose non-prewhitening filters predict
human detection in anatomical backgrounds. ``docs/transfer.md`` compares it with others.

Only the finished radiograph and the nodule's outline are looked at, never the radiograph without the nodule, which
nobody has of a real one: a rib behind a nodule and a vessel through it count with it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.geometry import BoolArray, Box, centre_of, px_to_mm
from synnodtest.grids import laplacian_of_gaussian, nearest, smoothed
from synnodtest.radiograph import Radiograph, lung_range

Array = NDArray[np.floating[Any]]

VERSION = 1
"""Of the rule; figures of different versions are not compared."""
REACH_MM = 25.0
"""Reach of a nodule's surroundings in mm; of 25, 40 and 60 mm it orders real nodules best."""
WANDER = 0.8
"""Share of the outline, about its middle, in which the filter may peak: annotated boxes are not centred."""
SCALE = 1.0 / (2.0 * math.sqrt(2.0))
"""Gaussian width over diameter at which the Laplacian answers a disc best (Lindeberg, IJCV 30, 1998)."""
FILTER = 4.0
"""End of the filter, in Gaussian widths."""
GRID_MM = 1.0
"""Coarsest grid; finer for nodules of less than eight cells."""
RING = (1.25, 1.9)
"""Ring for the contrast, in half outlines from the middle: blurred edges have ended there."""
RIM = 2.0
"""Beginning of the filter's surroundings, in half outlines: nearer, its answer to the nodule itself is negative."""
LEAST_CELLS = 40
"""Of lung that must be around; with less, all that is around stands in."""
LEAST_DETERMINANT = 1e-6
"""Over the product of the diagonal: below it cells lie nearly on one line, which says nothing of the slope across."""
ROUNDS = 8
"""Of reweighting in the robust plane; it has settled by then."""


@dataclass(frozen=True)
class Visibility:
    """Visibility of one nodule.

    Args:
        contrast: Contrast in place: mean brightness within the outline over a plane through the lung around it, in
            units of the lung's 5th-to-95th percentile range. Unlike the contrast asked for, it holds the anatomy
            that the nodule lies on.
        conspicuity: Response of the matched filter in standard deviations of its surroundings. Both are NaN where the
            outline is empty or nothing is around it.
    """

    contrast: float = math.nan
    conspicuity: float = math.nan


def visibilities(radiograph: Radiograph, unit: float | None = None) -> tuple[Visibility, ...]:
    """Return the visibility of each nodule of a radiograph; the others are no surroundings of it.

    Args:
        radiograph: As for :func:`visibility`.
        unit: Likewise.
    """
    boxes = [truth.box for truth in radiograph.nodules]
    if boxes and unit is None:
        unit = lung_range(radiograph)
    return tuple(visibility(radiograph, box, boxes[:k] + boxes[k + 1 :], unit) for k, box in enumerate(boxes))


def visibility(
    radiograph: Radiograph, outline: Box, others: Sequence[Box] = (), unit: float | None = None
) -> Visibility:
    """Return how visible the nodule in an outline is.

    Args:
        radiograph: Its region ``lung``, where it has one, bounds the surroundings.
        outline: Tight box of the nodule itself, ``(x_min, y_min, x_max, y_max)`` in pixels. Annotators leave a
            margin: shrink their boxes first.
        others: Outlines of further nodules, which are left out of the surroundings.
        unit: What contrast is divided by; the lung's 5th-to-95th percentile range by default.
    """
    if not (outline[2] > outline[0] and outline[3] > outline[1]):
        return Visibility()
    view = _View(radiograph, outline)
    free = view.inside.copy()
    for other in others:
        free &= view.distance(other) > RING[0]
    around = _preferred(free & (view.away > RIM), view.lung)
    ring = _preferred(free & (view.away > RING[0]) & (view.away < RING[1]), view.lung)
    if min(around.sum(), ring.sum()) < LEAST_CELLS:
        return Visibility()
    scale = lung_range(radiograph) if unit is None else unit
    return Visibility(float(_rise(view, ring, view.away <= 1).mean()) / scale, _conspicuity(view, around))


def _preferred(mask: BoolArray, lung: BoolArray) -> BoolArray:
    within: BoolArray = mask & lung
    return within if within.sum() >= LEAST_CELLS else mask


class _View:
    """The neighbourhood of a nodule on an even grid, as far as surroundings reach.

    Attributes:
        pixels: Brightness.
        lung: The region; everything where the radiograph has none.
        inside: What is not beyond the film's border.
        away: Distance from the middle in half outlines: 1 on the ellipse in the outline.
        size: Diameter of the disc as large as that ellipse, in cells.
        wide: Brightness of a larger grid, at which the filter alone looks.
        near: Its rows, and columns likewise, that are within reach.
    """

    def __init__(self, radiograph: Radiograph, outline: Box) -> None:
        row_mm, column_mm = radiograph.spacing_mm
        half_x, half_y = (outline[2] - outline[0]) * column_mm / 2, (outline[3] - outline[1]) * row_mm / 2
        radius = math.sqrt(half_x * half_y)
        cell = min(GRID_MM, max(radius / 4, min(row_mm, column_mm)))
        reach = max(half_x, half_y) + REACH_MM
        offsets = np.arange(-math.ceil((reach + FILTER * SCALE * 2 * radius) / cell), 1) * cell
        offsets = np.concatenate([offsets, -offsets[-2::-1]])
        near = np.flatnonzero(np.abs(offsets) <= reach)
        self.near = slice(int(near[0]), int(near[-1]) + 1)
        x = (outline[0] + outline[2]) / 2 * column_mm + offsets
        y = (outline[1] + outline[3]) / 2 * row_mm + offsets
        self._x, self._y, self._spacing = x[self.near], y[self.near], radiograph.spacing_mm
        self.size = 2 * radius / cell
        self.away = self.distance(outline)
        rows, columns = y / row_mm - 0.5, x / column_mm - 0.5
        self.inside: BoolArray = np.logical_and.outer(
            *(_on_film(axis[self.near], end) for axis, end in zip((rows, columns), radiograph.shape, strict=True))
        )
        cut = _span(rows, radiograph.shape[0]), _span(columns, radiograph.shape[1])
        rows, columns = rows - cut[0].start, columns - cut[1].start
        down, across = (0.4 * cell / step if cell > step else 0.0 for step in (row_mm, column_mm))  # against aliasing
        self.wide: Array = smoothed(radiograph.pixels[cut], (down, across), rows, columns)
        self.pixels = self.wide[self.near, self.near]
        lung = radiograph.regions.get("lung")
        self.lung: BoolArray = self.inside if lung is None else nearest(lung[cut], rows[self.near], columns[self.near])

    def distance(self, outline: Box) -> Array:
        """Return how far each cell is from the middle of an outline, in its half axes."""
        row_mm, column_mm = self._spacing
        middle = px_to_mm(centre_of(outline), self._spacing)
        half = max((outline[2] - outline[0]) * column_mm / 2, 1e-9), max((outline[3] - outline[1]) * row_mm / 2, 1e-9)
        return np.asarray(
            np.hypot(((self._y - middle[1]) / half[1])[:, None], ((self._x - middle[0]) / half[0])[None, :])
        )


def _on_film(positions: Array, length: int) -> BoolArray:
    return np.asarray((positions >= -0.5) & (positions < length - 0.5))


def _span(positions: Array, length: int) -> slice:
    """Return the pixels of one axis that the grid and its blur need, at least one."""
    first = min(max(math.floor(positions[0]) - 4, 0), length - 1)
    return slice(first, max(min(math.ceil(positions[-1]) + 5, length), first + 1))


def _conspicuity(view: _View, around: BoolArray) -> float:
    response = -laplacian_of_gaussian(view.wide, SCALE * view.size, view.near, view.near)
    noise = response[around]
    core = view.away <= max(WANDER, float(view.away.min()))
    return float((response[core].max() - noise.mean()) / max(float(noise.std()), 1e-12))


def radial_rise(radiograph: Radiograph, outline: Box, edges: Sequence[float]) -> Array | None:
    """Return the mean rise over the surroundings by distance from the middle, in units of the lung's range.

    Args:
        radiograph: As for :func:`visibility`.
        outline: As for :func:`visibility`; an annotator's box will do.
        edges: Of the bins, in half outlines from the middle.

    Returns:
        One value per bin, NaN in a bin without a cell; None where there is too little around.
    """
    view = _View(radiograph, outline)
    ring = _preferred(view.inside & (view.away > RING[0]) & (view.away < RING[1]), view.lung)
    if ring.sum() < LEAST_CELLS:
        return None
    within = view.away < edges[-1]
    rise = _rise(view, ring, within) / lung_range(radiograph)
    bins = np.digitize(view.away[within], edges)
    return np.array([rise[bins == k].mean() if (bins == k).any() else math.nan for k in range(1, len(edges))])


def _rise(view: _View, ring: BoolArray, where: BoolArray) -> Array:
    """Return the brightness of some cells over a plane through the ring, robust against a rib that crosses it."""
    terms = _plane_terms(*view.pixels.shape)
    known, values = terms[ring], view.pixels[ring]
    weight = np.ones(len(values))
    for _ in range(ROUNDS):
        weighted = known.T * weight
        plane = _solved(weighted @ known, weighted @ values)
        rest = np.abs(values - known @ plane)
        spread = 1.4826 * float(np.median(rest)) + 1e-12
        weight = np.minimum(1.0, 1.345 * spread / np.maximum(rest, 1e-12))  # Huber's, 95% efficient
    return np.asarray(view.pixels[where] - terms[where] @ plane)


def _solved(matrix: Array, right: Array) -> Array:
    """Return the solution of three symmetric equations, the least one where they do not tell all three numbers."""
    (a, b, c), (_, d, e), (_, _, f) = matrix.tolist()
    cofactors = d * f - e * e, c * e - b * f, b * e - c * d
    determinant = a * cofactors[0] + b * cofactors[1] + c * cofactors[2]
    if determinant <= LEAST_DETERMINANT * a * d * f:
        return np.asarray(np.linalg.lstsq(matrix, right, rcond=None)[0])
    rows = [cofactors, (cofactors[1], a * f - c * c, b * c - a * e), (cofactors[2], b * c - a * e, a * d - b * b)]
    return np.asarray(np.array(rows) @ right / determinant)


@lru_cache(maxsize=16)
def _plane_terms(height: int, width: int) -> Array:
    """Return 1, x and y of each cell, from -1 to 1: most nodules of a search have grids of a few sizes."""
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y], axis=-1)
    terms.flags.writeable = False
    return terms
