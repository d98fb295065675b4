"""Findings with the regions in which they lie; those of a radiograph are kept as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import overload

import numpy as np
from numpy.typing import NDArray

from synnodtest.finding import Finding

__all__ = ["Sighting", "Sightings", "names_of"]


@cache
def names_of(regions: tuple[str, ...]) -> frozenset[str]:
    """Return names of regions as a set: one object, however many findings and nodules lie in them."""
    return frozenset(regions)


@dataclass(frozen=True)
class Sighting:
    """A finding, and the names of the regions in which its centre lies."""

    finding: Finding
    regions: frozenset[str] = frozenset()


class Sightings(Sequence[Sighting]):
    """The findings on one radiograph, in the detector's order, in 42 bytes each: a detector may report hundreds.

    Args:
        findings: Their boxes and scores.
        regions: Per finding the names of the regions that hold its centre.

    Attributes:
        table: A row per finding: its box and its score.
        places: Per finding which of ``regions`` it lies in.
        regions: The sets of regions in which findings lie, each once.
    """

    __slots__ = ("places", "regions", "table")

    def __init__(self, findings: Iterable[Finding], regions: Iterable[frozenset[str]]) -> None:
        known: dict[frozenset[str], int] = {}
        self.table = np.array([(*f.box, f.score) for f in findings], dtype=np.float64).reshape(-1, 5)
        self.places = np.array([known.setdefault(names, len(known)) for names in regions], dtype=np.uint16)
        self.regions = tuple(known)

    @classmethod
    def of_numbers(
        cls, table: NDArray[np.float64], places: NDArray[np.uint16], regions: Sequence[frozenset[str]]
    ) -> Sightings:
        """Return findings that are known as numbers; see the attributes."""
        made = cls.__new__(cls)
        made.table, made.places, made.regions = table, places, tuple(regions)
        return made

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Sighting]:
        for (x_min, y_min, x_max, y_max, score), place in zip(self.table.tolist(), self.places.tolist(), strict=True):
            yield Sighting(Finding((x_min, y_min, x_max, y_max), score), self.regions[place])

    @overload
    def __getitem__(self, index: int) -> Sighting: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Sighting, ...]: ...

    def __getitem__(self, index: int | slice) -> Sighting | tuple[Sighting, ...]:
        if isinstance(index, slice):
            return tuple(self)[index]
        x_min, y_min, x_max, y_max, score = self.table[index].tolist()
        return Sighting(Finding((x_min, y_min, x_max, y_max), score), self.regions[self.places[index]])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Sightings({list(self)})"
