"""Nodules whose contrast follows from their density, at a place of a radiograph."""

from __future__ import annotations

import math
from dataclasses import replace

from synnodtest.attenuation.display import Display
from synnodtest.attenuation.rule import contrast_of, typical_density
from synnodtest.errors import SynthesizerError
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Nodule, Scene


def contrast_asked(nodule: Nodule) -> float:
    """Return the contrast of a resolved nodule."""
    assert nodule.contrast is not None
    return nodule.contrast


def resolved(nodule: Nodule, radiograph: Radiograph, display: Display | None = None) -> Nodule:
    """Return the nodule with its contrast at its place; one that has a contrast stays as it is.

    Args:
        nodule: With a density, or the word of one, or neither: then as the median of nodules that readers marked.
        radiograph: In which it is to lie, untouched.
        display: Of the radiograph, if it is known already.

    Raises:
        SynthesizerError: its density or diameter is impossible.
    """
    if nodule.contrast is not None:
        return nodule
    if not (math.isfinite(nodule.diameter_mm) and nodule.diameter_mm > 0):
        raise SynthesizerError(f"nodule {nodule.name!r}: diameter_mm must be above 0, not {nodule.diameter_mm}")
    density = nodule.density
    if density is None:
        density = round(typical_density(nodule.attenuation, nodule.diameter_mm), 4)
    if not (math.isfinite(density) and density > 0):
        raise SynthesizerError(f"nodule {nodule.name!r}: density must be above 0, not {density}")
    used = Display.of(radiograph) if display is None else display
    local = used.weakening(radiograph, nodule.centre_mm, nodule.diameter_mm)
    return replace(nodule, density=density, contrast=round(contrast_of(density, nodule.diameter_mm) * local, 5))


def resolved_scene(scene: Scene, radiograph: Radiograph) -> Scene:
    """Return the scene with the contrast of every nodule; the same scene where all have one."""
    if all(nodule.contrast is not None for nodule in scene.nodules):
        return scene
    display = Display.of(radiograph)
    nodules = tuple(resolved(nodule, radiograph, display) for nodule in scene.nodules)
    return replace(scene, nodules=nodules)
