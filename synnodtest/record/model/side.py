"""One side of a comparison of records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from synnodtest.decoding import JsonObject
from synnodtest.record.model.judged import BehaviourEntry, ExpectationEntry
from synnodtest.record.model.record import Record
from synnodtest.record.model.run import IdentityEntry
from synnodtest.record.model.scenes import SceneEntry


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a whole record, or a second detector on the same scenes.

    Args:
        run: Identifier of the run, or what it is called.
        started: ISO time of it.
        detector: Its detector.
        expectations: With their outcomes.
        scenes: By id.
        left_out: Expectations that it was not shown.
        behaviours: Of these expectations, where they are known.
        short: Whether a set had fewer backgrounds than asked for, where that is known.
        sources: By spec, the sha256 of the code of each check that this package does not bring, by its name.
        interrupted: Whether the run was stopped before its end.
    """

    run: str
    started: str
    detector: IdentityEntry
    expectations: tuple[ExpectationEntry, ...]
    scenes: Mapping[str, SceneEntry]
    left_out: tuple[str, ...] = ()
    behaviours: tuple[BehaviourEntry, ...] = ()
    short: bool = False
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    interrupted: bool = False

    def entries(self) -> dict[str, ExpectationEntry]:
        """Return its expectations by id."""
        return {entry.id: entry for entry in self.expectations}

    @classmethod
    def of(cls, source: Side | Record | JsonObject) -> Side:
        """Return the side of a record, which may be plain JSON values; one that is a side comes back as it is."""
        if isinstance(source, Side):
            return source
        record = Record.of(source)
        run, detector = record.run, record.identification.detector
        sources = {spec.file: spec.sources for spec in record.identification.specs}
        return cls(
            run.id,
            run.started,
            detector,
            record.expectations,
            record.scenes,
            behaviours=record.behaviours,
            sources=sources,
            interrupted=run.interrupted,
        )
