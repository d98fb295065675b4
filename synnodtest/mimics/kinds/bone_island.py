"""``bone-island``: compact bone within the loose bone of a rib, oval along it, with a brush border. Size: diameter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.geometry import Array
from synnodtest.mimics.kind import MimicKind, Setting
from synnodtest.mimics.parts import BONE, Part, around

_MORE = BONE - 0.027
"""Compact bone in place of loose bone."""
_DEPTH = 0.7
"""Along the beam over diameter: it has to fit into the rib."""
_BRUSH = 0.09
"""Reach of the brush border over the radius."""
_BRISTLES = 17
"""Bristles around the island, beside 7 broader ones; set by eye: odd numbers without a common factor keep it from
looking regular."""


def _draw(setting: Setting) -> Sequence[Part]:
    (cx, cy), rng = setting.centre_mm, setting.rng
    long, short = setting.size_mm / 2 * 1.2, setting.size_mm / 2 / 1.2
    turn = setting.outward * np.radians(rng.uniform(0, 35))
    phases = rng.uniform(0, 2 * np.pi, 2)
    reach = long * (1 + 2 * _BRUSH)

    def thickness(x: Array, y: Array) -> Array:
        along = ((x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)) / long
        across = ((y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)) / short
        angle = np.arctan2(across, along)
        brush = 1 + _BRUSH * (np.sin(_BRISTLES * angle + phases[0]) + 0.6 * np.sin(7 * angle + phases[1])) / 1.6
        return np.asarray(_DEPTH * setting.size_mm * np.sqrt(np.maximum(1 - (along**2 + across**2) / brush**2, 0)))

    return [Part(thickness, _MORE, around((cx, cy), reach))]


KIND = MimicKind(
    name="bone-island",
    about="Compact bone within a rib, oval along it, with a brush border. Size: diameter.",
    sizes_mm=(5.0, 10.0),
    draw=_draw,
    regions=("rib",),
)
