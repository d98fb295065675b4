"""Mimics into a radiograph: their parts stop some of the primary beam, and what is left is shown through its curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy

from synnodtest.attenuation.beam import beam_of
from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import Array, BoolArray, FloatArray, Indices, box_of_mask, equal_area_diameter_mm
from synnodtest.mimics.kind import Setting
from synnodtest.mimics.parts import Part
from synnodtest.mimics.registry import mimic_kind
from synnodtest.radiograph import Radiograph, Truth, lung_range
from synnodtest.scene import Mimic

BLUR_MM = 0.28
"""Standard deviation of the detector's blur: half the contrast at 0.67 per mm; that of the phantoms."""
SCATTER = 0.3
"""Scattered share of the exposure behind the lung with a grid, which no mimic stops: so metal takes away at most 1.2 of
log exposure, or 0.86 lung ranges. A real clip on an NIH film (00001280_004) peaks at 0.84."""
_FINE_MM, _MOST_FINE = 0.1, 8
"""Spacing of points within a pixel, and the most of them along its side."""
_HALF = 0.5
"""Of a pixel must be covered by what its mask says."""


_Drawing = tuple[FloatArray, BoolArray]
"""Share of the primary beam that a mimic stops before scatter and blur, below 0 where more passes; and its mask."""


def with_mimics(radiograph: Radiograph, mimics: Sequence[Mimic], seed: int = 0) -> Radiograph:
    """Return the radiograph with mimics drawn into it, in order, their truth in ``mimics``.

    Pixels beyond a mimic and its blur stay bit-identical. Behind it fewer quanta arrive, and their noise is drawn.

    Args:
        radiograph: With or without nodules.
        mimics: With their places.
        seed: The scene's, of the noise.

    Raises:
        SynthesizerError: a mimic is unknown, has no size, or lies outside the radiograph.
    """
    for position, mimic in enumerate(mimics):
        radiograph = _with(radiograph, mimic, np.random.default_rng(seed_sequence("mimic noise", seed, position)))
    return radiograph


def mimic_mask(radiograph: Radiograph, mimic: Mimic) -> BoolArray:
    """Return the mask (H x W) that a mimic has in a radiograph, without drawing it."""
    return _drawn(mimic, radiograph)[1]


def _with(radiograph: Radiograph, mimic: Mimic, rng: np.random.Generator) -> Radiograph:
    (attenuated, mask), beam = _drawn(mimic, radiograph), beam_of(radiograph)
    sigma = [BLUR_MM / step for step in radiograph.spacing_mm]
    blurred = scipy.ndimage.gaussian_filter(attenuated, sigma, mode="nearest").astype(np.float64)
    stopped = np.where(radiograph.pixels > 0, (1 - SCATTER) * blurred, 0.0)
    left = beam.intensity * (1 - stopped)
    lacking = np.sqrt(left / beam.quanta * np.maximum(stopped, 0))
    pixels = beam.show(left + lacking * rng.standard_normal(radiograph.shape))
    pixels = np.where(stopped != 0, pixels, radiograph.pixels).astype(np.float32)
    truth = _truth(mimic, mask, pixels, radiograph)
    return replace(radiograph, pixels=pixels, mimics=(*radiograph.mimics, truth), altered=True)


def _drawn(mimic: Mimic, radiograph: Radiograph) -> _Drawing:
    """Draw a mimic, but for what lies under the shutter or in air that is black in any case: nothing shows there."""
    kind = mimic_kind(mimic.kind)
    (height, width), (x, y) = radiograph.size_mm, mimic.centre_mm
    if not (math.isfinite(mimic.size_mm) and mimic.size_mm > 0):
        raise SynthesizerError(f"mimic {mimic.name!r}: size_mm must be above 0, not {mimic.size_mm}")
    if not (0 <= x <= width and 0 <= y <= height):
        where = f"({x:g}, {y:g}) mm lies outside the radiograph of {width:.0f} x {height:.0f} mm"
        raise SynthesizerError(f"mimic {mimic.name!r}: {where}")
    rng = np.random.default_rng(seed_sequence("mimic", mimic.kind, mimic.seed))
    setting = Setting(mimic.centre_mm, mimic.size_mm, (width, height), 1.0 if x > width / 2 else -1.0, rng)
    stopped, mask = _rasterised(kind.draw(setting), radiograph.shape, radiograph.spacing_mm)
    exposed = radiograph.pixels > 0
    return np.where(exposed, stopped, np.float32(0)), mask & exposed


def _rasterised(parts: Sequence[Part], shape: tuple[int, int], spacing_mm: tuple[float, float]) -> _Drawing:
    """Return what parts stop and cover of each pixel, over a fine grid within it."""
    rows, columns = np.nonzero(_candidates(parts, shape, spacing_mm))
    x, y = _points(rows, columns, spacing_mm)
    log, inside = np.zeros(x.shape), np.zeros(x.shape, dtype=np.bool_)
    for part in parts:
        thickness = part.thickness(x, y)
        log += part.per_mm * thickness
        if part.in_mask:
            inside |= thickness > part.edge_mm
    stopped, covered = np.zeros(shape, dtype=np.float32), np.zeros(shape)
    stopped[rows, columns] = 1 - np.exp(-log).mean(axis=1)
    covered[rows, columns] = inside.mean(axis=1)
    most = float(covered.max(initial=0.0))
    mask: BoolArray = covered >= _HALF * min(1.0, most) if most > 0 else np.zeros(shape, dtype=np.bool_)
    return stopped, mask


def _candidates(parts: Sequence[Part], shape: tuple[int, int], spacing_mm: tuple[float, float]) -> BoolArray:
    there = np.zeros(shape, dtype=np.bool_)
    for part in parts:
        for x0, y0, x1, y1 in part.boxes:
            top, left = math.floor(y0 / spacing_mm[0]), math.floor(x0 / spacing_mm[1])
            bottom, right = math.ceil(y1 / spacing_mm[0]), math.ceil(x1 / spacing_mm[1])
            there[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True
    return there


def _points(rows: Indices, columns: Indices, spacing_mm: tuple[float, float]) -> tuple[Array, Array]:
    """Return ``x`` and ``y`` in mm of the points within each pixel, a row of points per pixel."""
    fine = [min(max(2, math.ceil(step / _FINE_MM)), _MOST_FINE) for step in spacing_mm]
    down, along = np.meshgrid(*((np.arange(n) + 0.5) / n for n in fine), indexing="ij")
    y = (rows[:, None] + down.ravel()[None, :]) * spacing_mm[0]
    x = (columns[:, None] + along.ravel()[None, :]) * spacing_mm[1]
    return x, y


def _truth(mimic: Mimic, mask: BoolArray, pixels: FloatArray, before: Radiograph) -> Truth:
    box = box_of_mask(mask)
    x0, y0, x1, y1 = (0, 0, 1, 1) if box is None else (int(edge) for edge in box)
    added = float((pixels.astype(np.float64) - before.pixels)[mask].mean()) if mask.any() else 0.0
    return Truth(
        name=mimic.name,
        crop=mask[y0:y1, x0:x1].copy(),
        origin=(y0, x0),
        diameter_mm=equal_area_diameter_mm(float(mask.sum()), before.spacing_mm),
        contrast=added / lung_range(before),
        requested=mimic.request(),
    )
