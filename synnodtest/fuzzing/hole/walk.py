"""Walking outwards from a failing point along one parameter until the claim holds again."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from synnodtest.fuzzing.hole.box import Stretch
from synnodtest.planning.difficulty import Dimension

PARTS = 4
"""A walk looks at the ends of a parameter and at three values between, so that a hole beside the first is seen too."""
FINENESS = 64
"""A boundary is bisected to this part of the range; what remains is left to scenes around it."""


def failing_stretches(
    dimension: Dimension, start: int | None, fails: Callable[[int], bool | None], *, coarse: bool = False
) -> tuple[tuple[Stretch, ...], tuple[int, ...]]:
    """Return the stretches of difficulty that fail, and the difficulties that were seen to hold.

    Levels are tried one by one. Of a range the ends and three values between are tried, and every change from failing
    to holding is bisected. What cannot be planted belongs to neither side: a stretch ends there without a boundary.

    Args:
        dimension: The parameter.
        start: A difficulty that is known to fail, if there is one.
        fails: Tries a difficulty; None where it cannot be planted.
        coarse: Leave boundaries half-way between what was tried at first.
    """
    low, high = dimension.bounds
    if dimension.levels:
        failing = {k: True if k == start else fails(k) for k in range(low, high + 1)}
        holding = tuple(k for k, failed in failing.items() if failed is False)
        return tuple((k, k) for k in failing if k not in holding), holding
    grid = sorted(
        {low + (high - low) * i // PARTS for i in range(PARTS + 1)} | ({start} if start is not None else set())
    )
    failing = {k: True if k == start else fails(k) for k in grid}
    sides = [(k, failed) for k, failed in failing.items() if failed is not None]
    fine = high - low if coarse else max(1, (high - low) // FINENESS)
    edges: list[int] = []
    holding_seen = {k for k, failed in sides if not failed}
    for (a, a_fails), (b, b_fails) in itertools.pairwise(sides):
        if a_fails != b_fails:
            edge, tried_holding = _bisected(a if a_fails else b, b if a_fails else a, fine, fails)
            edges.append(edge)
            holding_seen |= tried_holding
    return _between(dimension.bounds, edges, bool(sides and sides[0][1])), tuple(sorted(holding_seen))


def _bisected(failing: int, holding: int, fine: int, fails: Callable[[int], bool | None]) -> tuple[int, set[int]]:
    """Return the difficulty half-way between the last failing and the first holding one, and what held on the way."""
    tried_holding = {holding}
    while abs(failing - holding) > fine:
        middle = (failing + holding) // 2
        if fails(middle) is False:
            holding = middle
            tried_holding.add(middle)
        else:
            failing = middle
    return (failing + holding) // 2, tried_holding


def _between(bounds: Stretch, edges: list[int], first_fails: bool) -> tuple[Stretch, ...]:
    """Return the failing stretches between edges at which failing and holding change over."""
    cuts = [bounds[0], *edges, bounds[1]]
    pairs = list(itertools.pairwise(cuts))
    return tuple(pair for i, pair in enumerate(pairs) if (i % 2 == 0) == first_fails)
