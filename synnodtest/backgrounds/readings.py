"""Notes from reading the radiographs of a set: remembered by content, and told in one line per kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from synnodtest.backgrounds.reading import BY_LARGEST
from synnodtest.counted import counted
from synnodtest.store import Store

MOST_DETAIL = 1
"""So many radiographs keep the details of a note; where there are more, the line counts them."""


@dataclass(eq=False)
class Readings:
    """Notes of the radiographs that were read.

    Args:
        cache: Root of a store that keeps them between runs, so that the slow look for the chest is had once.
    """

    cache: Path | None = None
    _notes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def noted(self, name: str, content: str, told: Sequence[str], look: Callable[[], Sequence[str]]) -> tuple[str, ...]:
        """Return the notes of a radiograph: those of its file, and what :func:`check_chest` adds.

        Args:
            name: Its identifier.
            content: The sha256 that stands for its pixels.
            told: What its reader noted.
            look: Looks for the chest; called unless the store holds its answer.

        Raises:
            BackgroundError: the radiograph is implausible.
        """

        def made() -> bytes:
            return json.dumps([*told, *look()]).encode()

        packed = made() if self.cache is None else Store(self.cache).obtain("readings", content, made)
        self._notes[name] = tuple(json.loads(packed))
        return self._notes[name]

    def summary(self, contents: Mapping[str, str]) -> list[str]:
        """Return a line per kind of note; a kind is what stands before the bracket of details.

        Args:
            contents: Of every radiograph of the set, by identifier: where a run found all its work done and read none,
                the store tells what was noted.
        """
        kinds: dict[str, list[str]] = {}
        for name, content in contents.items():
            for note in self._notes.get(name) or self._stored(content):
                kinds.setdefault(note.partition(" (")[0], []).append(note)
        depths = {kind: len(kinds.pop(kind)) for kind in sorted(kinds) if BY_LARGEST in kind}
        lines = [
            f"{counted(len(notes), 'radiograph')}: {kind if len(notes) > MOST_DETAIL else notes[0]}"
            for kind, notes in sorted(kinds.items())
        ]
        return [*_of_depths(depths), *lines]

    def _stored(self, content: str) -> tuple[str, ...]:
        packed = Store(self.cache).get("readings", content) if self.cache is not None else None
        return () if packed is None else tuple(json.loads(packed))


def _of_depths(depths: Mapping[str, int]) -> list[str]:
    """Return notes where films that were stored alike are taken for films of different depths, as a dim one is.

    And where all of them use fewer bits than they say.
    """
    groups: dict[str, dict[str, int]] = {}
    for kind, count in depths.items():
        depth, _, stored = kind.partition(f" {BY_LARGEST}")
        groups.setdefault(stored, {})[depth] = count
    notes = []
    for stored, counts in sorted(groups.items()):
        (depth, count), *others = counts.items()
        if others:
            text = ", ".join(f"{one} for {number}" for one, number in counts.items())
            notes.append(
                f"brightness is that of the bits that hold each radiograph's largest value{stored} ({text}), which "
                "shows a dim one too bright where all were stored alike; write the column 'bits' into the manifest"
            )
        elif stored and not stored.endswith(f" {depth}"):
            notes.append(f"{counted(count, 'radiograph')}: {depth} {BY_LARGEST}{stored}")
    return notes
