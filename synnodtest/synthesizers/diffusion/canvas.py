"""The radiograph that nodules are added to, what may be asked of it, and the truth of what was added."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.attenuation import Display, Planted
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import FloatArray
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.diffusion.compose import Patch


def displays(backgrounds: Sequence[Radiograph]) -> list[Display]:
    """Return what each background makes of attenuation; one that stands there several times is measured once."""
    by_background: dict[int, Display] = {}
    for background in backgrounds:
        if id(background) not in by_background:
            by_background[id(background)] = Display.of(background)
    return [by_background[id(background)] for background in backgrounds]


def plant_patch(canvas: FloatArray, patch: Patch, display: Display) -> Planted:
    """Add a nodule in place, through the radiograph's bend towards white, at the mean brightness that the patch has."""
    before = canvas[patch.where].copy()
    canvas[patch.where] = planted_pixels(before, patch, display)
    return display.planted(before, canvas[patch.where], patch.mask)


def planted_pixels(before: FloatArray, patch: Patch, display: Display) -> FloatArray:
    """Return what :func:`plant_patch` makes of the pixels (h, w) under a patch."""
    mean = float(patch.added[patch.mask].mean()) if patch.mask.any() else 0.0
    return display.plant(before, patch.added, patch.mask, mean * display.unit)


def add_patch(canvas: FloatArray, patch: Patch, gain: float) -> None:
    """Add a patch in place, clipped to 0..1."""
    before = canvas[patch.where]
    changed = patch.added != 0
    after = np.where(changed, np.clip(before + np.float32(gain) * patch.added, 0, 1), before)
    canvas[patch.where] = after.astype(np.float32)


def refuse_misplaced(nodule: Nodule, scene: Scene, background: Radiograph) -> None:
    """Refuse a nodule whose centre is not on the radiograph.

    Raises:
        SynthesizerError: it lies outside.
    """
    (x, y), (height, width) = nodule.centre_mm, background.size_mm
    if not (0 <= x <= width and 0 <= y <= height):
        raise SynthesizerError(
            f"diffusion: nodule {nodule.name!r} on background {scene.background!r}: its centre ({x:g}, {y:g}) mm lies "
            f"outside the radiograph of {width:.1f} x {height:.1f} mm"
        )
