"""Cards of scenes: untouched, synthetic, difference and boxes, each with the command that makes it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synnodtest.report.context import Context
from synnodtest.report.embedder import PANELS, SEARCHED

__all__ = ["by_rule"]

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
    drawn = any(panel["data"] for panel in panels)
    return {
        "anchor": embedded.first_card(item["scene"]) if drawn else "",
        "again": "" if drawn else embedded.card_of(item["scene"]),
        "panels": panels,
        "whole": {"data": embedded.data(whole), "href": whole, "alt": "whole radiograph with boxes"} if whole else None,
        "caption": item.get("caption", ""),
        "scene": item["scene"],
        "replay": f"synnodtest replay {item['scene'][:16]}{context.report_option}",
        "explore": f"{context.explore}#scene={item['scene'][:16]}" if context.explore else "",
        "background": scene.get("background", ""),
        "arm": scene.get("arm", ""),
        "large": any(embedded.holds(item.get(f"{role}_crop")) for role, _ in PANELS),
        "lossless": [
            (word, item[key])
            for key, word in (("background_png16", "untouched"), ("synthetic_png16", "synthetic"))
            if item.get(key)
        ],
    }
