"""The place in one chest that corresponds to a place in another: same regions, same relative height and breadth."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from synnodtest.engine.sightings import regions_at
from synnodtest.geometry import BoolArray, Box, box_of_mask, pixel_at
from synnodtest.radiograph import Radiograph

SIDES = ("left_lung", "right_lung")
ZONES = (*SIDES, "apical", "hilar", "retrocardiac", "subdiaphragmatic", "peripheral", "mediastinum")
"""Regions that a planted nodule shares with the real one that it stands for."""


def zones_at(radiograph: Radiograph, point: tuple[float, float]) -> frozenset[str]:
    """Return the zones at a point ``(x, y)`` in pixels."""
    return regions_at(radiograph, point) & frozenset(ZONES)


def corresponding(
    radiograph: Radiograph, point: tuple[float, float], host: Radiograph
) -> tuple[tuple[float, float], bool]:
    """Return the point of ``host`` that corresponds to a point of ``radiograph``, both in pixels, ``(x, y)``.

    The point keeps its relative place in the box around the nearer lung; of the pixels of the host that lie in the
    same zones (:data:`ZONES`) and in no other, the nearest to it is taken. Where the host has no such pixel, those of
    the same lung count, and where the point lies in no zone, its relative place alone.

    Returns:
        The point, and whether it lies in the same zones.
    """
    side = _side(radiograph, point)
    mapped = _mapped(radiograph, point, host, side)
    zones = zones_at(radiograph, point)
    if not zones:
        return _within(mapped, host.shape), True
    exact = _mask(host, zones)
    if exact.any():
        return _nearest(exact, mapped, host.spacing_mm), True
    lung = host.regions.get(side) if side else None
    if lung is None or not lung.any():
        return _within(mapped, host.shape), False
    return _nearest(lung, mapped, host.spacing_mm), False


def across(point: tuple[float, float], radiograph: Radiograph) -> tuple[tuple[float, float], bool]:
    """Return the point of the other lung that corresponds to a point ``(x, y)`` in pixels; as :func:`corresponding`."""
    swap = {"left_lung": "right_lung", "right_lung": "left_lung"}
    turned = {swap.get(name, name): mask[:, ::-1] for name, mask in radiograph.regions.items()}
    mirrored = Radiograph(radiograph.pixels[:, ::-1], radiograph.spacing_mm, turned)
    return corresponding(mirrored, (radiograph.shape[1] - point[0], point[1]), radiograph)


def _side(radiograph: Radiograph, point: tuple[float, float]) -> str:
    """Return the lung in which a point lies, else the nearer one; empty without lungs."""
    there = [name for name in SIDES if name in radiograph.regions and radiograph.regions[name].any()]
    if not there:
        return ""
    row, column = pixel_at(point, radiograph.shape)

    def away(name: str) -> float:
        mask = radiograph.regions[name]
        return float(distance_transform_edt(~mask, sampling=radiograph.spacing_mm)[row, column])

    return next((name for name in there if radiograph.regions[name][row, column]), None) or min(there, key=away)


def _mapped(radiograph: Radiograph, point: tuple[float, float], host: Radiograph, side: str) -> tuple[float, float]:
    own, other = _frame(radiograph, side), _frame(host, side)
    across, down = (point[0] - own[0]) / (own[2] - own[0]), (point[1] - own[1]) / (own[3] - own[1])
    return other[0] + across * (other[2] - other[0]), other[1] + down * (other[3] - other[1])


def _frame(radiograph: Radiograph, side: str) -> Box:
    """Return the box around a lung, else that around the whole radiograph."""
    mask = radiograph.regions.get(side)
    box = None if mask is None else box_of_mask(mask)
    return box or (0.0, 0.0, float(radiograph.shape[1]), float(radiograph.shape[0]))


def _mask(host: Radiograph, zones: frozenset[str]) -> BoolArray:
    """Return the pixels that lie in exactly these zones."""
    mask = np.ones(host.shape, dtype=np.bool_)
    for name in ZONES:
        region = host.regions.get(name)
        if name in zones:
            mask &= region if region is not None else False
        elif region is not None:
            mask &= ~region
    return mask


def _nearest(mask: BoolArray, point: tuple[float, float], spacing_mm: tuple[float, float]) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    away = ((rows + 0.5 - point[1]) * spacing_mm[0]) ** 2 + ((columns + 0.5 - point[0]) * spacing_mm[1]) ** 2
    k = int(away.argmin())
    return float(columns[k]) + 0.5, float(rows[k]) + 0.5


def _within(point: tuple[float, float], shape: tuple[int, int]) -> tuple[float, float]:
    return min(max(point[0], 0.5), shape[1] - 0.5), min(max(point[1], 0.5), shape[0] - 0.5)
