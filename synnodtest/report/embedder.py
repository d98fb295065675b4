"""Pictures of the report: which are embedded in the document, and which are linked."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

from synnodtest.grouping import grouped
from synnodtest.record.model import PictureEntry

EMBEDDED_BYTES = 9_000_000
"""Pictures that are embedded, in bytes of the document; the rest is linked."""
LARGEST_BYTES = 2_000_000
"""Size of a picture that is read, in bytes; those that a run writes are far smaller, so that a larger file is somebody
else's."""
PANELS = (("background", "untouched"), ("synthetic", "synthetic"), ("difference", "difference"), ("boxes", "boxes"))
SEARCHED = {
    "minimal": ("Minimal failing example", "the counterexample of the verdict, eased as far as it still fails"),
    "typical": ("Typical failure", "in the middle of the failures around it, by margin"),
    "worst": ("Worst failure", "the largest margin"),
}
"""Scenes that a search shows, by role; a scene may have several ("minimal and worst failure")."""


class Embedder:
    """Decides once per picture whether it is embedded; each is embedded at most once, elsewhere it is linked."""

    def __init__(self, folder: Path, gallery: Iterable[PictureEntry]) -> None:
        self._folder = folder.resolve()
        self._left = EMBEDDED_BYTES
        self._held: dict[str, str] = {}
        self._given: set[str] = set()
        self.cards: dict[str, str] = {}
        """Anchor of the card that shows a scene, by its id; whoever makes the first one enters it."""
        self.linked = 0
        items = list(gallery)
        self._first_small = _first_small(items)
        self._reserve(items)

    def _reserve(self, gallery: Iterable[PictureEntry]) -> None:
        """Give thumbnails to all expectations, round by round, then large cuts to the worst, while there is room."""
        lists = grouped((item.expectation, item) for item in gallery)
        for roles in ([*(p for p, _ in PANELS), "whole"], [f"{p}_crop" for p, _ in PANELS]):
            for index in range(max(map(len, lists.values()), default=0)):
                for items in lists.values():
                    if index < len(items):
                        self.offer(items[index], roles)

    def offer(self, item: PictureEntry, roles: list[str]) -> None:
        """Embed these pictures of one item if all of them fit.

        Large cuts take the place of the thumbnails, unless an earlier item has nothing else of the scene to show.
        """
        paths = [path for path in map(item.path, roles) if path and path not in self._held]
        new = {path: data for path in paths if (data := self._read(path)) is not None}
        cost = sum(map(len, new.values()))
        crops = [item.path(r.removesuffix("_crop")) for r in roles if r.endswith("_crop") and item.path(r)]
        replaced = [path for path in crops if path not in self._first_small]
        gain = sum(len(self._held[p]) for p in replaced if p in self._held)
        if new and cost - gain <= self._left:
            self._left -= cost - gain
            self._held |= new
            for p in replaced:
                self._held.pop(p, None)

    def holds(self, path: str) -> bool:
        """Return whether a picture is embedded somewhere."""
        return path in self._held

    def data(self, path: str) -> str:
        """Return the data URI the first time, an empty text afterwards or where there was no room."""
        if path in self._given or path not in self._held:
            self.linked += 1
            return ""
        self._given.add(path)
        return self._held[path]

    def _read(self, path: str) -> str | None:
        file = (self._folder / path).resolve()
        kind = {".webp": "webp", ".png": "png", ".jpg": "jpeg"}.get(file.suffix)
        there = kind is not None and file.is_relative_to(self._folder) and file.is_file()
        if not there or file.stat().st_size > LARGEST_BYTES:
            return None
        return f"data:image/{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"


def _first_small(gallery: Iterable[PictureEntry]) -> set[str]:
    """Return the thumbnails that stand before any large cut of their scene."""
    large: set[str] = set()
    small: set[str] = set()
    for item in gallery:
        for role, _ in PANELS:
            if item.path(f"{role}_crop"):
                large.add(item.path(role))
            elif item.path(role) not in large:
                small.add(item.path(role))
    return small
