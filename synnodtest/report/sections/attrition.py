"""Attrition: scenes from plan to verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synnodtest.record.model import ExpectationEntry
from synnodtest.record.rejections import by_kind
from synnodtest.record.words import joined, number, plural
from synnodtest.report.context import Context
from synnodtest.report.figures.canvas import BLUE, GREY, INK, axes, bare, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure, Section, Table


def attrition(context: Context) -> Section:
    """Return how many scenes were asked for and what became of them."""
    counts = context.record.attrition
    words = ("requested", "synthesized", "accepted", "evaluated")
    steps = [(word, int(count)) for word in words if (count := getattr(counts, word)) is not None]
    reasons = [[why, number(count)] for why, count in by_kind(counts.reasons).items()]
    bare = sum(scene.untouched for scene in context.record.accepted)
    tries = sum(any(n.requested.get("redraws") for n in scene.nodules) for scene in context.record.accepted)
    evaluated = counts.evaluated if counts.evaluated is not None else len(context.record.accepted)
    data = {
        "figure": flow_figure(steps, "f-flow") if any(count for _, count in steps) else None,
        "note": " ".join(_not_counted(context.record.expectations)),
        "reasons": Table("Why scenes were lost", ["Reason", "Scenes"], reasons, numeric=["Scenes"]),
        "planted": evaluated - bare,
        "untouched": bare,
        "tries": tries,
    }
    return Section("Data and attrition", "attrition", data, "" if steps else "The record holds no counts.")


def _not_counted(expectations: Sequence[ExpectationEntry]) -> Iterator[str]:
    """Yield which scenes are not among those counted."""
    searched = list(dict.fromkeys(e.behaviour for e in expectations if e.is_search))
    lost = sum(e.ruling is None for e in expectations)
    if searched:
        remark = "only the scenes that confirm and describe what they found are counted here."
        yield f"Of searches ({joined(searched)}) {remark}"
    if lost:
        yield f"Scenes of {plural(lost, 'expectation')} without a ruling are not counted, unless others share them."


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
