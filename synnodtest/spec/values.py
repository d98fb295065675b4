"""Values of a spec: a constant, or a distribution to draw from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

__all__ = ["Amount", "Choice", "Constant", "LogUniform", "Normal", "Sweep", "Uniform", "Value"]

Amount = float | int | str | bool | tuple[float, ...]
"""What a value yields: a number; for some perturbations a word or a pair of numbers."""


def _bounds(values: tuple[float | str, ...]) -> tuple[float, float]:
    numbers = [float(v) for v in values if not isinstance(v, str)]
    return (min(numbers), max(numbers)) if numbers else (math.nan, math.nan)


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
class Sweep:
    """Every level, crossed with all other sweeps; in the order of the spec."""

    values: tuple[float | str, ...]

    def draw(self, rng: np.random.Generator) -> float | str:
        """Return one level at random; a plan crosses the levels instead."""
        return self.values[int(rng.integers(len(self.values)))]

    @property
    def levels(self) -> tuple[float | str, ...]:
        """All levels."""
        return self.values

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest level; NaN if they are no numbers."""
        return _bounds(self.values)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list, evenly."""

    values: tuple[float | str, ...]

    def draw(self, rng: np.random.Generator) -> float | str:
        """Return one of the list."""
        return self.values[int(rng.integers(len(self.values)))]

    @property
    def levels(self) -> tuple[float | str, ...]:
        """All that can be drawn."""
        return self.values

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest; NaN if they are no numbers."""
        return _bounds(self.values)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Evenly between two bounds."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        """Return one number."""
        return float(rng.uniform(self.low, self.high))

    @property
    def levels(self) -> tuple[float, ...]:
        """None: the values are continuous."""
        return ()

    @property
    def bounds(self) -> tuple[float, float]:
        """The two bounds."""
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class LogUniform:
    """Between two positive bounds, evenly in the logarithm."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        """Return one number."""
        drawn = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        return min(max(drawn, self.low), self.high)

    @property
    def levels(self) -> tuple[float, ...]:
        """None: the values are continuous."""
        return ()

    @property
    def bounds(self) -> tuple[float, float]:
        """The two bounds."""
        return self.low, self.high


@dataclass(frozen=True, slots=True)
class Normal:
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

    @property
    def levels(self) -> tuple[float, ...]:
        """None: the values are continuous."""
        return ()

    @property
    def bounds(self) -> tuple[float, float]:
        """Where it is cut."""
        return self.low, self.high


Value = Constant | Sweep | Uniform | LogUniform | Normal | Choice
