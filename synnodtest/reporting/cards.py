"""Cards of scenes: untouched, synthetic, difference and boxes, each with the command that makes it again."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synnodtest.reporting.context import Context

__all__ = ["EMBEDDED_BYTES", "SEARCHED", "Embedder", "by_rule"]

EMBEDDED_BYTES = 9_000_000
"""Pictures that are embedded, in bytes of the document; the rest is linked."""
LARGEST_BYTES = 2_000_000
PANELS = (("background", "untouched"), ("synthetic", "synthetic"), ("difference", "difference"), ("boxes", "boxes"))
MORE = (("whole", "whole radiograph"),)
SEARCHED = {
    "minimal": ("Minimal counterexample", "the easiest example that still fails"),
    "typical": ("Typical failure", "in the middle of the failures around it, by margin"),
    "worst": ("Worst failure", "the largest margin"),
}
"""What a search shows, by role; a scene may have several ("minimal and worst failure")."""
RULES = {
    "worst failure": ("Worst failures", "the first by the order of the record, most damning first"),
    "random failure": ("Random failures", "drawn at random, by seed, from the other failures"),
    "random pass": (
        "Random passes",
        "drawn at random, by seed, from the scenes that do not speak against the detector",
    ),
    "shown": ("Shown", "the first scene"),
}


def by_rule(context: Context, items: Iterable[Mapping[str, Any]], *, search: bool = False) -> list[dict[str, Any]]:
    """Return the cards of one expectation, grouped by the rule that chose them.

    Args:
        context: Of the report.
        items: Entries of the record's gallery.
        search: Whether the rules are roles of a search.
    """
    rules: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        rules.setdefault(item["rule"], []).append(_card(context, item))
    made = []
    for rule, cards in rules.items():
        title, how = _of_search(rule) if search else RULES.get(rule, (rule.capitalize(), ""))
        made.append({"title": title, "how": how, "cards": cards, "large": bool(cards and cards[0]["large"])})
    return made


def _of_search(rule: str) -> tuple[str, str]:
    roles = [role for role in SEARCHED if role in rule.split()]
    title = rule.capitalize() if len(roles) != 1 else SEARCHED[roles[0]][0]
    return title, "; ".join(SEARCHED[role][1] for role in roles)


def _card(context: Context, item: Mapping[str, Any]) -> dict[str, Any]:
    scene, embedded = context.record["scenes"][item["scene"]], context.pictures
    panels = []
    for role, word in PANELS:
        large = item.get(f"{role}_crop")
        path = large if embedded.holds(large) else item.get(role)
        if path:
            panels.append(
                {
                    "word": word,
                    "alt": f"{word}: {item.get('caption') or item['scene'][:12]}",
                    "data": embedded.data(path),
                    "href": large or path,
                }
            )
    whole = item.get("whole")
    return {
        "panels": panels,
        "whole": {"data": embedded.data(whole), "href": whole, "alt": "whole radiograph with boxes"} if whole else None,
        "caption": item.get("caption", ""),
        "scene": item["scene"],
        "replay": f"synnodtest replay {item['scene'][:16]}{context.report_option}",
        "background": scene.get("background", ""),
        "arm": scene.get("arm", ""),
        "large": any(embedded.holds(item.get(f"{role}_crop")) for role, _ in PANELS),
        "lossless": [
            (word, item[key])
            for key, word in (("background_png16", "untouched"), ("synthetic_png16", "synthetic"))
            if item.get(key)
        ],
    }


class Embedder:
    """Decides once per picture whether it is embedded; each is embedded at most once, elsewhere it is linked."""

    def __init__(self, folder: Path, gallery: Iterable[Mapping[str, Any]]) -> None:
        self._folder = folder.resolve()
        self._left = EMBEDDED_BYTES
        self._held: dict[str, str] = {}
        self._given: set[str] = set()
        self.linked = 0
        self._reserve(gallery)

    def _reserve(self, gallery: Iterable[Mapping[str, Any]]) -> None:
        """Give thumbnails to all expectations, round by round, then large cuts to the worst, while there is room."""
        lists: dict[str, list[Mapping[str, Any]]] = {}
        for item in gallery:
            lists.setdefault(item["expectation"], []).append(item)
        for roles in ([p for p, _ in (*PANELS, *MORE)], [f"{p}_crop" for p, _ in PANELS]):
            for index in range(max(map(len, lists.values()), default=0)):
                for items in lists.values():
                    if index < len(items):
                        self.offer(items[index], roles)

    def offer(self, item: Mapping[str, Any], roles: list[str]) -> None:
        """Embed these pictures of one item if all of them fit; large cuts take the place of the thumbnails."""
        new = {p: self._read(p) for p in (item.get(r) for r in roles) if p and p not in self._held}
        if any(data is None for data in new.values()):
            new = {p: d for p, d in new.items() if d is not None}
        cost = sum(len(d) for d in new.values() if d)
        replaced = [item.get(r.removesuffix("_crop")) for r in roles if r.endswith("_crop") and item.get(r)]
        gain = sum(len(self._held.get(p, "")) for p in replaced if p)
        if new and cost - gain <= self._left:
            self._left -= cost - gain
            self._held |= {p: d for p, d in new.items() if d}
            for p in replaced:
                self._held.pop(p or "", None)

    def holds(self, path: str | None) -> bool:
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
        if (
            kind is None
            or not file.is_relative_to(self._folder)
            or not file.is_file()
            or file.stat().st_size > LARGEST_BYTES
        ):
            return None
        return f"data:image/{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
