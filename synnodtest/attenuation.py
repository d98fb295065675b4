"""From density to contrast: how bright a nodule of a size and an attenuation is, and where in a radiograph.

Three steps, each documented beside its constants:

1. Thickness. A nodule is taken as a ball: over its silhouette the beam passes two thirds of its diameter.
2. Attenuation. It replaces lung by tissue of a ``density`` (1: soft tissue), which adds ``0.019 * (density - 0.2)`` of
   log exposure per mm, less the share of scattered radiation, which knows nothing of it.
3. Display. A radiograph shows :data:`LOG_EXPOSURE_SPAN` of log exposure over one lung range where its characteristic
   curve is straight; above the :class:`Display`'s knee it bends towards white, so that behind heart and diaphragm the
   same nodule is weaker.

The default of a nodule that says nothing of its brightness is the density of nodules that readers marked on films;
``benchmarks/annotated_contrast.py`` measures them and the planted ones by one rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synnodtest.geometry import BoolArray, FloatArray, disc_mask
from synnodtest.radiograph import Radiograph, lung_range

__all__ = [
    "ANNOTATED_SPREAD",
    "LUNG_DENSITY",
    "Display",
    "annotated_contrast",
    "annotated_density",
    "contrast_of",
    "density_of",
    "thickness_mm",
    "white_share",
]

SOFT_TISSUE_PER_MM = 0.019
"""Linear attenuation of soft tissue in 1/mm at the mean energy of a chest radiograph (about 70 keV)."""
LUNG_DENSITY = 0.2
"""What the nodule displaces, relative to soft tissue: aerated lung at full inspiration."""
SCATTER_SHARE = 0.4
"""Scattered share of the exposure behind the lung, grid in place; it dilutes every contrast by this share."""
LOG_EXPOSURE_SPAN = 1.4
"""Log exposure that one lung range shows on the straight part. Phantoms, whose exposure is known, give 1.39: solid
balls of 12 mm add a median contrast of 0.064 there (360 places of 6 chests)."""
CONTRAST_PER_MM = SOFT_TISSUE_PER_MM * (1 - SCATTER_SHARE) / LOG_EXPOSURE_SPAN

_ANNOTATED_MM = (4.0, 6.0, 10.0, 19.0, 33.0)
_ANNOTATED_CONTRAST = (0.045, 0.055, 0.068, 0.050, 0.070)
"""Median contrast of marked nodules by diameter; see ``benchmarks/annotated_contrast.py``. Readers mark the dense ones
among the small and whatever is large, so it hardly rises with the diameter."""
ANNOTATED_SPREAD = 0.4
"""Standard deviation of the logarithm of the contrast of marked nodules of one size."""

_KNEE_PERCENTILE = 75.0
"""Of the lung's pixels: below it a radiograph is taken as straight. Of 25, 50 and 75, with powers 0.5 to 1.25 of what
is left to white, 75 with power 1 leaves the contrast of equal balls on phantoms as even as any (variation 0.17)."""
_NEARLY_WHITE = 0.98
_MOST_GAIN = 8.0


def thickness_mm(diameter_mm: float) -> float:
    """Return the mean thickness of a ball of this diameter along the beam, over its silhouette."""
    return 2.0 / 3.0 * diameter_mm


def contrast_of(density: float, diameter_mm: float) -> float:
    """Return the contrast of a nodule of a density where the radiograph is straight (in lung ranges)."""
    return CONTRAST_PER_MM * max(density - LUNG_DENSITY, 0.0) * thickness_mm(diameter_mm)


def density_of(contrast: float, diameter_mm: float) -> float:
    """Return the density that gives a contrast where the radiograph is straight."""
    return LUNG_DENSITY + contrast / (CONTRAST_PER_MM * thickness_mm(diameter_mm))


def annotated_contrast(diameter_mm: float) -> float:
    """Return the median contrast of nodules of a diameter that readers marked on films."""
    return float(np.interp(math.log(diameter_mm), np.log(_ANNOTATED_MM), _ANNOTATED_CONTRAST))


def annotated_density(diameter_mm: float, deviate: float = 0.0) -> float:
    """Return the density of marked nodules of a diameter, ``deviate`` standard deviations from their median."""
    return density_of(annotated_contrast(diameter_mm) * math.exp(ANNOTATED_SPREAD * deviate), diameter_mm)


@dataclass(frozen=True)
class Display:
    """What one radiograph makes of attenuation, estimated from its pixels.

    Straight up to the knee, then bent exponentially towards white, which it never reaches: a pixel at brightness ``v``
    above the knee shows ``(1 - v) / (1 - knee)`` of what one in the lung shows.

    Args:
        unit: The lung's 5th-to-95th percentile range: brightness of a contrast of 1.
        knee: Brightness up to which it is straight: the 75th percentile of the lung.
    """

    unit: float
    knee: float

    @classmethod
    def of(cls, radiograph: Radiograph) -> Display:
        """Estimate it from a radiograph; without a lung mask, from the middle of the picture as the lung range is."""
        lung = radiograph.regions.get("lung")
        height, width = radiograph.shape
        middle = radiograph.pixels[height // 4 : -(height // 4), width // 4 : -(width // 4)]
        values = radiograph.pixels[lung] if lung is not None and lung.any() else middle
        return cls(lung_range(radiograph), float(np.percentile(values, _KNEE_PERCENTILE)))

    def slope(self, pixels: FloatArray) -> FloatArray:
        """Return how much of a nodule's brightness shows at each pixel, 1 on the straight part, 0 at white."""
        return np.asarray(np.clip((1.0 - pixels) / max(1.0 - self.knee, 1e-3), 0.0, 1.0), dtype=np.float32)

    def weakening(self, radiograph: Radiograph, centre_mm: tuple[float, float], diameter_mm: float) -> float:
        """Return the mean slope over a disc of the radiograph; 1 where the disc covers no pixel."""
        disc = disc_mask(radiograph.shape, centre_mm, diameter_mm, radiograph.spacing_mm)
        return float(self.slope(radiograph.pixels[disc]).mean()) if disc.any() else 1.0

    def add(self, before: FloatArray, profile: FloatArray, gain: float) -> FloatArray:
        """Return the pixels with ``gain * profile`` of straight brightness added through the bend.

        Pixels at which the profile is 0 stay bit-identical; none leaves 0..1.
        """
        room = max(1.0 - self.knee, 1e-3)
        level = before.astype(np.float64)
        bent = level > self.knee
        straight = np.where(bent, self.knee - room * np.log(np.clip((1 - level) / room, 1e-9, None)), level)
        raised = straight + gain * profile
        shown = np.where(raised > self.knee, 1 - room * np.exp(np.minimum(self.knee - raised, 0) / room), raised)
        after = np.clip(np.where(level >= 1, level, shown), 0, 1).astype(np.float32)
        return np.where(profile != 0, after, before).astype(np.float32)

    def plant(self, before: FloatArray, profile: FloatArray, mask: BoolArray, brightness: float) -> FloatArray:
        """Return the pixels with a profile added such that its mean over the mask is ``brightness``.

        Where white leaves less room it is as much as :data:`_MOST_GAIN` times the straight profile gives.
        """
        mean = float(profile[mask].mean(dtype=np.float64)) if mask.any() else 0.0
        if mean <= 0 or brightness <= 0:
            return before.copy()
        inside, level = profile[mask], before[mask]

        def added(gain: float) -> float:
            return float((self.add(level, inside, gain).astype(np.float64) - level).mean())

        low, high = 0.0, brightness / mean
        while added(high) < brightness and high < _MOST_GAIN * brightness / mean:
            low, high = high, high * 2
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if added(middle) < brightness else (low, middle)
        return self.add(before, profile, high)


def white_share(before: FloatArray, after: FloatArray, mask: BoolArray) -> float:
    """Return the share of the mask that a nodule drove to white (above 0.98, and darker before)."""
    whitened = (after >= _NEARLY_WHITE) & (before < _NEARLY_WHITE) & mask
    return float(whitened.sum()) / max(int(mask.sum()), 1)
