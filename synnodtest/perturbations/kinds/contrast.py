"""``contrast``: factor on the distance of every pixel from the mean."""

from __future__ import annotations

import numpy as np

from synnodtest.geometry import FloatArray
from synnodtest.perturbations.kind import PerturbationKind, Span


def _contrast(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    mean = np.float32(pixels.mean(dtype=np.float64))
    return mean + (pixels - mean) * np.float32(value)


KIND = PerturbationKind(
    name="contrast",
    about="Factor on the distance of every pixel from the mean.",
    span=Span(0, 10, open_below=True, drawn_from=0.01),
    neutral=1.0,
    change=_contrast,
)
