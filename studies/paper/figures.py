"""Figures in the paper's form: curves over size, confidence over a chest, nodules side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy import ndimage

from studies.paper.points import Point, mean_error
from synnodtest.geometry import Array, BoolArray, Box, FloatArray
from synnodtest.radiograph import Radiograph
from synnodtest.report.figures.canvas import BLUE, GREY, INK, ORANGE, axes, rcparams

GREEN = "#2E8B57"
YELLOW = "#F0E442"
THRESHOLDS = (0.15, 0.5)
"""Of the paper's two detection rates."""
_SMOOTH_MM = 9.0
_MAP_PX = 420
_PLAIN = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
_LANDMARKS = ("hilar", "retrocardiac", "subdiaphragmatic")
"""Where the paper found confidence to differ; outlined in maps."""


@dataclass(frozen=True)
class Mark:
    """A box in pixels, its colour, and the text beside it or below."""

    box: Box
    colour: str
    text: str
    below: bool = False


def bins(points: Sequence[Point], edges: Sequence[float]) -> list[dict[str, float]]:
    """Return size, number, mean confidence with its standard error over clusters, and detection rates per bin."""
    rows = []
    for low, high in pairwise(edges):
        there = [p for p in points if low <= p.diameter_mm < high or p.diameter_mm == high == edges[-1]]
        if not there:
            continue
        scores = np.array([p.confidence for p in there])
        row = {"from_mm": low, "to_mm": high, "nodules": len(there), "mean": float(scores.mean())}
        row["error"] = mean_error(there)
        rows.append(row | {f"rate_{t:g}": float((scores >= t).mean()) for t in THRESHOLDS})
    return rows


def size_curve(rows: Sequence[Mapping[str, float]], note: str, path: Path) -> list[Path]:
    """Draw mean confidence and both detection rates over size on one axis, as figures 3 and 6 do."""
    return two_curves({note: rows}, path, width=560)


def two_curves(panels: Mapping[str, Sequence[Mapping[str, float]]], path: Path, *, width: int = 400) -> list[Path]:
    """Draw the same for several sets of nodules side by side; the keys are the panels' titles."""
    with rcparams():
        figure, drawn = axes(width * len(panels), 350, ncols=len(panels), sharey=True, squeeze=False)
        for axis, (title, rows) in zip(drawn[0], panels.items(), strict=True):
            _curve(axis, rows)
            axis.set_title(title, fontsize=9.5, color=GREY, loc="left")
        drawn[0][0].set_ylabel("confidence, detection rate")
        figure.legend(*drawn[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        return _saved(figure, path)


def _curve(axis: Any, rows: Sequence[Mapping[str, float]]) -> None:
    x = np.array([(row["from_mm"] + row["to_mm"]) / 2 for row in rows])
    mean, error = (np.array([row[key] for row in rows]) for key in ("mean", "error"))
    low, high = np.clip((mean - 1.96 * error, mean + 1.96 * error), 0, 1)  # no mean of scores lies beyond
    axis.fill_between(x, low, high, color=BLUE, alpha=0.18, linewidth=0)
    axis.plot(x, mean, color=BLUE, marker="o", markersize=4, label="mean confidence (95% band)")
    for threshold, colour, marker in zip(THRESHOLDS, (ORANGE, GREEN), "s^", strict=True):
        rate = [row[f"rate_{threshold:g}"] for row in rows]
        axis.plot(x, rate, color=colour, marker=marker, markersize=4, label=f"detected at {100 * threshold:g}%")
    axis.set_xlabel("nodule diameter (mm)")
    axis.set_xlim(3, 41)
    axis.set_ylim(-0.02, 1.02)


def bars(rows: Sequence[tuple[str, float, float, float]], label: str, path: Path) -> list[Path]:
    """Draw values with their bounds, one line each: ``(name, value, lower, upper)``."""
    with rcparams():
        figure, axis = axes(520, 70 + 42 * len(rows))
        for height, (_, value, low, high) in enumerate(reversed(rows)):
            axis.plot([low, high], [height, height], color=BLUE, linewidth=4, solid_capstyle="butt", alpha=0.45)
            axis.plot([value], [height], marker="o", markersize=7, color=BLUE)
            told = f"{value:.2f} ({low:.2f} to {high:.2f})"
            axis.text((low + high) / 2, height + 0.2, told, ha="center", color=INK, fontsize=9, bbox=_PLAIN)
        axis.axvline(0, color=GREY, linewidth=0.8)
        axis.set_yticks(range(len(rows)), [name for name, *_ in reversed(rows)])
        axis.set_ylim(-0.5, len(rows) - 0.3)
        axis.set_xlim(min(0.0, *(row[2] for row in rows)) - 0.05, max(0.0, *(row[3] for row in rows)) + 0.05)
        axis.set_xlabel(label)
        return _saved(figure, path)


def confidence_map(
    radiograph: Radiograph, panels: Mapping[str, Sequence[Point]], regions: Sequence[str], path: Path
) -> list[Path]:
    """Show one chest, and the mean confidence of the nodules nearby in its place, a panel per group of nodules.

    The colours are not blended with the radiograph, so that each is the one of the scale.

    Args:
        radiograph: The untouched chest.
        panels: Title of each panel -> nodules planted one at a time on this chest.
        regions: Where they were planted, all together; outlined, and coloured where nodules are near.
        path: Name of the files, without ending.
    """
    height, width = (n * mm for n, mm in zip(radiograph.shape, radiograph.spacing_mm, strict=True))
    mm = max(height, width) / _MAP_PX
    size = (round(width / mm), round(height / mm))
    grey = np.asarray(Image.fromarray(radiograph.pixels).resize(size, Image.Resampling.BOX))
    masks = {name: np.asarray(Image.fromarray(mask).resize(size)) for name, mask in radiograph.regions.items()}
    planted = [masks[name] for name in regions if name in masks]
    with rcparams():
        figure, drawn = axes(300 * (1 + len(panels)) + 70, 345, ncols=1 + len(panels), squeeze=False)
        for axis, title in zip(drawn[0], ("untouched", *panels), strict=True):
            axis.imshow(grey, cmap="gray", vmin=0, vmax=1)
            axis.set_title(title, fontsize=9.5)
            axis.set_axis_off()
        for axis, points in zip(drawn[0][1:], panels.values(), strict=True):
            centres = np.array([p.centre for p in points]).reshape(-1, 2) * np.array(radiograph.spacing_mm[::-1]) / mm
            scores = np.array([p.confidence for p in points])
            shown = axis.imshow(
                _field(centres, scores, np.any(planted, axis=0), _SMOOTH_MM / mm), cmap="viridis", vmin=0, vmax=1
            )
            for name, line in ((n, ":") for n in _LANDMARKS if n in masks):
                axis.contour(masks[name].astype(float), [0.5], colors="white", linewidths=0.9, linestyles=line)
            for mask in planted:
                axis.contour(mask.astype(float), [0.5], colors="white", linewidths=1.2)
            axis.plot(*centres.T, ".", color="black", markersize=1.2, alpha=0.6)
        figure.colorbar(shown, ax=list(drawn[0]), shrink=0.75, label="mean confidence")
        note = f"dots: nodules; no colour: none within {2 * _SMOOTH_MM:g} mm; dotted: {', '.join(_LANDMARKS)}"
        figure.supxlabel(note, fontsize=8.5, color=GREY)
        return _saved(figure, path, vector=False)


def _field(centres: Array, values: Array, where: BoolArray, sigma: float) -> np.ma.MaskedArray[Any, Any]:
    """Return the kernel-smoothed mean of scattered values; masked outside ``where`` and far from any of them."""
    total, weight = np.zeros(where.shape), np.zeros(where.shape)
    column, row = np.clip(centres.astype(int), 0, np.array(where.shape[::-1]) - 1).T
    np.add.at(total, (row, column), values)
    np.add.at(weight, (row, column), 1.0)
    total, weight = ndimage.gaussian_filter(total, sigma), ndimage.gaussian_filter(weight, sigma)
    near = weight > np.exp(-2) / (2 * np.pi * sigma**2)
    return np.ma.masked_array(total / np.maximum(weight, 1e-12), mask=~(where & near))


def strip(crops: Sequence[tuple[str, FloatArray]], note: str, path: Path) -> list[Path]:
    """Draw pictures of equal size in a row, each with its line above it, and a note below them."""
    with rcparams():
        figure, drawn = axes(130 * len(crops), 205, ncols=len(crops), squeeze=False)
        figure.supxlabel(note, fontsize=8.5, color=GREY)
        for axis, (title, crop) in zip(drawn[0], crops, strict=True):
            axis.imshow(crop, cmap="gray", vmin=0, vmax=1)
            axis.set_title(title, fontsize=8.5)
            axis.set_axis_off()
        return _saved(figure, path, vector=False)


def _saved(figure: Any, path: Path, *, vector: bool = True) -> list[Path]:
    """Write the figure as PNG, and as SVG where it holds no pictures."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    path.parent.mkdir(parents=True, exist_ok=True)
    figure.set_facecolor("white")
    written = []
    for ending in ("svg", "png") if vector else ("png",):
        target = path.with_name(f"{path.name}.{ending}")
        figure.set_dpi(160)
        # savefig draws a figure that has an engine of layout once in vain before
        canvas: Any = FigureCanvasSVG(figure) if ending == "svg" else FigureCanvasAgg(figure)
        if ending == "svg":
            canvas.print_svg(target, metadata={"Date": None})
        else:
            canvas.print_png(target, metadata={})
        written.append(target)
    return written


def pair(
    shown: Sequence[tuple[str, FloatArray, Sequence[Mark]]], scores: Mapping[str, Sequence[float]], path: Path
) -> list[Path]:
    """Draw two radiographs with what was found in them, and beside them the confidence of all pairs, as figure 4 (a).

    Args:
        shown: Title, pixels and marks of each.
        scores: Name of the arm -> confidence per pair, both arms in the same order.
        path: Name of the files, without ending.
    """
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    outlined = [withStroke(linewidth=1.5, foreground="black")]
    with rcparams():
        figure, drawn = axes(820, 330, ncols=3, width_ratios=[1, 1, 0.75])
        for axis, (title, pixels, marks) in zip(drawn, shown, strict=False):
            axis.imshow(pixels, cmap="gray", vmin=0, vmax=1)
            axis.set_title(title, fontsize=9.5)
            axis.set_axis_off()
            for mark in marks:
                x0, y0, x1, y1 = mark.box
                axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=mark.colour, linewidth=1.2))
                place = (x0, y1 + 8) if mark.below else (x1 + 8, y0)
                axis.text(*place, mark.text, color=mark.colour, fontsize=8, va="top", path_effects=outlined)
        both = np.array(list(scores.values()))
        drawn[2].plot([0, 1], both, color=BLUE, alpha=0.25, linewidth=0.8, marker=".", markersize=4)
        drawn[2].plot([0, 1], both.mean(axis=1), color=INK, marker="D", markersize=5, label="mean")
        drawn[2].set_xticks([0, 1], list(scores))
        drawn[2].set_xlim(-0.25, 1.25)
        drawn[2].set_ylim(-0.02, 1.02)
        drawn[2].set_title(f"the index nodule in {both.shape[1]} pairs", fontsize=9.5)
        drawn[2].set_ylabel("confidence")
        drawn[2].legend(loc="lower center")
        return _saved(figure, path, vector=False)


def shape_curves(rows: Sequence[Mapping[str, float]], path: Path) -> list[Path]:
    """Draw mean confidence with its 95% band over the mean roundness of each group, a line per diameter."""
    import matplotlib as mpl

    with rcparams():
        figure, axis = axes(520, 340)
        sizes = sorted({row["diameter_mm"] for row in rows})
        shades = mpl.colormaps["viridis"](np.linspace(0.85, 0.0, len(sizes)))
        for index, (size, colour) in enumerate(zip(sizes, shades, strict=True)):
            own = [row for row in rows if row["diameter_mm"] == size]
            x = np.array([row["mean_roundness"] for row in own]) + 0.004 * (index - len(sizes) / 2)
            y, error = (np.array([row[key] for row in own]) for key in ("mean_confidence", "error"))
            axis.errorbar(
                x, y, 1.96 * error, color=colour, marker="o", markersize=4, elinewidth=1, label=f"{size:g} mm"
            )
        axis.set_xlabel("roundness of the shadow (minor over major axis)")
        axis.set_ylabel("mean confidence (95% bars)")
        axis.set_ylim(-0.02, 1.02)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=len(sizes))
        return _saved(figure, path)
