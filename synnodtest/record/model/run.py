"""The run itself: when, by whom, with which components, on which machine, and what became of its scenes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from synnodtest.decoding import JsonObject, Member
from synnodtest.record.model.members import Count, Digest, Text


@dataclass(frozen=True)
class RunEntry:
    """The run.

    Args:
        id: Sorts by time.
        started: ISO time.
        finished: ISO time.
        command: Words of the command line.
        seed: Master seed.
        confirmatory: Whether it confirms anything.
        exploratory_reasons: Why it does not.
        interrupted: Whether it was stopped before its end.
        options: Detector, synthesizer and backgrounds as they were asked for, and options that were no defaults.
        user: Who ran it.
        commit: Of the project's git checkout.
        tree_clean: Whether that had no uncommitted change; null outside a checkout.
        alpha: One-sided error rate of each bound.
        profile: How the run was limited; empty: not at all.
        frozen_unrun: Files of specifications that are frozen as well, and of which nothing was collected.
        left_out: Files of specifications that were collected or could not be, and of which nothing was run.
    """

    id: str
    started: str
    finished: str | None
    command: tuple[str, ...]
    seed: int
    confirmatory: bool
    exploratory_reasons: tuple[str, ...]
    interrupted: bool
    options: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    commit: Text = ""
    tree_clean: bool | None = None
    alpha: float | None = 0.05
    profile: str = ""
    frozen_unrun: Annotated[tuple[str, ...], Member(omitted=True)] = ()
    left_out: Annotated[tuple[str, ...], Member(omitted=True)] = ()

    @property
    def seconds(self) -> float | None:
        """Duration; None where the record does not say it or a clock was set back."""
        try:
            took = datetime.fromisoformat(self.finished or "") - datetime.fromisoformat(self.started)
        except (TypeError, ValueError):
            return None
        return took.total_seconds() if took.total_seconds() >= 0 else None


@dataclass(frozen=True)
class IdentityEntry:
    """A component that took part.

    Args:
        name: Its name.
        version: Its version.
        sha256: Of its weights or source.
        configuration: What it was set to.
        demonstration: Shipped to demonstrate, not for any use on patients.
        sham_is_identity: Of a synthesizer: the sham edit changes nothing.
    """

    name: str = ""
    version: Text = ""
    sha256: Text = ""
    configuration: JsonObject = field(default_factory=dict)
    demonstration: Annotated[bool | None, Member(omitted=True)] = None
    sham_is_identity: Annotated[bool | None, Member(omitted=True)] = None

    @property
    def label(self) -> str:
        """Name, version and the first digits of the sha256, to tell versions apart."""
        text = f"{self.name or 'detector'} {self.version}".strip()
        return f"{text} ({self.sha256[:8]})" if self.sha256 else text

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True)
class BackgroundsEntry:
    """A set of backgrounds.

    Args:
        name: Of the set.
        identity: Who made it.
        count: How many the run could use.
        patients: Of how many patients they are.
        estimated_regions: Regions whose masks were computed.
        notes: What the reader of the folder remarked.
    """

    name: str
    identity: IdentityEntry | None = None
    count: Count = 0
    patients: int | None = None
    estimated_regions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Name of who made it; without one its own."""
        return (self.identity.name if self.identity is not None else "") or self.name


@dataclass(frozen=True)
class SpecEntry:
    """A specification.

    Args:
        file: As it was named.
        sha256: Of the resolved specification.
        file_sha256: Of the file.
        title: Its title.
        scope: What it claims to hold for.
        frozen: When it was frozen.
        frozen_sha256: What was frozen.
        sources: sha256 of the code that it names and that does not stand in it, by name.
        included: sha256 of each file that it includes, by the file.
    """

    file: str
    sha256: Digest
    file_sha256: Digest = ""
    title: str = ""
    scope: Annotated[JsonObject, Member(null=True)] = field(default_factory=dict)
    frozen: str | None = None
    frozen_sha256: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    included: Annotated[Mapping[str, Digest], Member(omitted=True)] = field(default_factory=dict)


@dataclass(frozen=True)
class Identification:
    """Parts of a run and their identities.

    Args:
        synnodtest: Version that made the run.
        detector: Under test.
        synthesizers: That planted.
        backgrounds: That were planted in.
        specs: That say what was expected.
    """

    synnodtest: str
    detector: IdentityEntry
    synthesizers: tuple[IdentityEntry, ...]
    backgrounds: tuple[BackgroundsEntry, ...]
    specs: tuple[SpecEntry, ...]


def contents_of(sets: Iterable[BackgroundsEntry]) -> dict[str, str]:
    """Return the sha256 over the radiographs of each set by its name; phantoms have none.

    Where behaviours asked for different numbers of one set, there are several, with a blank between.
    """
    known = [(one.name, one.identity.sha256) for one in sets if one.identity is not None and one.identity.sha256]
    return {name: " ".join(sorted({sha256 for of, sha256 in known if of == name})) for name, _ in known}


@dataclass(frozen=True)
class Attrition:
    """Counts of scenes by what became of them.

    Args:
        requested: Asked for.
        synthesized: Made.
        accepted: Kept by rules that know of no detector.
        evaluated: Shown to the detector.
        unique_backgrounds: Among the accepted.
        unique_patients: Among the accepted.
        from_cache: Taken from the store.
        redrawn: Drawn again, as a nodule was rejected at first.
        reasons: Why scenes were lost, each with its count.
        seconds: What took how long.
    """

    requested: Count | None = None
    synthesized: Count | None = None
    accepted: Count | None = None
    evaluated: Count | None = None
    unique_backgrounds: Count | None = None
    unique_patients: Count | None = None
    from_cache: Count | None = None
    redrawn: Count | None = None
    reasons: Mapping[str, Count] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PackageEntry:
    """An installed package.

    Args:
        name: In the Python index.
        version: Its version.
        sha256: Of its RECORD.
    """

    name: str
    version: str
    sha256: str = ""


@dataclass(frozen=True)
class Environment:
    """The machine and its packages.

    Args:
        os: Operating system.
        processor: Its name.
        cores: How many.
        gpu: Name and driver.
        python: Version.
        packages: That may have taken part.
    """

    os: str | None = None
    processor: str | None = None
    cores: int | None = None
    gpu: str | None = None
    python: str | None = None
    packages: tuple[PackageEntry, ...] = ()
    raw: Annotated[JsonObject, Member(whole=True)] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class LedgerEntry:
    """A run of the same specifications, as the ledger knows it.

    Args:
        run: Its identifier.
        started: ISO time.
        status: How it ended.
        seed: Master seed.
        detector: As it was named.
        spec_sha256: Of the specification.
        synthesizer: As it was named; None, as the next two, where a ledger of an earlier release does not tell.
        backgrounds: As they were named; empty: phantoms.
        limit: Of backgrounds an item; empty: none.
        contents: sha256 over the radiographs of each set by its name, where one is known.
    """

    run: str = ""
    started: str = ""
    status: str = ""
    seed: Any = ""
    detector: str = ""
    spec_sha256: str = ""
    synthesizer: str | None = None
    backgrounds: str | None = None
    limit: str | None = None
    contents: Annotated[Mapping[str, str], Member(omitted=True)] = field(default_factory=dict)

    @property
    def chosen(self) -> str:
        """Backgrounds, synthesizer and limit in words."""
        phantoms = "phantoms" * (self.backgrounds == "")
        limit = f"at most {self.limit}" * bool(self.limit)
        return ", ".join(filter(None, [self.backgrounds or phantoms, self.synthesizer, limit])) or "–"


@dataclass(frozen=True)
class SelfTest:
    """Result of the self-test of the tool.

    Args:
        synnodtest: Version that was tested.
        when: ISO time.
        base: Detector that the mutants were made of.
        holds: Whether all of it holds.
        analytic: Values that are known otherwise.
        aa: A detector against itself.
        kill_table: Faulty detectors and what catches them.
        change_control: Faulty detectors as new versions, and what a change control plan says of them.
    """

    synnodtest: str = ""
    when: str = ""
    base: Text = ""
    holds: bool = True
    analytic: Any = ()
    aa: Any = ()
    kill_table: Any = ()
    change_control: Any = ()
