"""Density and diameter to contrast, where a radiograph is straight; densities of marked nodules and of the words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

RULE_VERSION = 3
"""Of the way from density to contrast; part of the keys of scenes whose contrast follows from a density."""
SOFT_TISSUE_PER_MM = 0.019
"""Linear attenuation of soft tissue in 1/mm at the mean energy of a chest radiograph (about 70 keV)."""
LUNG_DENSITY = 0.2
"""Density of what the nodule displaces, relative to soft tissue: aerated lung at full inspiration."""
SCATTER_SHARE = 0.4
"""Scattered share of the exposure behind the lung, grid in place; it dilutes every contrast by this share."""
LOG_EXPOSURE_SPAN = 1.4
"""Log exposure that one lung range shows on the straight part. Phantoms, whose exposure is known, give 1.39: solid
balls of 12 mm add a median contrast of 0.064 there (360 places of 6 chests)."""
CONTRAST_PER_MM = SOFT_TISSUE_PER_MM * (1 - SCATTER_SHARE) / LOG_EXPOSURE_SPAN
"""Contrast that one mm of soft tissue adds where it takes the place of nothing."""

_ANNOTATED_MM = (13.0, 17.0, 25.0)
"""Diameters in mm to which the three medians below belong; in between it is interpolated, beyond either end the nearest
one stands."""
_ANNOTATED_CONTRAST = (0.08, 0.133, 0.158)
"""Median contrast of marked nodules by diameter; see ``benchmarks/annotated_contrast.py``. Of small ones readers mark
the dense, so that they are about equally bright; beyond 13 mm contrast rises with the diameter, as that of a ball
does. Planted with these, nodules have a little less contrast in place than marked ones and are a little more
conspicuous: the medians lie between what either asks for."""
ANNOTATED_SPREAD = 0.2
"""Standard deviation of the logarithm of the contrast of planted nodules of one size. What lies around them spreads
their contrast in place further: by 0.06 beyond 15 mm of box, as much as that of marked ones spreads in all."""

DENSITIES: Mapping[str, tuple[float, float]] = {
    "ground-glass": (0.35, 0.65),
    "part-solid": (0.6, 0.9),
    "solid": (0.9, 1.1),
    "calcified": (1.5, 2.5),
}
"""Density of each attenuation, drawn evenly between two bounds. On CT, in Hounsfield units: ground glass -650 to -350,
soft tissue about 0 to 60, calcium above 200 throughout. Part-solid is the mean of a solid core in ground glass."""


def thickness_mm(diameter_mm: float) -> float:
    """Return the mean thickness of a ball of this diameter along the beam, over its silhouette."""
    return 2.0 / 3.0 * diameter_mm


def contrast_of(density: float, diameter_mm: float) -> float:
    """Return the contrast of a nodule of a density where the radiograph is straight (in lung ranges)."""
    return CONTRAST_PER_MM * max(density - LUNG_DENSITY, 0.0) * thickness_mm(diameter_mm)


def density_of(contrast: float, diameter_mm: float) -> float:
    """Return the density that gives a contrast where the radiograph is straight."""
    return LUNG_DENSITY + contrast / (CONTRAST_PER_MM * thickness_mm(diameter_mm))


def realised_density(requested: Mapping[str, Any], contrast: float) -> float | None:
    """Return the density that a realised contrast stands for beside what was requested; None where no density was."""
    density, asked = requested.get("density"), requested.get("contrast")
    if density is None or not asked:
        return None
    return round(LUNG_DENSITY + (float(density) - LUNG_DENSITY) * contrast / float(asked), 4)


def annotated_contrast(diameter_mm: float) -> float:
    """Return the median contrast of nodules of a diameter that readers marked on films."""
    return float(np.interp(math.log(diameter_mm), np.log(_ANNOTATED_MM), _ANNOTATED_CONTRAST))


def annotated_density(diameter_mm: float, deviate: float = 0.0) -> float:
    """Return the density of marked nodules of a diameter, ``deviate`` standard deviations from their median."""
    return density_of(annotated_contrast(diameter_mm) * math.exp(ANNOTATED_SPREAD * deviate), diameter_mm)


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
