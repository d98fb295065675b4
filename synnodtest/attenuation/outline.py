"""Outline and profile that the words ask for: lobes, spicules, a solid core in ground glass."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synnodtest.canonical import seed_sequence
from synnodtest.geometry import Array

Real = NDArray[np.floating]

_TURN = np.linspace(0, 2 * np.pi, 721)
_WAVES = {"lobulated": (0.08, 0.09, 0.07), "spiculated": (0.06, 0.04, 0.03)}
"""Amplitude of two, three and five lobes around the outline, over the radius."""
_SPICULES = (9, 14)
"""Least and largest number of spicules; set by eye: fewer look like lobes, more like a fringe."""
_SPICULE_REACH = (1.25, 1.7)
"""Reach of spicules, in radii."""
SPICULES_VERSION = 2
"""Of how spicules are drawn; part of the keys of stored scenes that have them, and of no others."""
_SPICULE_WIDTH = 0.09
"""Standard deviation of a spicule's angle in radians."""
_CORE = (0.2, 0.3)
"""Radius of a part-solid nodule's core over the nodule's diameter."""
_HALO = 0.42
"""Density of its ground glass over that of its core."""


@dataclass(frozen=True, eq=False)
class Outline:
    """Shape of a round nodule's outline, and variation of brightness inside.

    Args:
        radius: Radius in each of 721 directions over a full turn, over that of the disc of the same area.
        body: The same without spicules, which begin at its edge.
        core: ``(x, y, radius)`` of a solid core, over the nodule's diameter; None: even.
    """

    radius: Array
    body: Array
    core: tuple[float, float, float] | None = None

    @property
    def reach(self) -> float:
        """The farthest point, over the radius."""
        return float(self.radius.max())

    def radius_at(self, dx: Real, dy: Real, diameter_mm: float) -> Array:
        """Return what each offset in mm is divided by to lie on the round nodule.

        It is the body's radius in that direction, and towards the body's edge and beyond it more and more that with
        spicules: so these do not run through the body as rays of a star.
        """
        angle = np.mod(np.arctan2(dy, dx), 2 * np.pi)
        whole, body = (np.interp(angle, _TURN, radius) for radius in (self.radius, self.body))
        outwards = np.minimum(2 * np.hypot(dx, dy) / (diameter_mm * body), 1) ** 2
        return np.where(whole == body, body, 1 / ((1 - outwards) / body + outwards / whole))

    def weight_at(self, dx: Real, dy: Real, diameter_mm: float) -> Array:
        """Return what the brightness is multiplied with at each offset in mm."""
        if self.core is None:
            return np.ones(np.broadcast_shapes(np.shape(dx), np.shape(dy)))
        x, y, radius = (part * diameter_mm for part in self.core)
        solid = np.hypot(dx - x, dy - y) / radius
        return np.asarray(_HALO + (1 - _HALO) * np.sqrt(np.maximum(1 - solid**2, 0)))


def outline_of(margin: str, attenuation: str, seed: int) -> Outline | None:
    """Return the outline of two words (either may be empty); None where they ask for nothing but a round even nodule.

    ``lobulated``: two, three and five lobes. ``spiculated``: 9 to 14 thin spicules, 1.25 to 1.7 radii long, on a
    slightly lobed body. ``part-solid``: a core of 0.4 to 0.6 of the diameter in ground glass.
    """
    if margin not in _WAVES and attenuation != "part-solid":
        return None
    rng = np.random.default_rng(seed_sequence("nodule-outline", seed, margin, attenuation))
    radius = np.ones_like(_TURN)
    for order, size in zip((2, 3, 5), _WAVES.get(margin, (0.0, 0.0, 0.0)), strict=True):
        radius += size * rng.uniform(0.6, 1.2) * np.cos(order * _TURN + rng.uniform(0, 2 * np.pi))
    whole = np.maximum(radius, _spicules(rng)) if margin == "spiculated" else radius
    equal_area = math.sqrt(float(np.trapezoid(whole**2, _TURN)) / (2 * math.pi))
    core = None
    if attenuation == "part-solid":
        x, y = rng.normal(0, 0.08, 2)
        core = (float(x), float(y), float(rng.uniform(*_CORE)))
    return Outline(whole / equal_area, radius / equal_area, core)


def _spicules(rng: np.random.Generator) -> Array:
    count = int(rng.integers(_SPICULES[0], _SPICULES[1] + 1))
    reach = np.zeros_like(_TURN)
    for k in range(count):
        at = 2 * np.pi * (k + rng.uniform(-0.3, 0.3)) / count
        away = np.abs(np.angle(np.exp(1j * (_TURN - at))))
        reach = np.maximum(reach, rng.uniform(*_SPICULE_REACH) * np.exp(-((away / _SPICULE_WIDTH) ** 2) / 2))
    return reach
