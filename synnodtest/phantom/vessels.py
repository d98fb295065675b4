"""The pulmonary vessels and the central airways: trees grown from the hila."""

from __future__ import annotations

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.phantom.anatomy import VERSION
from synnodtest.phantom.grid import Grid
from synnodtest.phantom.solids import Array
from synnodtest.phantom.thorax import Thorax

_GENERATIONS = 12
"""Branchings from the hilum; set by eye: two thirds of the vessels have ended by then, thinner than 0.34 mm or at the
pleura."""
_STEPS = 6
"""Straight pieces of a branch; set by eye: fewer look broken, more take time."""
_TAPER = 0.95
"""Radius at a branch's end over that at its start; set by eye, beside what branching takes away."""


def vessel_mm(thorax: Thorax, grid: Grid) -> Array:
    """Return the mm of vessel along each ray; vessels lie in aerated lung only, and in none of the air leak."""
    masses = [_tree(thorax, side) for side in (-1, 1)]
    return _balls(
        grid, np.concatenate([m[0] for m in masses]), *(np.concatenate([m[k] for m in masses]) for k in (1, 2))
    )


def _tree(thorax: Thorax, side: int) -> tuple[Array, Array, Array]:
    """Grow one lung's tree; return sample points (n, 3), radii and lengths."""
    a = thorax.anatomy
    rng = np.random.default_rng(seed_sequence("phantom-vessels", VERSION, a.seed, side))
    start, heading, radius = _roots(thorax, side, rng)
    points, radii, lengths = [], [], []
    for generation in range(_GENERATIONS):
        long = 0.115 * a.width * rng.uniform(0.6, 1.3, len(start)) * (0.95**generation)
        if not generation:
            long *= np.maximum(radius / 4.2, 0.8)
        step = (long / _STEPS)[:, None]
        path = [start]
        for _ in range(_STEPS):
            heading = _unit(heading + rng.normal(0, 0.10, heading.shape))
            path.append(path[-1] + heading * step * (1 + 0.35 * np.abs(heading[:, 1:2])))
        track = np.stack(path, axis=1)
        narrowing = np.linspace(1.0, _TAPER, _STEPS)
        for k in range(_STEPS):
            for part in (0.1, 0.3, 0.5, 0.7, 0.9):
                points.append(track[:, k] * (1 - part) + track[:, k + 1] * part)
                radii.append(radius * narrowing[k])
                lengths.append(long / (_STEPS * 5))
        tip = track[:, -1]
        inside = _room(thorax, side, tip) & (radius > 0.34)
        start, heading, radius = _fork(tip[inside], heading[inside], radius[inside] * _TAPER, rng)
        if not len(start):
            break
    trunk, thick, piece = _trunk(thorax, side)
    points, radii, lengths = [*points, trunk], [*radii, thick], [*lengths, piece]
    where, size, run = np.concatenate(points), np.concatenate(radii), np.concatenate(lengths)
    where = thorax.withdrawn(side, where)
    aerated = thorax.is_aerated(side, where, 0.5)
    return where[aerated], size[aerated], run[aerated]


def _trunk(thorax: Thorax, side: int) -> tuple[Array, Array, Array]:
    """Return the main pulmonary artery of one side, from the mediastinum to its hilum."""
    hilum = thorax.hila[side]
    start = np.array([side * 0.08 * thorax.anatomy.width, hilum[1] - 4.0, -2.0])
    end = hilum + np.array([0.0, 6.0, 0.0])
    t = ((np.arange(60) + 0.5) / 60)[:, None]
    run = float(np.linalg.norm(end - start)) / 60
    k = thorax.anatomy.vessels * thorax.anatomy.width / 140
    return start + t * (end - start), np.linspace(10.5, 7.5, 60) * k, np.full(60, run)


def _room(thorax: Thorax, side: int, tip: Array) -> Array:
    """Return which tips lie in the expanded hemithorax and may branch further."""
    x, y, z = (np.asarray(column, dtype=np.float32) for column in tip.T)
    z0, z1 = thorax.cavity(side, x, y)
    under, over = thorax.dome(side, x, y)
    return np.asarray((z > z0 + 2) & (z < z1 - 2) & ~((z > under) & (z < over)))


def _roots(thorax: Thorax, side: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return the lobar and segmental trunks that leave the hilum: (angle from down, outward), depth, radius."""
    trunks = [  # direction: outward, down, back; radius in mm
        ((0.30, -1.0, 0.10), 4.6),
        ((0.70, -0.75, -0.35), 3.8),
        ((0.55, -0.80, 0.50), 3.6),
        ((0.90, -0.40, 0.40), 3.4),
        ((1.0, 0.05, -0.45), 3.3),
        ((0.95, 0.35, 0.35), 3.3),
        ((0.38, 1.0, 0.35), 7.0),
        ((0.62, 0.85, -0.30), 4.4),
        ((0.18, 1.0, 0.62), 5.0),
        ((0.50, 0.80, 0.80), 4.2),
        ((0.95, 0.62, -0.05), 3.8),
        ((0.75, 0.75, 0.45), 3.8),
    ]
    direction = np.array([trunk[0] for trunk in trunks]) + rng.normal(0, 0.10, (len(trunks), 3))
    direction = _unit(direction) * np.array([side, 1.0, 1.0])
    radius = np.array([trunk[1] for trunk in trunks]) * thorax.anatomy.vessels * rng.uniform(0.88, 1.12, len(trunks))
    start = thorax.hila[side] + rng.normal(0, 3.0, (len(trunks), 3)) + direction * 4
    return start, direction, radius * (thorax.anatomy.width / 140)


def _fork(tip: Array, heading: Array, radius: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Split every tip in two: r^3 is conserved, the thinner child turns further."""
    share = rng.uniform(0.55, 0.86, len(tip))
    across = _unit(np.cross(heading, rng.normal(0, 1, heading.shape)))
    children = []
    for part, sign in ((share, 1.0), (1 - share, -1.0)):
        angle = (0.12 + 0.75 * (1 - part))[:, None] * rng.uniform(0.7, 1.2, (len(tip), 1))
        children.append((_unit(heading * np.cos(angle) + sign * across * np.sin(angle)), radius * np.cbrt(part)))
    return (
        np.concatenate([tip, tip]),
        np.concatenate([children[0][0], children[1][0]]),
        np.concatenate([children[0][1], children[1][1]]),
    )


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9))


def _disc(count: int) -> Array:
    """Return points spread evenly over the unit disc with the weights of a ball's chord: (n, 3) x, y, weight."""
    k = np.arange(count) + 0.5
    r = np.sqrt(k / count)
    turn = k * np.pi * (3 - np.sqrt(5))
    weight = np.sqrt(1 - r * r)
    return np.stack([r * np.cos(turn), r * np.sin(turn), weight / weight.sum()], axis=1)


def _balls(grid: Grid, points: Array, radius: Array, length: Array) -> Array:
    """Splat tubes as chains of balls: few points for thin ones, many for thick ones."""
    total = grid.blank()
    bounds = np.array([0.0, 0.6, 1.3, 3.0, 1e3]) * grid.spacing / 0.4
    for low, high, count in zip(bounds[:-1], bounds[1:], (1, 7, 61, 500), strict=True):
        chosen = (radius >= low) & (radius < high)
        if not chosen.any():
            continue
        disc = _disc(count) if count > 1 else np.array([[0.0, 0.0, 1.0]])
        bunch_size = max(65536 // count, 1)
        centres, r, run = points[chosen], radius[chosen][:, None], length[chosen][:, None]
        for first in range(0, len(centres), bunch_size):
            bunch = slice(first, first + bunch_size)
            spin = (np.arange(first, first + len(r[bunch])) * 2.399963)[:, None]
            cos, sin = np.cos(spin) * r[bunch], np.sin(spin) * r[bunch]
            spread = np.repeat(centres[bunch, None, :], count, axis=1)
            spread[..., 0] += disc[:, 0] * cos - disc[:, 1] * sin
            spread[..., 1] += disc[:, 0] * sin + disc[:, 1] * cos
            volume = np.pi * r[bunch] ** 2 * run[bunch] * disc[:, 2]
            grid.splat((total,), spread.reshape(-1, 3), (volume.ravel(),))
    return total


def airway_mm(thorax: Thorax, grid: Grid) -> Array:
    """Return the mm of air in trachea and main bronchi along each ray."""
    a = thorax.anatomy
    k = a.width / 140
    carina = np.array([2.0, 0.37 * a.height, 12.0])
    top = np.array([0.0, -a.top - 5, -5.0])
    middle = np.array([4.0 + 0.1 * a.aorta_shift * -1, 0.22 * a.height, 6.0])
    right, left = thorax.hila[-1] * [0.82, 1.0, 1.0], thorax.hila[1] * [0.9, 1.02, 1.0]
    tubes = (
        ((top, middle, carina), (8.6, 8.2, 7.8)),
        ((carina, right), (6.4, 5.2)),
        ((carina, left), (5.6, 4.6)),
    )
    air = grid.blank()
    for axis, radii in tubes:
        for i in range(len(axis) - 1):
            grid.capsule(air, (axis[i], axis[i + 1]), (radii[i] * k, radii[i + 1] * k))
    return air
