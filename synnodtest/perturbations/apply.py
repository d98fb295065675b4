"""Perturbations by name: checked, applied in order, and followed by a point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynthesizerError
from synnodtest.perturbations import affine
from synnodtest.perturbations.affine import Affine
from synnodtest.perturbations.intensity import INTENSITY
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Perturbation

__all__ = ["KINDS", "RANGES", "check_perturbation", "is_neutral", "map_point", "perturb"]


@dataclass(frozen=True)
class _Range:
    low: float
    high: float
    open_below: bool = False

    def __contains__(self, value: float) -> bool:
        return (self.low < value if self.open_below else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        return f"{'above ' if self.open_below else ''}{self.low:g} to {self.high:g}"


RANGES: Mapping[str, _Range] = {
    "rotate_deg": _Range(-180, 180),
    "scale": _Range(0, 10, open_below=True),
    "gamma": _Range(0, 10, open_below=True),
    "brightness": _Range(-1, 1),
    "contrast": _Range(0, 10, open_below=True),
    "noise": _Range(0, 1),
    "blur": _Range(0, 100),
    "jpeg": _Range(1, 100),
    "downsample": _Range(1, 64),
}
KINDS: tuple[str, ...] = ("flip", "shift_px", *RANGES)

_NEUTRAL: Mapping[str, float] = {
    **dict.fromkeys(("rotate_deg", "brightness", "noise", "blur"), 0.0),
    **dict.fromkeys(("scale", "gamma", "contrast", "downsample"), 1.0),
}


def is_neutral(perturbation: Perturbation) -> bool:
    """Return whether a perturbation changes no radiograph (``rotate_deg: 0``)."""
    if perturbation.kind == "shift_px":
        return not any(perturbation.value)
    return bool(_NEUTRAL.get(perturbation.kind) == perturbation.value)


def perturb(radiograph: Radiograph, perturbations: Sequence[Perturbation], seed: int) -> Radiograph:
    """Return the radiograph after all perturbations, in order; a neutral one (``rotate_deg: 0``) changes nothing.

    Region masks and truth move with the pixels. Truth that leaves the radiograph is cut, and dropped where nothing
    remains; its realised diameter is measured again. Its contrast stays that of planting, and ``requested`` stays as
    it was asked for, in the coordinates before the perturbation.

    Args:
        radiograph: Finished, with its truth.
        perturbations: See the table of this package.
        seed: The scene's seed; only ``noise`` uses it.

    Raises:
        SynthesizerError: a kind is not known, or a value is impossible (a shift by the whole radiograph, too).
    """
    for position, perturbation in enumerate(perturbations):
        check_perturbation(perturbation)
        if perturbation.kind in INTENSITY:
            radiograph = _intensity(radiograph, perturbation, seed, position)
        else:
            radiograph = _geometry(radiograph, perturbation)
    return radiograph


def map_point(
    perturbations: Sequence[Perturbation],
    point_px: tuple[float, float],
    shape: tuple[int, int],
    *,
    spacing_mm: tuple[float, float] = (1.0, 1.0),
) -> tuple[float, float]:
    """Return where a point ``(x, y)`` of the unperturbed radiograph lies afterwards, in pixels; perhaps outside.

    Args:
        perturbations: As given to :func:`perturb`.
        point_px: Counted from the top left corner; the centre of the first pixel is ``(0.5, 0.5)``.
        shape: Height and width in pixels.
        spacing_mm: ``(row, column)``; needed where the two differ, because rotations are rigid in mm.
    """
    for perturbation in perturbations:
        check_perturbation(perturbation)
        if perturbation.kind not in INTENSITY:
            point_px = _affine_of(perturbation, shape, spacing_mm)(point_px)
    return point_px


def check_perturbation(perturbation: Perturbation) -> None:
    """Return if the perturbation can be applied.

    Raises:
        SynthesizerError: its kind is not known, or its value is of the wrong type or out of range.
    """
    kind, value = perturbation.kind, perturbation.value
    if kind not in KINDS:
        raise SynthesizerError(f"perturbation {kind!r} is not known", hint=f"known are {', '.join(KINDS)}")
    if kind == "flip":
        if value is not True and value not in ("horizontal", "vertical"):
            raise _impossible(kind, "'horizontal' (or true) or 'vertical'", value)
    elif kind == "shift_px":
        pair = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
        if not (pair and all(map(_is_number, value))):
            raise _impossible(kind, "two numbers [x, y]", value)
    elif not _is_number(value) or float(value) not in RANGES[kind]:
        raise _impossible(kind, f"a number from {RANGES[kind]}", value)


def _impossible(kind: str, wanted: str, value: Any) -> SynthesizerError:
    return SynthesizerError(f"perturbation {kind}: must be {wanted}, not {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _intensity(radiograph: Radiograph, perturbation: Perturbation, seed: int, position: int) -> Radiograph:
    kind, value = perturbation.kind, float(perturbation.value)
    if _NEUTRAL.get(kind) == value:
        return radiograph
    rng = np.random.default_rng(seed_sequence("perturbation", seed, position, kind))
    changed = INTENSITY[kind](radiograph.pixels, value, rng)
    return radiograph.with_pixels(np.clip(changed, 0.0, 1.0).astype(np.float32, copy=False))


def _geometry(radiograph: Radiograph, perturbation: Perturbation) -> Radiograph:
    forward = _affine_of(perturbation, radiograph.shape, radiograph.spacing_mm)
    if forward == Affine():
        return radiograph
    moved = affine.warp(radiograph, forward)
    mirrored = perturbation.kind == "flip" and perturbation.value != "vertical"
    return affine.swap_sides(moved) if mirrored else moved


def _affine_of(perturbation: Perturbation, shape: tuple[int, int], spacing_mm: tuple[float, float]) -> Affine:
    kind, value = perturbation.kind, perturbation.value
    if kind == "flip":
        return affine.flip(shape, horizontal=value != "vertical")
    if kind == "shift_px":
        if abs(value[0]) >= shape[1] or abs(value[1]) >= shape[0]:
            raise _impossible(kind, f"less than the radiograph's {shape[1]} x {shape[0]} pixels", value)
        return affine.shift(float(value[0]), float(value[1]))
    if kind == "rotate_deg":
        return affine.rotation(float(value), shape, spacing_mm)
    return affine.scaling(float(value), shape)
