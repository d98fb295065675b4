"""The words of the field for what a nodule is made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synnodtest.attenuation.rule import annotated_density

DENSITIES: Mapping[str, tuple[float, float]] = {
    "ground-glass": (0.35, 0.65),
    "part-solid": (0.6, 0.9),
    "solid": (0.9, 1.1),
    "calcified": (1.5, 2.5),
}
"""Density of each attenuation, drawn evenly between two bounds. On CT, in Hounsfield units: ground glass -650 to -350,
soft tissue about 0 to 60, calcium above 200 throughout. Part-solid is the mean of a solid core in ground glass."""


def typical_density(attenuation: str, diameter_mm: float) -> float:
    """Return the median density of an attenuation; without one, that of nodules that readers marked."""
    return sum(DENSITIES[attenuation]) / 2 if attenuation else annotated_density(diameter_mm)


def draw_density(attenuation: str, diameter_mm: float, rng: np.random.Generator) -> float:
    """Draw the density of an attenuation; without one, that of nodules of the diameter that readers marked.

    One random number each, so that a nodule keeps its rank over a sweep of diameters.
    """
    if attenuation:
        return float(rng.uniform(*DENSITIES[attenuation]))
    return annotated_density(diameter_mm, float(rng.normal()))
