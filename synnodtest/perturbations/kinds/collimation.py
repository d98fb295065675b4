"""``collimation``: this many mm on each side lie under the shutter, which is shown black.

Regions and truth under the shutter are cut; a nodule that lies under it whole is none.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from synnodtest.errors import SynthesizerError
from synnodtest.geometry import BoolArray, equal_area_diameter_mm
from synnodtest.perturbations.kind import PerturbationKind, Span
from synnodtest.radiograph import Radiograph, Truth, with_truth


def _collimation(radiograph: Radiograph, width_mm: Any, rng: np.random.Generator) -> Radiograph:
    rows, columns = (round(float(width_mm) / step) for step in radiograph.spacing_mm)
    height, width = radiograph.shape
    if 2 * rows >= height or 2 * columns >= width:
        size = " x ".join(f"{side:.0f}" for side in radiograph.size_mm)
        raise SynthesizerError(f"perturbation collimation: {width_mm:g} mm a side leave nothing of {size} mm")
    field = np.zeros(radiograph.shape, dtype=np.bool_)
    field[rows : height - rows, columns : width - columns] = True
    return replace(
        with_truth(radiograph, lambda truth: _within(truth, field, radiograph)),
        pixels=np.where(field, radiograph.pixels, np.float32(0)),
        regions={name: mask & field for name, mask in radiograph.regions.items()},
    )


def _within(truth: Truth, field: BoolArray, radiograph: Radiograph) -> Truth | None:
    """Return what of a nodule lies in the field, measured again if it was cut; None where nothing does."""
    crop = truth.crop & field[truth.cut]
    if not crop.any():
        return None
    if crop.sum() == truth.crop.sum():
        return truth
    return replace(truth, crop=crop, diameter_mm=equal_area_diameter_mm(float(crop.sum()), radiograph.spacing_mm))


KIND = PerturbationKind(
    name="collimation",
    about="Millimetres on each side under the shutter, which is black; truth there is cut.",
    span=Span(0, 200),
    neutral=0.0,
    remake=_collimation,
)
