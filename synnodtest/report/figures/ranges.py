"""Rows of values against a yardstick: dots, intervals and bands, one row per thing that is compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap

from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, short, to_svg

_LOOKS = (
    {"marker": "o", "color": BLUE, "markersize": 7},
    {"marker": "D", "color": ORANGE, "markersize": 6},
    {"marker": "^", "color": INK, "markersize": 7},
)


@dataclass(frozen=True)
class Row:
    """One row of the drawing.

    Args:
        label: To the left.
        points: Value per series.
        interval: Thick line.
        band: Tinted range: the yardstick.
    """

    label: str
    points: Mapping[str, float] = field(default_factory=dict)
    interval: tuple[float, ...] | None = None
    band: tuple[float, ...] | None = None


def ranges(
    rows: Sequence[Row], name: str, title: str, description: str, axis_label: str, lines: Sequence[float] = ()
) -> str:
    """Draw rows of values over one axis.

    Args:
        rows: From top to bottom.
        name: Makes ids unique.
        title: Title of the drawing.
        description: What it shows.
        axis_label: What the axis measures.
        lines: Vertical lines: no difference, margins.
    """
    series = list(dict.fromkeys(key for row in rows for key in row.points))
    figure, axis = axes(440, 62 + 27 * len(rows) + (22 if len(series) > 1 else 0))
    axis.use_sticky_edges = False
    for at in lines:
        axis.axvline(at, color=INK if len(lines) == 1 else GREY, linewidth=1, linestyle=(0, (4, 2)))
    for place, row in enumerate(rows):
        if row.band is not None:
            low, high = row.band
            axis.barh(place, high - low, 0.62, low, color="#CBE0EE", linewidth=0, zorder=1)
        if row.interval is not None:
            axis.plot(row.interval, [place, place], color=BLUE, linewidth=3, solid_capstyle="butt", zorder=2)
        for key, value in row.points.items():
            look = _LOOKS[series.index(key) % len(_LOOKS)]
            axis.plot([value], [place], linestyle="none", markeredgecolor="white", zorder=3, **look)
    for key in series if len(series) > 1 else ():
        axis.plot([], [], linestyle="none", label=key, **_LOOKS[series.index(key) % len(_LOOKS)])
    if len(series) > 1:
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=len(series))
    axis.set_yticks(range(len(rows)), ["\n".join(wrap(short(row.label, 60), 30)) for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel(short(axis_label, 60))
    return to_svg(figure, name, title, description)
