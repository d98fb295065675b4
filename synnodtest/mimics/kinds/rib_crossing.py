"""``rib-crossing``: an anterior and a posterior rib that cross; the mask is their overlap.

Two bones of compact wall and loose core, drawn 70 mm long and thinning out towards their ends, so that they look as the
ribs of the chest do. Size: width of a rib.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from synnodtest.geometry import Array
from synnodtest.mimics.kind import MimicKind, Setting, Zone
from synnodtest.mimics.parts import BONE, SOFT, Part, around

_HALF_LENGTH_MM = 35.0
"""Length of either rib to both sides of the crossing; set by eye: shorter ones look like a cross, longer ones leave the
lung."""
_DEPTH = 0.65
"""Depth along the beam over width."""
_WALL_MM = 0.7
"""Thickness of compact bone; set by eye: near a real rib's, thin enough that its edges show as two lines."""
_LOOSE_BONE = 0.027 - 0.2 * SOFT
"""Attenuation of marrow and trabeculae in 1/mm, less the lung's."""


def _draw(setting: Setting) -> Sequence[Part]:
    rng, out = setting.rng, setting.outward
    posterior = _rib(setting, out * np.radians(rng.uniform(5, 25)), rng.uniform(-0.004, -0.001))
    anterior = _rib(setting, -out * np.radians(rng.uniform(25, 45)), rng.uniform(0.001, 0.004))
    boxes = around(setting.centre_mm, _HALF_LENGTH_MM)

    def overlap(px: Array, py: Array) -> Array:
        return np.minimum(posterior(0.0)(px, py), anterior(0.0)(px, py))

    bones = [
        Part(rib(wall), per_mm, boxes, in_mask=False)
        for rib in (posterior, anterior)
        for wall, per_mm in ((0.0, BONE), (_WALL_MM, _LOOSE_BONE - BONE))
    ]
    return [*bones, Part(overlap, 0.0, boxes)]


def _rib(setting: Setting, slope: float, bend: float) -> Callable[[float], Callable[[Array, Array], Array]]:
    """Return, for a wall in mm, the thickness of a rib without it; the rib descends outwards by ``slope``."""
    cx, cy = setting.centre_mm
    half = setting.size_mm / 2 * setting.rng.uniform(0.85, 1.1)
    cosine, sine = np.cos(slope), np.sin(slope)

    def within(wall: float) -> Callable[[Array, Array], Array]:
        def thickness(x: Array, y: Array) -> Array:
            along = (x - cx) * cosine + (y - cy) * sine
            across = (y - cy) * cosine - (x - cx) * sine - bend * along**2
            squared = 1 - (across / (half - wall)) ** 2
            taper = np.cos(np.clip(along / _HALF_LENGTH_MM, -1, 1) * np.pi / 2) ** 2
            return np.asarray(2 * (_DEPTH * half - wall) * np.sqrt(np.maximum(squared, 0)) * taper)

        return thickness

    return within


KIND = MimicKind(
    name="rib-crossing",
    about="An anterior and a posterior rib that cross; the mask is their overlap. Size: width of a rib.",
    sizes_mm=(9.0, 13.0),
    draw=_draw,
    zone=Zone(0.15, 0.6, 0.3, 0.9),
)
