"""``calcified-granuloma``: a small dense ball with a denser middle and crumbs around it. Size: diameter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.mimics.kind import MimicKind, Setting
from synnodtest.mimics.parts import CALCIUM, Part, ball

_CORE = 0.55
"""Of the denser middle, over the radius."""
_CRUMBS = (3, 7)
"""Crumbs at the edge, from the first number to one less than the second; set by eye: fewer leave it round, more hide
the ball."""


def _draw(setting: Setting) -> Sequence[Part]:
    centre, radius, rng = setting.centre_mm, setting.size_mm / 2, setting.rng
    return [
        ball(centre, radius, CALCIUM),
        ball(_near(centre, 0.15 * radius, rng), _CORE * radius, CALCIUM),
        *(_crumb(centre, radius, rng) for _ in range(int(rng.integers(*_CRUMBS)))),
    ]


def _crumb(centre: tuple[float, float], radius: float, rng: np.random.Generator) -> Part:
    """Return a lump at the edge, which makes the outline uneven."""
    turn = rng.uniform(0, 2 * np.pi)
    at = (centre[0] + 0.8 * radius * np.cos(turn), centre[1] + 0.8 * radius * np.sin(turn))
    return ball(at, rng.uniform(0.2, 0.4) * radius, CALCIUM)


def _near(centre: tuple[float, float], reach: float, rng: np.random.Generator) -> tuple[float, float]:
    dx, dy = rng.uniform(-reach, reach, 2)
    return centre[0] + float(dx), centre[1] + float(dy)


KIND = MimicKind(
    name="calcified-granuloma",
    about="A small ball of calcium, denser in its middle. Size: diameter.",
    sizes_mm=(4.0, 9.0),
    draw=_draw,
)
