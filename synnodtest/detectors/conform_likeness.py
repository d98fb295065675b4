"""When two answers of a detector are the same but for rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.finding import Finding
from synnodtest.geometry import Array

SCORE_TOLERANCE = 1e-3
"""Difference of scores, as in ``openvino.py``: the same network summed in another order differs by about 1e-6, so more
is another answer."""
BOX_TOLERANCE_PX = 0.5
"""Difference of an edge, in pixels: as much as rounding to whole pixels moves it."""
SAME_SHARE = 0.002
"""Boxes at the same place of the picture, as shares of its sides: two pixels of 1024."""


def places(items: Sequence[Finding], shape: tuple[int, int]) -> Array:
    """Return boxes in pixels and as shares of the picture, by descending score: (2, findings, 4)."""
    boxes = np.array([one.box for one in sorted(items, key=lambda one: (-one.score, one.box))]).reshape(-1, 4)
    return np.stack([boxes, boxes / np.tile(shape[::-1], 2)])


def alike(first: Array, other: Array) -> bool:
    """Return whether two pictures have their findings at the same places, in pixels or in shares of the picture."""
    if first.shape != other.shape:
        return False
    in_pixels, in_shares = np.abs(first - other)
    return bool((in_pixels <= BOX_TOLERANCE_PX).all() or (in_shares <= SAME_SHARE).all())


def rounding_px(shape: tuple[int, int]) -> float:
    """Return by how many pixels rounding moves an edge at most; a network sees a large film reduced."""
    return max(BOX_TOLERANCE_PX, SAME_SHARE * max(shape))


def at_its_place(findings: Sequence[Finding], found: Finding, slack_px: float) -> list[Finding]:
    """Return the findings whose edges lie this near to those of another one."""
    return [f for f in findings if max(abs(a - b) for a, b in zip(f.box, found.box, strict=True)) <= slack_px]


def difference(one: Sequence[Finding], other: Sequence[Finding], slack_px: float = BOX_TOLERANCE_PX) -> float:
    """Return the largest difference of scores between two lists, in order of score; 1 where boxes are not the same.

    Findings of a score below 0.01 may come and go with rounding and are left out.
    """
    first, second = (
        sorted((f for f in some if f.score > 0.01), key=lambda f: (-f.score, f.box)) for some in (one, other)
    )
    if abs(len(first) - len(second)) > 0.1 * max(len(first), len(second)):
        return 1.0
    worst = 0.0
    for found in first[:20]:
        near = at_its_place(second, found, slack_px)
        worst = max(worst, min((abs(f.score - found.score) for f in near), default=1.0))
    return worst
