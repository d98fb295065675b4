"""The figure of ``no_detection`` and of other region expectations: confidence by place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synnodtest.decoding import JsonObject, decode
from synnodtest.record.words import number, plural
from synnodtest.report.figures.canvas import GREY, INK, axes, to_svg
from synnodtest.report.figures.kept import drawn
from synnodtest.report.model import Figure
from synnodtest.statistics.curves import thinned

CELLS = 24
"""Cells along either side of the square; set by hand: finer ones hold single nodules, coarser ones blend regions."""
MOST_POINTS = 400
"""Nodules drawn; more only cover each other and make the document larger."""


@dataclass(frozen=True)
class Place:
    """A nodule: its centre as shares of width and height, its confidence, whether it lies inside the region."""

    x: float
    y: float
    confidence: float
    inside: bool = False


@dataclass(frozen=True)
class Places:
    """Data of the figure: nodules, the region's name and, where it is known, its outline."""

    points: tuple[Place, ...]
    region: str = ""
    outline: tuple[Any, ...] | None = None


@drawn
def region(payload: JsonObject, name: str) -> Figure:
    """Draw mean confidence over the image with the region's outline (the hull of the places inside it)."""
    data = decode(Places, payload)
    points = np.array([(p.x, p.y, p.confidence) for p in data.points], dtype=float).reshape(-1, 3)
    x, y, confidence = points.T
    inside = np.array([bool(p.inside) for p in data.points])
    if not len(x):
        raise ValueError("no points")
    scale = (1.0, 1.0) if max(x.max(), y.max()) <= 1.5 else (float(x.max()), float(y.max()))
    x, y = x / scale[0], y / scale[1]
    title = f"Confidence by place; region {data.region}"
    edge = "the region" if data.outline else "hull of the places inside the region, on each side of the image"
    description = (
        f"{plural(int(inside.sum()), 'nodule')} inside the region, mean confidence {_mean(confidence[inside])}; "
        f"{int((~inside).sum())} outside, mean confidence {_mean(confidence[~inside])}. Outline: {edge}."
    )
    figure, axis = axes(420, 380)
    drawn = _heat(axis, x, y, confidence)
    keep = thinned(len(x), MOST_POINTS)
    for chosen, marker, label in ((inside[keep], "x", "nodule inside"), (~inside[keep], "o", "nodule outside")):
        look = {"color": INK, "markersize": 4, "markerfacecolor": "none", "markeredgewidth": 0.8}
        axis.plot(x[keep][chosen], y[keep][chosen], marker, label=label, **look)
    outline = [np.array(part, dtype=float) for part in data.outline or ()] or _hulls(x[inside], y[inside])
    for part in outline:
        axis.plot(part[:, 0], part[:, 1], color=INK, linewidth=1.6)
    axis.set(xlim=(0, 1), ylim=(1, 0), aspect="equal", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axis.set(xlabel="left to right of the image", ylabel="top to bottom")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    bar = figure.colorbar(drawn, ax=axis, shrink=0.8, label="mean confidence")
    bar.outline.set_edgecolor(GREY)
    rows = [
        [word, number(int(mask.sum())), _mean(confidence[mask]), _mean(confidence[mask] > 0)]
        for word, mask in (("inside", inside), ("outside", ~inside))
    ]
    columns = ["place", "nodules", "mean confidence", "share hit by a finding of any score"]
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, rows)


def _heat(axis: Any, x: Any, y: Any, confidence: Any) -> Any:
    """Draw the mean confidence of each occupied cell as a square: a handful of paths, no raster picture."""
    import matplotlib as mpl
    from matplotlib.collections import PolyCollection

    columns = np.clip((x * CELLS).astype(int), 0, CELLS - 1)
    rows = np.clip((y * CELLS).astype(int), 0, CELLS - 1)
    total, count = (np.bincount(rows * CELLS + columns, one, CELLS**2) for one in (confidence, None))
    occupied = np.flatnonzero(count)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    squares = [(np.array([place % CELLS, place // CELLS]) + corners) / CELLS for place in occupied]
    values = total[occupied] / count[occupied]
    cells = PolyCollection(squares, array=values, cmap=mpl.colormaps["YlGnBu"].resampled(10), linewidths=0)
    cells.set_clim(0, 1)
    return axis.add_collection(cells)


def _hulls(x: Any, y: Any) -> list[Any]:
    """Return the hull on each side of the image: what lies between leaks of right and of left lungs is no leak."""
    return [part for side in (x < 0.5, x >= 0.5) for part in _hull(x[side], y[side])]


def _hull(x: Any, y: Any) -> list[Any]:
    from scipy.spatial import ConvexHull, QhullError

    points = np.column_stack([x, y])
    try:
        hull = ConvexHull(points)
    except (QhullError, ValueError):
        return []
    return [points[np.append(hull.vertices, hull.vertices[0])]]


def _mean(values: Any) -> str:
    return number(float(values.mean())) if len(values) else "–"
