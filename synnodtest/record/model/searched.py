"""A search for counterexamples, as the record keeps it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from synnodtest.decoding import JsonObject, Member


@dataclass(frozen=True)
class SearchedEntry:
    """A parameter over which a region was looked for.

    Args:
        name: Its name.
        levels: Of a discrete one.
        range: Of a continuous one.
    """

    name: str
    levels: tuple[Any, ...] | None = None
    range: tuple[float, ...] | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """The range of a continuous one."""
        low, high = self.range or (0.0, 1.0)
        return float(low), float(high)

    def at(self, value: Any) -> float:
        """Return where a value lies on a line from 0 to 1: a level in the middle of its share, NaN for none of them."""
        if self.levels:
            names = [str(level) for level in self.levels]
            return (names.index(str(value)) + 0.5) / len(names) if str(value) in names else math.nan
        low, high = self.ends
        return 0.5 if high == low else (float(value) - low) / (high - low)


@dataclass(frozen=True)
class ParameterEntry(SearchedEntry):
    """A parameter of the searched space.

    Args:
        name: Its name.
        levels: Of a discrete one.
        range: Of a continuous one.
        logarithmic: Whether it is spaced by ratios.
    """

    logarithmic: bool = False

    def at(self, value: Any) -> float:
        """Return where a value lies on a line from 0 to 1, by ratios where it is spaced so."""
        low, high = self.ends
        if self.levels or not self.logarithmic or high == low:
            return super().at(value)
        return math.log(float(value) / low) / math.log(high / low)


@dataclass(frozen=True)
class CoverageEntry:
    """Every example that was tried.

    Args:
        parameters: Columns of the points.
        points: Values and, last, what came of it.
        share: Of the pairs of bins of parameters that were reached.
        cells: How many of these.
        of: How many there are.
    """

    parameters: tuple[ParameterEntry, ...] = ()
    points: tuple[tuple[Any, ...], ...] = ()
    share: float | None = None
    cells: int | None = None
    of: int | None = None


@dataclass(frozen=True)
class FailureMap:
    """Examples around a counterexample over two parameters.

    Args:
        parameters: Their names.
        points: Two values, and whether it failed.
    """

    parameters: tuple[str, ...] = ()
    points: tuple[Any, ...] = ()


@dataclass(frozen=True)
class LocalEntry:
    """Examples around a counterexample.

    Args:
        map: Over the two parameters that tell failing from holding ones.
        radii: How far around it they lie, by parameter.
        failed: How many fail.
        of: How many there are.
        telling: How well each parameter tells failing from holding ones.
    """

    map: FailureMap | None = None
    radii: Mapping[str, float] = field(default_factory=dict)
    failed: int | None = None
    of: int | None = None
    telling: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BoundaryEntry:
    """Edge of the failing region.

    Args:
        value: In the unit of the parameter.
        lower: Lower end of its 95% interval.
        upper: Upper end of it.
        holds_at: The nearest value beyond it that was seen to hold.
    """

    value: float
    lower: float
    upper: float
    holds_at: float | None = None

    @property
    def words(self) -> str:
        """The value and its interval."""
        return f"{self.value:.3g} ({self.lower:.3g} to {self.upper:.3g})"


@dataclass(frozen=True)
class PartEntry:
    """One failing stretch of a parameter; a side without a boundary fails to the end of the range.

    Args:
        start: Lowest failing value.
        end: Highest failing value.
        low: The boundary below.
        high: The boundary above.
    """

    start: float
    end: float
    low: BoundaryEntry | None = None
    high: BoundaryEntry | None = None


@dataclass(frozen=True)
class TermEntry:
    """Condition of a region on one parameter.

    Args:
        name: Of the parameter.
        levels: Failing levels of a discrete one.
        parts: Failing stretches of a continuous one.
        held: Values that were seen to hold, nearest first.
    """

    name: str
    levels: tuple[Any, ...] | None = None
    parts: tuple[PartEntry, ...] = ()
    held: tuple[float, ...] = ()


@dataclass(frozen=True)
class RuleEntry:
    """Condition of a region on the place in the chest.

    Args:
        name: In a region, or the distance from one.
        below: Whether it fails outside of the region, or nearer than the border.
        border: Of a distance.
    """

    name: str
    below: bool = False
    border: BoundaryEntry | None = None


@dataclass(frozen=True)
class RegionEntry:
    """The largest region around a counterexample that was shown to fail.

    Args:
        sentence: In words.
        shown: Whether the rate inside surely falls short of the rate asked for.
        terms: One per parameter that matters.
        rule: On the place in the chest, where that says it better.
        free: Parameters that do not matter.
        share: Of the searched space.
        inside: Scenes within it that fail, and of how many.
        outside: The same outside of it.
        scenes: What the walk cost.
        complete: Whether all was looked at.
        parameters: That were searched.
        columns: Their names.
        points: Every scene: its parameters in this order, then whether it failed.
    """

    sentence: str = ""
    shown: bool = False
    terms: tuple[TermEntry, ...] = ()
    rule: RuleEntry | None = None
    free: tuple[str, ...] = ()
    share: float | None = None
    inside: tuple[int, ...] = ()
    outside: tuple[int, ...] = ()
    scenes: int | None = None
    complete: bool = True
    parameters: tuple[SearchedEntry, ...] = ()
    columns: tuple[str, ...] = ()
    points: tuple[tuple[Any, ...], ...] = ()

    def term(self, name: str) -> TermEntry | None:
        """Return what it asks of a parameter; None where that does not matter."""
        return next((term for term in self.terms if term.name == name), None)


@dataclass(frozen=True)
class SearchEntry:
    """One search.

    Args:
        behaviour: It searched.
        kind: Of its expectation.
        expectation: Its claim.
        expectation_id: Node id of its expectation.
        id: By which a failure is replayed.
        status: Of what was found.
        local: Around the counterexample.
        coverage: Of the space.
        region: The largest that fails.
        confirmations: Scenes that were made to confirm an example, by example.
        trials: From which a failure is made again.
    """

    behaviour: str = ""
    kind: str = ""
    expectation: str = ""
    expectation_id: str = ""
    id: str = ""
    status: str = ""
    local: LocalEntry | None = None
    coverage: CoverageEntry | None = None
    region: RegionEntry | None = None
    confirmations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trials: tuple[Any, ...] = ()
    raw: Annotated[JsonObject, Member(whole=True)] = field(default_factory=dict, repr=False, compare=False)
