"""Subgroups and curves."""

from __future__ import annotations

from synnodtest.expectations import find_check
from synnodtest.record.model import ExpectationEntry
from synnodtest.record.words import expectation_title, interval, number
from synnodtest.report.context import Context
from synnodtest.report.figures.forest import forest_figure, groups_of
from synnodtest.report.figures.kinds import figure_of
from synnodtest.report.model import Cell, Section, link, status, table_of

__all__ = ["curves", "is_curve", "subgroups"]


def is_curve(expectation: ExpectationEntry) -> bool:
    """Return whether the figure of an expectation stands among the curves."""
    kind = find_check(expectation.kind)
    return kind is not None and kind.curve


def subgroups(context: Context) -> Section:
    """Return the rate of detected nodules by region, size, sex, age and view; descriptive."""
    groups = groups_of(context.record.scenes.values())
    return Section(
        "Subgroups",
        "figure_only",
        {
            "lead": "Detected nodules of all accepted scenes of the behaviours' own arms, at the operating point. "
            "Descriptive: nothing is decided here, groups overlap, and scenes of one background are not independent, "
            "which the intervals allow for (Korn-Graubard).",
            "figures": [forest_figure(groups, "f-forest")] if groups else [],
        },
        "" if groups else "No planted nodule was evaluated.",
    )


def curves(context: Context) -> Section:
    """Return the curves: FROC with its band, reliability, ROC."""
    rows: list[list[Cell | str]] = []
    drawn = []
    for e in context.record.expectations:
        if not is_curve(e) or not e.ruling:
            continue
        anchor, part = context.anchors[e.id], next(iter(e.components), None)
        rows.append(
            [
                link(f"{e.behaviour}: {expectation_title(e)}", f"#{anchor}"),
                number(part.value if part else None),
                interval(part.lower, part.upper) if part else "–",
                status(e.shown_status),
            ]
        )
        drawn.append(
            {
                "anchor": anchor,
                "title": expectation_title(e),
                "status": e.shown_status,
                "statement": context.behaviour(e).statement,
                "figure": figure_of(e, f"f-{anchor}", context.record.scenes),
            }
        )
    columns = ["Curve", "Value", "Interval", "Says"]
    return Section(
        "Curves",
        "curves",
        {"table": table_of("Curves", columns, rows, numeric=["Value", "Interval"]), "curves": drawn},
        "" if rows else "No expectation of this run draws a curve (froc, auc, average_precision, calibration).",
    )
