"""Values of a spec: a constant, or a distribution to draw from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

import numpy as np

Amount = float | int | str | bool | tuple[float, ...]
"""Type of a drawn value: a number; for some perturbations a word or a pair of numbers."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same."""

    value: Amount

    def draw(self, rng: np.random.Generator) -> Amount:
        """Return the constant; ``rng`` is left alone."""
        return self.value

    @property
    def levels(self) -> tuple[Amount, ...]:
        """The one value."""
        return (self.value,)

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest value; NaN if it is no number."""
        number = float(self.value) if isinstance(self.value, (int, float)) else math.nan
        return number, number


@dataclass(frozen=True, slots=True)
class _Listed:
    """Levels of a list."""

    values: tuple[float | str, ...]

    def draw(self, rng: np.random.Generator) -> float | str:
        """Return one level at random; a plan crosses the levels of a sweep instead."""
        return self.values[int(rng.integers(len(self.values)))]

    @property
    def levels(self) -> tuple[float | str, ...]:
        """All levels."""
        return self.values

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest level; NaN if they are no numbers."""
        numbers = [float(v) for v in self.values if not isinstance(v, str)]
        return (min(numbers), max(numbers)) if numbers else (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Sweep(_Listed):
    """Every level, crossed with all other sweeps; in the order of the spec."""


@dataclass(frozen=True, slots=True)
class Choice(_Listed):
    """One of a list, evenly."""


class _Continuous:
    """Numbers between two bounds."""

    __slots__ = ()
    low: float
    high: float
    levels: ClassVar[tuple[float, ...]] = ()

    @property
    def bounds(self) -> tuple[float, float]:
        """The two bounds."""
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Uniform(_Continuous):
    """Evenly between two bounds."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        """Return one number."""
        return float(rng.uniform(self.low, self.high))


@dataclass(frozen=True, slots=True)
class LogUniform(_Continuous):
    """Between two positive bounds, evenly in the logarithm."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        """Return one number."""
        drawn = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        return min(max(drawn, self.low), self.high)


@dataclass(frozen=True, slots=True)
class Normal(_Continuous):
    """Normal with this mean and standard deviation, cut to ``low``..``high`` (what the quantity can be)."""

    mean: float
    sd: float
    low: float = -math.inf
    high: float = math.inf

    def draw(self, rng: np.random.Generator) -> float:
        """Return one number, by inverting the cut distribution function (one random number each)."""
        curve = NormalDist(self.mean, self.sd)
        bottom, top = curve.cdf(self.low), curve.cdf(self.high)
        share = bottom + rng.uniform() * (top - bottom)
        drawn = curve.inv_cdf(min(max(share, 1e-300), 1 - 1e-16))
        return min(max(drawn, self.low), self.high)


Value = Constant | Sweep | Uniform | LogUniform | Normal | Choice
