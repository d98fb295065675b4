"""Three-dimensional nodules, planted as attenuation in the lung before projection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.errors import BackgroundError
from synnodtest.phantom.anatomy import VERSION
from synnodtest.phantom.solids import Array

Shape = Literal["round", "lobulated", "spiculated", "part-solid"]
SHAPES: tuple[Shape, ...] = get_args(Shape)
NODULE_VERSION = 2
"""Changes with the nodules that a seed gives; the chests have their own version."""
BODY_SHARE = 0.13
"""Share of the thickest chord below which a part is a spicule, which no reader draws a box around."""


@dataclass(frozen=True)
class PhantomNodule:
    """A nodule in the lung of a phantom.

    Args:
        diameter_mm: Equal-area diameter of its body's silhouette, were it not cut by heart, diaphragm or chest wall;
            spicules come on top.
        centre_mm: ``(x, y)`` from the top left corner of the radiograph.
        depth: Where along the ray through its centre it lies: 0 at the front of the aerated lung, 1 at the back.
        shape: ``round``, ``lobulated``, ``spiculated`` or ``part-solid``.
        density: Attenuation relative to soft tissue (1: solid; about 1.5: calcified; about 0.5: ground glass).
        contrast: Wanted contrast (mean added brightness / lung range); overrides ``density`` where physics can give
            it (density 0.3 to 4).
        seed: Seed of its outline.
        name: Its name in the truth.
    """

    diameter_mm: float
    centre_mm: tuple[float, float]
    depth: float = 0.5
    shape: Shape = "round"
    density: float = 1.0
    contrast: float | None = None
    seed: int = 0
    name: str = "nodule"

    def __post_init__(self) -> None:
        if not 1.0 <= self.diameter_mm <= 120.0:
            raise BackgroundError(f"a phantom nodule of {self.diameter_mm} mm cannot be planted", hint="1 to 120 mm")
        if self.shape not in SHAPES:
            raise BackgroundError(f"{self.shape!r} is no nodule shape", hint=f"one of {', '.join(SHAPES)}")
        object.__setattr__(self, "centre_mm", (float(self.centre_mm[0]), float(self.centre_mm[1])))


def reach_mm(nodule: PhantomNodule) -> float:
    """Return a radius that holds the whole nodule, spicules included."""
    return 0.5 * nodule.diameter_mm * (1.9 if nodule.shape == "spiculated" else 1.5) + 1.0


def nodule_chord(nodule: PhantomNodule, dx: Array, dy: Array) -> tuple[Array, Array]:
    """Return half the nodule's chord (mm) and its relative density at offsets from its centre (mm).

    The body's outline is a star-shaped curve R(angle), scaled so that its area is that of a disc of ``diameter_mm``;
    inside, the half-chord is that of a ball: ``sqrt(1 - (r / R)^2)`` times the mean radius and a depth factor. Spicules
    stay thinner than :data:`BODY_SHARE` of the thickest chord.
    """
    rng = np.random.default_rng(seed_sequence("phantom-nodule", VERSION, nodule.seed, nodule.shape))
    flat = float(rng.uniform(0.85, 1.15))
    turn = np.linspace(0, 2 * np.pi, 721)
    core, spikes = _outline(nodule.shape, turn, rng)
    scale = nodule.diameter_mm / 2 / math.sqrt(float(np.trapezoid(core**2, turn)) / (2 * math.pi))
    angle = np.mod(np.arctan2(dy, dx), 2 * np.pi)
    r = np.hypot(dx, dy)
    core_r = np.interp(angle, turn, core * scale)
    half = flat * scale * np.sqrt(np.maximum(1 - (r / core_r) ** 2, 0))
    if nodule.shape == "spiculated":
        spike_r = np.interp(angle, turn, spikes * scale)
        thin = 0.16 * scale * np.sqrt(np.maximum(1 - r / np.maximum(spike_r, 1e-6), 0))
        half = np.maximum(half, np.where(spike_r > core_r, thin, 0))
    density = np.ones_like(half)
    if nodule.shape == "part-solid":
        ox, oy = rng.normal(0, 0.12, 2) * nodule.diameter_mm
        solid = np.hypot(dx - ox, dy - oy) / (nodule.diameter_mm * rng.uniform(0.2, 0.3))
        density = 0.42 + 0.58 * np.sqrt(np.maximum(1 - solid**2, 0))
    return half.astype(np.float32), density.astype(np.float32)


def _outline(shape: Shape, turn: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return R(angle) of the body and of its spicules (0 where there are none)."""
    core = np.ones_like(turn)
    waves = {"round": (0.05, 0.015, 0.0), "lobulated": (0.11, 0.09, 0.07), "spiculated": (0.07, 0.05, 0.03)}
    for order, size in zip((2, 3, 5), waves.get(shape, (0.08, 0.04, 0.02)), strict=True):
        core += size * rng.uniform(0.6, 1.2) * np.cos(order * turn + rng.uniform(0, 2 * np.pi))
    spikes = np.zeros_like(turn)
    if shape == "spiculated":
        count = int(rng.integers(9, 15))
        for k in range(count):
            at = 2 * np.pi * (k + rng.uniform(-0.3, 0.3)) / count
            away = np.abs(np.angle(np.exp(1j * (turn - at))))
            spikes = np.maximum(spikes, rng.uniform(1.25, 1.75) * np.exp(-((away / 0.085) ** 2)))
        spikes = np.where(spikes > core, spikes, 0)
    return core, spikes
