"""Cards of scenes: untouched, synthetic, difference and boxes, each with the command that makes it again."""

from __future__ import annotations

from collections.abc import Iterable

from synnodtest.grouping import grouped
from synnodtest.record.model import PictureEntry
from synnodtest.report.context import Context
from synnodtest.report.embedder import PANELS, SEARCHED

LOSSLESS = {"untouched": "background_png16", "synthetic": "synthetic_png16"}
"""Word and role of the lossless copies."""
RULES = {
    "worst failure": ("Worst failures", "the first by the order of the record, most damning first"),
    "random failure": ("Random failures", "drawn at random, by seed, from the other failures"),
    "random pass": (
        "Random passes",
        "drawn at random, by seed, from the scenes that do not speak against the detector",
    ),
    "shown": ("Shown", "the first scene"),
}


Panel = dict[str, str]
"""One picture of a card: its word, its text for who cannot see it, the picture, and where it leads."""
Card = dict[str, object]
"""A scene with its pictures."""


def by_rule(context: Context, items: Iterable[PictureEntry], *, search: bool = False) -> list[dict[str, object]]:
    """Return the cards of one expectation, grouped by the rule that chose them: its title, how it chooses, its cards.

    Args:
        context: Of the report.
        items: Entries of the record's gallery.
        search: Whether the rules are roles of a search.
    """
    rules = grouped((item.rule, _card(context, item)) for item in items)
    headings = {rule: _of_search(rule) if search else RULES.get(rule, (rule.capitalize(), "")) for rule in rules}
    return [{"title": headings[rule][0], "how": headings[rule][1], "cards": cards} for rule, cards in rules.items()]


def _of_search(rule: str) -> tuple[str, str]:
    roles = [role for role in SEARCHED if role in rule.split()]
    title = rule.capitalize() if len(roles) != 1 else SEARCHED[roles[0]][0]
    return title, "; ".join(SEARCHED[role][1] for role in roles)


def _card(context: Context, item: PictureEntry) -> Card:
    """Return a card; pictures that an earlier one of the scene shows are named ``above`` and stand ``again`` there."""
    embedded, scene = context.pictures, item.scene[:16]
    panels = [panel for role, word in PANELS if (panel := _panel(context, item, role, word))]
    whole = item.whole and _shown("whole", "whole radiograph with boxes", embedded.data(item.whole), item.whole)
    earlier = embedded.cards.get(item.scene, "")
    if not earlier and any(panel["data"] for panel in panels):
        embedded.cards[item.scene] = f"s-{scene}"
    above = [panel for panel in panels if not panel["data"]] if earlier else []
    return {
        "anchor": "" if earlier else embedded.cards.get(item.scene, ""),
        "again": earlier if above else "",
        "panels": [panel for panel in panels if panel not in above],
        "above": above,
        "whole": whole,
        "caption": item.caption,
        "replay": f"synnodtest replay {scene}{context.report_option}",
        "explore": f"{context.explore}#scene={scene}" if context.explore else "",
        "large": any(embedded.holds(item.path(f"{role}_crop")) for role, _ in PANELS),
        "lossless": [(word, path) for word, role in LOSSLESS.items() if (path := item.path(role))],
    }


def _panel(context: Context, item: PictureEntry, role: str, word: str) -> Panel | None:
    large, embedded = item.path(f"{role}_crop"), context.pictures
    path = large if embedded.holds(large) else item.path(role)
    if not path:
        return None
    return _shown(word, f"{word}: {item.caption or item.scene[:12]}", embedded.data(path), large or path)


def _shown(word: str, alt: str, data: str, href: str) -> Panel:
    return {"word": word, "alt": alt, "data": data, "href": href}
