"""Curves over all thresholds."""

from __future__ import annotations

from synnodtest.expectations import kind_of
from synnodtest.record.model import ExpectationEntry
from synnodtest.record.words import estimate
from synnodtest.report.context import Context
from synnodtest.report.figures.kinds import figure_of
from synnodtest.report.model import Section, Table, link, status

_NO_CURVE = "No expectation that draws a curve was judged."
_NONE_DRAWS = "No expectation of this run draws a curve (froc, auc, afroc, average_precision, calibration)."


def is_curve(expectation: ExpectationEntry) -> bool:
    """Return whether the figure of an expectation stands among the curves."""
    return kind_of(expectation.kind).curve


def curves(context: Context) -> Section:
    """Return the curves: FROC with its band, reliability, ROC."""
    rows = []
    drawn = []
    for e in context.record.expectations:
        if not is_curve(e) or not e.ruling:
            continue
        anchor, part = context.anchors[e.id], next(iter(e.components), None)
        value, ends = estimate(part) if part else ("–", "–")
        rows.append([link(context.full_title(e), f"#{anchor}"), value, ends, status(e.shown_status)])
        drawn.append((e, figure_of(e, f"f-{anchor}", context.record.scenes)))
    columns = ["Curve", "Value", "Interval", "Says"]
    return Section(
        "Curves",
        "curves",
        {"table": Table("Curves", columns, rows, numeric=["Value", "Interval"]), "curves": drawn},
        "" if rows else _NO_CURVE if any(map(is_curve, context.record.expectations)) else _NONE_DRAWS,
    )
