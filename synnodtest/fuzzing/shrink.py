"""Shrinking: from a failing point to the easiest one nearby that still fails.

Which parameter comes first says ``planning/example_space.py``, which value is easiest ``planning/difficulty.py``.
"""

from __future__ import annotations

from collections.abc import Callable

from synnodtest.planning.difficulty import Difficulties, Space

TOLERANCE = 4
"""Steps of difficulty (of 1000) to which a boundary is located."""
PASSES = 4
"""Passes over all parameters; set by hand: one that changes nothing ends it sooner, so that this bounds the time
alone."""


def shrink(
    space: Space, start: Difficulties, fails: Callable[[Difficulties], bool], enough: Callable[[], bool]
) -> Difficulties:
    """Return the point at which no parameter can be made easier alone without the failure going away.

    Each parameter is first set to its easiest value; where that cures the failure, the boundary is found by
    bisection. Repeated until nothing changes. Every point that is kept was judged and failed.

    Args:
        space: The space.
        start: A failing point.
        fails: Judges a point again; False as well where it cannot be planted.
        enough: Whether to stop now (time is up); the best point so far is returned.
    """
    current = start
    for _ in range(PASSES):
        before = current
        for index in range(len(space)):
            current = _ease(current, index, fails, enough, levels=bool(space.dimensions[index].levels))
        if current == before or enough():
            break
    return current


def _ease(
    point: Difficulties, index: int, fails: Callable[[Difficulties], bool], enough: Callable[[], bool], levels: bool
) -> Difficulties:
    failing = point[index]
    if failing == 0 or enough():
        return point
    if fails(_with(point, index, 0)):
        return _with(point, index, 0)
    if levels:
        lower = (k for k in range(1, failing) if fails(_with(point, index, k)))
        return _with(point, index, next(lower, failing))
    holding, sign = 0, 1 if failing > 0 else -1
    failing = abs(failing)
    while failing - holding > TOLERANCE and not enough():
        middle = (failing + holding) // 2
        if fails(_with(point, index, sign * middle)):
            failing = middle
        else:
            holding = middle
    return _with(point, index, sign * failing)


def _with(point: Difficulties, index: int, difficulty: int) -> Difficulties:
    return (*point[:index], difficulty, *point[index + 1 :])
