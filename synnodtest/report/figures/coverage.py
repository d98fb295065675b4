"""The coverage of a search: every example tried, over each pair of parameters, and the cells that none fell in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from synnodtest.record.model.searched import CoverageEntry, ParameterEntry
from synnodtest.record.words import plural
from synnodtest.report.figures.canvas import BLUE, GREY, ORANGE, SOFT, named, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure

MOST_PARAMETERS = 6
"""Parameters drawn, in pairs; set by hand: of 6 there are 15 panels, as many as a page's width leaves legible. The
caption says what is left out."""
MOST_POINTS = 400
"""Examples drawn per panel; more only cover each other and make the document larger. All are counted."""
PANEL = 118
"""Side of one panel in px."""
BINS = 3
"""Bins of a continuous parameter, as coverage counts them."""
_MARKS: dict[str, dict[str, Any]] = {
    "holds": {"marker": "o", "color": BLUE, "markerfacecolor": "none", "markersize": 3.2, "markeredgewidth": 0.8},
    "fails": {"marker": "x", "color": ORANGE, "markersize": 4.2, "markeredgewidth": 1.4},
    "crashes": {"marker": "P", "color": ORANGE, "markersize": 5.0},
    "not planted": {"marker": ".", "color": GREY, "markersize": 2.5},
}


def _bins(of: ParameterEntry) -> int:
    return len(of.levels or ()) or BINS


def _cell(of: ParameterEntry, value: Any) -> int:
    return min(int(of.at(value) * _bins(of)), _bins(of) - 1)


def _ticks(of: ParameterEntry) -> tuple[list[float], list[str]]:
    if of.levels:
        return list(map(of.at, of.levels)), [short(level, 8) for level in of.levels]
    return [0.0, 1.0], [f"{end:.3g}" for end in of.ends]


@drawn
def coverage_figure(coverage: CoverageEntry, name: str) -> Figure | None:
    """Draw the ``coverage`` of an entry of the record's ``fuzzing`` list; None where it keeps no points."""
    every = coverage.parameters
    points = [list(p) for p in coverage.points]
    if not every or not points or any(len(p) != len(every) + 1 for p in points):
        return None
    parameters = every[:MOST_PARAMETERS]
    pairs = list(combinations(range(len(parameters)), 2)) or [(0, 0)]
    planted = [p for p in points if p[-1] != "not planted"]
    cells = {pair: {(_cell(every[pair[0]], p[pair[0]]), _cell(every[pair[1]], p[pair[1]])) for p in planted}
             for pair in pairs}  # fmt: skip
    title = "Coverage of the parameter space"
    counts = {word: sum(p[-1] == word for p in points) for word in _MARKS}
    counted = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    left = f" The first {MOST_PARAMETERS} of {len(every)} parameters." if len(every) > MOST_PARAMETERS else ""
    description = (
        f"{plural(len(points), 'example')}, those of shrinking included: {counted}. Grey cells: none was tried.{left}"
    )
    svg = to_svg(_draw(parameters, points, cells), name, title, description)
    rows = [_row(parameters, pair, cells[pair], planted) for pair in pairs]
    heads = ["parameters", "cells visited", "examples", "failing examples"]
    return Figure.of(title, description, svg, heads, rows, numeric=())


def _label(of: ParameterEntry) -> str:
    return short(named(of.name), 22)


def _row(
    parameters: Sequence[ParameterEntry],
    pair: tuple[int, int],
    cells: set[tuple[int, int]],
    planted: Sequence[list[Any]],
) -> list[str]:
    names = " and ".join(dict.fromkeys(parameters[k].name for k in pair))
    whole = _bins(parameters[pair[0]]) * (_bins(parameters[pair[1]]) if pair[0] != pair[1] else 1)
    failing = sum(p[-1] in ("fails", "crashes") for p in planted)
    return [names, f"{len(cells)} of {whole}", str(len(planted)), str(failing)]


def _draw(
    parameters: Sequence[ParameterEntry],
    points: Sequence[list[Any]],
    cells: Mapping[tuple[int, int], set[tuple[int, int]]],
) -> Any:
    from matplotlib.figure import Figure as MplFigure
    from matplotlib.lines import Line2D

    side = max(len(parameters) - 1, 1)
    width, height = PANEL * side + 90, PANEL * side + 74
    figure = MplFigure(figsize=(max(width, 330) / 72, height / 72), layout="constrained")
    panels = figure.subplots(side, side, squeeze=False)
    step = max(1, math.ceil(len(points) / MOST_POINTS))
    for (i, j), count in cells.items():
        down, across = (0, 0) if i == j else (j - 1, i)
        panel = panels[down][across]
        _panel(panel, parameters, (i, j), points[::step], count)
        if across:
            panel.set(yticklabels=[], ylabel="")
        if down < side - 1:
            panel.set(xticklabels=[], xlabel="")
    for down in range(side):
        for across in range(down + 1, side):
            panels[down][across].set_axis_off()
    words = [word for word in _MARKS if any(p[-1] == word for p in points)]
    marks = [Line2D([], [], linestyle="none", label=word, **_MARKS[word]) for word in words]
    figure.legend(handles=marks, loc="outside upper left", ncols=len(marks), handletextpad=0.2)
    return figure


def _panel(
    panel: Any,
    parameters: Sequence[ParameterEntry],
    pair: tuple[int, int],
    points: Sequence[list[Any]],
    seen: set[tuple[int, int]],
) -> None:
    i, j = pair
    x, y = parameters[i], parameters[j]
    alone = i == j
    width, height = _bins(x), 1 if alone else _bins(y)
    for a in range(width):
        for b in range(height):
            if ((a, a) if alone else (a, b)) not in seen:
                panel.fill_between([a / width, (a + 1) / width], b / height, (b + 1) / height, color=SOFT, linewidth=0)
    for word, mark in _MARKS.items():
        mine = [p for p in points if p[-1] == word]
        across = [x.at(p[i]) for p in mine]
        up = [0.5] * len(mine) if alone else [y.at(p[j]) for p in mine]
        for line in panel.plot(across, up, linestyle="none", clip_on=False, **mark):
            line.set_in_layout(False)  # else the layout makes room for points at the edge until no panel is left
    panel.set(xlim=(0, 1), ylim=(0, 1), xlabel=_label(x), ylabel="" if alone else _label(y))
    panel.set_xticks([k / width for k in range(1, width)], minor=True)
    panel.set_yticks([k / height for k in range(1, height)], minor=True)
    panel.grid(visible=False)
    panel.grid(visible=True, which="minor")
    panel.set_xticks(*_ticks(x))
    panel.set_yticks(*([], []) if alone else _ticks(y))
