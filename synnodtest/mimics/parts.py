"""Parts of mimics: bodies with a thickness along the beam, in mm of the radiograph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from synnodtest.geometry import Array

Point = tuple[float, float]
Box = tuple[float, float, float, float]

SOFT = 0.019
"""Soft tissue in 1/mm at 70 keV, the mean energy of a chest radiograph, as all of these from the mass attenuation
coefficients of Hubbell and Seltzer (NIST). A fifth of it is taken off where lung goes."""
BONE = 0.05
"""Compact bone of 1.9 g/cm3."""
CALCIUM = 0.04
"""Loose calcium of a granuloma: a fifth less than compact bone."""
STEEL, BRASS, COPPER = 0.65, 0.9, 1.0
"""Iron, brass and copper; with them metal is as white as the densest real clip (docs/mimics.md)."""
PLASTIC = 0.025
"""Plastic of an electrode's connector: a third more than soft tissue."""
BARIUM = 0.115
"""Polyurethane with a quarter of barium sulfate, as of catheters."""

_STEP_MM = 0.1
"""Between points that stand for a curve: the distance from it is wrong by less than 0.05 mm."""
_BOX_MM = 2.0
"""Along a curve: one box of candidates each."""


@dataclass(frozen=True, eq=False)
class Part:
    """One body.

    Args:
        thickness: From points ``x``, ``y`` in mm to thickness along the beam in mm, 0 outside.
        per_mm: What one mm adds to the log exposure before scatter; below 0 where it takes away what was there.
        boxes: Where it may be, ``(x0, y0, x1, y1)`` in mm.
        in_mask: Whether it belongs to the mask.
        edge_mm: It counts as inside where it is thicker than this.
    """

    thickness: Callable[[Array, Array], Array]
    per_mm: float
    boxes: Sequence[Box]
    in_mask: bool = True
    edge_mm: float = 0.0


def around(centre: Point, reach: float) -> list[Box]:
    """Return the box of what reaches so far from a centre."""
    return [(centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach)]


def ball(centre: Point, radius: float, per_mm: float) -> Part:
    """Return a ball."""

    def thickness(x: Array, y: Array) -> Array:
        squared = (x - centre[0]) ** 2 + (y - centre[1]) ** 2
        return 2 * np.sqrt(np.maximum(radius**2 - squared, 0))

    return Part(thickness, per_mm, around(centre, radius))


def plate(
    centre: Point, radius: float, depth_mm: float, per_mm: float, *, hole: float = 0.0, in_mask: bool = True
) -> Part:
    """Return a disc of constant thickness ``depth_mm`` across the beam, or a ring around a hole of this radius."""

    def thickness(x: Array, y: Array) -> Array:
        away = np.hypot(x - centre[0], y - centre[1])
        return np.where((away <= radius) & (away >= hole), depth_mm, 0.0)

    return Part(thickness, per_mm, around(centre, radius), in_mask)


def curve(*through: Point) -> Array:
    """Return points ``(n, 2)`` of the Bezier curve with four control points."""
    a, b, c, d = (np.asarray(point, dtype=np.float64) for point in through)
    t = np.linspace(0, 1, 400)[:, None]
    points: Array = (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    return points


def tube(points: Array, radius: float, per_mm: float, *, bore: float = 0.0, in_mask: bool = True) -> Part:
    """Return a tube along points ``(n, 2)``, solid or with a bore of this radius."""
    dense = _dense(points, _STEP_MM)
    tree = scipy.spatial.cKDTree(dense)

    def thickness(x: Array, y: Array) -> Array:
        away, _ = tree.query(np.stack([x.ravel(), y.ravel()], axis=1), distance_upper_bound=radius)
        near = np.minimum(np.reshape(away, x.shape), radius)
        wall, hollow = (np.sqrt(np.maximum(size**2 - near**2, 0)) for size in (radius, bore))
        return np.asarray(2 * (wall - hollow), np.float64)

    boxes = [box for point in _dense(points, _BOX_MM) for box in around((point[0], point[1]), radius + _BOX_MM)]
    return Part(thickness, per_mm, boxes, in_mask)


def _dense(points: Array, step: float) -> Array:
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    lengths = np.linspace(0, along[-1], max(int(np.ceil(along[-1] / step)), 1) + 1)
    return np.stack([np.interp(lengths, along, points[:, 0]), np.interp(lengths, along, points[:, 1])], axis=1)
