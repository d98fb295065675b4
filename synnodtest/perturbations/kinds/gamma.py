"""``gamma``: pixels to the power of gamma."""

from __future__ import annotations

import numpy as np

from synnodtest.geometry import FloatArray
from synnodtest.perturbations.kind import PerturbationKind, Span

__all__ = ["KIND"]


def _gamma(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    return np.power(pixels, np.float32(value))


KIND = PerturbationKind(
    name="gamma",
    about="Pixels to the power of gamma.",
    span=Span(0, 10, open_below=True, drawn_from=0.01),
    neutral=1.0,
    change=_gamma,
)
