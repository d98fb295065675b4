"""``brightness``: added to every pixel (0..1 scale)."""

import numpy as np

from synnodtest.perturbations.kind import PerturbationKind, Span

KIND = PerturbationKind(
    name="brightness",
    about="Added to every pixel (0..1 scale).",
    span=Span(-1, 1),
    neutral=0.0,
    change=lambda pixels, value, rng: pixels + np.float32(value),
)
