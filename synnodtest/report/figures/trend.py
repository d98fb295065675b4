"""The figure of ``monotone``: response over the swept value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from synnodtest.record.words import number
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, rcparams, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure, table_of

__all__ = ["monotone"]

MOST_LINES = 60
_UNITS = {"diameter_mm": "diameter (mm)", "contrast": "contrast"}


@drawn
def monotone(payload: Mapping[str, Any], name: str) -> Figure:
    """Draw each background's line, the mean, its isotonic fit, detection rates and d50."""
    levels = np.array(payload["levels"], dtype=float)
    lines = [np.array(line, dtype=float) for line in payload.get("lines") or []]
    shown = lines if len(lines) <= MOST_LINES else [lines[i * len(lines) // MOST_LINES] for i in range(MOST_LINES)]
    mean = np.array(payload["mean_confidence"], dtype=float)
    rates = payload.get("detection_rates") or {}
    over = str(payload.get("over", ""))
    spread = levels[0] > 0 and levels[-1] / levels[0] >= 4
    with rcparams():
        figure, panels = axes(460, 400 if rates else 270, nrows=2 if rates else 1, sharex=True, squeeze=False)
        top = panels[0, 0]
        for line in shown:
            top.plot(levels, line, color="#8FB8D3", linewidth=0.6, alpha=0.55)
        if payload.get("isotonic"):
            top.plot(levels, payload["isotonic"], color=INK, linewidth=1.2, linestyle=(0, (4, 2)), label="isotonic fit")
        top.plot(levels, mean, color=BLUE, marker="o", markersize=4.5, label="mean over backgrounds")
        top.set_ylabel("confidence")
        top.set_ylim(min(0.0, float(mean.min())) - 0.02, max(1.0, float(mean.max())) + 0.02)
        top.legend(loc="upper left")
        bottom = panels[-1, 0]
        for (threshold, values), style in zip(sorted(rates.items()), _STYLES, strict=False):
            bottom.plot(levels, values, **style, label=f"score ≥ {short(threshold, 12)}")
        if rates:
            bottom.set_ylabel("detection rate")
            bottom.set_ylim(-0.02, 1.02)
            _d50(bottom, payload.get("d50"))
            bottom.legend(loc="lower right")
        if spread:
            bottom.set_xscale("log")
        bottom.set_xticks(levels, [f"{v:g}" for v in levels], minor=False)
        bottom.set_xticks([], minor=True)
        bottom.set_xlabel(short(_UNITS.get(over, over)))
        title = f"Confidence over {_UNITS.get(over, over)}"
        description = (
            f"Mean confidence rises from {mean[0]:.2f} at {levels[0]:g} to {mean[-1]:.2f} at {levels[-1]:g}."
            if mean[-1] >= mean[0]
            else f"Mean confidence falls from {mean[0]:.2f} at {levels[0]:g} to {mean[-1]:.2f} at {levels[-1]:g}."
        )
        description += f" Thin lines: {len(shown)} of {len(lines)} backgrounds." if lines else ""
        svg = to_svg(figure, name, title, description)
    columns = [over, "mean confidence", "isotonic fit", *(f"rate at {t}" for t in sorted(rates))]
    rows = [
        [f"{level:g}", number(float(mean[i])), number(_at(payload.get("isotonic"), i))]
        + [number(_at(rates[t], i)) for t in sorted(rates)]
        for i, level in enumerate(levels)
    ]
    return Figure(title, description, svg, table_of(title, columns, rows, numeric=columns))


_STYLES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "marker": "o", "markersize": 4.5},
    {"color": ORANGE, "marker": "s", "markersize": 4.5},
    {"color": GREY, "marker": "^", "markersize": 4.5},
)


def _at(values: Any, index: int) -> float | None:
    return float(values[index]) if values is not None and index < len(values) else None


def _d50(axis: Any, d50: Mapping[str, Any] | None) -> None:
    if not d50 or d50.get("value") is None:
        return
    low, high = d50.get("lower"), d50.get("upper")
    if low is not None and high is not None:
        axis.plot([low, high], [0.5, 0.5], color=INK, linewidth=3, solid_capstyle="butt")
    axis.plot([d50["value"]], [0.5], marker="D", markersize=5.5, color=INK, linestyle="none", label="d50, interval")
