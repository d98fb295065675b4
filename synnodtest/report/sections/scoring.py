"""Scoring: matching rules and operating points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.grouping import grouped
from synnodtest.matching import Matching
from synnodtest.record.model import ExpectationEntry
from synnodtest.record.words import value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.canvas import BLUE, INK, ORANGE, SOFT, axes, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure, Section, Table

_Case = tuple[str, list[tuple[float, float, float, str]], str]


def scoring(context: Context) -> Section:
    """Return the rule by which a finding hits a nodule, with worked drawings."""
    told = [(*_scoring_of(context, e), context.full_title(e)) for e in context.record.expectations]
    rules = grouped((rule, title) for rule, _, title in told)
    points = grouped((value_text(at) if at is not None else "0.25 (default)", title) for _, at, title in told)
    rows = [["Hit criterion", rule.sentence(), _used(names, len(rules))] for rule, names in rules.items()]
    from_score = "a finding counts from a score of"
    rows += [["Operating point", f"{from_score} {p}", _used(names, len(points))] for p, names in points.items()]
    table = Table("Rules and where they hold", ["Rule", "Value", "Used by"], rows)
    figure = scoring_figure(next(iter(rules), Matching()), "f-scoring")
    empty = "" if rows else "No expectation was collected."
    return Section("Scoring rule", "scoring", {"table": table, "figure": figure}, empty)


def _scoring_of(context: Context, e: ExpectationEntry) -> tuple[Matching, object]:
    """Return matching rule and operating point: the expectation's own, its behaviour's, or the defaults of its spec."""
    resolved = context.behaviour(e).resolved
    told = [said for said in (e.parameters, resolved, resolved.get("defaults")) if isinstance(said, Mapping)]
    rule = next((rule for said in told if isinstance(rule := said.get("matching"), Mapping)), None)
    points = (said.get("operating_point") for said in told)
    return Matching.from_dict(rule), next((point for point in points if point is not None), None)


def _used(names: list[str], rules: int) -> str:
    more = [f"and {len(names) - 8} more"] if len(names) > 8 else []
    return "every expectation" if rules == 1 else "; ".join([*names[:8], *more])


@drawn
def scoring_figure(rule: Matching, name: str) -> Figure:
    """Draw four cases under a matching rule; nodule and tolerance in grey and blue, findings in orange."""
    iou = rule.criterion == "iou"
    by = f"IoU ≥ {rule.at_least:g}" if iou else f"tolerance {rule.tolerance_mm:g} mm"
    cases: list[_Case] = [
        ("Hit", [(0.05, 0.02, 0.62, "0.8")], "overlaps enough" if iou else "centre inside"),
        ("Miss and false positive", [(0.86, 0.5, 0.5, "0.8")], "overlaps too little" if iou else "centre outside"),
        (
            "Duplicate",
            [(0.02, 0.02, 0.62, "0.8"), (-0.14, -0.1, 0.7, "0.6")],
            "the higher score hits; the other counts as nothing",
        ),
        (
            "Two nodules, one finding",
            [(-0.28, 0.28, 0.5, "0.7")],
            f"hits the one {'that it overlaps best' if iou else 'whose centre is nearest'}; the other is missed",
        ),
    ]
    title = f"Worked cases of the scoring rule ({by})"
    description = "; ".join(f"{case[0]}: {case[2]}" for case in cases) + "."
    panels = [_panel(case, f"{name}-{number}", tolerance=not iou) for number, case in enumerate(cases)]
    rows = [[case[0], case[2]] for case in cases]
    return Figure.of(title, description, "".join(panels), ["case", "rule"], rows, numeric=(), wide=True)


def _panel(case: _Case, name: str, *, tolerance: bool) -> str:
    """Draw one case: the nodule, its tolerance if there is one, and the findings."""
    from matplotlib.patches import Circle

    word, boxes, caption = case
    figure, axis = axes(170, 165)
    nodules = [(0.0, 0.0, 0.36), *([(-0.5, 0.5, 0.18)] if word.startswith("Two") else [])]
    for x, y, radius in nodules if tolerance else ():
        around = Circle((x, y), radius + 0.16, facecolor="#DCEBF5", edgecolor=BLUE, linewidth=0.9)
        around.set_linestyle((0, (3, 2)))
        axis.add_patch(around)
    for x, y, radius in nodules:
        axis.add_patch(Circle((x, y), radius, facecolor=SOFT, edgecolor=INK, linewidth=1.2))
    for index, box in enumerate(boxes):
        _finding(axis, box, first=index == 0)
    axis.set(xlim=(-0.95, 1.25), ylim=(0.85, -0.8))
    axis.set_aspect("equal")
    axis.set_title(word, fontsize=9.5)
    axis.set_axis_off()
    return to_svg(figure, name, word, caption)


def _finding(axis: Any, box: tuple[float, float, float, str], *, first: bool) -> None:
    """Draw a finding with its score; one that is not the first is dashed."""
    from matplotlib.patches import Rectangle

    x, y, side, score = box
    corner, dashes = (x - side / 2, y - side / 2), "-" if first else (0, (3, 2))
    axis.add_patch(Rectangle(corner, side, side, facecolor="none", edgecolor=ORANGE, linewidth=1.8, linestyle=dashes))
    axis.plot([x], [y], marker="+", color=ORANGE, markersize=8, markeredgewidth=1.6)
    at = x + side / 2 + 0.03 if first else x - side / 2 - 0.03
    axis.text(at, y - side / 2, score, fontsize=9, va="center", ha="left" if first else "right")
