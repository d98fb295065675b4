"""``processing``: the display of another vendor, by name.

``wide-latitude`` and ``high-contrast`` turn the characteristic curve about the lung's median, with a slope of 0.7 and
1.4 there (gradation, as the amount and centre of Fuji's GA and GC). ``edge-enhanced`` adds 0.7 of what a blur of 1.5 mm
takes away (frequency processing). ``multi-scale`` takes the image apart into bands from 0.5 to 16 mm, amplifies what is
faint in each and holds back what is strong (as Vuylsteke and Schoeters, Proc SPIE 1994;2167:551).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy

from synnodtest.geometry import FloatArray
from synnodtest.perturbations.kind import PerturbationKind
from synnodtest.radiograph import Radiograph, lung_range

_EDGE_MM, _EDGE_GAIN = 1.5, 0.7
"""Blur in mm and share of what it takes away that is added; set by eye: as strong as is seen on films, and no
product's."""
_BANDS_MM = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Blurs between bands, in mm, each twice the last as in a pyramid: from a few pixels to wider than a nodule of usual
size."""
_POWER = 0.75
"""Of the bands: 1 changes nothing; makers name 0.7 to 0.8 as usual."""
_FAINTEST = 0.02
"""Share of a band's strongest detail under which all is amplified alike, so that noise is not blown up."""


def _curve(radiograph: Radiograph, slope: float) -> FloatArray:
    """Turn the curve about the lung's median, in logits, so that black and white stay."""
    centre = float(np.median(radiograph.pixels[radiograph.lung_or_all]))
    odds = _logit(radiograph.pixels)
    middle = float(_logit(np.float32(centre)))
    return np.asarray(1 / (1 + np.exp(-(middle + slope * (odds - middle)))), dtype=np.float32)


def _logit(value: Any) -> Any:
    inside = np.clip(value, 1e-4, 1 - 1e-4)
    return np.log(inside / (1 - inside))


def _edges(radiograph: Radiograph) -> FloatArray:
    pixels = radiograph.pixels
    return pixels + np.float32(_EDGE_GAIN) * (pixels - _blurred(pixels, _EDGE_MM, radiograph))


def _bands(radiograph: Radiograph) -> FloatArray:
    strongest = lung_range(radiograph)
    level, bands = radiograph.pixels, np.zeros_like(radiograph.pixels)
    for width in _BANDS_MM:
        coarser = _blurred(level, width, radiograph)
        bands += _amplified(level - coarser, strongest)
        level = coarser
    return bands + level


def _amplified(band: FloatArray, strongest: float) -> FloatArray:
    size = np.maximum(np.abs(band) / np.float32(strongest), np.float32(_FAINTEST))
    return np.asarray(band * size ** np.float32(_POWER - 1), dtype=np.float32)


def _blurred(pixels: FloatArray, width_mm: float, radiograph: Radiograph) -> FloatArray:
    sigma = [width_mm / step for step in radiograph.spacing_mm]
    return np.asarray(scipy.ndimage.gaussian_filter(pixels, sigma, mode="nearest"), dtype=np.float32)


_LOOKS: Mapping[str, Callable[[Radiograph], FloatArray]] = {
    "wide-latitude": lambda radiograph: _curve(radiograph, 0.7),
    "high-contrast": lambda radiograph: _curve(radiograph, 1.4),
    "edge-enhanced": _edges,
    "multi-scale": _bands,
}


def _processing(radiograph: Radiograph, look: Any, rng: np.random.Generator) -> Radiograph:
    return radiograph.with_pixels(_LOOKS[look](radiograph))


KIND = PerturbationKind.of_words(
    "processing", f"Display of another vendor: {', '.join(_LOOKS)}.", tuple(_LOOKS), _processing
)
