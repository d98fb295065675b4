"""Findings with the regions in which they lie; those of a radiograph are kept as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from synnodtest.finding import Finding
from synnodtest.geometry import Array
from synnodtest.matching import AllBut, Matching, Outcome, in_reach, match
from synnodtest.radiograph import Truth


@cache
def names_of(regions: tuple[str, ...]) -> frozenset[str]:
    """Return names of regions as a set: one object, however many findings and nodules lie in them."""
    return frozenset(regions)


@dataclass(frozen=True)
class Sighting:
    """A finding, and the names of the regions in which its centre lies."""

    finding: Finding
    regions: frozenset[str] = frozenset()


Table = Array
Places = NDArray[np.uint16]
_IN_MEMORY = 16
"""So many findings are no more than the rest of what is kept of a scene."""
_ROW = 42
"""Bytes of a finding: five float64, one uint16."""


class Spooled(Protocol):
    """Bytes that were put aside."""

    @property
    def length(self) -> int:
        """Their number."""

    def read(self) -> bytes:
        """Return them."""

    def __hash__(self) -> int:
        """Of the object: no two are the same bytes."""


class Spool(Protocol):
    """Keeps bytes outside the process's memory."""

    def put(self, data: bytes) -> Spooled | None:
        """Put bytes aside; None where that is not possible."""


class Sightings(Sequence[Sighting]):
    """The findings on one radiograph, in the detector's order, in 42 bytes each: a detector may report hundreds.

    Args:
        findings: Their boxes and scores.
        regions: Per finding the names of the regions that hold its centre.

    Attributes:
        regions: The sets of regions in which findings lie, each once.
    """

    __slots__ = ("_held", "regions")

    def __init__(self, findings: Iterable[Finding], regions: Iterable[frozenset[str]]) -> None:
        known: dict[frozenset[str], int] = {}
        table = np.array([(*f.box, f.score) for f in findings], dtype=np.float64).reshape(-1, 5)
        places = np.array([known.setdefault(names, len(known)) for names in regions], dtype=np.uint16)
        self._held: tuple[Table, Places] | Spooled = table, places
        self.regions = tuple(known)

    @classmethod
    def of_numbers(cls, table: Table, places: Places, regions: Sequence[frozenset[str]]) -> Sightings:
        """Return findings that are known as numbers.

        Args:
            table: A row per finding: its box and its score.
            places: Per finding which of ``regions`` it lies in.
            regions: The sets of regions in which findings lie, each once.
        """
        sightings = cls.__new__(cls)
        sightings._held, sightings.regions = (table, places), tuple(regions)
        return sightings

    @property
    def numbers(self) -> tuple[Table, Places]:
        """Table and places; see :meth:`of_numbers`."""
        return self._held if isinstance(self._held, tuple) else _unspooled(self._held)

    def aside(self, spool: Spool) -> Sightings:
        """Return these findings with their numbers in a spool, if there are many."""
        if not isinstance(self._held, tuple) or len(self) <= _IN_MEMORY:
            return self
        table, places = self._held
        spooled = spool.put(table.tobytes() + places.tobytes())
        if spooled is None:
            return self
        sightings = Sightings.__new__(Sightings)
        sightings._held, sightings.regions = spooled, self.regions
        return sightings

    def __reduce__(self) -> tuple[Any, ...]:
        return Sightings.of_numbers, (*self.numbers, self.regions)

    def __len__(self) -> int:
        return len(self._held[0]) if isinstance(self._held, tuple) else self._held.length // _ROW

    def __iter__(self) -> Iterator[Sighting]:
        table, places = self.numbers
        for (x_min, y_min, x_max, y_max, score), place in zip(table.tolist(), places.tolist(), strict=True):
            yield Sighting(Finding((x_min, y_min, x_max, y_max), score), self.regions[place])

    @overload
    def __getitem__(self, index: int) -> Sighting: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Sighting, ...]: ...

    def __getitem__(self, index: int | slice) -> Sighting | tuple[Sighting, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        table, places = self.numbers
        x_min, y_min, x_max, y_max, score = table[index].tolist()
        return Sighting(Finding((x_min, y_min, x_max, y_max), score), self.regions[places[index]])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Sightings({list(self)})"


def table_of(sightings: Sequence[Sighting]) -> Table:
    """Return a row per finding, its box and its score."""
    if isinstance(sightings, Sightings):
        return sightings.numbers[0]
    return np.array([(*s.finding.box, s.finding.score) for s in sightings], dtype=np.float64).reshape(-1, 5)


def scores_of(sightings: Sequence[Sighting]) -> list[float]:
    """Return the score of every finding, in the detector's order."""
    scores: list[float] = table_of(sightings)[:, 4].tolist()
    return scores


def matched(
    sightings: Sequence[Sighting],
    nodules: Sequence[Truth],
    spacing_mm: tuple[float, float],
    matching: Matching,
    among: Sequence[int] | None = None,
) -> Outcome:
    """Return what :func:`~synnodtest.matching.match` says, with only the findings near a nodule made objects for it.

    Args:
        sightings: All findings of a radiograph.
        nodules: Realised truth.
        spacing_mm: ``(row, column)``.
        matching: The criterion.
        among: Indices of those that may match; all by default.
    """
    table = table_of(sightings)
    asked = np.arange(len(table)) if among is None else np.fromiter(among, np.intp)
    near = asked[in_reach(table[asked, :4], nodules, spacing_mm, matching)].tolist()
    findings = [
        Finding((x_min, y_min, x_max, y_max), score) for x_min, y_min, x_max, y_max, score in table[near].tolist()
    ]
    outcome = match(findings, nodules, spacing_mm, matching)
    finding_of = tuple(None if index is None else near[index] for index in outcome.finding_of)
    duplicates = tuple(near[index] for index in outcome.duplicates)
    few = [*(index for index in finding_of if index is not None), *duplicates]
    return Outcome(finding_of, duplicates, AllBut(len(table), few))


def highest(sightings: Sequence[Sighting], default: float) -> float:
    """Return the highest score of any finding, or the default without one; hundreds are not made objects for it."""
    return max(scores_of(sightings), default=default)


@lru_cache(maxsize=8)
def _unspooled(spooled: Spooled) -> tuple[Table, Places]:
    """Return table and places; those that were read last are at hand for who looks at one finding after the other."""
    data, count = spooled.read(), spooled.length // _ROW
    table = np.frombuffer(data, np.float64, 5 * count).reshape(-1, 5)
    return table, np.frombuffer(data, np.uint16, count, table.nbytes)
