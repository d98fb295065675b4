"""The figure of ``monotone``: response over the swept value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from synnodtest.decoding import JsonObject, decode
from synnodtest.geometry import Array
from synnodtest.record.model.scenes import IntervalEntry
from synnodtest.record.words import number, plural
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, named, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure

MOST_LINES = 60
"""Backgrounds drawn as lines, evenly chosen; set by hand: more cannot be told apart. The mean is of all."""


@dataclass(frozen=True)
class Trend:
    """Data of the figure.

    Args:
        levels: Of the swept value.
        mean_confidence: At each level.
        over: Name of the swept value.
        lines: Confidence at each level, per background.
        isotonic: Fit at each level.
        detection_rates: At each level, by score.
        d50: Level at which half are found.
    """

    levels: tuple[float, ...]
    mean_confidence: tuple[float, ...]
    over: str = ""
    lines: tuple[tuple[float, ...], ...] = ()
    isotonic: tuple[float, ...] = ()
    detection_rates: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    d50: IntervalEntry | None = None


@drawn
def monotone(payload: JsonObject, name: str) -> Figure:
    """Draw each background's line, the mean, its isotonic fit, detection rates and d50."""
    data = decode(Trend, payload)
    levels = np.array(data.levels, dtype=float)
    lines = [np.array(line, dtype=float) for line in data.lines]
    some_lines = lines if len(lines) <= MOST_LINES else [lines[i * len(lines) // MOST_LINES] for i in range(MOST_LINES)]
    mean = np.array(data.mean_confidence, dtype=float)
    rates = dict(sorted(data.detection_rates.items(), key=lambda item: float(item[0])))
    figure, panels = axes(460, 400 if rates else 270, nrows=2 if rates else 1, sharex=True, squeeze=False)
    top = panels[0, 0]
    for line in some_lines:
        top.plot(levels, line, color="#8FB8D3", linewidth=0.6, alpha=0.55)
    if data.isotonic:
        top.plot(levels, data.isotonic, color=INK, linewidth=1.2, linestyle=(0, (4, 2)), label="isotonic fit")
    top.plot(levels, mean, color=BLUE, marker="o", markersize=4.5, label="mean over backgrounds")
    top.set(ylabel="confidence", ylim=(min(0.0, float(mean.min())) - 0.02, max(1.0, float(mean.max())) + 0.02))
    top.legend(loc="upper left")
    bottom = panels[-1, 0]
    for (threshold, values), style in zip(rates.items(), _STYLES, strict=False):
        bottom.plot(levels, values, **style, label=f"score ≥ {short(threshold, 12)}")
    if rates:
        bottom.set(ylabel="detection rate", ylim=(-0.02, 1.02))
        _d50(bottom, data.d50)
        bottom.legend(loc="lower right")
    if levels[0] > 0 and levels[-1] / levels[0] >= 4:
        bottom.set_xscale("log")
    bottom.set_xticks(levels, [f"{v:g}" for v in levels], minor=False)
    bottom.set_xticks([], minor=True)
    bottom.set_xlabel(short(named(data.over)))
    title = f"Confidence over {named(data.over)}"
    description = f"{_course(levels, mean)}{_d50_told(data.d50 if rates else None)}"
    description += f" Thin lines: {len(some_lines)} of {plural(len(lines), 'independent background')}." if lines else ""
    columns = [data.over, "mean confidence", "isotonic fit", *(f"rate at {t}" for t in rates)]
    table = zip_longest(levels, mean, data.isotonic, *rates.values())
    rows = [[f"{level:g}", *map(number, values)] for level, *values in table]
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, rows, numeric=columns)


_STYLES: tuple[dict[str, object], ...] = (
    {"color": BLUE, "marker": "o", "markersize": 4.5},
    {"color": ORANGE, "marker": "s", "markersize": 4.5},
    {"color": GREY, "marker": "^", "markersize": 4.5},
)


def _course(levels: Array, mean: Array) -> str:
    """Return where the mean begins and ends, and its peak or trough where that lies between."""
    rises = mean[-1] >= mean[0]
    turn = int(mean.argmax() if rises else mean.argmin())
    word, extreme = ("rises", "highest") if rises else ("falls", "lowest")
    course = f"Mean confidence {word} from {mean[0]:.2f} at {levels[0]:g} to {mean[-1]:.2f} at {levels[-1]:g}"
    beyond = round(abs(float(mean[turn] - mean[-1])), 2) > 0
    return course + (f", {extreme} {mean[turn]:.2f} at {levels[turn]:g}." if beyond else ".")


def _d50_told(d50: IntervalEntry | None) -> str:
    if d50 is None or d50.value is None:
        return ""
    ends = "" if d50.lower is None or d50.upper is None else f" (90% interval {d50.lower:.1f} to {d50.upper:.1f})"
    return f" Half are found at the operating point from {d50.value:.1f} mm{ends}."


def _d50(axis: Any, d50: IntervalEntry | None) -> None:
    if d50 is None or d50.value is None:
        return
    if d50.lower is not None and d50.upper is not None:
        axis.plot([d50.lower, d50.upper], [0.5, 0.5], color=INK, linewidth=3, solid_capstyle="butt")
    axis.plot([d50.value], [0.5], marker="D", markersize=5.5, color=INK, linestyle="none", label="d50, interval")
