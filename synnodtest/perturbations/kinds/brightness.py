"""``brightness``: added to every pixel (0..1 scale)."""

from __future__ import annotations

import numpy as np

from synnodtest.geometry import FloatArray
from synnodtest.perturbations.kind import PerturbationKind, Span

__all__ = ["KIND"]


def _brightness(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    return pixels + np.float32(value)


KIND = PerturbationKind(
    name="brightness",
    about="Added to every pixel (0..1 scale).",
    span=Span(-1, 1),
    neutral=0.0,
    change=_brightness,
)
