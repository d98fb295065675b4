"""Cards of scenes: untouched, synthetic, difference and boxes, each with the command that makes it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Panel:
    """One picture of a card: what it shows, its text for who cannot see it, the picture, and where it leads."""

    word: str
    alt: str
    data: str
    href: str


@dataclass(frozen=True)
class Card:
    """A scene with its pictures.

    Args:
        anchor: Its id in the document; empty where an earlier card shows the scene.
        again: Id of that card, where not all pictures are embedded here.
        panels: Its pictures.
        above: Those that the earlier card has.
        whole: The whole radiograph.
        caption: What it shows.
        replay: Command that makes it again.
        explore: Where it stands among all scenes; empty without that page.
        large: Whether its pictures are.
        lossless: Word and path of lossless copies.
    """

    anchor: str
    again: str
    panels: tuple[Panel, ...]
    above: tuple[Panel, ...]
    whole: Panel | None
    caption: str
    replay: str
    explore: str
    large: bool
    lossless: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Rule:
    """Cards that one rule chose, and how it chooses."""

    title: str
    how: str
    cards: tuple[Card, ...]

    @property
    def large(self) -> bool:
        """True where its first card is."""
        return bool(self.cards and self.cards[0].large)


def by_rule(context: Context, items: Iterable[PictureEntry], *, search: bool = False) -> list[Rule]:
    """Return the cards of one expectation, grouped by the rule that chose them.

    Args:
        context: Of the report.
        items: Entries of the record's gallery.
        search: Whether the rules are roles of a search.
    """
    rules: dict[str, list[Card]] = {}
    for item in items:
        rules.setdefault(item.rule, []).append(_card(context, item))
    headings = {rule: _of_search(rule) if search else RULES.get(rule, (rule.capitalize(), "")) for rule in rules}
    return [Rule(*headings[rule], tuple(cards)) for rule, cards in rules.items()]


def _of_search(rule: str) -> tuple[str, str]:
    roles = [role for role in SEARCHED if role in rule.split()]
    title = rule.capitalize() if len(roles) != 1 else SEARCHED[roles[0]][0]
    return title, "; ".join(SEARCHED[role][1] for role in roles)


def _card(context: Context, item: PictureEntry) -> Card:
    embedded, scene = context.pictures, item.scene[:16]
    panels = tuple(panel for role, word in PANELS if (panel := _panel(context, item, role, word)))
    whole = Panel("whole", "whole radiograph with boxes", embedded.data(item.whole), item.whole) if item.whole else None
    earlier = embedded.card_of(item.scene)
    above = tuple(panel for panel in panels if not panel.data) if earlier else ()
    return Card(
        embedded.first_card(item.scene) if any(panel.data for panel in panels) else "",
        earlier if above else "",
        tuple(panel for panel in panels if panel not in above),
        above,
        whole,
        item.caption,
        f"synnodtest replay {scene}{context.report_option}",
        f"{context.explore}#scene={scene}" if context.explore else "",
        any(embedded.holds(item.path(f"{role}_crop")) for role, _ in PANELS),
        tuple((word, path) for word, role in LOSSLESS.items() if (path := item.path(role))),
    )


def _panel(context: Context, item: PictureEntry, role: str, word: str) -> Panel | None:
    large, embedded = item.path(f"{role}_crop"), context.pictures
    path = large if embedded.holds(large) else item.path(role)
    if not path:
        return None
    return Panel(word, f"{word}: {item.caption or item.scene[:12]}", embedded.data(path), large or path)
