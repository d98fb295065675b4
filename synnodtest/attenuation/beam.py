"""Radiographs as exposure: what reached the detector at each pixel, and how another exposure would be shown.

Phantoms know their own curve (:class:`synnodtest.radiograph.Exposure`). Of films it is estimated: straight over the
lung, bent towards white as :class:`Display` says, with a typical number of quanta behind the lung.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy

from synnodtest.attenuation.display import Display
from synnodtest.attenuation.rule import LOG_EXPOSURE_SPAN
from synnodtest.geometry import FloatArray
from synnodtest.radiograph import Exposure, Radiograph

LUNG_QUANTA_PER_MM2 = 4.9e4
"""Quanta that a film's detector counts behind the lung: 2.5 uGy (speed class 400) times 30,174 per mm^2 and uGy (IEC
62220-1, RQA5) times a detective quantum efficiency of 0.65."""
_NEARLY = 1e-4
"""Distance from black and white within which a pixel is saturated and stays what it is."""
_ROUNDS = 6
"""Of finding the surroundings from the equalised image: each leaves less than a third of the error."""
_LEAST_QUANTA = 0.5
"""Of a pixel: fewer are none, whose logarithm there is not."""
_BLOCKS_PER_SIGMA = 4
"""Blocks along one standard deviation of a wide blur, which is computed on block means."""

Real = np.ndarray[tuple[int, ...], np.dtype[np.floating]]


@dataclass(frozen=True, eq=False)
class Beam:
    """Exposure that reached the detector.

    Args:
        intensity: Exposure at each pixel, float64; of phantoms over that of the open beam, of films over the lung's.
        quanta: Detected quanta per pixel at an intensity of 1.
        pixels: As shown.
        shown: From minus the logarithm of an intensity to display values.
        known: Whether the curve is known rather than estimated.
    """

    intensity: Real
    quanta: float
    pixels: FloatArray
    shown: Callable[[Real], Real]
    known: bool

    def show(self, intensity: Real) -> FloatArray:
        """Return the pixels that another intensity gives; equal intensity gives equal pixels."""
        floor = _LEAST_QUANTA / self.quanta
        change = self.shown(-np.log(np.maximum(intensity, floor))) - self.shown(-np.log(self.intensity))
        return np.clip(self.pixels + change, 0.0, 1.0).astype(np.float32)


def beam_of(radiograph: Radiograph) -> Beam:
    """Return what reached the detector of a radiograph, exactly for phantoms, estimated for films."""
    area = radiograph.spacing_mm[0] * radiograph.spacing_mm[1]
    if radiograph.exposure is not None:
        return _known(radiograph, radiograph.exposure, area)
    return _estimated(radiograph, area)


def _known(radiograph: Radiograph, exposure: Exposure, area: float) -> Beam:
    dark = 1 / (1 + np.exp(exposure.start / exposure.width))
    curve = np.clip(dark + (1 - dark) * radiograph.pixels.astype(np.float64), _NEARLY, 1 - _NEARLY)
    equalised = exposure.start + exposure.width * np.log(curve / (1 - curve))
    share = exposure.equalise
    around = smoothed(equalised, exposure.smooth_mm, radiograph.spacing_mm)
    for _ in range(_ROUNDS):
        log = (equalised + share * around) / (1 + share)
        around = smoothed(log, exposure.smooth_mm, radiograph.spacing_mm)
    log = (equalised + share * around) / (1 + share)

    def shown(log: Real) -> Real:
        level = log + share * (log - around)
        bent: Real = 1 / (1 + np.exp((exposure.start - level) / exposure.width))
        stretched: Real = (bent - dark) / (1 - dark)
        return stretched

    return Beam(np.exp(-log), exposure.quanta_per_mm2 * area, radiograph.pixels, shown, known=True)


def _estimated(radiograph: Radiograph, area: float) -> Beam:
    display = Display.of(radiograph)
    room = max(1.0 - display.knee, 1e-3)
    pixels = radiograph.pixels.astype(np.float64)
    bent = pixels > display.knee
    straight = np.where(bent, display.knee - room * np.log(np.clip((1 - pixels) / room, _NEARLY, None)), pixels)
    middle = float(np.median(straight[radiograph.lung_or_all]))
    per_unit = LOG_EXPOSURE_SPAN / display.unit

    def shown(log: Real) -> Real:
        level = middle + log / per_unit
        return np.where(level > display.knee, 1 - room * np.exp(np.minimum(display.knee - level, 0) / room), level)

    return Beam(np.exp((middle - straight) * per_unit), LUNG_QUANTA_PER_MM2 * area, radiograph.pixels, shown, False)


def smoothed(image: Real, sigma_mm: float, spacing_mm: tuple[float, float]) -> Real:
    """Return an image blurred widely by a Gaussian, computed on block means and interpolated back.

    Args:
        image: Any shape.
        sigma_mm: Standard deviation.
        spacing_mm: ``(row, column)``.
    """
    blocks = [max(1, int(sigma_mm / step / _BLOCKS_PER_SIGMA)) for step in spacing_mm]
    padding = [(0, -length % block) for length, block in zip(image.shape, blocks, strict=True)]
    padded = np.pad(image, padding, mode="edge")
    rows, columns = padded.shape[0] // blocks[0], padded.shape[1] // blocks[1]
    coarse = padded.reshape(rows, blocks[0], columns, blocks[1]).mean(axis=(1, 3))
    sigma = [sigma_mm / step / block for step, block in zip(spacing_mm, blocks, strict=True)]
    coarse = scipy.ndimage.gaussian_filter(coarse, sigma, mode="nearest")
    fine: Real = scipy.ndimage.affine_transform(
        coarse,
        [1 / block for block in blocks],
        offset=[0.5 / block - 0.5 for block in blocks],
        output_shape=image.shape,
        order=1,
        mode="nearest",
    )
    return fine
