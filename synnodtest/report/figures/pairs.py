"""Figures of paired expectations: the 2x2 table as a mosaic with a slope graph, and equivalence against its margins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synnodtest.decoding import JsonObject, decode
from synnodtest.record.model import ComponentEntry
from synnodtest.record.words import interval, number
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, SOFT, axes, bare, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure

MOST_PAIRS = 80
"""Pairs drawn as lines, evenly chosen; set by hand: more cannot be told apart. The mosaic counts all."""


@dataclass(frozen=True)
class Paired:
    """Data of the figure.

    Args:
        n11: Units detected in both arms.
        n01: In the reference alone.
        n10: In the arm alone.
        n00: In neither.
        labels: Of arm and reference.
        pairs: Confidence in the arm and in the reference, per unit.
    """

    n11: int
    n01: int
    n10: int
    n00: int
    labels: tuple[str, ...] = ("arm", "reference")
    pairs: tuple[tuple[float, ...], ...] = ()


@drawn
def paired(payload: JsonObject, name: str) -> Figure:
    """Draw how many units are detected in both arms, in one or in none, and each unit's confidence in both."""
    data = decode(Paired, payload)
    cells = [int(count) for count in (data.n11, data.n01, data.n10, data.n00)]
    arm, reference = (str(v) for v in data.labels or ("arm", "reference"))
    title = f"Detected in {arm} and in {reference}"
    description = (
        f"{cells[0]} in both, {cells[2]} only in {arm}, {cells[1]} only in {reference}, {cells[3]} in neither."
    )
    left, mosaic = axes(215, 285)
    _mosaic(mosaic, cells, arm, reference)
    right, slopes = axes(245, 285)
    _slopes(slopes, data.pairs, arm, reference)
    panels = [
        to_svg(left, f"{name}-0", title, description),
        to_svg(right, f"{name}-1", f"Confidence in {reference} and in {arm}", "One line per unit."),
    ]
    rows = [
        [f"detected in {arm}", number(cells[0]), number(cells[2]), number(cells[0] + cells[2])],
        [f"missed in {arm}", number(cells[1]), number(cells[3]), number(cells[1] + cells[3])],
    ]
    columns = ["", f"detected in {reference}", f"missed in {reference}", "all"]
    return Figure.of(title, description, "".join(panels), columns, rows, wide=True)


def _mosaic(axis: Any, cells: Sequence[int], arm: str, reference: str) -> None:
    """Columns by the reference, heights by the arm; discordant cells in orange."""
    n11, n01, n10, n00 = cells
    total = max(sum(cells), 1)
    left = 0.0
    for (hit, miss), colours in (((n11, n01), (BLUE, ORANGE)), ((n10, n00), (ORANGE, SOFT))):
        width, bottom = (hit + miss) / total, 0.0
        for count, colour in ((miss, colours[1]), (hit, colours[0])):
            height = count / max(hit + miss, 1)
            if count:
                axis.bar(left, height, width, bottom, align="edge", color=colour, edgecolor="white", linewidth=2)
                ink, size = INK if colour in (SOFT, ORANGE) else "white", 10 if width > 0.08 else 7.5
                middle = left + width / 2, bottom + height / 2
                axis.text(*middle, str(count), ha="center", va="center", color=ink, fontsize=size)
            bottom += height
        left += width
    axis.set(xlim=(0, 1), ylim=(0, 1))
    bare(axis)
    axis.set(xlabel=f"found | missed\nin {short(reference, 16)}", ylabel=f"missed | found in {short(arm, 16)}")


def _slopes(axis: Any, pairs: Sequence[Sequence[float]], arm: str, reference: str) -> None:
    some_pairs = pairs if len(pairs) <= MOST_PAIRS else [pairs[i * len(pairs) // MOST_PAIRS] for i in range(MOST_PAIRS)]
    for falls, colour, line in ((True, ORANGE, (0, (4, 1.5))), (False, BLUE, "-")):
        y = [v for after, before in some_pairs if (after < before) == falls for v in (before, after, math.nan)]
        x = [0.0, 1.0, math.nan] * (len(y) // 3)
        axis.plot(x, y, color=colour, alpha=0.55, linewidth=0.9, linestyle=line, marker="o", markersize=2.5)
    if pairs:
        means = [sum(p[i] for p in pairs) / len(pairs) for i in (1, 0)]
        axis.plot([0, 1], means, color=INK, linewidth=2.6, marker="D", markersize=5, label="mean")
        axis.legend(loc="upper right")
    axis.set_xticks([0, 1], [short(reference, 16), short(arm, 16)])
    axis.set(xlim=(-0.15, 1.15), ylim=(-0.02, 1.02), ylabel="confidence (dashed: falls)")


@drawn
def equivalence(name: str, component: ComponentEntry) -> Figure | None:
    """Draw the interval of the difference against its margins."""
    value, low, high, margin = component.value, component.lower, component.upper, component.bound
    if value is None or low is None or high is None or margin is None:
        return None
    title = "Difference against its margins"
    ends = interval(low, high, "difference", bound=margin)
    named = component.label[:1].upper() + component.label[1:]
    description = f"{named} {number(value, 'difference')}, interval {ends}, margins ±{margin:g}."
    figure, axis = axes(460, 130)
    axis.axvspan(-margin, margin, color="#DDEFE4", linewidth=0)
    for edge in (-margin, margin):
        axis.axvline(edge, color=INK, linewidth=1.2)
    axis.axvline(0, color=GREY, linewidth=0.8, linestyle=(0, (2, 2)))
    axis.plot([low, high], [0, 0], color=BLUE, linewidth=4, solid_capstyle="butt")
    axis.plot([value], [0], marker="o", markersize=8, color=BLUE, markeredgecolor="white")
    reach = 1.25 * max(margin, abs(low), abs(high))
    axis.set(xlim=(-reach, reach), ylim=(-1, 1), yticks=[])
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("difference; tinted: within the margins")
    rows = [[number(value, "difference"), *ends.split(" to "), f"±{margin:g}"]]
    columns = ["difference", "lower", "upper", "margin"]
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, rows, numeric=columns)
