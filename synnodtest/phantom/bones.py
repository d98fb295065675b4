"""The skeleton: ribs with cortical edges, clavicles, scapulae, spine, manubrium.

Bones are filled with point masses and splatted, so that a rib running towards the detector is as bright as it is
long. Weights are attenuation above soft tissue (per mm).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import scipy

from synnodtest.phantom.grid import Grid
from synnodtest.phantom.solids import Array
from synnodtest.phantom.thorax import Thorax

CORTEX = 0.034
"""Attenuation of compact bone above soft tissue, in 1/mm; set by eye, a tenth above that of 1.9 g/cm3 at 70 keV
(mimics/parts.py)."""
SPONGE = 0.0055
"""Attenuation of loose bone above soft tissue, in 1/mm; set by eye: with more, ribs lose their bright edges, with less
they look hollow."""
_DROP = ((0, 0.09, 0.25, 0.4, 0.5, 0.62, 0.8, 1.0), (0.0, -0.01, 0.13, 0.36, 0.56, 0.80, 1.0, 1.12))
"""Course of a rib: places from the spine on (0 to 1), and the share of its drop reached at each; drawn by eye."""
_RIB_DROP = (0.15, 0.24, 0.30, 0.345, 0.37, 0.39, 0.405, 0.41, 0.39, 0.34, 0.26, 0.18)
"""Drop of the twelve ribs from spine to tip, over the height of the lung; drawn by eye."""
_RIB_END = (0.80, 0.80, 0.80, 0.79, 0.775, 0.755, 0.735, 0.69, 0.63, 0.57, 0.46, 0.33)
"""Place along the course at which each of the twelve ribs ends in cartilage, which shows little; drawn by eye."""


def skeleton(thorax: Thorax, grid: Grid) -> tuple[Array, Array, Array]:
    """Project all bones of a chest: attenuation above soft tissue, and the mm of rib and of clavicle along each ray."""
    rib, rib_mm = _project(grid, (_rib(thorax, side, number, grid.spacing) for side in (-1, 1) for number in range(12)))
    clavicle, clavicle_mm = _project(grid, [_clavicle(thorax, side, grid.spacing) for side in (-1, 1)])
    other, _ = _project(grid, [part for side in (-1, 1) for part in _scapula(thorax, side, grid.spacing)])
    bone = np.float32(thorax.anatomy.bone)
    return (rib + clavicle + other + _spine(thorax, grid)) * bone, rib_mm, clavicle_mm


Masses = tuple[Array, Array, Array]
"""Points (n, 3), their volumes in mm^3, and their attenuation above soft tissue."""


def _project(grid: Grid, parts: Iterable[Masses]) -> tuple[Array, Array]:
    line, mm = grid.blank(), grid.blank()
    for points, volume, weight in parts:
        grid.splat((line, mm), points, (volume * weight, volume))
    return line, mm


def _tube(axis: Array, up: Array, semi: tuple[float, float], cortex: float, step: float, taper: float = 0.0) -> Masses:
    """Fill an elliptic tube around ``axis`` (n, 3); ``up`` (n, 3) leads its first semi-axis; a shell is cortical."""
    tangent = np.gradient(axis, axis=0)
    ds = np.linalg.norm(tangent, axis=1, keepdims=True)
    tangent /= ds
    up = up - (up * tangent).sum(1, keepdims=True) * tangent
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    out = np.cross(tangent, up)
    a, b, share, weight = _section(semi, cortex, step)
    ends = np.linspace(0, 1, len(axis))
    scale = 1 - taper * np.clip(np.abs(ends - 0.5) / 0.15 - 2.33, 0, 1) ** 2
    points = np.empty((3, len(axis), len(a)))  # a coordinate at a time: they are looked at so
    for k, along in enumerate(points):
        np.multiply(up[:, k, None], a, out=along)
        along += out[:, k, None] * b
        along *= scale[:, None]
        along += axis[:, k, None]
    volume = ds * share[None, :] * scale[:, None] ** 2
    return points.reshape(3, -1).T, volume.ravel(), np.tile(weight, len(axis))


def _section(semi: tuple[float, float], cortex: float, step: float) -> tuple[Array, Array, Array, Array]:
    """Cut an ellipse with a cortical shell into cells: offsets along both axes, area, mean attenuation."""
    rows = max(int(2 * semi[0] / step), 8)
    across = max(int(2 * semi[1] / (1.6 * step)), 5)
    a = ((np.arange(rows) + 0.5) / rows * 2 - 1) * semi[0]
    chord = semi[1] * np.sqrt(1 - (a / semi[0]) ** 2)
    core = semi[0] - cortex, semi[1] - cortex
    marrow = core[1] * np.sqrt(np.maximum(1 - (a / core[0]) ** 2, 0))
    edges = (np.arange(across + 1) / across * 2 - 1)[None, :] * chord[:, None]
    low, high = edges[:, :-1], edges[:, 1:]
    soft = np.maximum(np.minimum(high, marrow[:, None]) - np.maximum(low, -marrow[:, None]), 0) / (high - low)
    area = (high - low) * (2 * semi[0] / rows)
    weight = SPONGE * soft + CORTEX * (1 - soft)
    return np.repeat(a, across), ((low + high) / 2).ravel(), area.ravel(), weight.ravel()


def _even(curve: Array, step: float) -> Array:
    """Resample a polyline (n, 3) at even distances."""
    run = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    at = np.linspace(0, run[-1], max(int(run[-1] / step), 8))
    return np.stack([np.interp(at, run, curve[:, k]) for k in range(3)], axis=1)


def _rib(thorax: Thorax, side: int, number: int, spacing: float) -> Masses:
    a = thorax.anatomy
    s = np.linspace(0.03, _RIB_END[number], 120)
    y = a.height * (-0.030 + 0.083 * number + _RIB_DROP[number] * scipy.interpolate.PchipInterpolator(*_DROP)(s))
    width = np.maximum(thorax.outer(y), 0.36 * a.width) + 4.5
    depth = np.maximum(thorax.half_depth(y), 0.3 * a.depth) + 4.5
    x = side * width * np.sin(np.pi * s) + side * 9 * np.cos(np.pi * s).clip(0) ** 4
    z = thorax.middle(y) + depth * np.cos(np.pi * s)
    axis = _even(np.stack([x, y, z], axis=1), 0.85 * spacing)
    radial = np.stack([axis[:, 0], 0 * axis[:, 0], axis[:, 2] - thorax.middle(axis[:, 1])], axis=1)
    radial /= np.linalg.norm(radial, axis=1, keepdims=True)
    tangent = np.gradient(axis, axis=0)
    up = np.cross(radial, tangent)
    k = a.width / 140
    high = (4.6, 5.6, 6.2, 6.4, 6.5, 6.6, 6.6, 6.4, 6.2, 5.8, 5.0, 4.2)[number]
    return _tube(axis, up, (high * k, 3.6 * k), 0.95, 0.8 * spacing)


def clavicle_axis(thorax: Thorax, side: int) -> Array:
    """Return the centreline (n, 3) of a clavicle, from the sternum outwards."""
    a = thorax.anatomy
    t = np.array([0.0, 0.15, 0.35, 0.6, 0.8, 1.0])
    x = side * (18 + t * (1.06 * a.width - 18))
    rise = np.array([0.0, 0.10, 0.32, 0.62, 0.86, 0.92])
    y = 0.125 * a.height - rise * (0.16 * a.height - a.shoulder)
    z = np.array([-0.72, -0.78, -0.72, -0.45, -0.25, -0.2]) * a.depth
    axis: Array = scipy.interpolate.PchipInterpolator(t, np.stack([x, y, z], axis=1))(np.linspace(0, 1, 80))
    return axis


def _clavicle(thorax: Thorax, side: int, spacing: float) -> Masses:
    axis = _even(clavicle_axis(thorax, side), 0.85 * spacing)
    up = np.tile([0.0, 1.0, 0.0], (len(axis), 1))
    k = thorax.anatomy.width / 140
    return _tube(axis, up, (6.3 * k, 5.2 * k), 1.7, 0.8 * spacing)


def _scapula(thorax: Thorax, side: int, spacing: float) -> list[Masses]:
    a = thorax.anatomy
    k = a.width / 140
    edge = a.width + a.scapula
    low = a.shoulder

    def at(x: float, y: float, z: float) -> Array:
        return np.array([side * (edge + x * k), y * k + low, z])

    inner, tip = at(-24, 22, 60), at(-4, 138, 62)
    socket, acromion = at(34, 36, 25), at(40, 4, 10)
    coracoid = at(14, 22, -10)
    parts = [_plate(inner, tip, socket, 2.4, spacing)]
    for ends, semi in (
        ((tip, at(4, 80, 48), socket), (4.0, 3.4)),
        ((inner, at(-20, 80, 66), tip), (1.9, 2.2)),
        ((inner, at(0, 18, 45), socket), (2.0, 2.2)),
        ((at(-16, 42, 66), at(16, 22, 60), acromion), (3.6, 4.6)),
        ((socket, at(20, 16, 5), coracoid), (4.0, 4.0)),
        ((at(46, 42, 20), at(120, 280, 5)), (11.0, 11.0)),
    ):
        axis = _even(_bent(ends), 0.85 * spacing)
        up = np.tile([0.15, 1.0, 0.3], (len(axis), 1))
        parts.append(_tube(axis, up, (semi[0] * k, semi[1] * k), 1.2 if semi[0] < 10 else 2.2, 0.9 * spacing, 0.6))
    return [*parts, _ball(at(46, 40, 20), 22.0 * k, 1.6, 0.9 * spacing)]


def _bent(points: tuple[Array, ...]) -> Array:
    """Return a smooth curve (n, 3) from the first to the last of two or three points, pulled to the middle one."""
    first, last = points[0], points[-1]
    pull = points[1] if len(points) > 2 else (first + last) / 2
    t = np.linspace(0, 1, 24)[:, None]
    return np.asarray((1 - t) ** 2 * first + 2 * t * (1 - t) * pull + t * t * last)


def _ball(centre: Array, radius: float, cortex: float, step: float) -> Masses:
    """Fill a ball with a cortical shell: the head of the humerus."""
    along = np.arange(-(radius // step), radius // step + 1) * step
    points = np.stack(np.meshgrid(along, along, np.arange(-8.5, 9) / 9 * radius), axis=-1).reshape(-1, 3)
    r = np.linalg.norm(points, axis=1)
    points, r = points[r < radius], r[r < radius]
    volume = np.full(len(r), 4 / 3 * np.pi * radius**3 / len(r))
    return points + centre, volume, np.where(r < radius - cortex, 0.5 * SPONGE, 0.7 * CORTEX)


def _plate(a: Array, b: Array, c: Array, thickness: float, spacing: float) -> Masses:
    """Fill a thin triangular plate."""
    n = max(int(np.linalg.norm(b - a) / (0.6 * spacing)), 4)
    u, v = np.meshgrid((np.arange(n) + 0.5) / n, (np.arange(n) + 0.5) / n)
    keep = u + v < 1
    u, v = u[keep][:, None], v[keep][:, None]
    points = a + u * (b - a) + v * (c - a)
    area = 0.5 * float(np.linalg.norm(np.cross(b - a, c - a)))
    volume = np.full(len(points), area * thickness / len(points))
    return points, volume, np.full(len(points), 0.5 * CORTEX)


def _spine(thorax: Thorax, grid: Grid) -> Array:
    """Return the vertebral bodies with discs, pedicles and spinous processes, and the manubrium."""
    a = thorax.anatomy
    y = grid.y
    z = 0.72 * a.depth
    x = thorax.at_depth(grid.x, z) - thorax.spine_x(y)
    pitch = 0.083 * a.height
    level = np.asarray((y / a.height + 0.030) / 0.083 + 0.5, dtype=np.float32)
    phase = level - np.floor(level)
    k = a.width / 140
    waist = 1 - 0.10 * np.sin(np.pi * np.clip((phase - 0.1) / 0.8, 0, 1)).astype(np.float32)
    half = (np.interp(level, [-3, 2, 14], [12.5, 14.5, 20]) * k).astype(np.float32) * waist
    body = np.sqrt(np.maximum(1 - (x / half) ** 2, 0)) * 28 * np.float32(k)
    bony = np.clip((0.5 - np.abs(phase - 0.5) - 0.07) / 0.02, 0, 1)
    plate = np.exp(-(((0.5 - np.abs(phase - 0.5) - 0.10) / 0.022) ** 2))
    line = body * (SPONGE * 0.75 * bony + 0.005 * plate).astype(np.float32)
    v = (phase - 0.36) * np.float32(pitch)
    for offset in (-0.62, 0.62):
        ring = np.sqrt(((x - offset * half) / np.float32(3.6 * k)) ** 2 + (v / np.float32(5.2 * k)) ** 2)
        line += np.float32(0.085) * np.exp(-(((ring - 1) / 0.28) ** 2))
    spinous = (x / np.float32(2.6 * k)) ** 2 + ((v - np.float32(0.42 * pitch)) / np.float32(7 * k)) ** 2
    line += np.float32(0.11) * np.exp(-(spinous**2))
    wide = (np.abs(x) / np.float32(31 * k)) ** 2
    line += np.float32(0.05) * np.exp(-(((v + 2) / np.float32(3.5 * k)) ** 2)) * np.maximum(1 - wide, 0)
    sternum_x = thorax.at_depth(grid.x, -0.9 * a.depth)
    sternum = 1 - (sternum_x / np.float32(26 * k)) ** 4 - ((y - 0.2 * a.height) / np.float32(0.11 * a.height)) ** 4
    return np.asarray(line + np.float32(0.05) * np.maximum(sternum, 0) ** np.float32(0.4), dtype=np.float32)
