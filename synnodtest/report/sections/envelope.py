"""Envelope: what was claimed against what was tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeGuard

import numpy as np

from synnodtest.record.model import NoduleEntry, Record, SceneEntry
from synnodtest.record.words import age_band, number, plural, value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, named, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure, Section, Table
from synnodtest.report.sections.subgroups import MOST_VALUES

WIDE_GAP = 0.15
"""Share of the claimed range from which a gap between tested values is told; levels of a usual sweep lie closer."""


def envelope(context: Context) -> Section:
    """Return what the specs claim against what was really tested."""
    record = context.record
    scenes = record.accepted
    nodules = [n for s in scenes for n in s.nodules]
    claims = _claims(record, nodules)
    texts = [
        [key.replace("_", " "), value_text(value), _tested_text(key, value, scenes, nodules)]
        for spec in record.identification.specs
        for key, value in spec.scope.items()
        if not _is_range(value)
    ]
    ranges = [[c.label, f"{c.low:g} to {c.high:g}", c.tested_text(), c.remark()] for c in claims if c.low is not None]
    ranges += [[c.label, "not stated", c.tested_text(), ""] for c in claims if c.low is None]
    columns = ["Property", "Value", "Scenes", "Backgrounds"]
    known = "Backgrounds by what is known of them"
    data = {
        "figure": envelope_figure(claims, "f-envelope") if any(c.values for c in claims) else None,
        "ranges": Table("Ranges claimed and tested", ["Quantity", "Claimed", "Tested", "Remark"], ranges),
        "texts": Table("Further scope, as the specification words it", ["Scope", "Claimed", "Tested"], texts),
        "strata": Table(known, columns, _strata(scenes), numeric=columns[2:], most=60),
    }
    return Section("Intended use and envelope", "envelope", data, "" if scenes else "No scene was evaluated.")


def _is_range(value: object) -> TypeGuard[list[float]]:
    numbers = isinstance(value, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
    return isinstance(value, list) and numbers and len(value) == 2


def _claims(record: Record, nodules: Sequence[NoduleEntry]) -> list[Claim]:
    """Return one claim per numeric quantity: realised diameter and contrast always, whatever else is claimed too."""
    ranges = _claimed(record)
    claims = []
    for key in dict.fromkeys(["diameter_mm", "contrast", *ranges]):
        asked = [float(v) for n in nodules if (v := n.asked(key)) is not None]
        got = [float(v) for n in nodules if (v := n.realised(key)) is not None]
        low, high = ranges.get(key, (None, None))
        if asked or got or low is not None:
            claims.append(Claim(key, low, high, asked, got))
    return claims


def _claimed(record: Record) -> dict[str, tuple[float, float]]:
    """Return the widest range that the specs claim, by quantity."""
    ranges: dict[str, tuple[float, float]] = {}
    for spec in record.identification.specs:
        for key, value in spec.scope.items():
            if _is_range(value):
                low, high = ranges.setdefault(key, (value[0], value[1]))
                ranges[key] = (min(low, value[0]), max(high, value[1]))
    return ranges


def _tested_text(key: str, value: Any, scenes: Sequence[SceneEntry], nodules: Sequence[NoduleEntry]) -> str:
    if "region" in key:
        met = Counter(r for n in nodules for r in n.regions)
        values = value if isinstance(value, list) else [value]
        return "; ".join(f"{w}: {plural(met[str(w)], 'nodule')}" for w in values)
    known = Counter(str(s.strata[key]) for s in scenes if s.strata.get(key))
    return (
        "; ".join(f"{v}: {plural(c, 'scene')}" for v, c in known.most_common(8)) or "authored; not measured by the run"
    )


def _strata(scenes: Sequence[SceneEntry]) -> list[list[object]]:
    """Return a row for each value of a property, one for all values of a property that has many."""
    told = [
        (key, age_band(value, str(value)) if key == "age" else str(value), scene.background)
        for scene in scenes
        for key, value in scene.strata.items()
    ]
    values = Counter(key for key, _ in {(key, value) for key, value, _ in told})
    backgrounds: dict[tuple[str, str], list[str]] = {}
    for key, value, background in told:
        name = value if values[key] <= MOST_VALUES else f"{values[key]} values"
        backgrounds.setdefault((key, name), []).append(background)
    return [[*pair, number(len(some)), number(len(set(some)))] for pair, some in sorted(backgrounds.items())]


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
        least, most = f"{min(values):.3g}", f"{max(values):.3g}"
        text = least if least == most else f"{least} to {most} (median {float(np.median(values)):.3g})"
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


def _edges(low: float, high: float) -> Any:
    """Return the edges of 16 bins; of 17 about the value where both ends print alike: rounding alone is no range."""
    if f"{low:.3g}" != f"{high:.3g}":
        return np.linspace(low, high, 17)
    half = abs(low) / 2 or 0.5
    return np.linspace(low - half, high + half, 18)


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
        edges = _edges(low, high)
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
