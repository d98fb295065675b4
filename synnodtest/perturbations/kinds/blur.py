"""``blur``: standard deviation of a Gaussian blur in pixels."""

from __future__ import annotations

import numpy as np
import scipy

from synnodtest.geometry import FloatArray
from synnodtest.perturbations.kind import PerturbationKind, Span

__all__ = ["KIND"]


def _blur(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    blurred: FloatArray = scipy.ndimage.gaussian_filter(pixels, value, mode="nearest")
    return blurred


KIND = PerturbationKind(
    name="blur",
    about="Standard deviation of a Gaussian blur in pixels.",
    span=Span(0, 100),
    neutral=0.0,
    change=_blur,
)
