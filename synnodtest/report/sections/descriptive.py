"""Sections 10 and 11: subgroups and curves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.record.words import expectation_title, interval, number, shown_status
from synnodtest.report.context import Context
from synnodtest.report.figures.curves import roc
from synnodtest.report.figures.forest import forest_figure, groups_of
from synnodtest.report.figures.kinds import figure_of
from synnodtest.report.model import Cell, Figure, Section, link, status, table_of

__all__ = ["CURVES", "curves", "subgroups"]

CURVES = frozenset({"froc", "auc", "average_precision", "calibration"})
"""Kinds whose figure stands in section 11."""


def subgroups(context: Context) -> Section:
    """Return the rate of detected nodules by region, size, sex, age and view; descriptive."""
    groups = groups_of(context.record["scenes"].values())
    return Section(
        "10",
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
    for e in context.record["expectations"]:
        ruling = e.get("ruling") or {}
        if e["kind"] not in CURVES or not ruling:
            continue
        anchor, part = context.anchors[e["id"]], (ruling.get("components") or [{}])[0]
        rows.append(
            [
                link(f"{e['behaviour']}: {expectation_title(e)}", f"#{anchor}"),
                number(part.get("value")),
                interval(part.get("lower"), part.get("upper")),
                status(shown_status(e)),
            ]
        )
        drawn.append(
            {
                "anchor": anchor,
                "title": expectation_title(e),
                "status": shown_status(e),
                "statement": context.behaviour(e)["statement"],
                "figure": _curve(context, e, part.get("value"), f"f-{anchor}"),
            }
        )
    columns = ["Curve", "Value", "Interval", "Says"]
    return Section(
        "11",
        "Curves",
        "curves",
        {"table": table_of("Curves", columns, rows, numeric=["Value", "Interval"]), "curves": drawn},
        "" if rows else "No expectation of this run draws a curve (froc, auc, average_precision, calibration).",
    )


def _curve(context: Context, expectation: Mapping[str, Any], value: float | None, name: str) -> Figure | None:
    """Return the figure of a curve; of an AUC the ROC curve, if the record's scenes give the same area."""
    if expectation["kind"] != "auc":
        return figure_of(expectation["ruling"], name)
    scenes = [context.record["scenes"][key] for key in dict.fromkeys(expectation["scenes"])]
    loudest: dict[bool, list[float]] = {True: [], False: []}
    for scene in scenes:
        if scene.get("accepted", True):
            scores = [float(f["score"]) for f in scene["findings"]]
            loudest[bool(scene["nodules"])].append(max(scores, default=0.0))
    return roc(loudest[True], loudest[False], value, name)
