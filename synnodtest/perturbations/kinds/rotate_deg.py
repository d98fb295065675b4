"""``rotate_deg``: rotation about the centre."""

from synnodtest.perturbations import affine
from synnodtest.perturbations.kind import PerturbationKind, Span

KIND = PerturbationKind(
    name="rotate_deg",
    about="Rotation about the centre in degrees, counter-clockwise.",
    span=Span(-180, 180),
    neutral=0.0,
    move=lambda value, shape, spacing_mm: affine.rotation(float(value), shape, spacing_mm),
)
