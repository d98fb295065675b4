"""``ecg-electrode``: a gel pad, the snap and its ring, and the lead to the border of the radiograph.

Size: diameter of the connector; everything else is in proportion to a common one of 11 mm.
"""

from __future__ import annotations

from collections.abc import Sequence

from synnodtest.geometry import Array
from synnodtest.mimics.kind import MimicKind, Setting
from synnodtest.mimics.parts import BRASS, COPPER, PLASTIC, SOFT, STEEL, Part, Point, curve, plate, tube

_STRANDS = 0.7
"""Share of copper in a braid."""
_BEYOND_MM = 10.0
"""Length of the lead beyond the border."""


def _draw(setting: Setting) -> Sequence[Part]:
    centre, unit = setting.centre_mm, setting.size_mm / 11.0
    lead = _lead(setting)
    return [
        plate(centre, 9.0 * unit, 1.0 * unit, SOFT, in_mask=False),
        plate(centre, 5.5 * unit, 3.0 * unit, PLASTIC),
        plate(centre, 4.2 * unit, 1.6 * unit, STEEL, hole=3.2 * unit),
        plate(centre, 2.3 * unit, 2.5 * unit, BRASS),
        tube(lead, 1.2 * unit, PLASTIC),
        tube(lead, 0.5 * unit, _STRANDS * COPPER),
    ]


def _lead(setting: Setting) -> Array:
    (x, y), (width, height), rng = setting.centre_mm, setting.extent_mm, setting.rng
    out = setting.outward
    to_side = rng.random() < 0.5
    end: Point
    if to_side:
        end = (width / 2 + out * (width / 2 + _BEYOND_MM), min(y + rng.uniform(10, 90), height))
        through = (x + out * rng.uniform(15, 35), y + rng.uniform(-15, 45))
    else:
        end = (x + out * rng.uniform(-20, 50), height + _BEYOND_MM)
        through = (x + out * rng.uniform(-25, 25), y + rng.uniform(30, 70))
    bend = ((through[0] + end[0]) / 2 + rng.uniform(-25, 25), (through[1] + end[1]) / 2 + rng.uniform(-25, 25))
    return curve((x, y), through, bend, end)


KIND = MimicKind(
    name="ecg-electrode",
    about="An ECG electrode (snap, ring, gel pad) and its lead to the border. Size: diameter of the connector.",
    sizes_mm=(10.0, 12.0),
    draw=_draw,
    device=True,
)
