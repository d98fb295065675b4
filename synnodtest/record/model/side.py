"""One side of a comparison of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synnodtest.decoding import JsonObject, decode
from synnodtest.record.model.judged import BehaviourEntry, ExpectationEntry
from synnodtest.record.model.record import Record
from synnodtest.record.model.run import IdentityEntry
from synnodtest.record.model.scenes import SceneEntry


@dataclass(frozen=True)
class SideRun:
    """The run of a side: its identifier, or what it is called, and its ISO time."""

    id: str
    started: str = ""


@dataclass(frozen=True)
class SideIdentification:
    """Detector, synthesizers and backgrounds of a side."""

    detector: IdentityEntry


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a whole record, or a second detector on the same scenes.

    Args:
        run: The run.
        identification: Its detector.
        expectations: With their outcomes.
        scenes: By id.
        left_out: Expectations that it was not shown.
        behaviours: Of these expectations, where they are known.
        short: Whether a set had fewer backgrounds than asked for, where that is known.
    """

    run: SideRun
    identification: SideIdentification
    expectations: tuple[ExpectationEntry, ...]
    scenes: Mapping[str, SceneEntry]
    left_out: tuple[str, ...] = ()
    behaviours: tuple[BehaviourEntry, ...] = ()
    short: bool = False

    def entries(self) -> dict[str, ExpectationEntry]:
        """Return its expectations by id."""
        return {entry.id: entry for entry in self.expectations}

    @classmethod
    def of(cls, source: Side | Record | JsonObject) -> Side:
        """Return the side of a record, or of plain JSON values with at least these keys."""
        if isinstance(source, Side):
            return source
        if isinstance(source, Record):
            run, who = SideRun(source.run.id, source.run.started), SideIdentification(source.identification.detector)
            return cls(run, who, source.expectations, source.scenes, behaviours=source.behaviours)
        return decode(cls, source)
