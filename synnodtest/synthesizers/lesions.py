"""Lesions that are no nodules: the profile and mask of a mass or a consolidation on a window of a radiograph.

``mass``: a lobed body with the thickness of a ball, its edge as sharp as the detector, uneven inside by a tenth; it
ends where the lung does.

``consolidation``: air spaces filled with fluid. Its border is a level of a smooth random field, so that it has the area
that was asked for, fades over some mm where lung goes on, and ends sharply where the lung does (pleura, fissure, as far
as the mask knows them). Inside it is patchy, and branching bronchi that still hold air run through it from the hilum:
the air bronchogram.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from synnodtest.attenuation import outline_of
from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import Array, BoolArray, FloatArray, around, cut_of, depths_mm
from synnodtest.ports import Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.patch import Patch

_REACH = 1.6
"""Half the window over the radius: what is drawn ends within."""
_BLUR_MM = 0.28
"""Standard deviation of the detector's blur, as of the phantoms."""
_NOTHING = 1e-3
"""Less of the profile is left out, so that pixels beyond stay bit for bit."""
_EDGE_MM = 1.0
"""Half the width of a mass's edge."""
_FADES_MM = 4.0
"""Half the width of the border of a consolidation within the lung: an acinus is 6 to 10 mm."""
_UNEVEN, _PATCHY = 0.1, 0.25
"""Standard deviation of the brightness inside, relative."""
_RAGGED = ((0.5, 0.22), (0.2, 0.12))
"""Scales of the border's field over the radius, and their amplitudes, against 1 from the middle to the border."""
_BRONCHI = (3, 6)
"""Bronchi drawn, from the first number to one less than the second; set by eye: fewer show no bronchogram, more leave
no fluid."""
_BRONCHUS_MM = (3.0, 1.6)
"""Width of a bronchus where it enters, and where it ends."""
_AIR = 0.35
"""Share of the brightness that a bronchus takes away in its middle, where it is seen against the fluid around it."""


@dataclass(frozen=True, eq=False)
class _Window:
    """Pixels around a lesion: offsets from its centre in mm, spacing, and what of them is lung."""

    origin: tuple[int, int]
    x: Array
    y: Array
    spacing_mm: tuple[float, float]
    lung: BoolArray

    def noise(self, scale_mm: float, rng: np.random.Generator) -> Array:
        """Return a smooth random field of this scale, standard deviation 1."""
        shape = (self.y.size, self.x.size)
        field = scipy.ndimage.gaussian_filter(
            rng.standard_normal(shape), [scale_mm / 2 / s for s in self.spacing_mm], mode="wrap"
        )
        return np.asarray(field / max(float(field.std()), 1e-9))


def refuse_lesions(synthesizer: Synthesizer, scenes: Sequence[Scene]) -> None:
    """Refuse lesions that a synthesizer does not say it draws (``lesions``), lest a nodule pass for one.

    Raises:
        SynthesizerError: a scene holds one.
    """
    drawable = tuple(getattr(synthesizer, "lesions", ()))
    for scene in scenes:
        for nodule in scene.nodules:
            if nodule.lesion and nodule.lesion not in drawable:
                raise SynthesizerError(
                    f"synthesizer {synthesizer.identity.name!r} draws no {nodule.lesion} ({nodule.name!r})",
                    hint="name one that does in the behaviour: synthesizers: [gaussian]",
                )


def lesion_patch(nodule: Nodule, background: Radiograph, seed: int) -> Patch:
    """Return a mass or a consolidation; its mask may be empty where nothing of the lung is near."""
    window = _window(nodule, background)
    rng = np.random.default_rng(seed_sequence("lesion", nodule.lesion, seed))
    if nodule.lesion == "mass":
        return _mass(nodule, window, seed, rng)
    return _consolidation(nodule, window, background, rng)


def _window(nodule: Nodule, background: Radiograph) -> _Window:
    reach = nodule.diameter_mm / 2 * _REACH
    origin, y, x = around(nodule.centre_mm, reach, background.shape, background.spacing_mm, touched=True)
    lung = background.regions.get("lung")
    inside = np.ones((y.size, x.size), dtype=np.bool_) if lung is None else lung[cut_of((*origin, y.size, x.size))]
    return _Window(origin, x, y, background.spacing_mm, inside)


def _mass(nodule: Nodule, window: _Window, seed: int, rng: np.random.Generator) -> Patch:
    radius = nodule.diameter_mm / 2
    outline = outline_of(nodule.margin or "lobulated", nodule.attenuation, seed)
    away = np.hypot(window.x[None, :], window.y[:, None])
    if outline is not None:
        away = away / outline.radius_at(window.x[None, :], window.y[:, None], nodule.diameter_mm)
    inside = np.maximum(1 - (away / (radius + _EDGE_MM)) ** 2, 0)
    profile = np.sqrt(inside) * (1 + _UNEVEN * window.noise(0.5 * radius, rng))
    if outline is not None:
        profile = profile * outline.weight_at(window.x[None, :], window.y[:, None], nodule.diameter_mm)
    cut = _sharp(np.maximum(profile, 0) * window.lung, window)
    return Patch(window.origin, cut, np.asarray((away <= radius) & window.lung))


def _consolidation(nodule: Nodule, window: _Window, background: Radiograph, rng: np.random.Generator) -> Patch:
    radius = nodule.diameter_mm / 2
    pixel = window.spacing_mm[0] * window.spacing_mm[1]
    area_px = round(math.pi * radius**2 / pixel)
    field = _field(radius, window, rng)
    levels = np.sort(field[window.lung])[::-1]
    if not levels.size or not area_px:
        return Patch(window.origin, np.zeros(window.lung.shape, np.float32), np.zeros_like(window.lung))
    level = float(levels[min(area_px, levels.size) - 1])
    mask = _largest((field >= level) & window.lung)
    into = depths_mm(mask, window.spacing_mm)
    beyond = scipy.ndimage.distance_transform_edt(~mask, sampling=window.spacing_mm)
    edge = np.clip(0.5 + (into - beyond) / (2 * _FADES_MM), 0, 1)
    filled = edge * window.lung * (1 + _PATCHY * window.noise(8.0, rng))
    profile = np.maximum(filled, 0) * (1 - _AIR * _bronchi(nodule, window, background, rng))
    return Patch(window.origin, _sharp(profile, window), mask)


def _sharp(profile: Array, window: _Window) -> FloatArray:
    """Return a profile as the detector blurs it, 0 where it is next to nothing."""
    blurred = scipy.ndimage.gaussian_filter(profile, [_BLUR_MM / s for s in window.spacing_mm], mode="constant")
    return np.where(blurred > _NOTHING, blurred, 0).astype(np.float32)


def _field(radius: float, window: _Window, rng: np.random.Generator) -> Array:
    """Return what falls from the middle of a turned oval to its border and beyond, made ragged."""
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(1.1, 1.35)
    along = window.x[None, :] * np.cos(turn) + window.y[:, None] * np.sin(turn)
    across = window.y[:, None] * np.cos(turn) - window.x[None, :] * np.sin(turn)
    field: Array = -np.hypot(along / stretch, across * stretch) / radius
    for scale, amplitude in _RAGGED:
        field = field + amplitude * window.noise(scale * radius, rng)
    return field


def _largest(mask: BoolArray) -> BoolArray:
    """Return the largest part of a mask that is not empty."""
    labels, _ = scipy.ndimage.label(mask)
    return np.asarray(labels == 1 + int(np.bincount(labels.ravel())[1:].argmax()))


def _bronchi(nodule: Nodule, window: _Window, background: Radiograph, rng: np.random.Generator) -> Array:
    """Return how much air lies at each pixel, 0 to 1: bronchi that fan out from the side of the hilum."""
    middle = background.shape[1] * background.spacing_mm[1] / 2
    towards = math.pi if nodule.centre_mm[0] > middle else 0.0
    radius, air = nodule.diameter_mm / 2, np.zeros(window.lung.shape)
    start = np.array([radius * math.cos(towards), rng.uniform(-0.3, 0.3) * radius])
    for _ in range(int(rng.integers(*_BRONCHI))):
        turn = towards + math.pi + rng.uniform(-0.7, 0.7)
        bend = rng.uniform(-0.4, 0.4)
        for share in np.linspace(0, 1, 60):
            angle = turn + bend * share
            at = start + 1.7 * radius * share * np.array([math.cos(angle), math.sin(angle)])
            width = _BRONCHUS_MM[0] + (_BRONCHUS_MM[1] - _BRONCHUS_MM[0]) * share
            squared = (window.x[None, :] - at[0]) ** 2 + (window.y[:, None] - at[1]) ** 2
            air = np.maximum(air, np.exp(-squared / (2 * (width / 2.4) ** 2)) * (1 - 0.5 * share))
    return air
