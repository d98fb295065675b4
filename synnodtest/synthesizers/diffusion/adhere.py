"""Brings the brightness and texture of a drawn nodule to the features that were named, as its size is brought to one.

The model decides what a nodule looks like; a small model follows texture features weakly at a fixed size. So a few
variants of what it drew are tried in the radiograph (other brightness, a steeper or flatter profile, more or less
texture) and the one whose measured features come closest is planted. No detector is asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import scipy

from synnodtest.attenuation import Display
from synnodtest.canonical import seed_sequence
from synnodtest.geometry import Array, BoolArray, FloatArray
from synnodtest.radiomics_features import GROUPS, features_or_none
from synnodtest.synthesizers.diffusion.compose import Place
from synnodtest.synthesizers.diffusion.segment import shares_of
from synnodtest.synthesizers.patch import Patch
from synnodtest.synthesizers.window import cut_window

if TYPE_CHECKING:
    from synnodtest.synthesizers.diffusion.tabular import Tabular

BRIGHTNESS_FEATURES = frozenset(
    ("10Percentile", "90Percentile", "Energy", "Maximum", "Mean", "Median", "RootMeanSquared", "TotalEnergy")
)
"""Features that say how bright a nodule is: one of them named takes the place of the contrast."""
CONTRASTS = tuple(float(c) for c in np.geomspace(0.05, 1.2, 14))
TONE_LIMITS = (0.3, 2.5)
"""Of the tone that brings a drawn profile to those of training; a named feature may go further."""
TONES = (0.15, 0.3, 0.55, 1.0, 1.8, 3.0)
"""Factors of the tone that are tried first; set by hand, each nearly twice the one before; :data:`NUDGES` fill the
gaps. Each takes measuring."""
SLOWEST, FEW = "MCC", 10
"""It takes as long to measure as all other features, and is left to them where more than a few are named."""
NUDGES = (1.0, 0.75, 0.87, 1.15, 1.33)
"""Between the tones."""
TEXTURES = (
    (0.0, 1.0),
    (0.3, 0.5),
    (0.8, 0.5),
    (1.6, 1.0),
    (0.35, 1.5),
    (0.8, 1.5),
    (1.2, 1.5),
    (2.5, 1.5),
    (0.5, 3.0),
    (1.2, 3.0),
)
"""Standard deviation relative to the nodule, and grain in mm."""


SOFTNESSES = (0.0, 1.0, 0.5, 1.6)
"""Factors on the softness of the edge, where a texture is named; the first is that with which others are sought."""
REFINED = ((1.0, 1.0), (0.6, 1.0), (1.4, 1.0), (1.0, 0.7), (1.0, 1.4))
"""Factors on a texture's deviation and grain, between the textures."""


@dataclass(frozen=True)
class Variant:
    """One way to plant a drawn nodule.

    Args:
        contrast: Mean added brightness over the mask, in lung ranges.
        tone: Exponent on the profile inside the rim: above 1 peaked, below 1 flat.
        texture: Standard deviation of the texture, relative.
        grain_mm: Its grain.
        soft_mm: Standard deviation of the Gaussian that softens the edge; the texture lies on top.
    """

    contrast: float
    tone: float = 1.0
    texture: float = 0.0
    grain_mm: float = 1.0
    soft_mm: float = 0.0

    def of(self, patch: Patch, seed: int, spacing_mm: tuple[float, float]) -> Patch:
        """Return the patch in this variant, scaled to its contrast."""
        added = patch.added.astype(np.float64)
        if self.tone != 1.0:
            share, rim, top = shares_of(patch.added, patch.mask)
            added = np.where(added > rim, rim + (top - rim) * share**self.tone, added)
        if self.soft_mm:
            added = scipy.ndimage.gaussian_filter(added, [self.soft_mm / s for s in spacing_mm], mode="constant")
        if self.texture:
            rng = np.random.default_rng(seed_sequence("diffusion-texture", seed))
            noise = scipy.ndimage.gaussian_filter(rng.normal(size=added.shape), [self.grain_mm / s for s in spacing_mm])
            added = added * (1 + np.clip(self.texture * noise / max(float(noise.std()), 1e-9), -0.9, 0.9))
        gain = self.contrast / max(float(added[patch.mask].mean()), 1e-6)
        return replace(patch, added=np.asarray(gain * added, dtype=np.float32))


def tone_for(patch: Patch, flatness: float) -> float:
    """Return the tone that gives a drawn nodule a flatness, within :data:`TONE_LIMITS`."""
    inside = shares_of(patch.added, patch.mask)[0][patch.mask]

    def excess(log_tone: float) -> float:
        return float((inside ** math.exp(log_tone)).mean()) - flatness

    least, most = np.log(TONE_LIMITS)
    if excess(least) <= 0:
        return TONE_LIMITS[0]
    return TONE_LIMITS[1] if excess(most) >= 0 else math.exp(scipy.optimize.brentq(excess, least, most, xtol=1e-3))


def can_adhere() -> bool:
    """Return whether features can be measured here (the extra ``radiomics``)."""
    return find_spec("radiomics") is not None


def adhere(
    patch: Patch,
    features: Mapping[str, float],
    start: Variant,
    encoder: Tabular,
    canvas: FloatArray,
    display: Display,
    place: Place,
    seed: int,
) -> Variant:
    """Return the variant whose features come closest to the named ones, shape apart, which is drawn.

    Args:
        patch: The drawn nodule.
        features: Names and values asked for.
        start: Its contrast is kept unless a feature names the brightness, its tone unless one names the texture.
        encoder: Its bounds are the scale on which features are compared.
        canvas: The radiograph so far.
        display: How it shows brightness.
        place: Of the nodule; features are measured in its window.
        seed: Of the texture.
    """
    requested = {name: value for name, value in features.items() if name not in GROUPS["shape2D"]}
    if len(requested) > FEW:
        requested.pop(SLOWEST, None)
    if not requested:
        return start
    measured = _measured_in(canvas, patch, display, place, tuple(requested))

    def closest(variants: Sequence[Variant]) -> Variant:
        return min(variants, key=lambda v: _misfit(measured(v.of(patch, seed, place.spacing_mm)), requested, encoder))

    best = start
    if BRIGHTNESS_FEATURES & set(requested):
        best = closest([replace(start, contrast=c) for c in CONTRASTS])
    if set(requested) - BRIGHTNESS_FEATURES:
        tried = product(TONES, TEXTURES)
        sharp = replace(best, soft_mm=0.0)
        best = closest([replace(sharp, tone=start.tone * t, texture=amount, grain_mm=mm) for t, (amount, mm) in tried])
        best = closest([replace(best, soft_mm=start.soft_mm * factor) for factor in SOFTNESSES])
        best = closest([replace(best, tone=best.tone * nudge) for nudge in NUDGES])
        best = closest([replace(best, texture=best.texture * a, grain_mm=best.grain_mm * b) for a, b in REFINED])
    return best


def _misfit(measured: Array | None, wanted: Mapping[str, float], encoder: Tabular) -> float:
    if measured is None:
        return float("inf")
    there = encoder.encode_request(dict(zip(wanted, map(float, measured), strict=True)))[0]
    asked, named = encoder.encode_request(wanted)
    return float(((there - asked)[named] ** 2).sum())


def _measured_in(
    canvas: FloatArray, patch: Patch, display: Display, place: Place, names: tuple[str, ...]
) -> Callable[[Patch], Array | None]:
    """Return what measures features of a patch in its surroundings, None where they cannot be measured."""
    pixels, before = canvas.copy(), canvas[patch.where].copy()
    shadow = np.zeros(canvas.shape, dtype=np.float32)
    shadow[patch.where] = patch.mask
    mask: BoolArray = cut_window(shadow, place.spacing_mm, place.window) > 0.5
    around = ~scipy.ndimage.binary_dilation(mask, iterations=3)

    def measured(variant: Patch) -> Array | None:
        pixels[patch.where] = before
        variant.plant(pixels, display)
        values = cut_window(pixels, place.spacing_mm, place.window) / np.float32(display.unit)
        return features_or_none(values - values[around].mean(), mask, names=names)

    return measured
