"""``shift_px``: shift by pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synnodtest.errors import SynthesizerError
from synnodtest.perturbations import affine
from synnodtest.perturbations.affine import Affine
from synnodtest.perturbations.kind import PerturbationKind, is_number


def _possible(value: Any) -> bool:
    pair = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
    return pair and all(map(is_number, value))


def _move(value: Any, shape: tuple[int, int], spacing_mm: tuple[float, float]) -> Affine:
    if abs(value[0]) >= shape[1] or abs(value[1]) >= shape[0]:
        limit = f"less than the radiograph's {shape[1]} x {shape[0]} pixels"
        raise SynthesizerError(f"perturbation shift_px: must be {limit}, not {value!r}")
    return affine.shift(float(value[0]), float(value[1]))


KIND = PerturbationKind(
    name="shift_px",
    about="Shift [x, y] in pixels: right, down.",
    schema={
        "type": "array",
        "items": {"anyOf": [{"type": "number"}, {"$ref": "#/$defs/variable"}]},
        "minItems": 2,
        "maxItems": 2,
    },
    possible=_possible,
    wanted="two numbers [x, y]",
    nothing=lambda value: not any(value),
    move=_move,
)
