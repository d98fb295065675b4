"""Figures in the paper's form: curves over size, confidence over a chest, nodules side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.paper.points import Point
from synnodtest.radiograph import Radiograph
from synnodtest.reporting.figures.canvas import BLUE, GREY, INK, ORANGE, axes, rcparams

__all__ = ["bars", "bins", "confidence_map", "shape_curves", "size_curve", "strip", "two_curves"]

GREEN = "#2E8B57"
THRESHOLDS = (0.15, 0.5)
"""Of the paper's two detection rates."""
_SMOOTH_MM = 9.0
_MAP_PX = 420


def bins(points: Sequence[Point], edges: Sequence[float]) -> list[dict[str, float]]:
    """Return size, number, mean confidence with its standard error over clusters, and detection rates per bin."""
    rows = []
    for low, high in pairwise(edges):
        there = [p for p in points if low <= p.diameter_mm < high or p.diameter_mm == high == edges[-1]]
        if not there:
            continue
        scores = np.array([p.confidence for p in there])
        clusters: dict[str, list[float]] = {}
        for point in there:
            clusters.setdefault(point.cluster, []).append(point.confidence - float(scores.mean()))
        error = float(np.sqrt(sum(sum(part) ** 2 for part in clusters.values()))) / len(there)
        row = {"from_mm": low, "to_mm": high, "nodules": len(there), "mean": float(scores.mean()), "error": error}
        rows.append(row | {f"rate_{t:g}": float((scores >= t).mean()) for t in THRESHOLDS})
    return rows


def size_curve(rows: Sequence[Mapping[str, float]], note: str, path: Path) -> list[Path]:
    """Draw mean confidence and both detection rates over size on one axis, as figures 3 and 6 do."""
    with rcparams():
        figure, axis = axes(560, 340)
        _curve(axis, rows)
        axis.set_title(note, fontsize=9, color=GREY, loc="left")
        return _saved(figure, path)


def two_curves(panels: Mapping[str, Sequence[Mapping[str, float]]], path: Path) -> list[Path]:
    """Draw the same for several sets of nodules side by side; the keys are the panels' titles."""
    with rcparams():
        figure, drawn = axes(430 * len(panels), 320, ncols=len(panels), sharey=True, squeeze=False)
        for axis, (title, rows) in zip(drawn[0], panels.items(), strict=True):
            _curve(axis, rows)
            axis.set_title(title, fontsize=9.5, loc="left")
        return _saved(figure, path)


def _curve(axis: Any, rows: Sequence[Mapping[str, float]]) -> None:
    x = np.array([(row["from_mm"] + row["to_mm"]) / 2 for row in rows])
    mean, error = (np.array([row[key] for row in rows]) for key in ("mean", "error"))
    axis.fill_between(x, mean - 1.96 * error, mean + 1.96 * error, color=BLUE, alpha=0.18, linewidth=0)
    axis.plot(x, mean, color=BLUE, marker="o", markersize=4, label="mean confidence")
    for threshold, colour, marker in zip(THRESHOLDS, (ORANGE, GREEN), "s^", strict=True):
        rate = [row[f"rate_{threshold:g}"] for row in rows]
        axis.plot(x, rate, color=colour, marker=marker, markersize=4, label=f"detected at {100 * threshold:g}%")
    axis.set_xlabel("nodule diameter (mm)")
    axis.set_ylabel("confidence, detection rate")
    axis.set_ylim(-0.02, 1.02)
    axis.legend(loc="lower right")


def bars(rows: Sequence[tuple[str, float, float, float]], label: str, path: Path) -> list[Path]:
    """Draw values with their bounds, one line each: ``(name, value, lower, upper)``."""
    with rcparams():
        figure, axis = axes(520, 60 + 42 * len(rows))
        for height, (_, value, low, high) in enumerate(reversed(rows)):
            axis.plot([low, high], [height, height], color=BLUE, linewidth=4, solid_capstyle="butt", alpha=0.45)
            axis.plot([value], [height], marker="o", markersize=7, color=BLUE)
            axis.text(value, height + 0.2, f"{value:.2f}", ha="center", color=INK, fontsize=9)
        axis.set_yticks(range(len(rows)), [name for name, *_ in reversed(rows)])
        axis.set_ylim(-0.5, len(rows) - 0.3)
        axis.set_xlim(min(0.0, *(row[2] for row in rows)) - 0.02, 1.02)
        axis.set_xlabel(label)
        return _saved(figure, path)


def confidence_map(
    radiograph: Radiograph, panels: Mapping[str, Sequence[Point]], regions: Sequence[str], path: Path
) -> list[Path]:
    """Lay the mean confidence of the nodules nearby over one chest, a panel per group of nodules.

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
    masks = [
        np.asarray(Image.fromarray(radiograph.regions[r]).resize(size)) for r in regions if r in radiograph.regions
    ]
    where = np.any(masks, axis=0)
    with rcparams():
        figure, drawn = axes(330 * len(panels) + 70, 350, ncols=len(panels), squeeze=False)
        for axis, (title, points) in zip(drawn[0], panels.items(), strict=True):
            axis.imshow(grey, cmap="gray", vmin=0, vmax=1)
            centres = np.array([p.centre for p in points]) * np.array(radiograph.spacing_mm[::-1]) / mm
            field = _field(centres, np.array([p.confidence for p in points]), where, _SMOOTH_MM / mm)
            shown = axis.imshow(field, cmap="turbo", vmin=0, vmax=1, alpha=0.55)
            for mask in masks:
                axis.contour(mask.astype(float), [0.5], colors="white", linewidths=0.8)
            axis.plot(*centres.T, ".", color="black", markersize=1.2, alpha=0.6)
            axis.set_title(title, fontsize=9.5)
            axis.set_axis_off()
        figure.colorbar(shown, ax=list(drawn[0]), shrink=0.75, label="mean confidence")
        return _saved(figure, path, vector=False)


def _field(
    centres: NDArray[np.float64], values: NDArray[np.float64], where: BoolArray, sigma: float
) -> np.ma.MaskedArray[Any, Any]:
    """Return the kernel-smoothed mean of scattered values; masked outside ``where`` and far from any of them."""
    total, weight = np.zeros(where.shape), np.zeros(where.shape)
    column, row = np.clip(centres.astype(int), 0, np.array(where.shape[::-1]) - 1).T
    np.add.at(total, (row, column), values)
    np.add.at(weight, (row, column), 1.0)
    total, weight = ndimage.gaussian_filter(total, sigma), ndimage.gaussian_filter(weight, sigma)
    near = weight > np.exp(-2) / (2 * np.pi * sigma**2)
    return np.ma.masked_array(total / np.maximum(weight, 1e-12), mask=~(where & near))


def strip(crops: Sequence[tuple[str, FloatArray]], path: Path) -> list[Path]:
    """Draw pictures of equal size in a row, each with a line below it."""
    with rcparams():
        figure, drawn = axes(130 * len(crops), 165, ncols=len(crops), squeeze=False)
        for axis, (title, crop) in zip(drawn[0], crops, strict=True):
            axis.imshow(crop, cmap="gray", vmin=0, vmax=1)
            axis.set_title(title, fontsize=8.5, y=-0.24)
            axis.set_axis_off()
        return _saved(figure, path, vector=False)


def _saved(figure: Any, path: Path, *, vector: bool = True) -> list[Path]:
    """Write the figure as PNG, and as SVG where it holds no pictures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = []
    for ending in ("svg", "png") if vector else ("png",):
        target = path.with_name(f"{path.name}.{ending}")
        metadata = {"Date": None} if ending == "svg" else {}
        figure.savefig(target, dpi=160, facecolor="white", metadata=metadata)
        written.append(target)
    return written


def shape_curves(rows: Sequence[Mapping[str, float]], path: Path) -> list[Path]:
    """Draw mean confidence over roundness, a line per diameter."""
    with rcparams():
        figure, axis = axes(520, 320)
        sizes = sorted({row["diameter_mm"] for row in rows})
        for size, colour, marker in zip(sizes, (BLUE, ORANGE, GREEN, INK, GREY), "os^Dv", strict=False):
            own = [row for row in rows if row["diameter_mm"] == size]
            x = [(row["roundness_from"] + row["roundness_to"]) / 2 for row in own]
            axis.plot(x, [row["mean_confidence"] for row in own], color=colour, marker=marker, label=f"{size:g} mm")
        axis.set_xlabel("roundness of the shadow (minor over major axis)")
        axis.set_ylabel("mean confidence")
        axis.set_ylim(-0.02, 1.02)
        axis.legend(loc="lower right")
        return _saved(figure, path)
