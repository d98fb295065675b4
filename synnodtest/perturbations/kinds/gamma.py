"""``gamma``: pixels to the power of gamma."""

import numpy as np

from synnodtest.perturbations.kind import PerturbationKind, Span

KIND = PerturbationKind(
    name="gamma",
    about="Pixels to the power of gamma.",
    span=Span(0, 10, open_below=True, drawn_from=0.01),
    neutral=1.0,
    change=lambda pixels, value, rng: np.power(pixels, np.float32(value)),
)
