"""Context of the sections: the record, and what is looked up or counted in it more than once."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from synnodtest.record.model import BehaviourEntry, ExpectationEntry, PictureEntry, Record
from synnodtest.record.statuses import STATUSES
from synnodtest.record.words import titles_of
from synnodtest.report.embedder import SEARCHED, Embedder

EXPLORE = "explore.html"


@dataclass(frozen=True)
class Context:
    """A record, the folder it lies in, and the digest of that folder.

    Args:
        record: The record.
        folder: The run's folder; only pictures below it are read.
        digest: The root digest.
        pixels: False leaves every picture of a radiograph out.
    """

    record: Record
    folder: Path
    digest: str = ""
    pixels: bool = True

    def behaviour(self, expectation: ExpectationEntry) -> BehaviourEntry:
        """Return the behaviour of an expectation."""
        return self.record.behaviour(expectation)

    @cached_property
    def anchors(self) -> dict[str, str]:
        """Id of each expectation's place in the document, by node id."""
        return {e.id: f"e{index}" for index, e in enumerate(self.record.expectations, 1)}

    @cached_property
    def _titles(self) -> dict[str, str]:
        return titles_of(self.record.expectations)

    def title(self, expectation: ExpectationEntry) -> str:
        """Return the title of an expectation, which no other of its behaviour has."""
        return self._titles[expectation.id]

    def full_title(self, expectation: ExpectationEntry) -> str:
        """Return the title of an expectation behind its behaviour's id."""
        return f"{expectation.behaviour}: {self.title(expectation)}"

    def clear_title(self, expectation: ExpectationEntry) -> str:
        """Return what names an expectation where no behaviour is told: its title, if no other has it."""
        title = self.title(expectation)
        return title if list(self._titles.values()).count(title) == 1 else self.full_title(expectation)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Number of expectations under each status word, in the order of the legend."""
        words = [e.shown_status for e in self.record.expectations]
        return {word: words.count(word) for word in STATUSES}

    @cached_property
    def explore(self) -> str:
        """Name of the page of all scenes, if it stands beside the report; else empty."""
        return EXPLORE if (self.folder / EXPLORE).is_file() else ""

    @cached_property
    def with_gallery(self) -> set[str]:
        """Expectations that have pictures."""
        return {picture.expectation for picture in self.record.gallery}

    @cached_property
    def pictures(self) -> Embedder:
        """Hands out pictures; each is embedded at most once in the document."""
        return Embedder(self.folder, self.record.gallery if self.pixels else ())

    def named_by_search(self, expectation: ExpectationEntry) -> dict[str, PictureEntry]:
        """Return what the report shows beside a search, minimal example first: entries of the gallery by scene."""
        if not expectation.is_search or not self.pixels:
            return {}
        own = [picture for picture in self.record.gallery if picture.expectation == expectation.id]
        return {p.scene: p for role in SEARCHED for p in own if p.rule.split()[0] == role}

    @cached_property
    def report_option(self) -> str:
        """Option that ``synnodtest replay`` needs where the run does not lie below ``reports/``; else nothing."""
        folder = self.record.run.options.get("report", "")
        usual = not folder or PurePosixPath(folder).parts[:1] == ("reports",)
        return "" if usual else f" --report {shlex.quote(folder)}"

    def gate(self, expectation: ExpectationEntry) -> str:
        """Return the gate of an expectation's behaviour."""
        return self.behaviour(expectation).gate or "performance"

    def grouped(self) -> list[tuple[BehaviourEntry, list[ExpectationEntry]]]:
        """Return (behaviour, its expectations) in the order of the specs; every behaviour once."""
        groups: dict[int, list[ExpectationEntry]] = {id(b): [] for b in self.record.behaviours}
        for expectation in self.record.expectations:
            groups[id(self.behaviour(expectation))].append(expectation)
        return [(b, groups[id(b)]) for b in self.record.behaviours]
