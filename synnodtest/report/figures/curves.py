"""Figures of curves: FROC, calibration, and the log e-value of a sequential expectation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from synnodtest.decoding import JsonObject, Member, decode
from synnodtest.record.model import ExpectationEntry, SceneEntry
from synnodtest.record.words import number, plural
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure
from synnodtest.statistics.curves import thinned

MOST_POINTS = 400
"""Points of a curve that are drawn; no width of a page shows more, and each makes the document larger."""


@dataclass(frozen=True)
class FreeResponse:
    """Data of a free-response curve: sensitivity over false positives per image, and the ends of its band.

    ``whole`` holds where it ends with all findings counted. Records of earlier versions hold neither that nor the
    level of the band.
    """

    fppi: tuple[float, ...]
    sensitivity: tuple[float, ...]
    band_lower: tuple[float, ...] = ()
    band_upper: tuple[float, ...] = ()
    band_level: float | None = None
    whole: bool | None = None


@dataclass(frozen=True)
class Reliability:
    """Data of a reliability diagram: mean confidence, observed rate and count of each bin."""

    p: tuple[float, ...]
    observed: tuple[float, ...]
    count: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class LogEvidence:
    """Data of a sequential test: log e-values for passing and for failing after n units, and what decides."""

    n: tuple[float, ...]
    log_e_above: tuple[float, ...]
    log_e_below: tuple[float, ...]
    threshold: float


@dataclass(frozen=True)
class Rate:
    """Detected nodules of one requested diameter, with a 95% interval unless the record is of an earlier version."""

    diameter: str
    nodules: int
    detected: int
    lower: Annotated[float | None, Member(key="rate, 95% lower")] = None
    upper: Annotated[float | None, Member(key="rate, 95% upper")] = None

    @property
    def rate(self) -> float:
        """Share of the nodules that were detected."""
        return self.detected / self.nodules

    @property
    def ends(self) -> tuple[float, float]:
        """The interval; of a record without one Wilson's, which takes the nodules for independent."""
        if self.lower is not None and self.upper is not None:
            return self.lower, self.upper
        from synnodtest.statistics import wilson

        interval = wilson(self.detected, self.nodules, alpha=0.025)
        return float(interval.lower), float(interval.upper)


@drawn
def froc(payload: JsonObject, name: str) -> Figure:
    """Draw sensitivity over false positives per image, with its band."""
    data = decode(FreeResponse, payload)
    x, y = np.array(data.fppi, dtype=float), np.array(data.sensitivity, dtype=float)
    title = "Free-response curve"
    at_one, end = float(y[x <= 1.0].max()) if (x <= 1.0).any() else float("nan"), float(x.max())
    whole = end < 1 if data.whole is None else data.whole
    ended = f" The curve ends, with all findings counted, at {end:.3g}." if whole and end < 1 else ""
    ended += f" It is drawn as far as {end:.3g}." if data.whole is False else ""
    description = f"Sensitivity {number(at_one)} at one false positive per image.{ended}"
    told = "band" if data.band_level is None else f"{100 * data.band_level:g}% interval at each point"
    figure, axis = axes(460, 290)
    if data.band_lower and data.band_upper:
        low, high = (np.array(band, dtype=float) for band in (data.band_lower, data.band_upper))
        axis.fill_between(x, low, high, step="post", color="#CBE0EE", linewidth=0, label=told)
    axis.step(x, y, where="post", color=BLUE, label="sensitivity")
    if whole:
        axis.plot([end], [y.max()], marker="o", markersize=5, color=BLUE, linestyle="none", label="all findings")
    axis.set(xlabel="false positives per image", ylabel="sensitivity", ylim=(-0.02, 1.02))
    axis.set_xlim(left=-0.02 * max(end, 0.1), right=None if end else 0.1)
    axis.legend(loc="lower right", frameon=True, facecolor="white", edgecolor="none")
    there = [at for at in (0.125, 0.25, 0.5, 1, 2, 4, 8) if (x <= at).any() and end >= at] or [end]
    rows = [[f"{at:g}", number(float(y[x <= at].max()))] for at in there]
    columns = ["false positives per image", "sensitivity"]
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, rows, numeric=columns)


def roc_of_scenes(expectation: ExpectationEntry, name: str, scenes: Mapping[str, SceneEntry]) -> Figure | None:
    """Draw the ROC curve of an expectation from the record's scenes; None unless they give the judged area."""
    loudest: dict[bool, list[float]] = {True: [], False: []}
    for scene in (scenes[key] for key in dict.fromkeys(expectation.scenes)):
        if scene.accepted:
            loudest[bool(scene.nodules)].append(max((float(f.score) for f in scene.findings), default=0.0))
    area = next((part.value for part in expectation.components), None)
    return roc(loudest[True], loudest[False], area, name)


@drawn
def roc(positive: Sequence[float], negative: Sequence[float], area: float | None, name: str) -> Figure | None:
    """Draw the ROC curve of the loudest finding per image; None unless its area is the one that was judged."""
    if not positive or not negative or area is None:
        return None
    cuts = np.unique([*positive, *negative])[::-1]
    y, x = (np.array([0.0, *((np.array(scores) >= c).mean() for c in cuts)]) for scores in (positive, negative))
    if abs(float(np.trapezoid(y, x)) - area) > 1e-6:
        return None
    title = "Receiver operating characteristic"
    description = f"{plural(len(positive), 'image')} with nodules, {len(negative)} without; area {number(area)}."
    figure, axis = _unit_square("false alarms among images without a nodule", "alarms among images with one")
    axis.plot(x, y, color=BLUE)
    keep = np.unique(thinned(len(x), 12))
    columns = ["1 - specificity", "sensitivity"]
    rows = [[number(float(x[k])), number(float(y[k]))] for k in keep]
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, rows, numeric=columns)


def _unit_square(across: str, up: str) -> tuple[Any, Any]:
    """Return a figure and its axes from 0 to 1 with the diagonal."""
    figure, axis = axes(380, 330)
    axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axis.set(xlabel=across, ylabel=up, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    return figure, axis


@drawn
def calibration(payload: JsonObject, name: str) -> Figure:
    """Draw observed rates over confidence, with the diagonal and the counts."""
    data = decode(Reliability, payload)
    p, observed = (np.array(values, dtype=float) for values in (data.p, data.observed))
    count = data.count or (None,) * len(p)
    title, description = "Reliability", f"{len(p)} bins; on the dashed line confidence equals the observed rate."
    figure, axis = _unit_square("mean confidence in the bin", "observed rate")
    axis.plot(p, observed, color=BLUE, marker="o", markersize=5)
    columns = ["mean confidence", "observed rate", "count"]
    rows = [[number(float(a)), number(float(b)), number(c)] for a, b, c in zip(p, observed, count, strict=True)]
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, rows, numeric=columns)


@drawn
def sequential(payload: JsonObject, name: str, stop: int | None) -> Figure:
    """Draw the log e-values over n against the threshold at which they decide.

    ``stop`` is the n at which the ruling was settled; None where it is open, whatever the e-values have reached: a
    comparison is open until its reference has shown that it sees.
    """
    data = decode(LogEvidence, payload)
    n = np.array(data.n, dtype=float)
    above, below = (np.array(values, dtype=float) for values in (data.log_e_above, data.log_e_below))
    threshold = float(data.threshold)
    title = "Evidence over n"
    description = f"Decided at n = {stop}." if stop else f"Not decided by n = {int(n[-1])}."
    keep = thinned(len(n), MOST_POINTS)
    figure, axis = axes(460, 270)
    axis.plot(n[keep], above[keep], color=BLUE, label="for passing")
    axis.plot(n[keep], below[keep], color=ORANGE, linestyle=(0, (5, 2)), label="for failing")
    axis.axhline(threshold, color=INK, linewidth=1.2)
    axis.annotate("decides", (float(n[0]), threshold), (2, 3), textcoords="offset points", fontsize=9)
    lows = [float(v[np.isfinite(v)].min()) for v in (above, below) if np.isfinite(v).any()]
    axis.set_ylim(bottom=max(min([*lows, 0.0]), -3 * threshold) - 0.3)
    axis.set(xlabel="units looked at", ylabel="log e-value")
    axis.legend(loc="best")
    svg = to_svg(figure, name, title, description)
    told = dict.fromkeys([*np.flatnonzero(n == stop).tolist(), len(n) - 1])
    rows = [[str(int(n[i])), *map(number, (float(above[i]), float(below[i]), threshold))] for i in told]
    columns = ["n", "log e for passing", "log e for failing", "threshold"]
    return Figure.of(title, description, svg, columns, rows, numeric=columns)


@drawn
def rates_by_diameter(rows: Sequence[Rate], name: str, bound: float | None, note: str = "") -> Figure:
    """Draw one rate per requested diameter with its 95% interval; ``note`` ends the description."""
    title, by = "Rate by requested diameter", "requested diameter"
    wilson = any(r.lower is None or r.upper is None for r in rows)
    method = "95% interval (Wilson)" if wilson else "95% interval"
    labels = [short(r.diameter, 16) for r in rows]
    description = f"{plural(len(rows), 'group')}; lowest rate {number(min(r.rate for r in rows))}; {method}.{note}"
    figure, axis = axes(460, 250)
    at = np.arange(len(rows))
    values = np.array([r.rate for r in rows])
    reach = [values - [r.ends[0] for r in rows], [r.ends[1] for r in rows] - values]
    axis.errorbar(at, values, np.clip(reach, 0, 1), fmt="o", color=BLUE, markersize=5, linewidth=1.4, capsize=2.5)
    if bound is not None:
        axis.axhline(bound, color=INK, linewidth=1.2, label=f"bound {bound:g}")
        axis.legend(loc="lower right", bbox_to_anchor=(1, 1.0))
    axis.set_xticks(at, labels, rotation=30 if max(map(len, labels)) > 6 and len(labels) > 5 else 0)
    axis.set(xlabel=by, ylabel="rate detected", ylim=(-0.02, 1.02), xlim=(-0.5, len(rows) - 0.5))
    axis.grid(visible=False, axis="x")
    columns = [by, "nodules", "detected", "rate", method]
    body = [
        [r.diameter, number(r.nodules), number(r.detected), number(r.rate), " to ".join(map(number, r.ends))]
        for r in rows
    ]
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, body)
