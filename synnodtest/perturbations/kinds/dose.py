"""``dose``: quantum noise as at this exposure relative to the film's.

A detector that counts ``N`` quanta has a relative noise of ``1 / sqrt(N)``: noise power goes with the inverse of the
exposure, and the signal-to-noise ratio of a detail with its square root (Rose, J Opt Soc Am 1948;38:196). Less exposure
is simulated by adding what noise is missing, as Bath and others do (Radiat Prot Dosim 2005;114:253): of ``I`` the
variance ``(I / quanta) * (1 / dose - 1)``, drawn in exposure and shown through the radiograph's own curve.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from synnodtest.attenuation.beam import beam_of
from synnodtest.perturbations.kind import PerturbationKind, Span
from synnodtest.radiograph import Radiograph


def _dose(radiograph: Radiograph, dose: Any, rng: np.random.Generator) -> Radiograph:
    beam = beam_of(radiograph)
    missing = np.sqrt(beam.intensity / beam.quanta * (1 / float(dose) - 1))
    return radiograph.with_pixels(beam.show(beam.intensity + missing * rng.standard_normal(radiograph.shape)))


KIND = PerturbationKind(
    name="dose",
    about="Quantum noise as at this exposure relative to the film's, 0.02 to 1.",
    span=Span(0.02, 1),
    neutral=1.0,
    remake=_dose,
)
