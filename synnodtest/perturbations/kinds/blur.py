"""``blur``: standard deviation of a Gaussian blur in pixels."""

import scipy

from synnodtest.perturbations.kind import PerturbationKind, Span

KIND = PerturbationKind(
    name="blur",
    about="Standard deviation of a Gaussian blur in pixels.",
    span=Span(0, 100),
    neutral=0.0,
    change=lambda pixels, value, rng: scipy.ndimage.gaussian_filter(pixels, value, mode="nearest"),
)
