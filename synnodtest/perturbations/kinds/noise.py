"""``noise``: standard deviation of added Gaussian noise (0..1 scale)."""

import numpy as np

from synnodtest.perturbations.kind import PerturbationKind, Span

KIND = PerturbationKind(
    name="noise",
    about="Standard deviation of added Gaussian noise (0..1 scale).",
    span=Span(0, 1),
    neutral=0.0,
    change=lambda pixels, value, rng: pixels + rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(value),
)
