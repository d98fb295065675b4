"""Parameters of fuzzed examples by difficulty: 0 is the easiest value, so whatever shrinks ends at the easiest failure.

Large, dense and round is easy; so is the middle of the lung, alone and unperturbed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from synnodtest.perturbations.registry import perturbation_kinds
from synnodtest.scene import ATTENUATION_WORDS, MARGIN_WORDS
from synnodtest.spec.values import Choice, Constant, LogUniform, Normal, Sweep, Value

STEPS = 1000
"""Difficulty of the hardest value of a continuous parameter."""

NEUTRAL: Mapping[str, float] = {
    name: kind.easiest for name, kind in perturbation_kinds().items() if kind.easiest is not None
}
"""The value of each perturbation that changes nothing, or least."""
_HIGH = frozenset(
    {"diameter_mm", "contrast", "density", "distance_mm", "mimic_distance_mm", "Sphericity", "Elongation"}
)

_OPTIONAL = {"companion.present": "companion.", "mimic": "mimic_distance_mm"}
"""Names of the presence of a second nodule or a distractor, and beginnings of the names of its parameters."""

Difficulties = tuple[int, ...]
"""One whole number per dimension of a space, 0 for easy."""


@dataclass(frozen=True)
class Dimension:
    """One parameter, from easy to hard.

    Args:
        name: As in specs, flat: ``diameter_mm``, ``perturbations.jpeg``, ``companion.distance_mm``, ``place.height``.
        easy: Value at difficulty 0.
        ends: The hardest value; two where the easy one lies between, the second at negative difficulties.
        levels: In place of ``easy`` and ``ends``: separate values, easiest first. None: the parameter is left out.
        logarithmic: Even steps of the logarithm.
    """

    name: str
    easy: float = 0.0
    ends: tuple[float, ...] = ()
    levels: tuple[Any, ...] = ()
    logarithmic: bool = False

    @property
    def bounds(self) -> tuple[int, int]:
        """Lowest and highest difficulty."""
        if self.levels:
            return 0, len(self.levels) - 1
        return (-STEPS if len(self.ends) == 2 else 0), STEPS

    def value(self, difficulty: int) -> Any:
        """Return the value at a difficulty."""
        if self.levels:
            return self.levels[difficulty]
        end, share = self.ends[0 if difficulty >= 0 else 1], abs(difficulty) / STEPS
        if self.logarithmic:
            return round(math.exp(math.log(self.easy) + (math.log(end) - math.log(self.easy)) * share), 5)
        return round(self.easy + (end - self.easy) * share, 5)

    def nearest(self, value: Any) -> int:
        """Return the difficulty whose value is nearest to one; of levels the equal one, else the easiest."""
        if self.levels:
            return self.levels.index(value) if value in self.levels else 0
        if not isinstance(value, (int, float)):
            return 0
        low, high = self.bounds
        return min(range(low, high + 1), key=lambda k: (abs(float(self.value(k)) - value), abs(k)))

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest value of a continuous parameter."""
        ends = (self.easy, *self.ends)
        return min(ends), max(ends)

    @property
    def landmarks(self) -> tuple[int, ...]:
        """Difficulties that a coverage phase visits: all levels, or easy, half-way and the ends."""
        if self.levels:
            return tuple(range(len(self.levels)))
        return (0, STEPS // 2, STEPS, *((-STEPS // 2, -STEPS) if len(self.ends) == 2 else ()))


def ranged(name: str, low: float, high: float, easy: float | None = None, *, logarithmic: bool = False) -> Dimension:
    """Return the dimension of a range whose easy value is ``easy`` (cut to the range; default: by the name's kind)."""
    key = name.rpartition(".")[2]
    if easy is None:
        easy = NEUTRAL[key] if name.startswith("perturbations.") else high if key in _HIGH else (low + high) / 2
    easy = min(max(easy, low), high)
    ends = tuple(end for end in (low, high) if end != easy)
    return Dimension(name, easy, ends or (easy,), logarithmic=logarithmic)


def dimension(name: str, value: Value) -> Dimension:
    """Return the dimension of a value of a spec."""
    key = name.rpartition(".")[2]
    if isinstance(value, Constant):
        optional = name.startswith("perturbations.")
        return Dimension(name, levels=(None, value.value) if optional else (value.value,))
    if isinstance(value, Choice | Sweep):
        return Dimension(name, levels=_easiest_first(name, key, value.levels))
    low, high = value.bounds
    if isinstance(value, Normal):
        low, high = max(low, value.mean - 3 * value.sd), min(high, value.mean + 3 * value.sd)
    return ranged(name, low, high, logarithmic=isinstance(value, LogUniform))


def _easiest_first(name: str, key: str, levels: Sequence[Any]) -> tuple[Any, ...]:
    if name.startswith("perturbations.") and key in NEUTRAL:
        return tuple(sorted(levels, key=lambda v: abs(float(v) - NEUTRAL[key])))
    if key in _HIGH:
        return tuple(sorted(levels, key=lambda v: -float(v)))
    if key == "attenuation":
        return tuple(sorted(levels, key=ATTENUATION_WORDS.index, reverse=True))
    if key == "margin":
        return tuple(sorted(levels, key=MARGIN_WORDS.index))
    return tuple(levels)


@dataclass(frozen=True)
class Space:
    """All parameters of a search, in the order in which shrinking takes them."""

    dimensions: tuple[Dimension, ...]

    def __len__(self) -> int:
        return len(self.dimensions)

    def __iter__(self) -> Iterator[Dimension]:
        return iter(self.dimensions)

    @property
    def easiest(self) -> Difficulties:
        """All zeros."""
        return (0,) * len(self.dimensions)

    @cached_property
    def hosts(self) -> dict[int, int]:
        """Dimensions of what may be left out, and the dimension that says whether it is: 0 leaves it out."""
        named = [d.name for d in self.dimensions]
        return {
            at: named.index(host)
            for host, prefix in _OPTIONAL.items()
            for at, name in enumerate(named)
            if host in named and name.startswith(prefix) and name != host
        }

    def moot(self, difficulties: Sequence[int]) -> frozenset[int]:
        """Return the dimensions that an example has none of: how far a second nodule is that is left out."""
        return frozenset(at for at, host in self.hosts.items() if difficulties[host] == 0)

    def plain(self, difficulties: Sequence[int]) -> Difficulties:
        """Return the point of the same example with 0 for what it has none of."""
        moot = self.moot(difficulties)
        return tuple(0 if at in moot else k for at, k in enumerate(difficulties))

    def values(self, difficulties: Sequence[int]) -> dict[str, object]:
        """Return the parameters by name; those whose level is None are left out."""
        moot = self.moot(difficulties)
        pairs = enumerate(zip(self.dimensions, difficulties, strict=True))
        values = {d.name: value for at, (d, k) in pairs if at not in moot and (value := d.value(k)) is not None}
        values.pop("companion.present", None)
        return values

    def effort(self, difficulties: Sequence[int]) -> float:
        """Return how far from easy a point is: the sum of shares of the way."""
        return sum(
            abs(k) / max(abs(low), high, 1)
            for k, (low, high) in zip(difficulties, (d.bounds for d in self.dimensions), strict=True)
        )

    def easiest_first(self, points: Iterable[Difficulties]) -> list[Difficulties]:
        """Return points in the order of their effort."""
        return sorted(points, key=lambda point: (round(self.effort(point), 9), point))

    def eased(self, difficulties: Sequence[int], names: frozenset[str]) -> Difficulties:
        """Return the point with the named parameters at their easiest."""
        return tuple(0 if d.name in names else k for d, k in zip(self.dimensions, difficulties, strict=True))

    def between(self, easy: Difficulties, hard: Difficulties, share: float) -> Difficulties:
        """Return the point at this share of the way; separate levels stay the easy ones until the end."""
        return tuple(
            (b if share >= 1 else a) if d.levels else round(a + (b - a) * share)
            for d, a, b in zip(self.dimensions, easy, hard, strict=True)
        )

    def needed(self, difficulties: Sequence[int]) -> tuple[str, ...]:
        """Return the names of the parameters that are not at their easiest."""
        return tuple(d.name for d, k in zip(self.dimensions, difficulties, strict=True) if k)
