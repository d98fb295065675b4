"""Worked drawings of the scoring rule: hit, miss, duplicate, one finding on two nodules."""

from __future__ import annotations

from typing import Any

from synnodtest.matching import Matching
from synnodtest.report.figures.canvas import BLUE, INK, ORANGE, SOFT, axes, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure

_Case = tuple[str, list[tuple[float, float, float, str]], str]


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
