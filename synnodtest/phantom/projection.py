"""From anatomy to noise-free line integrals, scatter and masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy

from synnodtest.canonical import seed_sequence
from synnodtest.errors import BackgroundError
from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.phantom.anatomy import VERSION, Anatomy
from synnodtest.phantom.bones import skeleton
from synnodtest.phantom.exact_regions import regions_of
from synnodtest.phantom.grid import Grid
from synnodtest.phantom.solids import Array, ellipsoid, length, outside
from synnodtest.phantom.thorax import SIDES, Thorax
from synnodtest.phantom.vessels import airway_mm, vessel_mm

SOFT = 0.0190
"""Attenuation of soft tissue in 1/mm at the effective energy of a 120 kVp chest beam behind the patient."""
FAT = 0.0168
"""Attenuation of fat in 1/mm at the same energy: set by hand at 0.88 of soft tissue's, fat being a tenth lighter."""
BLUR_MM = 0.28
"""Standard deviation of the detector's blur."""
EQUALISED_MM = 16.0
"""Standard deviation of the surroundings from which the display's equalisation tells details."""


@dataclass(frozen=True, eq=False)
class Projection:
    """One chest on one grid, before noise and display. Plant nodules and expose it as often as you like.

    Args:
        anatomy: The chest.
        size: Pixels along each side.
        line: Line integral of attenuation along each ray, (size, size).
        intensity: Primary and scattered intensity behind the patient, blurred by the detector; 1 is the open beam.
        low: Smooth log exposure that the display equalises against.
        window: Log exposures shown as mid lung and as mediastinum.
        regions: All masks, read-only.
        thorax: The solids, for whoever plants something.
        grid: The pixels in patient coordinates.
    """

    anatomy: Anatomy
    size: int
    line: FloatArray
    intensity: FloatArray
    low: FloatArray
    window: tuple[float, float]
    regions: Mapping[str, BoolArray]
    thorax: Thorax
    grid: Grid

    @property
    def spacing_mm(self) -> tuple[float, float]:
        """Distance between pixel centres, ``(row, column)``."""
        return self.grid.spacing, self.grid.spacing


def project(anatomy: Anatomy, size: int = 1024) -> Projection:
    """Project a chest along parallel PA rays (Beer-Lambert) onto a square detector.

    Args:
        anatomy: From :func:`sample_anatomy`.
        size: Pixels along each side, a multiple of 64 between 128 and 2048; the field of view stays the same.

    Raises:
        BackgroundError: ``size`` is not possible.
    """
    if size % 64 or not 128 <= size <= 2048:
        raise BackgroundError(
            f"a phantom of {size} x {size} pixels cannot be made", hint="a multiple of 64, 128 to 2048"
        )
    thorax, grid = Thorax(anatomy), Grid(anatomy, size)
    fine = size >= 768
    bones = skeleton(thorax, Grid(anatomy, size // 2) if fine else grid)
    bone, rib_mm, clavicle_mm = (resampled(one, size) if fine else one for one in bones)
    aerated = {side: _per_side(thorax, grid, side) for side in SIDES.values()}
    leak, pleura = _pleural(thorax, grid, aerated)
    lung = aerated[-1] + aerated[1]
    density = np.float32(anatomy.lung_density * SOFT)
    collapsed = np.float32(density / (1 - anatomy.collapse) ** 0.8)
    of_lung = sum((collapsed if side == anatomy.pneumothorax else density) * aerated[side] for side in SIDES.values())
    vessels = vessel_mm(thorax, grid)
    tissue = thorax.body(grid.x, grid.y) - lung - leak
    line = np.float32(SOFT) * (tissue - airway_mm(thorax, grid) - _gas(thorax, grid))
    line += np.float32(FAT) * thorax.breasts(grid.x, grid.y)
    line += of_lung * (1 + _texture(anatomy, size)) + np.float32(SOFT * 1.03) * pleura
    line += np.minimum(vessels, lung) * (np.float32(SOFT * 1.04) - density)
    line += bone
    line = np.maximum(line, 0).astype(np.float32)
    masks = regions_of(thorax, grid, aerated, leak, rib_mm, clavicle_mm)
    primary = np.exp(-line)
    scatter = smooth(primary * np.float32(0.11) * line ** np.float32(1.3), 28.0 / grid.spacing)
    intensity = blurred(primary + scatter, grid.spacing)
    log = -np.log(intensity)
    low = smooth(log, EQUALISED_MM / grid.spacing)
    window = float(np.percentile(log[masks["lung"]], 30)), float(np.percentile(log[masks["mediastinum"]], 80))
    return Projection(anatomy, size, line, intensity, low, window, masks, thorax, grid)


def blurred(image: Array, spacing: float) -> FloatArray:
    """Return the image as the detector blurs it."""
    return np.asarray(
        scipy.ndimage.gaussian_filter(image, BLUR_MM / spacing, mode="nearest", truncate=4.0), dtype=np.float32
    )


def smooth(image: Array, sigma_px: float) -> FloatArray:
    """Return a widely blurred image, computed on blocks of 8 x 8 pixels or more and interpolated back."""
    size = image.shape[0]
    count = 128 if size % 128 == 0 and size > 128 else 64
    block = size // count
    coarse = image.reshape(count, block, count, block).mean(axis=(1, 3))
    coarse = scipy.ndimage.gaussian_filter(coarse, sigma_px / block, mode="nearest")
    return resampled(coarse.astype(np.float32), size)


def resampled(image: Array, size: int) -> FloatArray:
    """Interpolate a square image linearly to another number of pixels over the same field.

    Not by matrices: their products differ in the last bit with the number of threads, and a stored radiograph must fit
    the background it is read with.
    """
    count = image.shape[0]
    at = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
    first = np.minimum(at.astype(np.int64), count - 2)
    share = (at - first).astype(np.float32)
    rows = image[first] * (1 - share)[:, None] + image[first + 1] * share[:, None]
    return np.asarray(rows[:, first] * (1 - share) + rows[:, first + 1] * share, dtype=np.float32)


def _window(grid: Grid, thorax: Thorax, side: int) -> tuple[slice, slice]:
    """Return rows and columns that hold one hemithorax."""
    a = thorax.anatomy
    rows = grid.rows(0, 1.25 * a.height)
    slack = abs(a.tilt) * a.height + 2
    edges = np.array([[-(a.width + 8) - slack, 0, 0], [slack, 0, 0]]) * [-side, 1, 1]
    columns = np.sort(np.clip(grid.to_px(edges)[0], 0, grid.size))
    return rows, slice(int(columns[0]), int(np.ceil(columns[1])))


def _per_side(thorax: Thorax, grid: Grid, side: int) -> Array:
    total: Array = np.zeros((grid.size, grid.size), dtype=np.float32)
    rows, columns = _window(grid, thorax, side)
    total[rows, columns] = thorax.aerated_length(side, grid.x[rows, columns], grid.y[rows])
    return total


def _pleural(thorax: Thorax, grid: Grid, aerated: dict[int, Array]) -> tuple[Array, Array]:
    """Return the mm of free air and of visceral pleura along each ray."""
    side = thorax.anatomy.pneumothorax
    leak: Array = np.zeros((grid.size, grid.size), dtype=np.float32)
    pleura = np.zeros_like(leak)
    if side:
        rows, columns = _window(grid, thorax, side)
        x, y = grid.x[rows, columns], grid.y[rows]
        obstacles = thorax.obstacles(side, x, y)
        free = outside(thorax.cavity(side, x, y), obstacles)
        shell = outside(thorax.pleura(side, x, y), obstacles) - aerated[side][rows, columns]
        pleura[rows, columns] = np.minimum(np.maximum(shell, 0), free)
        leak[rows, columns] = np.maximum(free - aerated[side][rows, columns], 0)
    return leak, pleura


def _gas(thorax: Thorax, grid: Grid) -> Array:
    """Return the mm of gas in the stomach: a bubble under the left dome over a level of fluid."""
    a = thorax.anatomy
    semi = (a.gas, 0.62 * a.gas, 0.7 * a.gas)
    centre = (0.40 * a.width, a.dome_left * a.height + 0.03 * a.height + semi[1], -0.25 * a.depth)
    bubble = length(ellipsoid(thorax.at_depth(grid.x, centre[2]), grid.y, centre, semi))
    return np.asarray(np.where(grid.y < centre[1] + 0.35 * semi[1], bubble, 0))


def _texture(anatomy: Anatomy, size: int) -> FloatArray:
    """Return the relative variation of lung attenuation: a power-law field, the unresolved vessels."""
    count = 512
    rng = np.random.default_rng(seed_sequence("phantom-texture", VERSION, anatomy.seed))
    white = rng.standard_normal((count, count), dtype=np.float32)
    pitch = anatomy.field / count
    f = np.hypot(np.fft.fftfreq(count, pitch)[:, None], np.fft.rfftfreq(count, pitch)[None, :])
    shape = np.where(f > 1 / 60, np.maximum(f, 1e-6) ** -1.35, 0) * np.exp(-((f * 1.6) ** 2))
    field = np.fft.irfft2(np.fft.rfft2(white) * shape, s=(count, count))
    field *= 0.035 * anatomy.haze / field.std()
    return resampled(field.astype(np.float32), size)
