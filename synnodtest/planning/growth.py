"""Growth: what a nodule was at an earlier time, by the doubling time of its volume."""

from __future__ import annotations

import math
from dataclasses import replace

from synnodtest.scene import Nodule, Perturbation, Scene

LEAST_MM = 2.0
"""A nodule that was smaller is not planted in the prior: no radiograph shows it."""


def diameter_before(diameter_mm: float, doubling_days: float, interval_days: float) -> float:
    """Return the diameter at an earlier time: the volume, which goes with its cube, halves every ``doubling_days``."""
    return diameter_mm * math.exp2(-interval_days / (3.0 * doubling_days))


def before_growth(scene: Scene, perturbations: tuple[Perturbation, ...]) -> Scene:
    """Return the scene before its nodules grew: same places, seeds and densities; nodules that do not grow stay.

    A contrast that was ordered goes with the thickness, as the diameter does; one that follows from a density is left
    open, to follow from it again.
    """
    nodules = (_before(nodule) for nodule in scene.nodules)
    return replace(
        scene, nodules=tuple(n for n in nodules if n.diameter_mm >= LEAST_MM), perturbations=perturbations, prior=None
    )


def _before(nodule: Nodule) -> Nodule:
    if nodule.doubling_days is None or nodule.interval_days is None:
        return nodule
    diameter = round(diameter_before(nodule.diameter_mm, nodule.doubling_days, nodule.interval_days), 4)
    contrast = None
    if nodule.density is None and nodule.contrast is not None:
        contrast = round(nodule.contrast * diameter / nodule.diameter_mm, 5)
    return replace(nodule, diameter_mm=diameter, contrast=contrast, doubling_days=None, interval_days=None)
