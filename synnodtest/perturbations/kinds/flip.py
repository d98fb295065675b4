"""``flip``: mirror image."""

from synnodtest.perturbations import affine
from synnodtest.perturbations.kind import PerturbationKind

KIND = PerturbationKind(
    name="flip",
    about="Mirror: horizontal (left to right; also true) or vertical.",
    schema={
        "type": ["boolean", "string"],
        "enum": ["horizontal", "vertical", True],
        "x-expected": "horizontal or vertical",
    },
    possible=lambda value: value is True or value in ("horizontal", "vertical"),
    wanted="'horizontal' (or true) or 'vertical'",
    move=lambda value, shape, spacing_mm: affine.flip(shape, horizontal=value != "vertical"),
    mirrors=lambda value: value != "vertical",
)
