"""The part of a search's space that fails: stretches of difficulty per parameter, and a rule on the place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from synnodtest.fuzzing.failure_rule import Rule
from synnodtest.planning.difficulty import Difficulties, Space

Stretch = tuple[int, int]
"""First and last difficulty."""


@dataclass(frozen=True)
class Box:
    """A region known to fail: a product of stretches, narrowed by a rule on where in the chest a nodule lies.

    Args:
        space: The space of the search.
        stretches: By dimension, the stretches of difficulty that fail; a dimension without an entry does not matter.
        rule: On the region or on the distance from a region's border.
    """

    space: Space
    stretches: Mapping[int, tuple[Stretch, ...]] = field(default_factory=dict)
    rule: Rule | None = None

    def of(self, index: int) -> tuple[Stretch, ...]:
        """Return the stretches of a dimension, in order."""
        return self.stretches.get(index) or (self.space.dimensions[index].bounds,)

    def with_(self, index: int, stretches: tuple[Stretch, ...]) -> Box:
        """Return the box with other stretches of one dimension; the whole of it means that it does not matter."""
        others = {k: v for k, v in self.stretches.items() if k != index}
        if stretches != (self.space.dimensions[index].bounds,):
            others[index] = stretches
        return replace(self, stretches=others)

    def contains(self, point: Difficulties) -> bool:
        """Return whether a point lies in all stretches; the rule is not asked."""
        return all(any(a <= point[k] <= b for a, b in stretches) for k, stretches in self.stretches.items())

    def share(self) -> float:
        """Return the share of the space that the stretches take, all difficulties alike; the rule is not asked."""
        whole = 1.0
        for index in self.stretches:
            low, high = self.space.dimensions[index].bounds
            levels = bool(self.space.dimensions[index].levels)
            levels_inside = sum(b - a + levels for a, b in self.of(index))
            whole *= levels_inside / (high - low + levels)
        return whole

    def drawn(
        self, count: int, rng: np.random.Generator, pinned: Mapping[int, Stretch] | None = None
    ) -> Iterator[Difficulties]:
        """Yield points within all stretches: in every dimension each of ``count`` equal slices is hit once."""
        columns, values = [], pinned or {}
        for index in range(len(self.space)):
            stretches = (values[index],) if index in values else self.of(index)
            slices = (rng.permutation(count) + rng.random(count)) / count
            columns.append([_along(stretches, float(share)) for share in slices])
        yield from zip(*columns, strict=True) if columns else [()] * count


def _along(stretches: tuple[Stretch, ...], share: float) -> int:
    """Return the difficulty at a share of the way through stretches laid end to end."""
    total = sum(b - a + 1 for a, b in stretches)
    left = int(share * total)
    for a, b in stretches:
        if left <= b - a:
            return a + left
        left -= b - a + 1
    return stretches[-1][1]


def joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches in order, those that touch or overlap as one."""
    merged: list[Stretch] = []
    for a, b in sorted(stretches):
        if merged and a <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(b, merged[-1][1]))
        else:
            merged.append((a, b))
    return tuple(merged)
