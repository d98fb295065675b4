"""The region that fails: a line per parameter with its failing stretch, the boundaries' intervals, and the scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synnodtest.report.figures.canvas import BLUE, GREY, ORANGE, axes, rcparams, short, to_svg
from synnodtest.report.model import Figure, table_of

__all__ = ["region_figure"]

ROW, REST = 46, 74
"""Height of a parameter's line, and of all else, in px."""
MOST_POINTS = 250


def region_figure(region: Mapping[str, Any], name: str) -> Figure | None:
    """Draw the ``region`` of an entry of the record's ``fuzzing`` list; None where none was shown to fail."""
    rows = [row for row in region.get("parameters") or [] if row.get("range") or row.get("levels")]
    if not region.get("shown") or not rows:
        return None
    title = "The largest region that fails"
    description = str(region["sentence"])
    with rcparams():
        figure, panel = axes(520, REST + ROW * len(rows))
        for height, row in enumerate(reversed(rows)):
            _line(panel, height, row, region)
        panel.set(xlim=(-0.02, 1.02), ylim=(-0.6, len(rows) - 0.4))
        panel.set_yticks(range(len(rows)), [short(_label(row["name"]), 24) for row in reversed(rows)])
        panel.set_xticks([])
        panel.grid(visible=False)
        panel.plot([], [], "o", color=BLUE, markersize=4, markerfacecolor="none", label="holds")
        panel.plot([], [], "x", color=ORANGE, markersize=5, label="fails")
        panel.plot([], [], color=ORANGE, linewidth=9, alpha=0.3, label="region that fails")
        panel.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3)
        svg = to_svg(figure, name, title, description)
    table = [[_label(row["name"]), _searched(row), _failing(row, region), _bounds(row, region)] for row in rows]
    return Figure(title, description, svg, table_of(title, ["parameter", "searched", "fails", "boundaries"], table))


def _line(panel: Any, height: int, row: Mapping[str, Any], region: Mapping[str, Any]) -> None:
    """Draw one parameter: its range, what fails of it, and the scenes above and below the line."""
    term = _term(row, region)
    panel.plot([0, 1], [height, height], color=GREY, linewidth=0.8)
    for low, high in _shaded(row, term, region):
        panel.fill_between([low, high], height - 0.24, height + 0.24, color=ORANGE, alpha=0.3)
    for boundary in _boundaries(term):
        ends = [_at(row, boundary["lower"]), _at(row, boundary["upper"])]
        panel.plot(ends, [height, height], color="black", linewidth=3)
        panel.text(_at(row, boundary["value"]), height + 0.27, f"{boundary['value']:.3g}", ha="center", fontsize=8)
    index = list(region["columns"]).index(row["name"])
    points = region["points"][:: max(1, -(-len(region["points"]) // MOST_POINTS))]
    for failed, mark, up in ((False, "o", 0.1), (True, "x", -0.1)):
        x = [_at(row, p[index]) for p in points if bool(p[-1]) == failed and p[index] is not None]
        panel.plot(x, [height + up] * len(x), mark, color=ORANGE if failed else BLUE, markersize=3, alpha=0.6,
                   markerfacecolor="none", markeredgewidth=0.7)  # fmt: skip
    if row.get("range"):
        for end, value in zip((0, 1), row["range"], strict=True):
            panel.text(end, height - 0.42, f"{value:.3g}", ha="right" if end else "left", fontsize=7.5, color=GREY)
    else:
        for k, level in enumerate(row["levels"]):
            panel.text((k + 0.5) / len(row["levels"]), height - 0.42, short(level, 12), ha="center", fontsize=7.5,
                       color=GREY)  # fmt: skip


def _term(row: Mapping[str, Any], region: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((t for t in region["terms"] if t["name"] == row["name"]), None)


def _at(row: Mapping[str, Any], value: Any) -> float:
    """Return where a value lies on a line from 0 to 1; a level in the middle of its share."""
    if row.get("levels"):
        names = [str(level) for level in row["levels"]]
        return (names.index(str(value)) + 0.5) / len(names) if str(value) in names else -1.0
    low, high = row["range"]
    return 0.5 if high == low else (float(value) - low) / (high - low)


def _shaded(row: Mapping[str, Any], term: Any, region: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return what is shaded of a line: all of it for what does not matter, the share of each level that fails."""
    if term is None:
        return [(0.0, 1.0)] if row["name"] in region["free"] else []
    half = 0.5 / len(row["levels"]) if row.get("levels") else 0.0
    return [(_at(row, low) - half, _at(row, high) + half) for low, high in _stretches(row, term)]


def _stretches(row: Mapping[str, Any], term: Mapping[str, Any] | None) -> Sequence[tuple[Any, Any]]:
    if term is None:
        return ()
    if term["levels"] is not None:
        return [(level, level) for level in term["levels"]]
    return [(part["start"], part["end"]) for part in term["parts"]]


def _boundaries(term: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    parts = term["parts"] if term is not None else []
    return [boundary for part in parts for boundary in (part["low"], part["high"]) if boundary]


def _label(name: str) -> str:
    return name.replace("_mm", " (mm)").replace("_", " ").removeprefix("perturbations.")


def _searched(row: Mapping[str, Any]) -> str:
    return ", ".join(map(str, row["levels"])) if row.get("levels") else "{:.3g} to {:.3g}".format(*row["range"])


def _failing(row: Mapping[str, Any], region: Mapping[str, Any]) -> str:
    term = _term(row, region)
    if term is None:
        return "does not matter" if row["name"] in region["free"] else "see the sentence"
    shown = [str(a) if a == b else f"{a:.3g} to {b:.3g}" for a, b in _stretches(row, term)]
    return " and ".join(shown)


def _bounds(row: Mapping[str, Any], region: Mapping[str, Any]) -> str:
    return ", ".join("{value:.3g} ({lower:.3g} to {upper:.3g})".format(**b) for b in _boundaries(_term(row, region)))
