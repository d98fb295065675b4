"""Boxes around the graphics of DICOM objects: points, polylines, circles and ellipses in pixels of an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.geometry import Array, Box

Points = Array
"""``(n, 2)``: x, y in pixels, counted from the corner of the first."""


def points_of(graphic_data: Sequence[float]) -> Points:
    """Return the points of ``column, row, column, row, ...``.

    Raises:
        ValueError: the values are not pairs.
    """
    return np.array([float(value) for value in graphic_data], dtype=np.float64).reshape(-1, 2)


def box_around(kind: str, points: Points) -> Box:
    """Return the box around a graphic, at least one pixel either way.

    Args:
        kind: ``POINT``, ``MULTIPOINT``, ``POLYLINE``, ``INTERPOLATED``, ``CIRCLE`` (centre and a point of it) or
            ``ELLIPSE`` (ends of the one axis, then of the other).
        points: Its points, as the kind has them.

    Raises:
        ValueError: the kind is not known, or has another number of points.
    """
    if kind == "CIRCLE":
        centre, on_it = points
        low, high = centre - np.hypot(*(on_it - centre)), centre + np.hypot(*(on_it - centre))
    elif kind == "ELLIPSE":
        first, second, third, fourth = points
        reach = np.hypot((second - first) / 2, (fourth - third) / 2)
        low, high = (first + second) / 2 - reach, (first + second) / 2 + reach
    elif kind in ("POINT", "MULTIPOINT", "POLYLINE", "INTERPOLATED"):
        low, high = points.min(axis=0), points.max(axis=0)
    else:
        raise ValueError(f"graphic type {kind!r} is not known")
    if kind == "POINT" or not (high > low).all():
        middle = (low + high) / 2
        low, high = np.minimum(low, middle - 0.5), np.maximum(high, middle + 0.5)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def union(boxes: Sequence[Box]) -> Box:
    """Return the box around boxes."""
    array = np.array(boxes)
    (x_min, y_min), (x_max, y_max) = array[:, :2].min(axis=0), array[:, 2:].max(axis=0)
    return float(x_min), float(y_min), float(x_max), float(y_max)
