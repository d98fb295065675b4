"""The flow of scenes from the request to the evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from synnodtest.record.words import number
from synnodtest.report.figures.canvas import BLUE, GREY, INK, axes, bare, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure


@drawn
def flow_figure(steps: Sequence[tuple[str, int]], name: str) -> Figure:
    """Draw one bar per step, its count, and what was lost on the way."""
    title = "Scenes from request to evaluation"
    description = ", ".join(f"{count} {word}" for word, count in steps) + "."
    top = max(max(count for _, count in steps), 1)
    figure, axis = axes(460, 40 + 40 * len(steps))
    for row, (word, count) in enumerate(steps):
        axis.barh(row, count, height=0.56, color=BLUE)
        lost = steps[row - 1][1] - count if row else 0
        text = f"{number(count)} {word}" + (f"  (\N{MINUS SIGN}{number(lost)})" if lost > 0 else "")
        inside = count > 0.55 * top
        start = 0 if inside else count
        axis.text(start + 0.02 * top, row, text, va="center", ha="left", color="white" if inside else INK)
    axis.set_xlim(0, 1.02 * top)
    axis.invert_yaxis()
    bare(axis)
    axis.tick_params(colors=GREY)
    rows = [
        [word, number(count), number(steps[i - 1][1] - count) if i else "–"] for i, (word, count) in enumerate(steps)
    ]
    return Figure.of(title, description, to_svg(figure, name, title, description), ["step", "scenes", "lost"], rows)
