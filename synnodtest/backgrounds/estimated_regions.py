"""Named regions of a chest by stated geometry, from the silhouettes of lungs, heart and abdomen.

The definitions are those of the phantom's exact regions, with what a picture shows in place of what an analytic chest
knows: the outer edges of the lungs stand for the inner face of the cage, their tops and depths for its height.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from synnodtest.geometry import BoolArray, FloatArray

LUNGS = ("lung", "left_lung", "right_lung")
REGIONS = (*LUNGS, "apical", "hilar", "retrocardiac", "subdiaphragmatic", "peripheral", "mediastinum")
"""Regions that can be estimated on any frontal radiograph."""
HIDDEN = {"retrocardiac": "heart", "subdiaphragmatic": "abdomen"}
"""Regions that are lung behind something -> what it is."""

GEOMETRY_VERSION = "2"
PERIPHERAL_MM = 25.0
"""Depth of the periphery, in mm: the phantom's own (``exact_regions.py``), so that one word means one region on
both."""
_HILUM_ACROSS = {"right_lung": 0.255, "left_lung": 0.265}
_HILUM_DOWN = {"right_lung": 0.44, "left_lung": 0.395}
_HILUM_SEMI_AXES = (0.22, 0.30)
"""Half axes of the hilum's ellipse across and down, in half widths of the cage: the phantom's own
(``exact_regions.py``)."""
_APEX_SHARE, _APEX_MOST = 0.08, 0.4
"""Of the lung's height: where no clavicle is seen, and wherever it is seen."""
_APEX_LEAST = 0.25
"""A clavicle that leaves less of the lung above it than this share of the top is raised: it tells nothing."""


def has_lungs(names: Collection[str]) -> bool:
    """Return whether regions of these names make up the lungs: both in one, or each."""
    return "lung" in names or {"left_lung", "right_lung"} <= set(names)


def regions_of_structures(structures: Mapping[str, BoolArray], spacing_mm: tuple[float, float]) -> dict[str, BoolArray]:
    """Return all regions that silhouettes give; without heart or abdomen, those behind them are missing."""
    left, right = structures["left_lung"], structures["right_lung"]
    regions = {"lung": left | right, "left_lung": left, "right_lung": right}
    regions |= within_lungs(left, right, structures.get("clavicle"), spacing_mm)
    for name, cover in HIDDEN.items():
        if cover in structures:
            regions[name] = regions["lung"] & structures[cover]
    if "mediastinum" in structures:
        regions["mediastinum"] = structures["mediastinum"]
    return regions


def within_lungs(
    left: BoolArray, right: BoolArray, clavicle: BoolArray | None, spacing_mm: tuple[float, float]
) -> dict[str, BoolArray]:
    """Return ``apical``, ``hilar`` and ``peripheral`` of two lungs.

    Args:
        left: Mask (H x W) of the patient's left lung, on the right of the picture; ``right`` likewise.
        right: Mask of the patient's right lung.
        clavicle: Mask of the clavicles; None or without one on a side: the top of that lung counts as apical.
        spacing_mm: Distance between pixels, ``(row, column)``.
    """
    lungs = {"left_lung": left, "right_lung": right}
    if not (left.any() and right.any()):
        return {}
    columns = np.flatnonzero((left | right).any(axis=0))
    edges = columns[0] * spacing_mm[1], (columns[-1] + 1) * spacing_mm[1]
    hilar = np.zeros_like(left)
    apical, outer = hilar.copy(), hilar.copy()
    for name, lung in lungs.items():
        apical |= _apical(lung, clavicle)
        hilar |= _hilar(name, lung, edges, spacing_mm)
        outer |= _outer(name, lung, spacing_mm)
    return {"apical": apical, "hilar": hilar, "peripheral": outer & ~hilar}


def _apical(lung: BoolArray, clavicle: BoolArray | None) -> BoolArray:
    """Return the lung above the centreline of its clavicle, or above a fixed share of its height."""
    rows = np.arange(lung.shape[0])[:, None]
    top, height = _span(lung)
    apex = np.asarray(lung & (rows < top + _APEX_SHARE * height))
    line = None if clavicle is None else _centreline(lung, clavicle)
    if line is None:
        return apex
    above = np.asarray(lung & (rows < np.clip(line, top, top + _APEX_MOST * height)[None, :]))
    return above if above.sum() >= _APEX_LEAST * apex.sum() else apex


def _centreline(lung: BoolArray, clavicle: BoolArray) -> FloatArray | None:
    """Return the row of a straight clavicle over each column, fitted to its mask over this lung; None without one."""
    columns = np.flatnonzero(lung.any(axis=0))
    part = clavicle[:, columns[0] : columns[-1] + 1]
    row, column = np.nonzero(part)
    if not row.size or np.ptp(column) < 0.4 * columns.size:
        return None
    slope, start = np.polyfit(column, row, 1)
    return np.asarray(start + slope * (np.arange(lung.shape[1]) - columns[0]))


def _hilar(name: str, lung: BoolArray, edges: tuple[float, float], spacing_mm: tuple[float, float]) -> BoolArray:
    """Return the lung in an ellipse around its hilum; the outer edges of the lungs, in mm, stand for the cage's."""
    top, height = _span(lung)
    middle, half_width = (edges[0] + edges[1]) / 2, (edges[1] - edges[0]) / 2
    across = middle + (1 if name == "left_lung" else -1) * _HILUM_ACROSS[name] * half_width
    x = (np.arange(lung.shape[1]) + 0.5) * spacing_mm[1] - across
    y = ((np.arange(lung.shape[0]) + 0.5) - (top + _HILUM_DOWN[name] * height)) * spacing_mm[0]
    u, v = x / (_HILUM_SEMI_AXES[0] * half_width), y / (_HILUM_SEMI_AXES[1] * half_width)
    return np.asarray(lung & (u[None, :] ** 2 + v[:, None] ** 2 < 1))


def _outer(name: str, lung: BoolArray, spacing_mm: tuple[float, float]) -> BoolArray:
    """Return the lung less than ``PERIPHERAL_MM`` from its outer edge, sideways or upwards.

    The edge of a row is the outermost column of that row or any above: the cage does not narrow downwards.
    """
    mirrored = lung if name == "left_lung" else lung[:, ::-1]
    width = mirrored.shape[1]
    furthest = np.where(mirrored.any(axis=1), width - mirrored[:, ::-1].argmax(axis=1), 0)
    edge = np.maximum.accumulate(furthest)
    across, up = PERIPHERAL_MM / spacing_mm[1], round(PERIPHERAL_MM / spacing_mm[0])
    above = np.concatenate([np.zeros(min(up, len(edge)), dtype=edge.dtype), edge[: max(len(edge) - up, 0)]])
    columns = np.arange(width)[None, :] + 0.5
    outer = mirrored & ((columns > (edge - across)[:, None]) | (columns >= above[:, None]))
    return np.asarray(outer if name == "left_lung" else outer[:, ::-1])


def _span(lung: BoolArray) -> tuple[int, int]:
    """Return the first row and the height of a mask."""
    rows = np.flatnonzero(lung.any(axis=1))
    return int(rows[0]), int(rows[-1] - rows[0] + 1)
