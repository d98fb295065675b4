"""From a place relative to a region (part, height, across) to millimetres on one radiograph."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.engine.sightings import regions_at
from synnodtest.evidence.regions import RegionExpression, evaluate, region_text
from synnodtest.geometry import BoolArray, FloatArray, depths_mm, edge_of
from synnodtest.planning.place import MissingRegion, NoPlace, region_mask
from synnodtest.planning.region_pixels import LEAST_SHARE
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.spec.model import Location

LEAST_PART = 0.15
"""A part of a region counts if it has at least this share of the largest part's area."""
KEPT = 64
"""Maps of radiographs kept at hand; nothing depends on it but memory and time."""

_Numbers = NDArray[np.signedinteger[Any]]


class _Map:
    """The parts of one region on one radiograph, from the image's left, with the depth of every pixel."""

    def __init__(self, radiograph: Radiograph, location: Location) -> None:
        mask = region_mask(radiograph, location)
        if not mask.any():
            raise NoPlace("the region is empty on this background")
        self.spacing = radiograph.spacing_mm
        self.mask = mask
        pieces, count = scipy.ndimage.label(mask)
        self.parts = _large(_lungs_apart(pieces, count, radiograph.regions))
        self.depth: FloatArray = depths_mm(mask, self.spacing).astype(np.float32)
        self._within = (*self.parts, _large(pieces)[0])
        self._deepest = [float(np.quantile(self.depth[part], 1.0 - LEAST_SHARE)) for part in self._within]

    def allowed(self, part: int | None, clearance_mm: float) -> BoolArray:
        """Return where a centre may lie: as deep as the clearance, which is relaxed as scenes relax it.

        Without a part in the first connected piece, which is both lungs where they touch.
        """
        number = -1 if part is None else int(part) % len(self.parts)
        return self._within[number] & (self.depth >= min(clearance_mm, self._deepest[number]))

    def middle(self, row: int, column: int) -> tuple[float, float]:
        """Return the middle of a pixel, ``(x, y)`` in mm."""
        return round((column + 0.5) * self.spacing[1], 3), round((row + 0.5) * self.spacing[0], 3)


def _large(labels: _Numbers) -> list[BoolArray]:
    """Return the masks of the labels that are large enough to count, from the image's left."""
    areas = np.bincount(labels.ravel())[1:]
    large = np.flatnonzero(areas >= LEAST_PART * areas.max()) + 1
    return sorted((labels == k for k in large), key=lambda part: float(np.nonzero(part)[1].mean()))


def _lungs_apart(pieces: _Numbers, count: int, regions: Mapping[str, BoolArray]) -> _Numbers:
    """Return the numbers of a region's connected pieces; of lungs that touch, the left one has a number of its own.

    A piece of which much is no lung stays one: the mediastinum lies before both.
    """
    if not {"left_lung", "right_lung"} <= regions.keys():
        return pieces
    right = regions["right_lung"] & (pieces > 0)
    left = regions["left_lung"] & (pieces > 0) & ~right
    area, in_right, in_left = (
        np.bincount(labels.ravel(), minlength=count + 1) for labels in (pieces, pieces[right], pieces[left])
    )
    both = np.minimum(in_right, in_left) >= LEAST_PART * area
    both &= area - in_right - in_left < LEAST_PART * area
    return np.where(both[pieces] & left, pieces + count, pieces)


def _borders(radiograph: Radiograph) -> dict[str, FloatArray]:
    """Return the pixels on the border of each region, ``(x, y)`` in mm."""
    rows, columns = radiograph.spacing_mm
    borders = {}
    for name, mask in radiograph.regions.items():
        edge = np.argwhere(edge_of(mask))
        if len(edge):
            borders[name] = ((edge[:, ::-1] + 0.5) * (columns, rows)).astype(np.float32)
    return borders


@dataclass
class Places:
    """Turns relative places into millimetres; keeps the maps of the last backgrounds, for other locations too.

    Args:
        load: Reads a background.
        location: Region, box and regions to avoid.
    """

    load: Callable[[Background], Radiograph]
    location: Location
    _maps: OrderedDict[tuple[str, Location], _Map] = field(default_factory=OrderedDict)
    _borders: dict[str, dict[str, FloatArray]] = field(default_factory=dict)
    _shown: dict[tuple[str, str], bool] = field(default_factory=dict)

    def require(self, background: Background, region: RegionExpression) -> None:
        """Refuse a background on which nothing of a region is to be seen.

        Raises:
            MissingRegion: it is so.
        """
        name = region_text(region)
        if (background.id, name) not in self._shown:
            try:
                present = bool(evaluate(region, self.load(background).regions).any())
            except KeyError:
                present = False
            self._shown[background.id, name] = present
        if not self._shown[background.id, name]:
            raise MissingRegion(name)

    def _map(self, background: Background) -> _Map:
        key = background.id, self.location
        if key in self._maps:
            self._maps.move_to_end(key)
        else:
            radiograph = self.load(background)
            if background.id not in self._borders:
                self._borders[background.id] = _borders(radiograph)
            self._maps[key] = _Map(radiograph, self.location)
            if len(self._maps) > KEPT:
                self._maps.popitem(last=False)
        return self._maps[key]

    def parts(self, background: Background) -> int:
        """Return how many parts the region has on a background.

        Raises:
            MissingRegion, NoPlace: there is no such region, or it is empty.
        """
        return len(self._map(background).parts)

    def surroundings(self, background: Background, centre_mm: tuple[float, float]) -> dict[str, float]:
        """Return how far a place lies from the border of each region, in mm, on either side of it.

        Only for backgrounds on which places were sought, whose borders are kept; empty for others.
        """
        centre = np.asarray(centre_mm, dtype=np.float32)
        borders = self._borders.get(background.id, {})
        return {name: float(np.sqrt(((at - centre) ** 2).sum(axis=1).min())) for name, at in borders.items()}

    def inside(self, background: Background, region: str, centre_mm: tuple[float, float]) -> bool:
        """Return whether a place lies in a region that a background carries."""
        radiograph = self.load(background)
        rows, columns = radiograph.spacing_mm
        return region in regions_at(radiograph, (centre_mm[0] / columns, centre_mm[1] / rows))

    def at(self, background: Background, place: Mapping[str, Any], clearance_mm: float) -> tuple[float, float]:
        """Return the centre ``(x, y)`` in mm.

        Args:
            background: The radiograph.
            place: ``part`` from the image's left, which wraps around, the first connected piece where there is none;
                ``height``: 1 top, 0 middle, -1 bottom of the part; ``across``: -1 image left, 1 image right, of the row
                at that height.
            clearance_mm: Distance that the centre keeps from the region's edge.
        """
        place_map = self._map(background)
        mask = place_map.allowed(place.get("part"), clearance_mm)
        rows = np.flatnonzero(mask.any(axis=1))
        row = int(rows[_index(-float(place.get("height", 0.0)), len(rows))])
        columns = np.flatnonzero(mask[row])
        column = int(columns[_index(float(place.get("across", 0.0)), len(columns))])
        return place_map.middle(row, column)

    def anywhere(self, background: Background, clearance_mm: float, rng: np.random.Generator) -> tuple[float, float]:
        """Return a place drawn from the whole region."""
        place_map = self._map(background)
        masks = [place_map.allowed(k, clearance_mm) for k in range(len(place_map.parts))]
        rows, columns = np.nonzero(np.logical_or.reduce(masks))
        pick = int(rng.integers(rows.size))
        return place_map.middle(int(rows[pick]), int(columns[pick]))

    def near(
        self, background: Background, centre_mm: tuple[float, float], distance_mm: float, rng: np.random.Generator
    ) -> tuple[float, float]:
        """Return a place of the region at this distance from another.

        Raises:
            NoPlace: the region has none.
        """
        place_map = self._map(background)
        rows, columns = np.nonzero(place_map.mask)
        x, y = (columns + 0.5) * place_map.spacing[1], (rows + 0.5) * place_map.spacing[0]
        off = np.abs(np.hypot(x - centre_mm[0], y - centre_mm[1]) - distance_mm)
        ring = np.flatnonzero(off <= max(place_map.spacing))
        if not ring.size:
            raise NoPlace(f"no place of the region is {distance_mm:.1f} mm from the first nodule")
        angle = float(rng.uniform(-np.pi, np.pi))
        bearing = np.arctan2(y[ring] - centre_mm[1], x[ring] - centre_mm[0])
        pick = ring[int(np.argmin(np.abs(np.angle(np.exp(1j * (bearing - angle))))))]
        # exactly at the distance, along the bearing of the chosen pixel; not beyond the edge that the pixel is beside
        turn = float(np.arctan2(y[pick] - centre_mm[1], x[pick] - centre_mm[0]))
        height, width = np.multiply(place_map.mask.shape, place_map.spacing)
        return (
            round(float(np.clip(centre_mm[0] + distance_mm * np.cos(turn), 0, width)), 3),
            round(float(np.clip(centre_mm[1] + distance_mm * np.sin(turn), 0, height)), 3),
        )


def _index(share: float, count: int) -> int:
    return round((count - 1) * (1 + min(max(share, -1.0), 1.0)) / 2)
