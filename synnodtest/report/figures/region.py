"""The region that fails: a line per parameter with its failing stretch, the boundaries' intervals, and the scenes."""

from __future__ import annotations

from typing import Any

from synnodtest.record.model.searched import BoundaryEntry, RegionEntry, SearchedEntry, TermEntry
from synnodtest.report.figures.canvas import BLUE, GREY, ORANGE, axes, named, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure

ROW, REST = 46, 74
"""Height of a parameter's line, and of all else, in px."""
MOST_POINTS = 250
"""Scenes drawn per line; more only cover each other and make the document larger."""


@drawn
def region_figure(region: RegionEntry | None, name: str) -> Figure | None:
    """Draw the region that a search came to; None where none was shown to fail."""
    rows = [] if region is None else [row for row in region.parameters if row.range or row.levels]
    if region is None or not region.shown or not rows:
        return None
    title = "The largest region that fails"
    figure, panel = axes(520, REST + ROW * len(rows))
    for height, row in enumerate(reversed(rows)):
        _line(panel, height, row, region)
    panel.set(xlim=(-0.02, 1.02), ylim=(-0.6, len(rows) - 0.4))
    panel.set_yticks(range(len(rows)), [short(_label(row.name), 24) for row in reversed(rows)])
    panel.set_xticks([])
    panel.grid(visible=False)
    panel.plot([], [], "o", color=BLUE, markersize=4, markerfacecolor="none", label="holds")
    panel.plot([], [], "x", color=ORANGE, markersize=5, label="fails")
    panel.plot([], [], color=ORANGE, linewidth=9, alpha=0.3, label="region that fails")
    panel.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3)
    table = [[_label(row.name), _searched(row), _failing(row, region), _bounds(row, region)] for row in rows]
    columns = ["parameter", "searched", "fails", "boundaries"]
    return Figure.of(title, region.sentence, to_svg(figure, name, title, region.sentence), columns, table, numeric=())


def _line(panel: Any, height: int, row: SearchedEntry, region: RegionEntry) -> None:
    """Draw one parameter: its range, what fails of it, and the scenes above and below the line."""
    panel.plot([0, 1], [height, height], color=GREY, linewidth=0.8)
    for low, high in _shaded(row, region):
        panel.fill_between([low, high], height - 0.24, height + 0.24, color=ORANGE, alpha=0.3)
    for boundary in _boundaries(region.term(row.name)):
        ends = [row.at(boundary.lower), row.at(boundary.upper)]
        panel.plot(ends, [height, height], color="black", linewidth=3)
        panel.text(row.at(boundary.value), height + 0.27, f"{boundary.value:.3g}", ha="center", fontsize=8)
    index = region.columns.index(row.name)
    points = region.points[:: max(1, -(-len(region.points) // MOST_POINTS))]
    for failed, mark, up in ((False, "o", 0.1), (True, "x", -0.1)):
        x = [row.at(p[index]) for p in points if bool(p[-1]) == failed and p[index] is not None]
        panel.plot(x, [height + up] * len(x), mark, color=ORANGE if failed else BLUE, markersize=3, alpha=0.6,
                   markerfacecolor="none", markeredgewidth=0.7)  # fmt: skip
    for place, text, side in _ticks(row):
        panel.text(place, height - 0.42, text, ha=side, fontsize=7.5, color=GREY)


def _ticks(row: SearchedEntry) -> list[tuple[float, str, str]]:
    """Return place, text and alignment of what stands below a line: the ends of a range, or the levels."""
    if row.range:
        return [(end, f"{value:.3g}", "right" if end else "left") for end, value in enumerate(row.range)]
    return [(row.at(level), short(level, 12), "center") for level in row.levels or ()]


def _shaded(row: SearchedEntry, region: RegionEntry) -> list[tuple[float, float]]:
    """Return what is shaded of a line: all of it for what does not matter, the share of each level that fails."""
    term = region.term(row.name)
    if term is None:
        return [(0.0, 1.0)] if row.name in region.free else []
    half = 0.5 / len(row.levels) if row.levels else 0.0
    return [(row.at(low) - half, row.at(high) + half) for low, high in _stretches(term)]


def _stretches(term: TermEntry) -> list[tuple[Any, Any]]:
    if term.levels is not None:
        return [(level, level) for level in term.levels]
    return [(part.start, part.end) for part in term.parts]


def _boundaries(term: TermEntry | None) -> list[BoundaryEntry]:
    parts = term.parts if term is not None else ()
    return [boundary for part in parts for boundary in (part.low, part.high) if boundary is not None]


def _label(name: str) -> str:
    return named(name).removeprefix("perturbations.")


def _searched(row: SearchedEntry) -> str:
    return ", ".join(map(str, row.levels)) if row.levels else "{:.3g} to {:.3g}".format(*row.range or ())


def _failing(row: SearchedEntry, region: RegionEntry) -> str:
    term = region.term(row.name)
    if term is None:
        return "does not matter" if row.name in region.free else "see the sentence"
    return " and ".join(str(a) if a == b else f"{a:.3g} to {b:.3g}" for a, b in _stretches(term))


def _bounds(row: SearchedEntry, region: RegionEntry) -> str:
    return ", ".join(boundary.words for boundary in _boundaries(region.term(row.name)))
