"""Display of attenuation in one radiograph: how bright a nodule is at a place of it, and adding it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from synnodtest.geometry import BoolArray, FloatArray, disc_window
from synnodtest.radiograph import Radiograph, lung_range

_KNEE_QUANTILE = 0.75
"""Of the lung's pixels: below it a radiograph is taken as straight. Of 25, 50 and 75, with powers 0.5 to 1.25 of what
is left to white, 75 with power 1 leaves the contrast of equal balls on phantoms as even as any (variation 0.17)."""
_NEARLY_WHITE = 0.98
"""Grey value from which a pixel counts as white; set by hand, a little below 1, which a bent display only nears."""
_MOST_GAIN = 8.0
"""Gain at most, over that of a straight display; set by hand: near white more drives ever more pixels to white and adds
hardly any brightness."""


class Planted(NamedTuple):
    """Contrast and added brightness of a planted nodule.

    Attributes:
        contrast: Realised.
        notes: ``weakening`` of its place by the radiograph's bend (mean slope over the mask), ``white_share`` of its
            mask driven to white, and the ``lung_range`` and ``knee`` of the radiograph.
    """

    contrast: float
    notes: dict[str, float]


@dataclass(frozen=True)
class Display:
    """Display of attenuation in one radiograph, estimated from its pixels.

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
        knee = radiograph.lung_quantile(_KNEE_QUANTILE)
        return cls(lung_range(radiograph), knee)

    def slope(self, pixels: FloatArray) -> FloatArray:
        """Return how much of a nodule's brightness shows at each pixel, 1 on the straight part, 0 at white."""
        return np.asarray(np.clip((1.0 - pixels) / max(1.0 - self.knee, 1e-3), 0.0, 1.0), dtype=np.float32)

    def weakening(self, radiograph: Radiograph, centre_mm: tuple[float, float], diameter_mm: float) -> float:
        """Return the mean slope over a disc of the radiograph; 1 where the disc covers no pixel."""
        cut, disc = disc_window(radiograph.shape, centre_mm, diameter_mm, radiograph.spacing_mm)
        return float(self.slope(radiograph.pixels[cut][disc]).mean()) if disc.any() else 1.0

    def add(self, before: FloatArray, profile: FloatArray, gain: float) -> FloatArray:
        """Return the pixels with ``gain * profile`` of straight brightness added through the bend.

        Pixels at which the profile is 0 stay bit-identical; none leaves 0..1.
        """
        return self._adder(before, profile)(gain)

    def _adder(self, before: FloatArray, profile: FloatArray) -> Callable[[float], FloatArray]:
        """Return :meth:`add` by the gain alone: what does not hang on it is computed once."""
        room = max(1.0 - self.knee, 1e-3)
        level = before.astype(np.float64)
        bent = level > self.knee
        straight = np.where(bent, self.knee - room * np.log(np.clip((1 - level) / room, 1e-9, None)), level)
        white, untouched = level >= 1, profile == 0
        some_white, some_untouched = bool(white.any()), bool(untouched.any())

        def added(gain: float) -> FloatArray:
            displayed = straight + gain * profile
            above = displayed > self.knee
            if above.any():
                displayed = np.where(above, 1 - room * np.exp(np.minimum(self.knee - displayed, 0) / room), displayed)
            if some_white:
                displayed = np.where(white, level, displayed)
            after = np.minimum(np.maximum(displayed, 0), 1).astype(np.float32)
            return np.where(untouched, before, after).astype(np.float32, copy=False) if some_untouched else after

        return added

    def plant(self, before: FloatArray, profile: FloatArray, mask: BoolArray, brightness: float) -> FloatArray:
        """Return the pixels with a profile added such that its mean over the mask is ``brightness``.

        Where white leaves less room it is as much as :data:`_MOST_GAIN` times the straight profile gives.
        """
        mean = float(profile[mask].mean(dtype=np.float64)) if mask.any() else 0.0
        if mean <= 0 or brightness <= 0:
            return before.copy()
        level = before[mask]
        adder = self._adder(level, profile[mask])

        def added(gain: float) -> float:
            return float((adder(gain).astype(np.float64) - level).mean())

        low, high = 0.0, brightness / mean
        while added(high) < brightness and high < _MOST_GAIN * brightness / mean:
            low, high = high, high * 2
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if added(middle) < brightness else (low, middle)
        return self.add(before, profile, high)

    def planted(self, before: FloatArray, after: FloatArray, mask: BoolArray) -> Planted:
        """Return what a nodule came to, for its truth."""
        if not mask.any():
            return Planted(0.0, {})
        added = float((after.astype(np.float64) - before)[mask].mean())
        notes = {
            "weakening": round(float(self.slope(before[mask]).mean()), 4),
            "white_share": round(white_share(before, after, mask), 4),
            "lung_range": round(self.unit, 5),
            "knee": round(self.knee, 5),
        }
        return Planted(added / self.unit, notes)


def white_share(before: FloatArray, after: FloatArray, mask: BoolArray) -> float:
    """Return the share of the mask that a nodule drove to white (above 0.98, and darker before)."""
    whitened = (after >= _NEARLY_WHITE) & (before < _NEARLY_WHITE) & mask
    return float(whitened.sum()) / max(int(mask.sum()), 1)
