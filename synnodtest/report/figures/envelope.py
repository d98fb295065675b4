"""The envelope: what the specification claims against what was tested, one panel per quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from synnodtest.record.words import number
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, named, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure

WIDE_GAP = 0.15
"""Share of the claimed range from which a gap between tested values is told; levels of a usual sweep lie closer."""


@dataclass(frozen=True)
class Claim:
    """One quantity: the claimed range, what was asked for and what was realised."""

    key: str
    low: float | None
    high: float | None
    asked: list[float]
    values: list[float]

    @property
    def label(self) -> str:
        """Name for a reader."""
        return named(self.key)

    def tested_text(self) -> str:
        """Return the range of what was realised, and asked for."""
        values = self.values or self.asked
        if not values:
            return "not tested"
        text = f"{min(values):.3g} to {max(values):.3g} (median {float(np.median(values)):.3g})"
        if self.asked and self.values:
            low, high = min(self.asked), max(self.asked)
            text += f"; asked for {low:.3g} to {high:.3g}" if high > low else f"; asked for {low:.3g}"
        return text

    def remark(self) -> str:
        """Return which end of the claim has no data near it, and what was tested outside of it."""
        tested = self.values or self.asked
        if self.low is None or self.high is None:
            return ""
        if not tested:
            return "claimed and not tested"
        room, parts = 0.02 * (self.high - self.low), []
        if min(tested) > self.low + room:
            parts.append(f"nothing tested from {self.low:g} to {min(tested):.3g}")
        if max(tested) < self.high - room:
            parts.append(f"nothing tested from {max(tested):.3g} to {self.high:g}")
        outside = sum(v < self.low - room or v > self.high + room for v in self.asked)
        if outside:
            parts.append(f"{outside} asked for outside the claim")
        gap = _widest_gap(tested, self.low, self.high)
        if gap is not None:
            parts.append(f"nothing tested between {gap[0]:.3g} and {gap[1]:.3g}")
        return "; ".join(parts) or "covered end to end"


def _widest_gap(tested: Sequence[float], low: float, high: float) -> tuple[float, float] | None:
    """Return the widest gap between neighbours within the claim; None where it is no wider than is usual."""
    inside = sorted(value for value in tested if low <= value <= high)
    wide = [(b - a, a, b) for a, b in pairwise(inside) if b - a > WIDE_GAP * (high - low)]
    return max(wide)[1:] if wide else None


@drawn
def envelope_figure(claims: Sequence[Claim], name: str) -> Figure:
    """Draw the claimed range as a bar over a histogram of the realised values."""
    drawn = [c for c in claims if c.values][:4]
    title = "Envelope: claimed range against tested values"
    description = ". ".join(f"{c.label}: tested {c.tested_text()}" for c in drawn) + "."
    rows, panels = [], []
    for index, claim in enumerate(drawn):
        figure, axis = axes(350 if len(drawn) > 1 else 460, 200)
        values = np.array(claim.values)
        low = min(float(values.min()), claim.low if claim.low is not None else np.inf)
        high = max(float(values.max()), claim.high if claim.high is not None else -np.inf)
        edges = np.linspace(low, high if high > low else low + 1, 17)
        counts, edges = np.histogram(values, edges)
        axis.bar(edges[:-1], counts, np.diff(edges), align="edge", color=BLUE, edgecolor="white", linewidth=0.6)
        top = max(int(counts.max()), 1)
        if claim.low is not None and claim.high is not None:
            axis.plot([claim.low, claim.high], [1.13 * top] * 2, color=ORANGE, linewidth=3, marker="|", markersize=11)
            axis.text((claim.low + claim.high) / 2, 1.17 * top, "claimed", ha="center", va="bottom", fontsize=9)
        axis.set(ylim=(0, 1.34 * top), xlabel=short(claim.label))
        axis.set_ylabel("nodules", color=GREY)
        rows += [
            [claim.label, f"{a:.3g} to {b:.3g}", number(int(n))]
            for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
            if n
        ]
        axis.tick_params(colors=INK)
        panels.append(to_svg(figure, f"{name}-{index}", f"{title}: {claim.label}", claim.tested_text()))
    columns = ["quantity", "from, to", "nodules"]
    return Figure.of(title, description, "".join(panels), columns, rows, numeric=["nodules"], wide=True)
