"""``line``: a central venous catheter of barium-filled polyurethane, from the border of the radiograph to its tip.

Its centre is the tip; it comes from the neck, or from under the clavicle. Size: outer diameter (7 French: 2.3 mm).
"""

from __future__ import annotations

from collections.abc import Sequence

from synnodtest.mimics.kind import MimicKind, Setting, Zone
from synnodtest.mimics.parts import BARIUM, Part, Point, curve, tube

_BORE = 0.55
"""Inner over outer diameter."""
_BEYOND_MM = 10.0
"""Length beyond the border."""


def _draw(setting: Setting) -> Sequence[Part]:
    (x, y), (width, _), rng, out = setting.centre_mm, setting.extent_mm, setting.rng, setting.outward
    end: Point
    if rng.random() < 0.5:
        end = (x + out * rng.uniform(10, 30), -_BEYOND_MM)
        bend = (x + out * rng.uniform(15, 35), 0.35 * y)
    else:
        top = max(y - rng.uniform(90, 120), 5.0)
        end = (width / 2 + out * (width / 2 + _BEYOND_MM), top + rng.uniform(-10, 40))
        bend = (x + out * rng.uniform(10, 40), top - rng.uniform(20, 45))
    way = curve((x, y), (x + rng.uniform(-4, 4), y - 0.45 * y), bend, end)
    radius = setting.size_mm / 2
    return [tube(way, radius, BARIUM, bore=_BORE * radius)]


KIND = MimicKind(
    name="line",
    about="A central venous catheter from the border to its tip, which is its centre. Size: outer diameter.",
    sizes_mm=(1.7, 2.6),
    draw=_draw,
    regions=("mediastinum",),
    zone=Zone(0.3, 0.6, 0.0, 0.35),
    device=True,
)
