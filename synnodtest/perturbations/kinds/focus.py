"""``focus``: unsharpness of a focal spot or of movement: full width at half maximum in mm at the detector.

A Gaussian of this width blurs the exposure: its modulation transfer function is ``exp(-(pi w f)^2 / (4 ln 2))``, a half
at ``f = 0.441 / w`` per mm. Quantum noise arises behind the focal spot and stays sharp: what the blur takes from
the noise power is drawn anew.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy

from synnodtest.attenuation.beam import beam_of
from synnodtest.perturbations.kind import PerturbationKind, Span
from synnodtest.radiograph import Radiograph

_WIDTHS_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
"""Full width at half maximum of a Gaussian over its standard deviation, 2.355: exact, nothing chosen."""


def _focus(radiograph: Radiograph, width_mm: Any, rng: np.random.Generator) -> Radiograph:
    beam = beam_of(radiograph)
    sigma = [float(width_mm) / _WIDTHS_PER_SIGMA / step for step in radiograph.spacing_mm]
    blurred = scipy.ndimage.gaussian_filter(beam.intensity, sigma, mode="nearest")
    noise = np.sqrt(blurred / beam.quanta) * _restored(radiograph.shape, sigma, rng)
    return radiograph.with_pixels(beam.show(blurred + noise))


def _restored(shape: tuple[int, int], sigma: list[float], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return noise that makes white noise, blurred, white again: with the power that the blur took."""
    rows, columns = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    transferred = np.exp(-2 * np.pi**2 * ((rows * sigma[0]) ** 2 + (columns * sigma[1]) ** 2))
    white = scipy.fft.rfft2(rng.standard_normal(shape))
    filtered: np.ndarray[Any, Any] = scipy.fft.irfft2(white * np.sqrt(1 - transferred**2), s=shape)
    return filtered


KIND = PerturbationKind(
    name="focus",
    about="Unsharpness of focal spot or movement: full width at half maximum in mm at the detector.",
    span=Span(0, 10),
    neutral=0.0,
    remake=_focus,
)
