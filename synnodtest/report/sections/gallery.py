"""Pictures of scenes."""

from __future__ import annotations

from collections.abc import Sequence

from synnodtest.grouping import grouped
from synnodtest.record.model import ExpectationEntry, PictureEntry
from synnodtest.record.words import plural
from synnodtest.report.cards import by_rule
from synnodtest.report.context import Context
from synnodtest.report.crops import DIFFERENCE_RANGE
from synnodtest.report.model import Section


def gallery(context: Context) -> Section:
    """Return pictures by expectation and rule; what a search names stands beside the search."""
    by_expectation = grouped((item.expectation, item) for item in context.record.gallery)
    empty = "" if by_expectation else "No scene is shown."
    if not context.pixels and by_expectation:
        empty = "Pictures are left out of this report (--no-pixels)."
        by_expectation = {}
    known = {e.id: e for e in context.record.expectations}
    groups = [_group(context, known[node], items) for node, items in by_expectation.items() if node in known]
    linked = plural(context.pictures.linked, "picture") if context.pictures.linked else ""
    return Section("Gallery", "gallery", {"groups": groups, "range": f"{DIFFERENCE_RANGE:g}", "linked": linked}, empty)


def _group(context: Context, e: ExpectationEntry, items: Sequence[PictureEntry]) -> dict[str, object]:
    named = context.named_by_search(e)
    return {
        "entry": e,
        "named": bool(named),
        "rules": by_rule(context, [item for item in items if item.scene not in named]),
    }
