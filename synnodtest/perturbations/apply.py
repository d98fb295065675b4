"""Perturbations by name: checked, applied in order, and followed by a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynthesizerError
from synnodtest.perturbations import affine
from synnodtest.perturbations.affine import Affine
from synnodtest.perturbations.kind import Move, PerturbationKind
from synnodtest.perturbations.registry import perturbation_kinds
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Perturbation


def _kind(perturbation: Perturbation) -> PerturbationKind:
    kinds = perturbation_kinds()
    if perturbation.kind not in kinds:
        raise SynthesizerError(f"perturbation {perturbation.kind!r} is not known", hint=f"known are {', '.join(kinds)}")
    return kinds[perturbation.kind]


def is_neutral(perturbation: Perturbation) -> bool:
    """Return whether a perturbation changes no radiograph (``rotate_deg: 0``)."""
    return _kind(perturbation).is_neutral(perturbation.value)


def perturb(radiograph: Radiograph, perturbations: Sequence[Perturbation], seed: int) -> Radiograph:
    """Return the radiograph after all perturbations, in order; a neutral one (``rotate_deg: 0``) changes nothing.

    Region masks and truth move with the pixels. Truth that leaves the radiograph is cut, and dropped where nothing
    remains; its realised diameter is measured again. Its contrast stays that of planting, and ``requested`` stays as
    it was asked for, in the coordinates before the perturbation.

    Args:
        radiograph: Finished, with its truth.
        perturbations: See the table of this package.
        seed: The scene's seed, of whatever noise is drawn.

    Raises:
        SynthesizerError: a kind is not known, or a value is impossible (a shift by the whole radiograph, too).
    """
    untouched = radiograph
    for position, perturbation in enumerate(perturbations):
        kind, value = check_perturbation(perturbation), perturbation.value
        if kind.move is not None:
            radiograph = _moved(radiograph, kind, kind.move, value)
        elif not kind.is_neutral(value):
            rng = np.random.default_rng(seed_sequence("perturbation", seed, position, kind.name))
            radiograph = _repainted(radiograph, kind, value, rng)
    return radiograph if radiograph is untouched else replace(radiograph, altered=True)


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
        move = check_perturbation(perturbation).move
        if move is not None:
            point_px = move(perturbation.value, shape, spacing_mm)(point_px)
    return point_px


def check_perturbation(perturbation: Perturbation) -> PerturbationKind:
    """Return the kind of a perturbation that can be applied.

    Raises:
        SynthesizerError: its kind is not known, or its value is of the wrong type or out of range.
    """
    kind = _kind(perturbation)
    fault = kind.fault(perturbation.value)
    if fault:
        raise SynthesizerError(f"perturbation {perturbation.kind}: must be {fault}, not {perturbation.value!r}")
    return kind


def _repainted(radiograph: Radiograph, kind: PerturbationKind, value: Any, rng: np.random.Generator) -> Radiograph:
    if kind.change is not None:
        radiograph = radiograph.with_pixels(kind.change(radiograph.pixels, float(value), rng))
    elif kind.remake is not None:
        radiograph = kind.remake(radiograph, value, rng)
    return radiograph.with_pixels(np.clip(radiograph.pixels, 0.0, 1.0).astype(np.float32, copy=False))


def _moved(radiograph: Radiograph, kind: PerturbationKind, move: Move, value: Any) -> Radiograph:
    forward = move(value, radiograph.shape, radiograph.spacing_mm)
    if forward == Affine():
        return radiograph
    moved = affine.warp(radiograph, forward)
    return affine.swap_sides(moved) if kind.mirrors(value) else moved
