"""Stock of a training that plants nodules anew in every batch: radiographs, lungs, and CT shadows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from synnodtest.canonical import seed_sequence
from synnodtest.detectors.frames import Frame
from synnodtest.geometry import Array, Box
from synnodtest.radiograph import Radiograph, lung_range
from synnodtest.synthesizers.ct_library import CtLibrary
from synnodtest.synthesizers.projection import Projection, project, random_rotation
from synnodtest.training.arrays import Arrays

SHADOW_PX = 72
"""Edge of a stored shadow; the nodule's equal-area diameter is half of it, which leaves room for elongated ones."""
VIEWS = 6
"""Random directions that every CT nodule is projected from."""
LARGEST_BOX_PX = 0.2
"""Annotated boxes wider than this share of the picture are masses of half a lung; their radiographs are left out."""


@dataclass(frozen=True, eq=False)
class Stock(Arrays):
    """Radiographs at the detector's input size, n of them, side S.

    Args:
        films: uint8 (n, S, S), fitted into the square as the detector will see them.
        lungs: bool (n, S, S).
        unit: float32 (n,) lung range of each in 0..1, the unit of contrast.
        spacing_mm: float32 (n, 2) ``(row, column)`` at this size.
        boxes: float32 (m, 4) annotated boxes ``x_min, y_min, x_max, y_max`` in pixels.
        owner: int64 (m,) the radiograph that each box lies in.
        kind: int8 (n,) which source it came from, in the order of the command line.
    """

    films: NDArray[np.uint8]
    lungs: NDArray[np.bool_]
    unit: NDArray[np.float32]
    spacing_mm: NDArray[np.float32]
    boxes: NDArray[np.float32]
    owner: NDArray[np.int64]
    kind: NDArray[np.int8]

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return several stocks as one; boxes keep the radiographs that they lie in."""
        first = np.cumsum([0, *(len(part) for part in parts)])
        return super().join(
            [replace(part, owner=part.owner + start) for part, start in zip(parts, first, strict=False)]
        )


def stock_of(radiographs: Iterable[tuple[Radiograph, Sequence[Box]]], kind: int, size: int) -> Stock | None:
    """Return radiographs with the boxes of their annotated nodules as a stock; None if there are none to use."""
    rows = list(_rows(radiographs, size))
    if not rows:
        return None
    owner = [np.full(len(boxes), index) for index, (*_, boxes) in enumerate(rows)]
    return Stock(
        films=np.stack([row[0] for row in rows]),
        lungs=np.stack([row[1] for row in rows]),
        unit=np.array([row[2] for row in rows], dtype=np.float32),
        spacing_mm=np.array([row[3] for row in rows], dtype=np.float32),
        boxes=np.concatenate([row[4] for row in rows]).astype(np.float32),
        owner=np.concatenate(owner).astype(np.int64),
        kind=np.full(len(rows), kind, dtype=np.int8),
    )


_Row = tuple[NDArray[np.uint8], NDArray[np.bool_], float, tuple[float, float], Array]


def _rows(radiographs: Iterable[tuple[Radiograph, Sequence[Box]]], size: int) -> Iterator[_Row]:
    for number, (radiograph, marked) in enumerate(radiographs):
        picture, frame = Frame.letterbox(radiograph.pixels, (size, size))
        boxes = np.array(marked, dtype=np.float64).reshape(-1, 4)
        boxes = boxes * np.tile(frame.scale, 2) + np.tile(frame.offset, 2)
        lung = radiograph.lung
        if lung is None or (boxes[:, 2:] - boxes[:, :2] > LARGEST_BOX_PX * size).any():
            continue
        mask = Frame.letterbox(lung.astype(np.float32), (size, size))[0] > 0.5
        spacing = (radiograph.spacing_mm[0] / frame.scale[1], radiograph.spacing_mm[1] / frame.scale[0])
        yield np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8), mask, lung_range(radiograph), spacing, boxes
        if (number + 1) % 50 == 0:
            print(f"read {number + 1} radiographs")


@dataclass(frozen=True, eq=False)
class Shadows(Arrays):
    """Projected CT nodules at one size on their canvas, m of them, edge :data:`SHADOW_PX`.

    Args:
        excess: float16 (m, edge, edge) what the nodule adds, mean 1 over its silhouette.
        silhouette: float16 (m, edge, edge) share of each pixel that it covers.
        diameter_mm: float32 (m,) the CT nodule's own.
    """

    excess: NDArray[np.float16]
    silhouette: NDArray[np.float16]
    diameter_mm: NDArray[np.float32]


def cast_shadows(library: CtLibrary) -> Shadows:
    """Project every CT nodule from :data:`VIEWS` random directions.

    Args:
        library: The nodules; leave out the series that evaluations stand on.
    """
    excess, silhouette, diameters = [], [], []
    for index, nodule in enumerate(library.nodules):
        rng = np.random.default_rng(seed_sequence("shadows", 0, index))
        for _ in range(VIEWS):
            projection = project(*nodule.read(), random_rotation(rng))
            if projection.diameter_mm < 2:
                continue
            added, covered = _centred(projection)
            excess.append(added)
            silhouette.append(covered)
            diameters.append(projection.diameter_mm)
    return Shadows(np.stack(excess), np.stack(silhouette), np.array(diameters, dtype=np.float32))


def _centred(projection: Projection) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Return excess and silhouette zoomed to half the canvas, the silhouette's centre in its middle."""
    step = projection.diameter_mm / (SHADOW_PX / 2)
    place = (np.arange(SHADOW_PX) - (SHADOW_PX - 1) / 2) * step
    grid = np.meshgrid(*(place + at for at in projection.middle), indexing="ij")
    # A voxel of 1 mm spans many pixels of a small nodule: without this its steps would be seen.
    soft = max(0.35 / step, 0.0) if step < 1 else 0.0
    covered = ndimage.gaussian_filter(ndimage.map_coordinates(projection.silhouette, grid, order=1), soft)
    added = ndimage.gaussian_filter(ndimage.map_coordinates(projection.excess, grid, order=1), soft)
    inside = covered > 0.5
    mean = float(added[inside].mean()) if inside.any() else 1.0
    return (added / max(mean, 1e-6)).astype(np.float16), covered.astype(np.float16)
