"""``scatter``: scattered radiation added, as without a grid, in shares of what reaches the detector around each pixel.

Scatter is a smooth field: the surroundings' exposure, blurred by 28 mm as in the phantom. It dilutes a faint detail's
contrast at a pixel to ``1 / (1 + scatter * surroundings / exposure)``, most behind heart and diaphragm, and brings
Poisson noise of its own. The display is set so that the lung's median stays, as an exposure index sets it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synnodtest.attenuation.beam import beam_of, smoothed
from synnodtest.perturbations.kind import PerturbationKind, Span
from synnodtest.radiograph import Radiograph

SPREAD_MM = 28.0
"""Standard deviation of the field: scatter of a chest comes from some centimetres around a ray."""


def _scatter(radiograph: Radiograph, amount: Any, rng: np.random.Generator) -> Radiograph:
    beam = beam_of(radiograph)
    field = float(amount) * smoothed(beam.intensity, SPREAD_MM, radiograph.spacing_mm)
    total = beam.intensity + field + np.sqrt(field / beam.quanta) * rng.standard_normal(radiograph.shape)
    where = radiograph.lung_or_all
    level = np.median(beam.intensity[where]) / np.median((beam.intensity + field)[where])
    return radiograph.with_pixels(beam.show(total * level))


KIND = PerturbationKind(
    name="scatter",
    about="Scattered radiation added (no grid), over the exposure around each pixel: 1 doubles it.",
    span=Span(0, 5),
    neutral=0.0,
    remake=_scatter,
)
