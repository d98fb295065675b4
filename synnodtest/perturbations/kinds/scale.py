"""``scale``: zoom about the centre."""

from synnodtest.perturbations import affine
from synnodtest.perturbations.kind import PerturbationKind, Span

KIND = PerturbationKind(
    name="scale",
    about="Zoom about the centre by this factor.",
    span=Span(0, 10, open_below=True, drawn_from=0.01),
    neutral=1.0,
    move=lambda value, shape, spacing_mm: affine.scaling(float(value), shape),
)
