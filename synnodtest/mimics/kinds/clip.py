"""``clip``: a closed surgical clip of steel: two legs of 1 mm that meet at one end. Size: length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.mimics.kind import MimicKind, Setting
from synnodtest.mimics.parts import STEEL, Part, tube

_RADIUS_MM = 0.5
"""Half the width of a leg, in mm, as docs/mimics.md states; set by hand: thicker legs run into one."""
_LAYERS = 2.5
"""Ratio of depth along the beam to width: legs are flat bands, and lie partly over each other."""
_GAP = 0.16
"""Between the legs at their open end, over the length."""


def _draw(setting: Setting) -> Sequence[Part]:
    turn = setting.rng.uniform(0, np.pi)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    length, gap, centre = setting.size_mm, setting.rng.uniform(0.3, 1.0) * _GAP, np.asarray(setting.centre_mm)
    shape = [(0.5, -gap / 2), (-0.4, -gap / 2), (-0.5, 0.0), (-0.4, gap / 2), (0.5, gap / 2)]
    points = np.array([centre + length * (u * along + v * across) for u, v in shape])
    return [tube(points, _RADIUS_MM, _LAYERS * STEEL)]


KIND = MimicKind(
    name="clip",
    about="A closed surgical clip of steel. Size: length.",
    sizes_mm=(5.0, 9.0),
    draw=_draw,
    device=True,
)
