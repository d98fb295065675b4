"""The failure map of a search: failing and holding examples over the two parameters that tell them apart."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.record.model.searched import FailureMap
from synnodtest.record.words import number
from synnodtest.report.figures.canvas import BLUE, ORANGE, axes, named, short, thinned, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure

MOST_POINTS = 400
"""Examples drawn; more only cover each other and make the document larger. The table counts all."""
BINS = 4
"""Parts of either parameter in the table, as in the search's own (``BINS`` of fuzzing/report.py)."""


@drawn
def failure_map(points: FailureMap, name: str) -> Figure | None:
    """Draw the points ``[first, second, failed]`` around a counterexample; None where there is nothing to draw."""
    names = [str(n) for n in points.parameters]
    try:
        table = np.array([[float(v) for v in p[:3]] for p in points.points])
    except (TypeError, ValueError):
        return None
    if len(names) < 2 or table.ndim != 2 or table.shape[1] < 3:
        return None
    failed = table[:, 2] > 0
    title = f"Failures by {names[0]} and {names[1]}"
    description = f"{int(failed.sum())} of {len(table)} examples around the counterexample fail."
    keep = thinned(len(table), MOST_POINTS)
    counts, fails = table[keep], failed[keep]
    figure, axis = axes(460, 300)
    axis.plot(*counts[~fails, :2].T, "o", color=BLUE, markersize=4.5, markerfacecolor="none", label="holds")
    axis.plot(*counts[fails, :2].T, "x", color=ORANGE, markersize=5.5, markeredgewidth=1.6, label="fails")
    axis.set(xlabel=short(named(names[0])), ylabel=short(named(names[1])))
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    columns, rows = _counts(names, table[:, :2], failed)
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, rows)


def _counts(names: list[str], at: FloatArray, failed: BoolArray) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of how many examples fail in each of 4 x 4 cells."""
    edges = [np.linspace(values.min(), values.max(), BINS + 1) for values in at.T]
    fails, of = (np.histogram2d(at[:, 0], at[:, 1], bins=edges, weights=one)[0].astype(int) for one in (failed, None))
    words = [[f"{number(a)} to {number(b)}" for a, b in pairwise(e.tolist())] for e in edges]
    rows = [[word, *(f"{fails[i, j]} of {of[i, j]}" for j in range(BINS))] for i, word in enumerate(words[0])]
    return [f"{names[0]}, failing", *(f"{names[1]} {word}" for word in words[1])], rows
