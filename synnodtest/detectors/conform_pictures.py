"""Radiographs that an adapter is shown: phantoms with one conspicuous nodule each, and what is made of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synnodtest.perturbations.affine import flip, swap_sides, warp
from synnodtest.radiograph import Radiograph


def blind(radiograph: Radiograph) -> Radiograph:
    """Return a radiograph without its truth."""
    return replace(radiograph, nodules=())


def conspicuous_radiographs(count: int = 8, size: int = 1024) -> list[Radiograph]:
    """Return phantoms with one dense nodule of 20 to 28 mm each, cut to different shapes."""
    from synnodtest.canonical import seed_sequence
    from synnodtest.phantom import PhantomNodule, expose, project, sample_anatomy

    radiographs = []
    for number in range(count):
        projection = project(sample_anatomy(9_000_000 + number), size)
        rng = np.random.default_rng(seed_sequence("conform", number))
        side = ("left_lung", "right_lung")[number % 2]
        region = projection.regions[side] & ~projection.regions["mediastinum"]
        rows, columns = np.nonzero(region & ~projection.regions["subdiaphragmatic"])
        pick = rng.choice(np.flatnonzero(_central(rows) & _central(columns)))
        centre = (columns[pick] + 0.5) * projection.spacing_mm[1], (rows[pick] + 0.5) * projection.spacing_mm[0]
        nodule = PhantomNodule(float(rng.uniform(20, 28)), centre, contrast=0.6, seed=number)
        radiographs.append(_cut(expose(projection, [nodule]), number, size))
    return radiographs


def _central(places: np.ndarray[tuple[int], np.dtype[np.intp]]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    low, high = np.quantile(places, [0.25, 0.75])
    central: np.ndarray[tuple[int], np.dtype[np.bool_]] = (places >= low) & (places <= high)
    return central


def _cut(radiograph: Radiograph, number: int, size: int) -> Radiograph:
    """Cut away rows of even ones at the bottom, columns of odd ones at the left, so that no picture is square."""
    cut = size // 16 + number % 3 * (size // 32)
    rows, columns, shift = (
        (slice(None, -cut), slice(None), 0) if number % 2 == 0 else (slice(None), slice(cut, None), cut)
    )
    moved = tuple(replace(truth, origin=(truth.origin[0], truth.origin[1] - shift)) for truth in radiograph.nodules)
    regions = {name: np.ascontiguousarray(mask[rows, columns]) for name, mask in radiograph.regions.items()}
    pixels = np.ascontiguousarray(radiograph.pixels[rows, columns])
    return replace(radiograph, pixels=pixels, regions=regions, source=f"conform-{number}", nodules=moved)


SMALLER = 0.8
"""Share of a radiograph's sides at which it is shown again; set by hand: nodules are found as before, and none of them
lies where it did."""


def smaller(radiograph: Radiograph) -> Radiograph:
    """Return a copy of fewer pixels without its truth and regions."""
    from PIL import Image

    height, width = radiograph.shape
    rows, columns = round(height * SMALLER), round(width * SMALLER)
    picture = Image.fromarray(np.ascontiguousarray(radiograph.pixels)).resize((columns, rows), Image.Resampling.BOX)
    spacing_mm = radiograph.spacing_mm[0] * height / rows, radiograph.spacing_mm[1] * width / columns
    pixels = np.clip(np.asarray(picture, np.float32), 0, 1)
    return replace(blind(radiograph), pixels=pixels, spacing_mm=spacing_mm, regions={})


def mirrored(radiograph: Radiograph) -> Radiograph:
    """Return the mirror image without its truth; left and right regions change places."""
    return swap_sides(warp(blind(radiograph), flip(radiograph.shape, horizontal=True)))


def below_a_step(example: Radiograph) -> tuple[Radiograph, Radiograph]:
    """Return a disc on a flat ground, both at grey values of 8 bits, and with a radiograph squeezed into a step.

    Near the edge of the disc nothing is added: however an adapter resamples, 8 bits give the same picture.
    """
    height, width = example.shape
    y, x = np.mgrid[:height, :width]
    edge = np.hypot(y - 0.45 * height, x - 0.3 * width) - min(height, width) / 12
    ground = np.where(edge < 0, 180 / 255, 100 / 255).astype(np.float32)
    high, low = np.percentile(example.pixels, [99, 1])
    squeezed = np.clip((example.pixels - (high + low) / 2) / max(high - low, 1e-6) * 2, -1, 1) * 0.4 / 255
    squeezed[np.abs(edge) < 0.04 * min(height, width)] = 0
    plain = replace(blind(example), pixels=ground)
    return plain, replace(plain, pixels=(ground + squeezed).astype(np.float32))
