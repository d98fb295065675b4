"""The soft anatomy of one chest as analytic solids: cage, lungs, diaphragm, heart, vessels' trunk, body."""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy

from synnodtest.phantom.anatomy import Anatomy
from synnodtest.phantom.solids import EMPTY, Array, Interval, ellipsoid, hull, outside, slab

SIDES = {"right": -1, "left": 1}
_STEPS = np.linspace(0, 1.3, 1024)


Nodes = tuple[tuple[float, float], ...]
_OUTER: Nodes = (
    *((0, 0.335), (0.004, 0.41), (0.015, 0.48), (0.04, 0.575), (0.08, 0.67), (0.14, 0.765), (0.22, 0.845)),
    *((0.33, 0.905), (0.5, 0.955), (0.7, 0.985), (0.85, 1.0), (1.0, 0.995), (1.6, 0.97)),
)
"""Distance of the cage's inner face from the midline, over its half width, by depth below the apex over its height;
drawn by eye."""
_INNER: Nodes = (
    *((0, 0.325), (0.004, 0.27), (0.015, 0.22), (0.04, 0.16), (0.1, 0.1), (0.2, 0.05), (0.35, 0.0), (1.6, 0.0)),
)
"""Distance of the lung's inner border from the midline, likewise; drawn by eye."""
_DEPTH: Nodes = (
    *((0, 0.0), (0.004, 0.10), (0.015, 0.19), (0.05, 0.34), (0.1, 0.48), (0.2, 0.69), (0.35, 0.87), (0.5, 0.96)),
    *((0.7, 1.0), (1.6, 1.0)),
)
"""Half of the cage's depth, over its greatest, likewise; drawn by eye."""
_MIDDLE: Nodes = ((0, 0.24), (0.1, 0.16), (0.3, 0.06), (0.6, 0.02), (1.0, 0.03), (1.6, 0.03))
"""Profiles over y / height, as shares of the anatomy's width or depth."""


@cache
def _profile(nodes: Nodes) -> tuple[Array, Array]:
    """Tabulate a smooth profile over sqrt(y / height), steep at the apex as a dome is, and its steps."""
    t, value = np.array(nodes).T
    profile = scipy.interpolate.PchipInterpolator(np.sqrt(t), value)
    table = profile(np.minimum(_STEPS, np.sqrt(t[-1]))).astype(np.float32)
    return table, np.diff(table)


class Thorax:
    """Solids of one :class:`Anatomy`; every method takes x and y in mm that broadcast (grid or points)."""

    def __init__(self, anatomy: Anatomy) -> None:
        self.anatomy = a = anatomy
        self.hila = {
            -1: np.array([-0.255 * a.width, a.hilum * a.height, 4.0]),
            1: np.array([0.265 * a.width, (a.hilum - 0.045) * a.height, 6.0]),
        }

    def at_depth(self, x: Array, z: float) -> Array:
        """Return x seen by a structure at depth ``z`` of a rotated patient."""
        return x - np.float32(self.anatomy.rotation * z)

    def _along(self, nodes: Nodes, y: Array) -> Array:
        table, steps = _profile(nodes)
        scale = np.float32((_STEPS.size - 1) / _STEPS[-1] / np.sqrt(self.anatomy.height))
        at = np.minimum(np.sqrt(np.maximum(y, 0)).astype(np.float32) * scale, np.float32(_STEPS.size - 1.001))
        first = at.astype(np.int32)
        return np.asarray(table[first] + (at - first).astype(np.float32) * steps[first])

    def outer(self, y: Array) -> Array:
        """Return the distance of the cage's inner face from the midline (its value at the apex above it)."""
        return self._along(_OUTER, y) * np.float32(self.anatomy.width)

    def half_depth(self, y: Array) -> Array:
        """Return half of the cage's depth."""
        return self._along(_DEPTH, y) * np.float32(self.anatomy.depth)

    def middle(self, y: Array) -> Array:
        """Return the depth z of the cage's centre."""
        return self._along(_MIDDLE, y) * np.float32(self.anatomy.depth)

    def cavity(self, side: int, x: Array, y: Array) -> Interval:
        """Return the interval of one hemithorax, abdomen and mediastinum not yet taken out."""
        outer, inner = self.outer(y), self._along(_INNER, y) * np.float32(self.anatomy.width)
        centre = inner + np.float32(0.42) * (outer - inner)
        xs = np.float32(side) * x
        u = np.where(xs > centre, (xs - centre) / (outer - centre), (centre - xs) / (centre - inner))
        bulge = np.where(xs > centre, u * u * np.sqrt(np.minimum(u, 1)), np.minimum(u, 1) ** 4)
        shape = np.sqrt(np.maximum(1 - bulge, 0))
        half = np.where((y > 0) & (u < 1), self.half_depth(y) * shape, 0)
        return slab(self.middle(y), half)

    def lung(self, side: int, x: Array, y: Array) -> Interval:
        """Return the interval inside the visceral pleura: the cavity, or what is left of it after collapse."""
        if side != self.anatomy.pneumothorax:
            return self.cavity(side, x, y)
        return self._collapsed(side, x, y, self.anatomy.collapse)

    def pleura(self, side: int, x: Array, y: Array) -> Interval:
        """Return the interval inside the outer face of a collapsed lung's visceral pleura, about 1 mm further out."""
        return self._collapsed(side, x, y, self.anatomy.collapse - 0.9 / self.anatomy.width)

    def _collapsed(self, side: int, x: Array, y: Array, collapse: float) -> Interval:
        hx, hy, hz = self.hila[side]
        across, along, through = self._shrink(collapse)
        above = np.asarray(y - hy, dtype=np.float32)
        stretched = hy + np.where(above < 0, above / along, above).astype(np.float32)
        z0, z1 = self.cavity(side, np.float32(hx) + (x - np.float32(hx)) / across, stretched)
        full0, full1 = self.cavity(side, x, y)
        hit = (z0 < z1) & (full0 < full1)
        z0 = np.maximum(np.float32(hz) + (z0 - np.float32(hz)) * through, full0)
        z1 = np.minimum(np.float32(hz) + (z1 - np.float32(hz)) * through, full1)
        return np.where(hit, z0, EMPTY), np.where(hit, z1, -EMPTY)

    @staticmethod
    def _shrink(collapse: float) -> tuple[np.float32, np.float32, np.float32]:
        c = collapse
        return np.float32(1 - c), np.float32(1 - 0.8 * c), np.float32(1 - 0.45 * c)

    def withdrawn(self, side: int, points: Array) -> Array:
        """Move points (n, 3) of an expanded lung to where they lie in the collapsed one."""
        if side != self.anatomy.pneumothorax:
            return points
        hilum = self.hila[side]
        across, along, through = self._shrink(self.anatomy.collapse)
        moved = (points - hilum) * np.array([across, 1.0, through])
        moved[:, 1] *= np.where(moved[:, 1] < 0, along, 1.0)
        return np.asarray(moved + hilum)

    def dome(self, side: int, x: Array, y: Array) -> Interval:
        """Return the interval of the abdomen under one hemidiaphragm."""
        a = self.anatomy
        top = (a.dome_right if side < 0 else a.dome_left) * a.height
        semi = (0.60 * a.width, 0.34 * a.height, 1.5 * a.depth)
        centre = (side * 0.49 * a.width, top + semi[1], -0.2 * a.depth)
        outline = self.at_depth(x, centre[2])
        tendon_top = a.dome_left * a.height + 0.045 * a.height
        tendon = ((0.1 * a.width), tendon_top + semi[1], centre[2])
        z0, z1 = hull(ellipsoid(outline, y, centre, semi), ellipsoid(outline, y, tendon, semi))
        below = y > centre[1]
        return np.where(below, -EMPTY, z0), np.where(below, EMPTY, z1)

    def heart(self, x: Array, y: Array) -> Interval:
        """Return the interval of the heart: ventricles with the apex to the patient's left, right atrium, outflow."""
        a = self.anatomy
        k = a.heart * (a.width / 138) ** 0.7
        z = -0.30 * a.depth
        x = self.at_depth(x, z)
        cx, cy = 82 * k - 70 * k * np.cos(a.heart_tilt), self._heart_y(k)
        roof = 0.285 * a.height + 1.2 * a.knob + 8
        trunk = 0.5 * (cy + 4 * k - roof)
        return hull(
            ellipsoid(x, y, (cx, cy, z), (72 * k, 44 * k, 64 * k), a.heart_tilt),
            ellipsoid(x, y, (-7 * k, cy - 10 * k, z + 6), (33 * k, 54 * k, 56 * k), 0.08),
            ellipsoid(x, y, (19 * k, roof + trunk, z + 4), (27 * k, trunk, 46 * k), -0.2),
            ellipsoid(x, y, (14 * k, cy + 16 * k, z), (50 * k, 36 * k, 54 * k)),
        )

    def _heart_y(self, k: float) -> float:
        """Return the height of the ventricles' centre: the apex rests on the left hemidiaphragm."""
        a = self.anatomy
        return a.dome_left * a.height + 6 - 70 * k * float(np.sin(a.heart_tilt))

    def spine_x(self, y: Array) -> Array:
        """Return the midline of the spine, which may curve a little."""
        a = self.anatomy
        return np.asarray(a.curve * np.sin(np.pi * y / a.height), dtype=np.float32)

    def column(self, x: Array, y: Array) -> Interval:
        """Return the interval of the middle: great veins, oesophagus, spine, from front to back above the heart."""
        a = self.anatomy
        t = np.asarray(y / a.height, dtype=np.float32)
        level = [-0.3, -0.05, 0.03, 0.1, 0.2, 0.45, 0.7, 1.2]
        left = np.interp(t, level, [52, 41, 36, 30, 26, 23, 19, 20]).astype(np.float32)
        right = np.interp(t, level, [52, 41, 37, 33, 32, 32, 22, 20]).astype(np.float32)
        shifted = x - self.spine_x(y)
        u = np.where(shifted > 0, shifted / left, -shifted / right)
        half = np.sqrt(np.maximum(1 - u * u * np.abs(u), 0))
        middle, deep = self.middle(y), self.half_depth(y)
        back: Array = middle + deep + np.float32(12)
        front: Array = middle - deep - np.float32(12)
        behind_heart = np.clip((y - self._heart_y(1.0) + 45) / 50, 0, 1).astype(np.float32)
        front = front + behind_heart * (back - front) * np.float32(0.55)
        return slab((front + back) / 2, (back - front) / 2 * half)

    def aorta(self, x: Array, y: Array) -> Interval:
        """Return the interval of the arch with its knob and of the descending aorta."""
        a = self.anatomy
        arch_y, r = 0.285 * a.height, a.knob
        knob = ellipsoid(self.at_depth(x, 8), y, (a.aorta_shift + 0.3 * r, arch_y, 8), (r, r * 1.15, 2.2 * r), -0.15)
        z = 0.55 * a.depth
        t = np.clip((y - arch_y) / (a.height * 0.75), 0, 1)
        centre = (a.aorta_shift + 0.25 * r) * (1 - t) ** 1.2 + 6 * t
        u = (self.at_depth(x, z) - centre.astype(np.float32)) / np.float32(0.72 * r)
        cap = np.maximum(arch_y + 0.6 * r - y, 0) / np.float32(1.3 * r)
        half = np.sqrt(np.maximum(1 - u * u - cap * cap, 0)) * np.float32(0.72 * r)
        z0, z1 = slab(z, half)
        return hull(knob, (np.where(z1 > z0, z0 - 4, z0), z1))

    def obstacles(self, side: int, x: Array, y: Array) -> list[Interval]:
        """Return everything that keeps air out of one hemithorax."""
        return [self.dome(side, x, y), self.heart(x, y), self.column(x, y), self.aorta(x, y)]

    def is_aerated(self, side: int, points: Array, margin: float = 0.0) -> Array:
        """Return which points (n, 3) lie in the lung, at least ``margin`` mm from its surface along z."""
        x, y, z = (np.asarray(column, dtype=np.float32) for column in points.T)
        z0, z1 = self.lung(side, x, y)
        free = np.asarray((z > z0 + margin) & (z < z1 - margin))
        x, y, z = x[free], y[free], z[free]  # whatever lies outside is in no obstacle's way
        clear = np.ones(len(z), bool)
        for a, b in self.obstacles(side, x, y):
            clear &= ~((z > a - margin) & (z < b + margin))
        free[free] = clear
        return free

    def aerated_length(self, side: int, x: Array, y: Array) -> Array:
        """Return the mm of lung along each ray."""
        return outside(self.lung(side, x, y), self.obstacles(side, x, y))

    def body(self, x: Array, y: Array) -> Array:
        """Return the mm of body along each ray: trunk, shoulders, neck."""
        a = self.anatomy
        y = np.asarray(y, dtype=np.float32)
        wall = a.wall_side * np.clip(0.75 + 0.25 * y / a.height, 0.75, 1.15)
        trunk = self._rounded(x, self.outer(np.maximum(y, 0.1 * a.height)) + wall, 2.6)
        depth = np.maximum(self.half_depth(y), 0.45 * a.depth) + a.wall_depth
        fade = np.clip((y + 50) / 60, 0.0, 1.0) ** 2
        trunk = trunk * depth * fade
        lift = a.shoulder
        level = [-80, *(height + lift for height in (-45, -25, -5, 15, 40, 80, 105, 125, 150, 185))]
        width = [0.44, 0.5, 0.68, 1.05, 1.36, 1.52, 1.5, 1.36, 1.22, 1.1, 0.95]
        girdle = np.interp(y, level, np.array(width) * (a.width + 0.6 * a.wall_side - 8)).astype(np.float32)
        strong = np.interp(y, [-80, 0, 60, 120 + lift, 185 + lift], [0.62, 0.68, 0.74, 0.66, 0.0])
        girdle = self._rounded(x, girdle, 2.6) * (strong * (a.depth * 0.9 + 0.5 * a.wall_depth)).astype(np.float32)
        arms = self._arms(x, y)
        return np.asarray(2 * np.sqrt(np.sqrt(trunk**4 + girdle**4 + arms**4)), dtype=np.float32)

    def _arms(self, x: Array, y: Array) -> Array:
        """Return the half-chord of the upper arms, held away from the flanks."""
        a = self.anatomy
        thick = 34 + 0.35 * a.wall_side
        shoulder = 1.30 * a.width + 0.3 * a.wall_side + 0.4 * a.scapula
        lean = 0.30 * np.maximum(y - 30 - a.shoulder, 0)
        u = (np.abs(x) - np.asarray(shoulder + lean, dtype=np.float32)) / np.float32(thick)
        fade = np.clip((y - 20 - a.shoulder) / 30, 0, 1)
        return np.asarray(np.sqrt(np.maximum(1 - u * u, 0)) * fade * thick, dtype=np.float32)

    @staticmethod
    def _rounded(x: Array, half_width: Array, power: float) -> Array:
        u = np.minimum(np.abs(x) / np.asarray(half_width, dtype=np.float32), 1)
        return np.asarray((1 - u ** np.float32(power)) ** np.float32(1 / power))

    def breasts(self, x: Array, y: Array) -> Array:
        """Return the mm of breast along each ray; full below, fading above."""
        a = self.anatomy
        total: Array = np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=np.float32)
        if a.breast <= 0:
            return total
        r = a.breast_size
        for side in (-1, 1):
            cy = a.breast_y * a.height
            u = (x - np.float32(side * 0.66 * a.width)) / np.float32(r)
            v = np.asarray(y - cy, dtype=np.float32)
            v = np.where(v > 0, v / np.float32(0.8 * r), v / np.float32(1.5 * r))
            total += np.float32(a.breast) * np.sqrt(np.maximum(1 - u * u - v * v, 0))
        return total
