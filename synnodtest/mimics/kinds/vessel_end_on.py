"""``vessel-end-on``: an artery that runs along the beam for some mm, and its bronchus beside it.

Sharp, round and even, because its thickness is; the bronchus is a ring of the same size. Size: diameter of the vessel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.mimics.kind import MimicKind, Setting
from synnodtest.mimics.parts import SOFT, Part, curve, plate, tube

_TISSUE = 0.8 * SOFT
"""Blood in place of lung."""
_LUNG = 0.2 * SOFT
"""Attenuation of aerated lung, in 1/mm: a fifth of soft tissue's, as in the other mimics."""
_WALL = 0.2
"""Of the bronchus, over its radius."""
_LEAVES = 6.0
"""Length of the branch that leaves it, over the diameter."""


def _draw(setting: Setting) -> Sequence[Part]:
    rng, radius, centre = setting.rng, setting.size_mm / 2, setting.centre_mm
    depth = setting.size_mm * rng.uniform(2.0, 3.0)
    turn = rng.uniform(0, 2 * np.pi)
    beside = (centre[0] + 2.1 * radius * np.cos(turn), centre[1] + 2.1 * radius * np.sin(turn))
    return [
        plate(centre, radius, depth, _TISSUE),
        plate(beside, radius, depth, _TISSUE, hole=(1 - _WALL) * radius, in_mask=False),
        plate(beside, (1 - _WALL) * radius, depth, -_LUNG, in_mask=False),
        *_branch(setting, turn + np.pi + rng.uniform(-0.8, 0.8)),
    ]


def _branch(setting: Setting, turn: float) -> list[Part]:
    """Return the part of the vessel that has turned into the plane, thinner step by step."""
    radius, centre = setting.size_mm / 2, np.asarray(setting.centre_mm)
    away, bend = np.array([np.cos(turn), np.sin(turn)]), setting.rng.uniform(-0.5, 0.5)
    aside = np.array([-away[1], away[0]]) * bend
    reach = _LEAVES * setting.size_mm
    ways = [tuple(centre + reach * (t * away + t**2 * aside)) for t in (0.0, 0.33, 0.66, 1.0)]
    way = curve(*ways)
    return [
        tube(way[: int(share * len(way))], size * radius, _TISSUE / 4, in_mask=False)
        for share, size in ((0.4, 0.6), (0.6, 0.5), (0.8, 0.4), (1.0, 0.3))
    ]


KIND = MimicKind(
    name="vessel-end-on",
    about="A vessel along the beam, with its bronchus beside it. Size: diameter of the vessel.",
    sizes_mm=(4.0, 7.0),
    draw=_draw,
    regions=("hilar",),
)
