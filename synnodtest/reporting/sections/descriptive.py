"""Sections 10, 11 and 13: subgroups, curves, synthesis credibility."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.reporting.context import Context
from synnodtest.reporting.facts import facts_and_tables
from synnodtest.reporting.figures.agreement import agreement_figure
from synnodtest.reporting.figures.curves import roc
from synnodtest.reporting.figures.ecdf import ecdf_figure
from synnodtest.reporting.figures.forest import forest_figure, groups_of
from synnodtest.reporting.figures.kinds import figure_of
from synnodtest.reporting.figures.sheet import sheet_figure
from synnodtest.reporting.model import Cell, Figure, Section, link, status, table_of
from synnodtest.reporting.words import STATUSES, expectation_title, interval, number, shown_status

__all__ = ["credibility", "curves", "subgroups"]


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


CURVES = frozenset({"froc", "auc", "average_precision", "calibration"})
"""Kinds whose figure stands in section 11."""
SEVEN_CS = (
    ("Congruence", "How alike the synthetic and the real distribution are.", "distances in a credibility report"),
    ("Coverage", "Whether the synthetic nodules span the claimed range.", "section 2, envelope"),
    ("Completeness", "Whether every part of the claim has data.", "section 2, remarks; section 5, attrition"),
    (
        "Consistency",
        "Whether the same request gives the same nodule.",
        "seeds and sha256 of each radiograph in the record",
    ),
    ("Constraint", "Whether anatomy and physics are respected.", "accepted by rules fixed beforehand, section 5"),
    ("Comprehension", "Whether people can tell how it was made.", "section 1, identities and configuration"),
    ("Compliance", "Whether data may be used for this.", "model cards and data terms of the components"),
)


def credibility(context: Context) -> Section:
    """Return requested against realised nodules, the sham control and whatever a credibility report adds."""
    record = context.record
    nodules = [n for s in record["scenes"].values() if s.get("accepted", True) for n in s["nodules"]]
    shown = [item for item in record["gallery"] if record["scenes"][item["scene"]]["nodules"]]
    figures = [sheet_figure(shown, context.folder) if context.pixels else None]
    figures += [
        agreement_figure(nodules, key, f"f-agree-{key.replace('_', '-')}") for key in ("diameter_mm", "contrast")
    ]
    figures.append(ecdf_figure(nodules, "f-ecdf"))
    sham: list[list[Cell | str]] = [
        [
            s["behaviour"],
            s["synthesizer"],
            s["mode"],
            number(s.get("n")),
            _table_2x2(s),
            number(_of(s, "value"), "difference"),
            interval(_of(s, "lower"), _of(s, "upper"), "difference"),
            _says(s["status"]),
            s["sentence"],
        ]
        for s in record["sham"]
    ]
    columns = [
        "Behaviour",
        "Synthesizer",
        "Mode",
        "Pairs",
        "Both / sham only / untouched only / neither",
        "Difference",
        "Interval",
        "Says",
        "In words",
    ]
    extra = record.get("credibility") or {}
    return Section(
        "13",
        "Synthesis credibility",
        "credibility",
        {
            "figures": [f for f in figures if f],
            "sham": table_of("Sham control: the same edit without a nodule", columns, sham, numeric=["Pairs"]),
            "seven": table_of(
                "The seven Cs and where their evidence stands", ["Aspect", "Question", "Evidence"], SEVEN_CS
            ),
            "extra": facts_and_tables(extra) if extra else None,
        },
    )


def _of(sham: Mapping[str, Any], key: str) -> Any:
    return (sham.get("estimate") or {}).get(key)


def _says(word: str) -> Cell:
    return status(word) if word in STATUSES else Cell(word.capitalize())


def _table_2x2(sham: Mapping[str, Any]) -> str:
    if not sham.get("n"):
        return "–"
    return " / ".join(number(sham.get(k)) for k in ("n11", "n10", "n01", "n00"))
