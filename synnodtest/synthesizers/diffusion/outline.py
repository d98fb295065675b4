"""A nodule's outline: how round it is, and bending it to be less so."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.canonical import seed_sequence
from synnodtest.geometry import Array, BoolArray, FloatArray
from synnodtest.synthesizers.diffusion.segment import Drawn

LOBE = 0.45
"""Width of a bulge over the nodule's radius."""
FARTHEST = 0.16
"""Root mean square of the bending over the radius, at most: beyond it an outline folds onto itself."""
TRIED = 9
"""Places from no bending to the farthest, 0.02 of the radius apart; set by hand: finer ones move most outlines by less
than a pixel."""
LEAST_RADIUS_PX = 5.0
"""Smaller nodules have no more pixels along their outline than a bulge has."""
CORNER, PAIR, ACROSS = (1 / 8, math.sqrt(0.5)), (1 / 2, 1.0), (1 / 4, math.sqrt(2))
"""Area and length of the outline in a cell by its corners in the mask, in pixels: those of marching squares, as
PyRadiomics takes them."""
NONE, THREE, FULL = (0.0, 0.0), (7 / 8, math.sqrt(0.5)), (1.0, 0.0)
"""Likewise without a corner, with three and with four."""
CELLS = np.array(
    [NONE, CORNER, CORNER, PAIR, CORNER, PAIR, ACROSS, THREE, CORNER, ACROSS, PAIR, THREE, PAIR, THREE, THREE, FULL]
)
"""Area and outline in a cell between four pixels, by which of them are in the mask (bits 1 and 2 above, 4 and 8)."""


def sphericity_of(mask: BoolArray) -> float:
    """Return the sphericity of a mask with square pixels: the perimeter of the disc of its area over its own, 0..1.

    Both are those of marching squares, as PyRadiomics takes them for ``Sphericity``.
    """
    inside = np.pad(mask.astype(np.int64), 1)
    code = inside[:-1, :-1] + 2 * inside[:-1, 1:] + 4 * inside[1:, :-1] + 8 * inside[1:, 1:]
    area, perimeter = np.bincount(code.ravel(), minlength=16) @ CELLS
    return 2 * math.sqrt(math.pi * float(area)) / float(perimeter) if perimeter else 0.0


@dataclass(frozen=True, eq=False)
class Bend:
    """A smooth displacement of a drawn nodule's pixels.

    Args:
        field: (2, size, size) rows and columns to go, in pixels of the window.
    """

    field: Array

    @property
    def farthest_px(self) -> float:
        """No point goes farther than this."""
        return float(np.hypot(*self.field).max())

    def __call__(self, points: NDArray[np.floating]) -> Array:
        """Return points (2, ...) of the bent nodule as points of the drawn one."""
        moved = [scipy.ndimage.map_coordinates(part, points, order=1, mode="nearest") for part in self.field]
        return np.asarray(points + np.stack(moved), dtype=np.float64)


def bend_for(drawn: Drawn, sphericity: float, seed: int) -> Bend | None:
    """Return the least bending that makes a drawn nodule no rounder than asked; None where it is not, or too small.

    Args:
        drawn: The nodule.
        sphericity: Asked for, 0..1.
        seed: Of where the bulges are.
    """
    radius = drawn.diameter_px / 2
    if radius < LEAST_RADIUS_PX or sphericity_of(drawn.mask) <= sphericity:
        return None
    rng = np.random.default_rng(seed_sequence("diffusion-outline", seed))
    field = scipy.ndimage.gaussian_filter(rng.normal(size=(2, *drawn.mask.shape)), (0, LOBE * radius, LOBE * radius))
    field -= field[:, drawn.mask].mean(axis=1)[:, None, None]
    field *= radius / math.sqrt(float((field[:, drawn.mask] ** 2).sum(axis=0).mean()))
    near = scipy.ndimage.binary_dilation(drawn.mask, iterations=2)
    where = _around(near, math.ceil(FARTHEST * float(np.abs(field).max())) + 2)
    level: FloatArray = np.where(near, drawn.level, 0).astype(np.float32)
    pixels, part = np.indices(near.shape)[(slice(None), *where)], field[(slice(None), *where)]
    share = FARTHEST
    for share in np.linspace(0, FARTHEST, TRIED)[1:]:
        bent = scipy.ndimage.map_coordinates(level, pixels + share * part, order=1) > drawn.edge
        if sphericity_of(bent) <= sphericity:
            break
    return Bend(share * field)


def _around(mask: BoolArray, margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of a mask, with a margin."""
    rows, columns = scipy.ndimage.find_objects(mask.astype(np.int8))[0]
    return (
        slice(max(rows.start - margin, 0), rows.stop + margin),
        slice(max(columns.start - margin, 0), columns.stop + margin),
    )
