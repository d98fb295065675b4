"""CT nodules projected to the brightness they add to a radiograph.

A nodule's excess attenuation over the lung around it is integrated along one axis of a random rotation
(Beer-Lambert: the line integral, which a logarithmic detector shows as brightness), so that adding it to a
radiograph is blending in the attenuation domain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.attenuation import Outline
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import Array, BoolArray, FloatArray

LUNG_HU = -850.0
"""Density of what the nodule displaces."""
DENSEST_HU = 400.0
"""Calcifications are clipped here, as in the published baseline."""


@dataclass(frozen=True, eq=False)
class Projection:
    """A projected nodule on its own grid of 1 mm.

    Args:
        excess: (h, w) line integral of the excess attenuation, in units of water times mm.
        silhouette: (h, w) share of each pixel covered by the segmentation's shadow, 0..1.
    """

    excess: FloatArray
    silhouette: FloatArray

    @property
    def diameter_mm(self) -> float:
        """Equal-area diameter of the silhouette."""
        return float(2 * np.sqrt((self.silhouette > 0.5).sum() / np.pi))

    @property
    def middle(self) -> tuple[float, float]:
        """Centre ``(row, column)`` of the silhouette in pixels."""
        weight = self.silhouette / self.silhouette.sum()
        row, column = (float((weight.sum(axis=1 - axis) * np.arange(n)).sum()) for axis, n in enumerate(weight.shape))
        return row, column


def random_rotation(rng: np.random.Generator) -> Array:
    """Return a rotation matrix (3, 3), uniform over all rotations."""
    w, x, y, z = rng.normal(size=4)
    n = np.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w / n, x / n, y / n, z / n
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def project(hounsfield: NDArray[np.int16], segmentation: NDArray[np.bool_], rotation: Array) -> Projection:
    """Project one segmented CT nodule with voxels of 1 mm.

    Args:
        hounsfield: (d, h, w) CT values.
        segmentation: (d, h, w) the nodule; voxels outside add nothing (with an edge softened over one voxel).
        rotation: (3, 3) orientation of the nodule before projection along the first axis.

    Raises:
        SynthesizerError: the segmentation is empty.
    """
    where = np.argwhere(segmentation)
    if not len(where):
        raise SynthesizerError("a CT nodule with an empty segmentation cannot be projected")
    centre = (where.min(axis=0) + where.max(axis=0)) / 2
    reach = int(np.ceil(np.linalg.norm(where - centre, axis=1).max())) + 3
    soft = scipy.ndimage.gaussian_filter(segmentation.astype(np.float32), 0.6)
    density = np.clip(hounsfield.astype(np.float32), LUNG_HU, DENSEST_HU)
    excess = (density - LUNG_HU) / 1000.0 * soft
    axis = np.arange(-reach, reach + 1, dtype=np.float64)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij")).reshape(3, -1)
    points = rotation @ grid + centre[:, None]
    size = axis.size
    turned = scipy.ndimage.map_coordinates(excess, points, order=1).reshape(size, size, size)
    shadow = scipy.ndimage.map_coordinates(soft, points, order=1).reshape(size, size, size)
    return Projection(
        excess=np.asarray(turned.sum(axis=0), dtype=np.float32),
        silhouette=np.asarray(shadow.max(axis=0), dtype=np.float32),
    )


def stamp(
    projection: Projection,
    diameter_mm: float,
    centre_mm: tuple[float, float],
    shape: tuple[int, int],
    spacing_mm: tuple[float, float],
    *,
    stretch: float = 1.0,
    turn: float = 0.0,
    outline: Outline | None = None,
) -> tuple[FloatArray, BoolArray]:
    """Draw a projected nodule at a size and place on a pixel grid.

    Args:
        projection: The nodule.
        diameter_mm: Equal-area diameter of the mask that results.
        centre_mm: ``(x, y)`` from the grid's top left corner.
        shape: The grid.
        spacing_mm: ``(row, column)``.
        stretch: Ratio of the axes of an area-preserving stretch.
        turn: Direction of that stretch in radians.
        outline: Bends it at equal area, and varies its brightness.

    Returns:
        Added brightness with mean 1 over the mask, and the mask.
    """
    zoom = diameter_mm / projection.diameter_mm
    step = min(spacing_mm) / zoom
    blur = 0.4 * step if step > 1 else 0.0
    excess = scipy.ndimage.gaussian_filter(projection.excess, blur) if blur else projection.excess
    shadow = scipy.ndimage.gaussian_filter(projection.silhouette, blur) if blur else projection.silhouette
    y = (np.arange(shape[0]) + 0.5) * spacing_mm[0] - centre_mm[1]
    x = (np.arange(shape[1]) + 0.5) * spacing_mm[1] - centre_mm[0]
    yy, xx = np.meshgrid(y, x, indexing="ij")
    cos, sin, root = np.cos(turn), np.sin(turn), np.sqrt(stretch)
    along, across = (cos * xx + sin * yy) / root, (-sin * xx + cos * yy) * root
    if outline is not None:
        bent = outline.radius_at(xx, yy, diameter_mm)
        along, across = along / bent, across / bent
    scale = 1.0 / zoom
    middle = projection.middle
    points = np.stack(
        [(sin * along + cos * across) * scale + middle[0], (cos * along - sin * across) * scale + middle[1]]
    )
    added = np.asarray(scipy.ndimage.map_coordinates(excess, points, order=1), dtype=np.float32)
    if outline is not None:
        added = np.asarray(added * outline.weight_at(xx, yy, diameter_mm), dtype=np.float32)
    mask: BoolArray = np.asarray(scipy.ndimage.map_coordinates(shadow, points, order=1) > 0.5)
    if not mask.any():
        mask = np.hypot(yy, xx) <= max(diameter_mm / 2, float(np.hypot(yy, xx).min()))
    mean = float(added[mask].mean())
    return (added / mean if mean > 0 else mask.astype(np.float32)), mask
