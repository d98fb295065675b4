"""Section 12: what was searched, what was found, and how it was settled."""

from __future__ import annotations

from synnodtest.reporting.context import Context
from synnodtest.reporting.facts import facts_and_tables
from synnodtest.reporting.figures.coverage import coverage_figure
from synnodtest.reporting.figures.failures import failure_map
from synnodtest.reporting.model import Section
from synnodtest.reporting.sections.verdict import sentence
from synnodtest.reporting.words import expectation_title, shown_status

__all__ = ["fuzzing"]


def fuzzing(context: Context) -> Section:
    """Return searched space, counterexamples and the local failure rate."""
    entries = {(e.get("behaviour"), e.get("kind")): e for e in context.record.get("fuzzing") or []}
    searches = []
    for e in context.record["expectations"]:
        ruling = e.get("ruling") or {}
        payload = ruling.get("figure") or {}
        if payload.get("kind") != "fuzz":
            continue
        anchor = context.anchors[e["id"]]
        entry = entries.get((e["behaviour"], e["kind"])) or {}
        points = (entry.get("local") or {}).get("map") or {}
        searches.append(
            {
                "behaviour": e["behaviour"],
                "title": expectation_title(e),
                "anchor": anchor,
                "status": shown_status(e),
                "sentence": sentence(e, ruling),
                "gallery": f"#g-{anchor}" if e["id"] in context.with_gallery else "",
                "figure": failure_map(points, f"f-map-{anchor}") if points else None,
                "coverage": coverage_figure(entry.get("coverage") or {}, f"f-coverage-{anchor}"),
                **facts_and_tables(payload),
            }
        )
    return Section(
        "12",
        "Fuzzing",
        "fuzzing",
        {"searches": searches},
        "" if searches else "No behaviour of this run searches for counterexamples (fuzz:).",
    )
