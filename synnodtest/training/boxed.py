"""Training windows of annotated nodules: boxes to masks, and windows without a nodule from images without one.

NODE21 knows of a nodule no more than its box. Its mask is found in three steps: a smooth surface through the
surroundings of the box is taken away; what is left is smoothed and cut at 40% of its peak; the connected part at the
peak is kept. Where that covers less than a fifth of the ellipse in the box, or more than the box, the ellipse stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import ndimage

from synnodtest.annotated.sets import AnnotatedSet
from synnodtest.backgrounds.lungs import estimate_lungs
from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import (
    Array,
    BoolArray,
    Box,
    FloatArray,
    centre_of,
    ellipse_in,
    equal_area_diameter_mm,
    px_to_mm,
)
from synnodtest.radiograph import Radiograph
from synnodtest.radiomics_features import FEATURE_NAMES, about_surroundings, features_or_none
from synnodtest.synthesizers.window import Window, lung_window
from synnodtest.training.windows import NODULE, PLAIN, TrainingWindows

CUT = 0.4
"""Share of the peak at which a mask ends; set by eye: more leaves faint outskirts out, less runs along ribs."""
RING_PX = 8.0
"""Width of the surroundings through which the surface is laid, in pixels of a window (0.7 mm); set by eye: less is too
few of them, more bends it to ribs."""


def _surface(image: FloatArray, known: BoolArray) -> Array:
    """Return the quadratic surface (h, w) through the known pixels, by least squares."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] / max(image.shape) - 0.5
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    weights = np.linalg.lstsq(terms[known], image[known].astype(np.float64), rcond=None)[0]
    return np.asarray(terms @ weights, dtype=np.float64)


def mask_in_box(image: FloatArray, box: Box) -> BoolArray:
    """Return the mask (h, w) of the nodule in a box.

    Args:
        image: (h, w) brightness.
        box: ``(x_min, y_min, x_max, y_max)`` in pixels of ``image``, edges.
    """
    ellipse = ellipse_in(box, (0, image.shape[0]), (0, image.shape[1]))
    rows, columns = np.arange(image.shape[0]) + 0.5, np.arange(image.shape[1]) + 0.5

    def square(margin: float) -> BoolArray:
        inside: BoolArray = ((rows > box[1] - margin) & (rows < box[3] + margin))[:, None] & (
            (columns > box[0] - margin) & (columns < box[2] + margin)
        )[None, :]
        return inside

    ring = square(RING_PX) & ~square(1.0)
    if ring.sum() < 20 or ellipse.sum() < 6:
        return ellipse
    rise = np.where(square(0.0), image - _surface(image, ring), 0.0)
    smooth = ndimage.gaussian_filter(rise, 1.0)
    peak = float(np.percentile(smooth[ellipse], 95))
    if peak <= 0:
        return ellipse
    labels, _ = ndimage.label((smooth > CUT * peak) & square(0.0))
    top = np.unravel_index(int(np.argmax(np.where(ellipse, smooth, -np.inf))), smooth.shape)
    filled: BoolArray = ndimage.binary_fill_holes(labels == labels[top]) if labels[top] else ellipse
    share = filled.sum() / ellipse.sum()
    return filled if 0.2 <= share <= 4 / np.pi else ellipse


def annotated_windows(
    data: AnnotatedSet,
    count: int,
    *,
    size: int = 96,
    spacing_mm: float = 0.7,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> TrainingWindows:
    """Cut windows around annotated nodules, each as often as needed, and as many windows from images without one.

    Raises:
        SynthesizerError: no nodule of the set can be used.
    """
    rows: list[TrainingWindows] = []
    with_nodule = 0
    for index, case in enumerate(data.cases):
        radiograph = _with_lungs(data.load(case))
        rng = np.random.default_rng(seed_sequence("annotated-windows", seed, case.id))
        own = _of_nodules(radiograph, index, size, spacing_mm)
        with_nodule += len(own)
        if not own and len(rows) <= 2 * with_nodule + count // 20:
            own = [_plain(radiograph, index, rng, size, spacing_mm)]
        rows += own
        if len(rows) >= count:
            break
        if (index + 1) % 200 == 0:
            report(f"cut {len(rows)} windows from {index + 1} radiographs")
    if not with_nodule:
        raise SynthesizerError("no annotated nodule to train on", hint="give CT nodules with --ct-patches")
    windows = TrainingWindows.join(rows)
    plain = windows.kind == PLAIN
    windows.features[plain] = windows.features[~plain][np.arange(int(plain.sum())) % int((~plain).sum())]
    return windows


def _with_lungs(radiograph: Radiograph) -> Radiograph:
    if radiograph.lung is not None:
        return radiograph
    return replace(radiograph, regions=estimate_lungs(radiograph.pixels, radiograph.spacing_mm))


def _of_nodules(radiograph: Radiograph, index: int, size: int, spacing_mm: float) -> list[TrainingWindows]:
    windows: list[TrainingWindows] = []
    for truth in radiograph.nodules:
        x_min, y_min, x_max, y_max = truth.box
        row_mm, column_mm = radiograph.spacing_mm
        centre = px_to_mm(centre_of(truth.box), radiograph.spacing_mm)
        half = ((x_max - x_min) * column_mm / 2 / spacing_mm, (y_max - y_min) * row_mm / 2 / spacing_mm)
        if max(half) > size / 2 - 6:
            continue
        window = lung_window(radiograph, Window(centre, size, spacing_mm))
        middle = size / 2
        mask = mask_in_box(window, (middle - half[0], middle - half[1], middle + half[0], middle + half[1]))
        near = ndimage.binary_dilation(mask, iterations=6) & ~ndimage.binary_dilation(mask, iterations=3)
        contrast = float(window[mask].mean() - window[near].mean())
        measured = features_or_none(about_surroundings(window, mask), mask, spacing_mm=spacing_mm)
        if measured is None:
            continue
        diameter = equal_area_diameter_mm(float(mask.sum()), (spacing_mm, spacing_mm))
        features = np.concatenate([[diameter, max(contrast, 0.0)], measured])
        windows.append(TrainingWindows.one(window, np.zeros_like(window), mask, features, (index, -1), NODULE))
    return windows


def _plain(
    radiograph: Radiograph, index: int, rng: np.random.Generator, size: int, spacing_mm: float
) -> TrainingWindows:
    places = np.array([radiograph.shape]) // 2 if radiograph.lung is None else np.argwhere(radiograph.lung)
    row, column = places[rng.integers(len(places))]
    centre = (column * radiograph.spacing_mm[1], row * radiograph.spacing_mm[0])
    window = lung_window(radiograph, Window(centre, size, spacing_mm))
    half = rng.uniform(3, size * 0.35)
    middle = size / 2
    mask = ellipse_in((middle - half, middle - half, middle + half, middle + half), (0, size), (0, size))
    none = np.zeros(2 + len(FEATURE_NAMES))
    return TrainingWindows.one(window, np.zeros_like(window), mask, none, (index, -1), PLAIN)
