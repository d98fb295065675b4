"""When two answers of a detector are the same but for rounding."""

from __future__ import annotations

from collections.abc import Sequence

from synnodtest.finding import Finding

SCORE_TOLERANCE = 1e-3
"""Difference of scores, as in ``openvino.py``: the same network summed in another order differs by about 1e-6, so more
is another answer."""
BOX_TOLERANCE_PX = 0.5
"""Difference of an edge, in pixels: as much as rounding to whole pixels moves it."""
SAME_SHARE = 0.002
"""Boxes at the same place of the picture, as shares of its sides: two pixels of 1024."""

Places = list[tuple[tuple[float, ...], tuple[float, ...]]]


def places(items: Sequence[Finding], shape: tuple[int, int]) -> Places:
    """Return boxes in pixels and as shares of the picture, by descending score."""
    height, width = shape
    sides = (width, height, width, height)
    ordered = sorted(items, key=lambda one: (-one.score, one.box))
    return [(tuple(one.box), tuple(edge / side for edge, side in zip(one.box, sides, strict=True))) for one in ordered]


def alike(first: Places, other: Places) -> bool:
    """Return whether two pictures have their findings at the same places, in pixels or in shares of the picture."""
    if len(first) != len(other):
        return False
    pairs = list(zip(first, other, strict=True))
    in_pixels = all(abs(a - b) <= BOX_TOLERANCE_PX for one, two in pairs for a, b in zip(one[0], two[0], strict=True))
    return in_pixels or all(abs(a - b) <= SAME_SHARE for one, two in pairs for a, b in zip(one[1], two[1], strict=True))


def difference(one: Sequence[Finding], other: Sequence[Finding]) -> float:
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
        near = [f for f in second if max(abs(a - b) for a, b in zip(f.box, found.box, strict=True)) <= BOX_TOLERANCE_PX]
        worst = max(worst, min((abs(f.score - found.score) for f in near), default=1.0))
    return worst
