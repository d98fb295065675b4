"""Figures of a credibility report: agreement, distances, two-sample test, sham control, sensitivity by size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from textwrap import wrap
from typing import Any, TypeGuard

from synnodtest.record.words import interval, number
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, short, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure

Domain = tuple[str, Mapping[str, object]]
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


def domains_of(measured: Mapping[str, object]) -> list[Domain]:
    """Return (name, figures) of each kind of background that nodules were planted in."""
    return [(str(k), v) for k, v in measured.items() if isinstance(v, Mapping) and "diameter" in v]


def numbers(values: Any, count: int) -> tuple[float, ...] | None:
    """Return a list of so many numbers; None if it is anything else."""
    if isinstance(values, Sequence) and len(values) == count and all(map(_is_number, values)):
        return tuple(float(v) for v in values)
    return None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def inside(data: Any, *path: str) -> Any:
    """Return what lies at a path of keys; None where a key is missing."""
    for key in path:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def _mapping(data: Any, key: str) -> Mapping[str, object]:
    found = inside(data, key)
    return found if isinstance(found, Mapping) else {}


@drawn
def agreement(domains: Sequence[Domain], name: str) -> Figure | None:
    """Draw realised over requested with Bland-Altman's limits, per kind of background."""
    rows, body = [], []
    for domain, data in domains:
        for word in ("diameter", "contrast"):
            measured = _mapping(data, word)
            limits, ratio = numbers(measured.get("limits_of_agreement_ratio"), 2), measured.get("median_ratio")
            if limits is None or not _is_number(ratio):
                continue
            rows.append(Row(f"{domain}: {word}", {"median": ratio}, limits))
            errors = [_percent(measured.get(k)) for k in ("median_relative_error", "p90_relative_error")]
            body.append([f"{domain}: {word}", number(measured.get("n")), number(measured.get("spearman")),
                         number(ratio), interval(limits[0], limits[1]), *errors])  # fmt: skip
    if not rows:
        return None
    title = "Realised over requested, with limits of agreement"
    description = "Dot: median ratio; line: 95% limits of agreement of the ratio (Bland-Altman); 1 is as asked for."
    columns = ["quantity", "nodules", "Spearman", "median ratio", "95% limits", "median error", "90% of errors below"]
    svg = ranges(rows, name, title, description, "realised / requested", [1.0])
    return Figure.of(title, description, svg, columns, body, wide=True)


def _percent(value: Any) -> str:
    return f"{100 * value:.1f}%" if _is_number(value) else "–"


def _spaces(domains: Sequence[Domain]) -> Iterator[tuple[str, str, str, str, Mapping[str, float]]]:
    """Yield (space, measure, domain, maker, distances): radiomics, and whatever embeddings were measured."""
    for domain, data in domains:
        for maker, spaces in _mapping(data, "against_real").items():
            for space, measures in spaces.items() if isinstance(spaces, Mapping) else ():
                for measure, value in measures.items() if isinstance(measures, Mapping) else ():
                    if _is_number(inside(value, "synthetic_to_real")):
                        words = "radiomics features" if space == "distances" else str(space).replace("_", " ")
                        yield words, str(measure), domain, str(maker), value


@drawn
def distances(domains: Sequence[Domain], name: str) -> list[Figure]:
    """Draw, per space and distance, synthetic to real beside real to real; a baseline has its rows too."""
    sorted_out: dict[str, dict[str, list[tuple[str, str, Mapping[str, float]]]]] = {}
    for space, measure, domain, maker, value in _spaces(domains):
        sorted_out.setdefault(space, {}).setdefault(measure, []).append((domain, maker, value))
    figures = []
    for index, (space, measures) in enumerate(sorted_out.items()):
        title = f"Distance to real nodules in {space}"
        description = (
            "Dot: synthetic to real; tinted: real to real, mean to 95th percentile; both between random halves of the "
            "backgrounds. A dot inside or below the band is no farther from real nodules than they are from each other."
        )
        panels, body = [], []
        for place, (measure, rows_of) in enumerate(measures.items()):
            rows = []
            for domain, maker, value in rows_of:
                band = numbers([value.get(k) for k in ("real_to_real_mean", "real_to_real_p95")], 2)
                rows.append(Row(f"{domain}: {maker}", {"distance": value["synthetic_to_real"]}, band=band))
                real = map(number, band or (None, None))
                body.append([f"{measure}, {domain}: {maker}", number(value["synthetic_to_real"]), *real])
            if any(row.band for row in rows):
                panels.append(ranges(rows, f"{name}-{index}-{place}", title, description, f"{measure} distance"))
        columns = ["distance", "synthetic to real", "real to real, mean", "real to real, 95%"]
        svg = "".join(panels) if panels else None
        figures.append(Figure.of(title, description, svg, columns, body, wide=True))
    return figures


@drawn
def two_sample(domains: Sequence[Domain], name: str) -> Figure | None:
    """Draw how well classifiers tell synthetic from real nodules."""
    rows, body = [], []
    for domain, data in domains:
        for maker, measured in _mapping(data, "against_real").items():
            areas = {str(k): float(v) for k, v in _mapping(measured, "two_sample_auc").items() if _is_number(v)}
            if areas:
                rows.append(Row(f"{domain}: {maker}", areas))
                body += [[f"{domain}: {maker}", key, number(value)] for key, value in areas.items()]
    if not rows:
        return None
    title = "Two-sample test: telling synthetic from real nodules"
    description = (
        "Area under the ROC curve of classifiers on unseen backgrounds; 0.5 (line): they cannot tell; 1: always."
    )
    columns = ["nodules by", "classifier", "AUC"]
    svg = ranges(rows, name, title, description, "out-of-fold AUC", [0.5])
    return Figure.of(title, description, svg, columns, body, numeric=["AUC"])


@drawn
def sham(domains: Sequence[Domain], name: str) -> Figure | None:
    """Draw the shift of a detector's score by a sham edit against its margin."""
    rows, body, margins = [], [], []
    for domain, data in domains:
        measured = _mapping(data, "sham")
        shift, margin = measured.get("mean_difference"), measured.get("margin")
        ends = numbers(measured.get("interval_90"), 2)
        if ends is None or not _is_number(shift) or not _is_number(margin):
            continue
        rows.append(Row(domain, {"shift": shift}, ends))
        margins.append(float(margin))
        body.append([domain, number(measured.get("n")), number(shift, "difference"),
                     interval(ends[0], ends[1], "difference", bound=float(margin)), f"±{margin:g}",
                     "yes" if measured.get("equivalent") else "NO"])  # fmt: skip
    if not rows:
        return None
    title = "Sham control of the model: an edit without a nodule"
    within = sum(row[-1] == "yes" for row in body)
    description = (
        f"Shift of a detector's score, 90% interval, against the margin (dashed): within it on {within} of {len(body)} "
        "kinds of backgrounds."
    )
    svg = ranges(
        rows, name, title, description, "score of the sham edit minus untouched", [-max(margins), max(margins)]
    )
    columns = ["backgrounds", "pairs", "shift", "90% interval", "margin", "within"]
    return Figure.of(title, description, svg, columns, body, numeric=columns[1:5])


@drawn
def by_size(domains: Sequence[Domain], name: str) -> list[Figure]:
    """Draw, per kind of background, the sensitivity to synthetic and to real nodules over their size."""
    figures = []
    for index, (domain, data) in enumerate(domains):
        by_band = _mapping(data, "sensitivity_by_size")
        edges = by_band.get("diameter_mm")
        if not isinstance(edges, Sequence) or len(edges) < 2 or numbers(edges, len(edges)) is None:
            continue
        bins = len(edges) - 1
        series = {str(k): v for k, v in by_band.items() if k not in {"diameter_mm", "n"} and _is_rates(v, bins)}
        if not series:
            continue
        title = f"Sensitivity by size, synthetic beside real: {domain}"
        description = "Rate of nodules that the detector of that evaluation finds at a score of 0.25."
        labels = [f"{a:g} to {b:g}" for a, b in pairwise(edges)]
        figure, axis = axes(340, 240)
        for (key, values), look in zip(series.items(), _LINES, strict=False):
            drawn = [float("nan") if v is None else v for v in values]
            axis.plot(range(bins), drawn, label=key, **look)
        axis.set_xticks(range(bins), labels)
        axis.set(xlabel="diameter (mm)", ylabel="rate detected", ylim=(-0.02, 1.02))
        axis.legend(loc="lower right")
        svg = to_svg(figure, f"{name}-{index}", title, description)
        counts: Sequence[Any] = [int(n) for n in numbers(by_band.get("n"), bins) or ()] or [None] * bins
        rows = [[f"{label} mm", number(count), *(number(series[k][i]) for k in series)]
                for i, (label, count) in enumerate(zip(labels, counts, strict=True))]  # fmt: skip
        columns = ["diameter", "nodules", *series]
        figures.append(Figure.of(title, description, svg, columns, rows))
    return figures


_LINES: tuple[dict[str, object], ...] = (
    {"color": BLUE, "marker": "o", "markersize": 5},
    {"color": ORANGE, "marker": "D", "markersize": 5, "linestyle": (0, (4, 2))},
)


def _is_rates(values: object, bins: int) -> TypeGuard[Sequence[float | None]]:
    return isinstance(values, Sequence) and len(values) == bins and all(v is None or _is_number(v) for v in values)


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
