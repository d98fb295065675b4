"""Chords of analytic solids: where a ray along z enters and leaves, for every point (x, y).

An interval is a pair of arrays ``(z0, z1)`` in mm; a ray that misses has ``(EMPTY, -EMPTY)``. The arrays follow from
broadcasting ``x`` against ``y``, so that the same functions serve a grid and a list of points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Interval = tuple[Array, Array]
EMPTY = np.float32(1e4)


def slab(middle: Array | float, half: Array) -> Interval:
    """Return the interval ``middle +- half``, empty where ``half`` is not positive."""
    hit = half > 0
    return np.where(hit, middle - half, EMPTY), np.where(hit, middle + half, -EMPTY)


def ellipsoid(
    x: Array, y: Array, centre: tuple[float, float, float], semi: tuple[float, float, float], angle: float = 0.0
) -> Interval:
    """Return the interval of an ellipsoid whose first two axes are turned by ``angle`` in the image plane."""
    u = x - np.float32(centre[0])
    v = y - np.float32(centre[1])
    if angle:
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        u, v = u * cos + v * sin, v * cos - u * sin
    rest = 1 - (u / np.float32(semi[0])) ** 2 - (v / np.float32(semi[1])) ** 2
    return slab(float(centre[2]), np.float32(semi[2]) * np.sqrt(np.maximum(rest, 0)))


def hull(*intervals: Interval) -> Interval:
    """Return the smallest interval that holds all of them."""
    z0, z1 = intervals[0]
    for a, b in intervals[1:]:
        z0, z1 = np.minimum(z0, a), np.maximum(z1, b)
    return z0, z1


def length(interval: Interval) -> Array:
    """Return the length in mm, 0 where empty."""
    return np.asarray(np.maximum(interval[1] - interval[0], 0))


def outside(interval: Interval, obstacles: Sequence[Interval]) -> Array:
    """Return how many mm of ``interval`` lie in none of the ``obstacles`` (which may overlap each other)."""
    ordered = [tuple(obstacle) for obstacle in obstacles]
    for last in range(len(ordered) - 1, 0, -1):
        for i in range(last):
            (a0, a1), (b0, b1) = ordered[i], ordered[i + 1]
            swap = a0 > b0
            ordered[i] = (np.minimum(a0, b0), np.where(swap, b1, a1))
            ordered[i + 1] = (np.maximum(a0, b0), np.where(swap, a1, b1))
    cursor, end = interval
    total: Array = np.float32(0) * cursor
    for z0, z1 in ordered:
        reach = np.minimum(z0, end)
        total = total + np.maximum(reach - cursor, 0)
        cursor = np.maximum(cursor, np.maximum(reach, z1))
    return np.asarray(total + np.maximum(end - cursor, 0))
