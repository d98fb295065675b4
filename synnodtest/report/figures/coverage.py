"""The coverage of a search: every example tried, over each pair of parameters, and the cells that none fell in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np

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
Pair = tuple[Any, ...]
"""Places of two parameters, or the numbers of a bin of each."""
_MARKS: dict[str, dict[str, Any]] = {
    "holds": {"marker": "o", "color": BLUE, "markerfacecolor": "none", "markersize": 3.2, "markeredgewidth": 0.8},
    "fails": {"marker": "x", "color": ORANGE, "markersize": 4.2, "markeredgewidth": 1.4},
    "crashes": {"marker": "P", "color": ORANGE, "markersize": 5.0},
    "not planted": {"marker": ".", "color": GREY, "markersize": 2.5},
}
_SEVERAL = {"holds": "hold", "fails": "fail", "crashes": "crash", "not planted": "not planted"}


_NONE = ParameterEntry("", levels=("",))
"""Second axis where there is but one parameter."""


def _bins(of: ParameterEntry) -> int:
    return len(of.levels or ()) or BINS


def _ticks(of: ParameterEntry) -> tuple[list[float], list[str]]:
    if of.levels:
        levels = [level for level in of.levels if of is not _NONE]
        return list(map(of.at, levels)), [short(level, 8) for level in levels]
    return [0.0, 1.0], [f"{end:.3g}" for end in of.ends]


@drawn
def coverage_figure(coverage: CoverageEntry, name: str) -> Figure | None:
    """Draw the ``coverage`` of an entry of the record's ``fuzzing`` list; None where it keeps no points."""
    every, points = coverage.parameters, coverage.points
    if not every or not points or any(len(p) != len(every) + 1 for p in points):
        return None
    parameters = [*every[:MOST_PARAMETERS], *[_NONE] * (len(every) == 1)]
    outcomes = np.array([p[-1] for p in points])
    places = np.array([[of.at(v) for of, v in zip(parameters, (*p[:-1], ""), strict=False)] for p in points])
    bins = np.array(list(map(_bins, parameters)))
    planted = outcomes != "not planted"
    cells = np.minimum((places[planted] * bins).astype(int), bins - 1)
    pairs = list(combinations(range(len(parameters)), 2))
    seen = {pair: set(map(tuple, cells[:, pair].tolist())) for pair in pairs}
    title = "Coverage of the parameter space"
    counts = {word: int((outcomes == word).sum()) for word in _MARKS}
    counted = ", ".join(plural(n, word, _SEVERAL[word]) for word, n in counts.items() if n)
    left = f" The first {MOST_PARAMETERS} of {len(every)} parameters." if len(every) > MOST_PARAMETERS else ""
    description = (
        f"{plural(len(points), 'example')}, those of shrinking included: {counted}. Grey cells: none was tried.{left}"
    )
    svg = to_svg(_draw(parameters, places, outcomes, seen), name, title, description)
    tried = [str(planted.sum()), str(counts["fails"] + counts["crashes"])]
    rows = [
        [" and ".join(parameters[k].name for k in pair if parameters[k].name),
         f"{len(seen[pair])} of {np.prod(bins[list(pair)])}", *tried]
        for pair in pairs
    ]  # fmt: skip
    heads = ["parameters", "cells visited", "examples", "failing examples"]
    return Figure.of(title, description, svg, heads, rows, numeric=())


def _draw(parameters: Sequence[ParameterEntry], places: Any, outcomes: Any, seen: Mapping[Pair, set[Pair]]) -> Any:
    """Draw a panel for each pair of parameters, with what was seen of its cells."""
    from matplotlib.figure import Figure as MplFigure
    from matplotlib.lines import Line2D

    side = len(parameters) - 1
    width, height = PANEL * side + 90, PANEL * side + 74
    figure = MplFigure(figsize=(max(width, 330) / 72, height / 72), layout="constrained")
    panels = figure.subplots(side, side, squeeze=False)
    step = max(1, math.ceil(len(places) / MOST_POINTS))
    for (across, below), cells in seen.items():
        panel = panels[below - 1][across]
        axes = parameters[across], parameters[below]
        _panel(panel, *axes, places[::step, [across, below]], outcomes[::step], cells)
        if across:
            panel.set(yticklabels=[], ylabel="")
        if below < side:
            panel.set(xticklabels=[], xlabel="")
    for down in range(side):
        for across in range(down + 1, side):
            panels[down][across].set_axis_off()
    words = [word for word in _MARKS if word in outcomes]
    marks = [Line2D([], [], linestyle="none", label=word, **_MARKS[word]) for word in words]
    figure.legend(handles=marks, loc="outside upper left", ncols=len(marks), handletextpad=0.2)
    return figure


def _panel(panel: Any, x: ParameterEntry, y: ParameterEntry, places: Any, outcomes: Any, seen: set[Pair]) -> None:
    width, height = _bins(x), _bins(y)
    for a, b in product(range(width), range(height)):
        if (a, b) not in seen:
            panel.fill_between([a / width, (a + 1) / width], b / height, (b + 1) / height, color=SOFT, linewidth=0)
    for word, mark in _MARKS.items():
        for line in panel.plot(*places[outcomes == word].T, linestyle="none", clip_on=False, **mark):
            line.set_in_layout(False)  # else the layout makes room for points at the edge until no panel is left
    panel.set(xlim=(0, 1), ylim=(0, 1), xlabel=short(named(x.name), 22), ylabel=short(named(y.name), 22))
    panel.set_xticks([k / width for k in range(1, width)], minor=True)
    panel.set_yticks([k / height for k in range(1, height)], minor=True)
    panel.grid(visible=False)
    panel.grid(visible=True, which="minor")
    panel.set_xticks(*_ticks(x))
    panel.set_yticks(*_ticks(y))
