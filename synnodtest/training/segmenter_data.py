"""Chests for training the segmenter: phantoms of more than ordinary variety, small, with exact silhouettes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synnodtest.backgrounds.segmenter import STRUCTURES
from synnodtest.canonical import seed_sequence
from synnodtest.geometry import BoolArray
from synnodtest.phantom.anatomy import VERSION, Anatomy, sample_anatomy
from synnodtest.phantom.exposure import expose
from synnodtest.phantom.projection import Projection, project
from synnodtest.phantom.solids import length
from synnodtest.phantom.thorax import SIDES
from synnodtest.training.arrays import Arrays

SIZE = 256
"""Pixels along each side of a training phantom."""
_PART = 50
"""Chests made and kept at a time: what a stop can lose, at most; nothing else depends on it."""


@dataclass(frozen=True, eq=False)
class Chests(Arrays):
    """Phantoms as arrays.

    Args:
        pixels: float16, N x SIZE x SIZE, 0..1.
        bits: uint8, N x SIZE x SIZE; bit k is the silhouette of ``STRUCTURES[k]``.
    """

    pixels: NDArray[np.float16]
    bits: NDArray[np.uint8]


def unusual_anatomy(seed: int) -> Anatomy:
    """Return one chest outside the ordinary set's bounds: shallow breaths, big hearts, lordotic and rotated poses."""
    rng = np.random.default_rng(seed_sequence("segmenter-anatomy", seed))
    uniform, normal = rng.uniform, rng.normal
    a = sample_anatomy(int(rng.integers(2**31)))
    dome = uniform(0.64, 0.84)
    height = a.height * uniform(0.76, 1.08)
    field = float(np.clip(a.field * uniform(0.9, 1.1), 300, 460))
    return replace(
        a,
        width=a.width * uniform(0.92, 1.08),
        height=height,
        dome_right=dome,
        dome_left=dome + uniform(-0.02, 0.09),
        heart=uniform(0.86, 1.36),
        heart_tilt=uniform(0.3, 0.85),
        knob=a.knob * uniform(0.9, 1.3),
        field=field,
        top=(field - height) * uniform(0.15, 0.55),
        rotation=float(np.clip(normal(0, 0.06), -0.15, 0.15)),
        tilt=float(np.clip(normal(0, 0.03), -0.08, 0.08)),
        shift=float(np.clip(normal(0, 10), -25, 25)),
        scapula=uniform(-60, 10),
        shoulder=uniform(-40, 30),
        bone=a.bone * uniform(0.7, 1.5),
        lung_density=uniform(0.2, 0.45),
        latitude=uniform(0.7, 1.5),
        tone=uniform(-0.4, 0.4),
        vessels=a.vessels * uniform(0.9, 1.4),
        haze=a.haze * uniform(0.8, 2.0),
        curve=float(np.clip(normal(0, 5), -14, 14)),
        wall_side=a.wall_side * uniform(0.7, 1.4),
    )


def silhouettes(projection: Projection) -> dict[str, BoolArray]:
    """Return the exact masks of what the segmenter shall find, by the definitions of the phantom's regions."""
    thorax, grid = projection.thorax, projection.grid
    x, y = grid.x, grid.y
    under = np.zeros((projection.size, projection.size), dtype=np.bool_)
    for side in SIDES.values():
        under |= (length(thorax.dome(side, x, y)) > 0) & (x * side > 0)
    regions = projection.regions
    return {
        "left_lung": regions["left_lung"],
        "right_lung": regions["right_lung"],
        "heart": np.asarray(length(thorax.heart(x, y)) > 0),
        "mediastinum": regions["mediastinum"],
        "abdomen": under,
        "clavicle": regions["clavicle"],
    }


def chests(count: int, folder: Path, report: Callable[[str], None] = print) -> Chests:
    """Return ``count`` unusual chests; finished ones are kept in ``folder`` and not made again."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [_part(folder, first, min(_PART, count - first), report) for first in range(0, count, _PART)]
    return Chests.join(parts)


def _part(folder: Path, first: int, count: int, report: Callable[[str], None]) -> Chests:
    path = folder / f"phantom{VERSION}-{first:05d}-{count}.npz"
    if path.is_file():
        return Chests.load(path)
    chests = [_chest(seed) for seed in range(first, first + count)]
    part = Chests(np.stack([pixels for pixels, _ in chests]), np.stack([bits for _, bits in chests]))
    part.save(path)
    report(f"{first + count} phantoms")
    return part


def _chest(seed: int) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    projection = project(unusual_anatomy(seed), SIZE)
    masks = silhouettes(projection)
    bits = np.zeros((SIZE, SIZE), dtype=np.uint8)
    for index, name in enumerate(STRUCTURES):
        bits |= masks[name].astype(np.uint8) << index
    return expose(projection).pixels.astype(np.float16), bits
