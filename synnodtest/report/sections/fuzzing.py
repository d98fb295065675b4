"""What was searched, what was found, and how it was settled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.record.words import expectation_title, shown_status
from synnodtest.report.cards import by_rule
from synnodtest.report.context import Context
from synnodtest.report.facts import facts_and_tables
from synnodtest.report.figures.coverage import coverage_figure
from synnodtest.report.figures.failures import failure_map
from synnodtest.report.figures.region import region_figure
from synnodtest.report.model import Figure, Section
from synnodtest.report.sections.verdict import sentence

__all__ = ["fuzzing"]

FOUND = "Counterexamples"
"""Caption of the table that stands before the pictures."""
MAPPED = "Failing examples by"
"""Caption of a table that says what the failure map says."""


def fuzzing(context: Context) -> Section:
    """Return searched space, counterexamples and the local failure rate."""
    every = context.record.get("fuzzing") or []
    entries = {(e.get("behaviour"), e.get("kind")): e for e in every}
    by_node = {e["expectation_id"]: e for e in every if e.get("expectation_id")}
    searches = []
    for e in context.record["expectations"]:
        ruling = e.get("ruling") or {}
        payload = ruling.get("figure") or {}
        if payload.get("kind") != "fuzz":
            continue
        anchor = context.anchors[e["id"]]
        entry = by_node.get(e["id"]) or entries.get((e["behaviour"], e["kind"])) or {}
        named = context.named_by_search(e)
        payload = {k: v for k, v in payload.items() if not (named and k == "minimal_typical_and_worst_scene")}
        told = facts_and_tables(payload)
        figures = _figures(entry, anchor)
        searches.append(
            {
                "behaviour": e["behaviour"],
                "title": expectation_title(e),
                "anchor": anchor,
                "status": shown_status(e),
                "sentence": sentence(e, ruling),
                "gallery": f"#g-{anchor}" if e["id"] in context.with_gallery and context.pixels else "",
                "cards": by_rule(context, named.values(), search=True),
                "figures": figures,
                "facts": told["facts"],
                "found": [t for t in told["tables"] if t.caption == FOUND],
                "tables": [t for t in told["tables"] if t.caption != FOUND and not (figures and MAPPED in t.caption)],
            }
        )
    return Section(
        "Fuzzing",
        "fuzzing",
        {"searches": searches},
        "" if searches else "No behaviour of this run searches for counterexamples (fuzz:).",
    )


def _figures(entry: Mapping[str, Any], anchor: str) -> list[Figure]:
    """Return the region that fails, the failure map and the coverage of a search, those that its entry has data of."""
    points = (entry.get("local") or {}).get("map") or {}
    drawn = [
        region_figure(entry.get("region") or {}, f"f-region-{anchor}"),
        failure_map(points, f"f-map-{anchor}") if points else None,
        coverage_figure(entry.get("coverage") or {}, f"f-coverage-{anchor}"),
    ]
    return [figure for figure in drawn if figure]
