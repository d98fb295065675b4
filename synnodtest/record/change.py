"""A change from versions of a detector to a new one, and what a predetermined change control plan says of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

from synnodtest.decoding import JsonObject
from synnodtest.record.model import Record
from synnodtest.record.model.side import Side

WITHIN, OUTSIDE, OPEN = "WITHIN THE PLAN", "OUTSIDE THE PLAN", "NOT SHOWN TO BE WITHIN THE PLAN"


@dataclass(frozen=True)
class Version:
    """One version of the detector and what is known of it.

    Args:
        name: As it was named.
        record: A record, or the side of a run that was not kept.
        specs: sha256 of the specs that it ran, by file.
        limited: Whether fewer backgrounds were used than the specs say.
        code: sha256 of the code that each spec names, by file; empty in records that do not tell.
    """

    name: str
    record: Side | Record | JsonObject
    specs: Mapping[str, str]
    limited: bool = False
    code: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def side(self) -> Side:
        """The compared part of the record, read once."""
        return Side.of(self.record)

    @property
    def label(self) -> str:
        """Name and version."""
        return self.side.detector.label

    def within(self, files: Collection[str]) -> Side:
        """Return the side without the scenes on which expectations of other specifications alone rest."""
        side, foreign = self.side, self.specs.keys() - set(files)
        outside = [e for e in side.expectations if e.spec_file not in files and _stands_in(foreign, e.spec_file)]
        named = {key for e in side.expectations if e not in outside for key in e.scenes}
        others = {key for e in outside for key in e.scenes} - named
        return replace(side, scenes={key: scene for key, scene in side.scenes.items() if key not in others})

    def statuses(self) -> dict[str, str]:
        """Return the status that each expectation is shown with, by id."""
        return {entry.id: entry.shown_status for entry in self.side.expectations}

    def passed(self) -> list[str]:
        """Return the ids of the expectations that it passed."""
        return [entry.id for entry in self.side.expectations if entry.status == "PASSED"]


def _stands_in(files: Iterable[str], spec_file: str) -> bool:
    """Return whether a file of a node id is one of these, which are named from a folder below where pytest was told."""
    return any(f"/{spec_file}".endswith(f"/{file}") for file in files)


@dataclass(frozen=True)
class Clause:
    """One clause of the protocol and what came of it.

    Args:
        name: Short name.
        asks: What it asks for.
        status: ``PASSED``, ``FAILED`` or ``INCONCLUSIVE``.
        sentence: What was found, with numbers.
        rows: The particulars, each a mapping of column to text.
    """

    name: str
    asks: str
    status: str
    sentence: str
    rows: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Ran:
    """One version as a reader finds it again.

    Args:
        name: Name and version.
        role: ``reference``, ``earlier`` or ``new``.
        run: Identifier of its run.
        started: ISO time of its run.
        passed: How many expectations it passed.
        of: Of how many.
    """

    name: str
    role: str
    run: str
    started: str
    passed: int
    of: int


@dataclass(frozen=True)
class Held:
    """Outcome of one expectation under every version.

    Args:
        behaviour: Its behaviour.
        expectation: Its title.
        statuses: Under each version, in the order of :attr:`Judged.versions`; ``NOT RUN`` where it was not.
        lost: Whether an earlier version passed it and the new one does not.
    """

    behaviour: str
    expectation: str
    statuses: tuple[str, ...]
    lost: bool


@dataclass(frozen=True)
class Judged:
    """A new version, judged against the plan.

    Args:
        verdict: ``WITHIN THE PLAN``, ``OUTSIDE THE PLAN`` or ``NOT SHOWN TO BE WITHIN THE PLAN``.
        new: Name and version of the new one.
        old: The earlier ones, the reference first.
        clauses: Every clause.
        versions: Every version, the new one last.
        expectations: Every expectation under every version.
    """

    verdict: str
    new: str
    old: tuple[str, ...]
    clauses: tuple[Clause, ...] = field(default=())
    versions: tuple[Ran, ...] = field(default=())
    expectations: tuple[Held, ...] = field(default=())

    @property
    def within(self) -> bool:
        """True where every clause is kept."""
        return self.verdict == WITHIN

    def as_dict(self) -> JsonObject:
        """Return plain JSON values."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield it as lines of text."""
        yield f"{self.verdict}: {self.new} against {', '.join(self.old)}"
        for clause in self.clauses:
            yield f"  {clause.status:<12} {clause.name}: {clause.sentence}"
            if clause.status != "PASSED":
                yield from ("    " + ", ".join(f"{k} {v}" for k, v in row.items() if v) for row in clause.rows)
