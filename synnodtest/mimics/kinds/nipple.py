"""``nipple``: soft tissue in the air in front of the breast.

Its outer margin is sharp, for air lies beside it; towards the breast it fades. Size: its diameter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.geometry import Array
from synnodtest.mimics.kind import MimicKind, Setting, Zone
from synnodtest.mimics.parts import SOFT, Part, around

_DEPTH = 0.85
"""Height over diameter: pressed against the detector it is a low cylinder with a rounded rim."""
_RIM = 4.0
"""Power of the rim: 2 would be a ball, infinity a flat plate."""


def _draw(setting: Setting) -> Sequence[Part]:
    radius, (cx, cy) = setting.size_mm / 2, setting.centre_mm
    squeeze = setting.rng.uniform(0.85, 1.0)
    depth = _DEPTH * setting.size_mm * setting.rng.uniform(0.8, 1.1)

    def thickness(x: Array, y: Array) -> Array:
        out, down = (x - cx) * setting.outward / radius, (y - cy) / (radius * squeeze)
        body = np.maximum(1 - np.hypot(out, down) ** _RIM, 0) ** (1 / _RIM)
        fading = np.clip((out + 1.1) / 1.1, 0, 1)
        return np.asarray(depth * body * fading**0.7)

    return [Part(thickness, SOFT, around((cx, cy), radius), edge_mm=0.3 * depth)]


KIND = MimicKind(
    name="nipple",
    about="A nipple: soft tissue in air, sharp on its outer side. Size: diameter.",
    sizes_mm=(8.0, 13.0),
    draw=_draw,
    zone=Zone(0.5, 0.85, 0.4, 0.75),
)
