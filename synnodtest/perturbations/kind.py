"""A kind of perturbation: everything that spec, search and engine ask about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from synnodtest.geometry import FloatArray
from synnodtest.perturbations.affine import Affine
from synnodtest.radiograph import Radiograph

Change = Callable[[FloatArray, float, np.random.Generator], FloatArray]
"""From pixels, amount and draws to other pixels, none of which moves; those that are given are left as they are."""
Move = Callable[[Any, tuple[int, int], tuple[float, float]], Affine]
"""From value, shape and spacing ``(row, column)`` in mm to where each point goes."""

Remake = Callable[[Radiograph, Any, np.random.Generator], Radiograph]
"""From radiograph, value and draws to another radiograph, where pixels alone do not say enough."""


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number, and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class Span:
    """The amounts that are possible.

    Args:
        low: Smallest.
        high: Largest.
        open_below: Whether ``low`` itself is impossible.
        drawn_from: Smallest that a distribution is cut to, where ``low`` is impossible.
    """

    low: float
    high: float
    open_below: bool = False
    drawn_from: float | None = None

    def __contains__(self, value: float) -> bool:
        return (self.low < value if self.open_below else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        return f"{'above ' if self.open_below else ''}{self.low:g} to {self.high:g}"

    @property
    def limits(self) -> tuple[float, float]:
        """Limits to which a distribution is cut."""
        return (self.low if self.drawn_from is None else self.drawn_from), self.high


@dataclass(frozen=True)
class PerturbationKind:
    """One kind of perturbation.

    Args:
        name: Its name in specs.
        about: What it does, in a sentence, for the schema.
        span: Possible amounts; None where the value is no single number.
        neutral: The amount that changes nothing; None: there is none.
        easy: The amount that changes nothing or least, where a search begins; default: ``neutral``.
        change: Makes other pixels, each where it was; or
        move: moves them; or
        remake: makes another radiograph, of the same grid, perhaps with less of regions and truth.
        schema: Of the value, where it is no single number.
        possible: Whether a value that is no single number will do.
        wanted: What such a value must be, in words.
        nothing: Whether such a value changes nothing.
        mirrors: Whether a value swaps left and right.
    """

    name: str
    about: str
    span: Span | None = None
    neutral: float | None = None
    easy: float | None = None
    change: Change | None = None
    move: Move | None = None
    remake: Remake | None = None
    schema: Mapping[str, object] = field(default_factory=dict)
    possible: Callable[[Any], bool] = lambda value: False
    wanted: str = ""
    nothing: Callable[[Any], bool] = lambda value: False
    mirrors: Callable[[Any], bool] = lambda value: False

    @property
    def easiest(self) -> float | None:
        """The amount where a search begins; None where the value is no single number."""
        return self.neutral if self.easy is None else self.easy

    @classmethod
    def of_words(cls, name: str, about: str, words: Sequence[str], remake: Remake) -> PerturbationKind:
        """Return a kind whose values are words."""
        return cls(
            name=name,
            about=about,
            schema={"type": "string", "enum": list(words), "x-expected": f"one of {', '.join(words)}"},
            possible=lambda value: isinstance(value, str) and value in words,
            wanted=f"one of {', '.join(words)}",
            remake=remake,
        )

    def fault(self, value: Any) -> str:
        """Return what a value must be, where it is not; empty if it will do."""
        if self.span is None:
            return "" if self.possible(value) else self.wanted
        return "" if is_number(value) and float(value) in self.span else f"a number from {self.span}"

    def is_neutral(self, value: Any) -> bool:
        """Return whether a value changes no radiograph."""
        return self.nothing(value) if self.span is None else bool(self.neutral == value)
