"""What the sections share: the record, and what is looked up or counted in it more than once."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from synnodtest.record.words import STATUSES, shown_status
from synnodtest.report.embedder import SEARCHED, Embedder

__all__ = ["EXPLORE", "Context"]

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

    record: Mapping[str, Any]
    folder: Path
    digest: str = ""
    pixels: bool = True

    @cached_property
    def _by_id(self) -> dict[str, list[Mapping[str, Any]]]:
        found: dict[str, list[Mapping[str, Any]]] = {}
        for behaviour in self.record["behaviours"]:
            found.setdefault(behaviour["id"], []).append(behaviour)
        return found

    def behaviour(self, expectation: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the behaviour of an expectation; ids are unique within a file, which the node id names."""
        found = self._by_id[expectation["behaviour"]]
        file = str(expectation["id"]).partition("::")[0]
        return next((b for b in found if b.get("file") == file), found[0])

    @cached_property
    def anchors(self) -> dict[str, str]:
        """Id of each expectation's place in the document, by node id."""
        return {e["id"]: f"e{index}" for index, e in enumerate(self.record["expectations"], 1)}

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many expectations stand under each status word, in the order of the legend."""
        words = [shown_status(e) for e in self.record["expectations"]]
        return {word: words.count(word) for word in STATUSES}

    @cached_property
    def explore(self) -> str:
        """Name of the page of all scenes, if it stands beside the report; else empty."""
        return EXPLORE if (self.folder / EXPLORE).is_file() else ""

    @cached_property
    def with_gallery(self) -> set[str]:
        """Expectations that have pictures."""
        return {g["expectation"] for g in self.record["gallery"]}

    @cached_property
    def pictures(self) -> Embedder:
        """Hands out pictures; each is embedded at most once in the document."""
        return Embedder(self.folder, self.record["gallery"] if self.pixels else [])

    def named_by_search(self, expectation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        """Return what the report shows beside a search, minimal example first: entries of the gallery by scene."""
        if ((expectation.get("ruling") or {}).get("figure") or {}).get("kind") != "fuzz" or not self.pixels:
            return {}
        found = [
            item
            for item in self.record["gallery"]
            if item["expectation"] == expectation["id"] and {*item["rule"].split()} & {*SEARCHED}
            and item["rule"].split()[0] != "random"
        ]  # fmt: skip
        order = list(SEARCHED)
        return {i["scene"]: i for i in sorted(found, key=lambda i: order.index(i["rule"].split()[0]))}

    @cached_property
    def report_option(self) -> str:
        """What ``synnodtest replay`` must be told where the run does not lie below ``reports/``; else nothing."""
        folder = str((self.record["run"].get("options") or {}).get("report", ""))
        return (
            "" if not folder or PurePosixPath(folder).parts[:1] == ("reports",) else f" --report {shlex.quote(folder)}"
        )

    def gate(self, expectation: Mapping[str, Any]) -> str:
        """Return the gate of an expectation's behaviour."""
        return str(self.behaviour(expectation).get("gate") or "performance")

    def grouped(self) -> list[tuple[Mapping[str, Any], list[Mapping[str, Any]]]]:
        """Return (behaviour, its expectations) in the order of the specs; every behaviour once."""
        groups: dict[int, list[Mapping[str, Any]]] = {id(b): [] for b in self.record["behaviours"]}
        for expectation in self.record["expectations"]:
            groups[id(self.behaviour(expectation))].append(expectation)
        return [(b, groups[id(b)]) for b in self.record["behaviours"]]
