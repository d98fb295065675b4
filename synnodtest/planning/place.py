"""Recipe + region masks -> scene: draws the places of nodules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy

from synnodtest.attenuation import Display, resolved
from synnodtest.evidence.regions import RegionExpression, evaluate, region_text
from synnodtest.geometry import BoolArray, FloatArray, centre_of
from synnodtest.mimics import mimic_kind, mimic_mask
from synnodtest.planning.growth import before_growth
from synnodtest.planning.recipe import MimicRecipe, NoduleRecipe, Recipe
from synnodtest.planning.region_pixels import RegionPixels, nth_of
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Mimic, Nodule, Scene
from synnodtest.spec.model import Location

FEW_CLEARANCES = 3
"""Places on a background that are found one by one; for more of them it is quicker to measure every pixel's depth."""
BESIDE_WITHIN_MM = 5.0
"""Reach beyond the gap within which a nodule beside a distractor may lie, so that there are places to choose from."""


@dataclass
class MissingRegion(Exception):
    """The radiograph lacks a region that the behaviour needs."""

    region: str

    def __str__(self) -> str:
        return f"the background has no region {self.region!r}"


class NoPlace(Exception):
    """No place of the region satisfies the request (``min_distance_mm`` too large, region empty)."""


class Placer:
    """Draws places on one radiograph; keeps its distance maps, so use one placer per background.

    Args:
        radiograph: The untouched background.
        expected: The recipes that it will be asked for, if they are known.
    """

    def __init__(self, radiograph: Radiograph, expected: Sequence[Recipe] = ()) -> None:
        self._radiograph = radiograph
        self._clearances = [nodule.clearance_mm for recipe in expected for nodule in recipe.nodules]
        self._allowed: dict[Location, RegionPixels] = {}
        self._away: dict[Mimic, FloatArray] = {}
        self._display: Display | None = None

    def place(self, recipe: Recipe) -> Scene:
        """Return the scene of a recipe.

        Raises:
            MissingRegion: the radiograph lacks a region.
            NoPlace: nothing satisfies the request.
        """
        mimics: list[Mimic] = []
        for mimic in recipe.mimics:
            mimics.append(mimic.placed(self._drawn_mimic(mimic, [m.centre_mm for m in mimics])))
        nodules: list[Nodule] = []
        for nodule in recipe.nodules:
            centre = self._draw(nodule, [n.centre_mm for n in nodules], mimics)
            nodules.append(self._shown(nodule.placed(centre, self._radiograph.spacing_mm)))
        scene = Scene(
            background=recipe.background.id,
            nodules=tuple(n for n in nodules if n.name not in recipe.ghosts),
            perturbations=recipe.perturbations,
            seed=recipe.seed,
            sham=recipe.sham,
            mimics=tuple(m for m in mimics if m.name not in recipe.ghosts),
        )
        if not recipe.pair:
            return scene
        prior = before_growth(scene, recipe.prior_perturbations)
        prior = replace(prior, nodules=() if recipe.sham else tuple(map(self._shown, prior.nodules)), sham=False)
        return prior if recipe.alone else replace(scene, prior=prior)

    def _drawn_mimic(self, mimic: MimicRecipe, earlier: list[tuple[float, float]]) -> tuple[float, float]:
        if mimic.location is not None and mimic.location.at_mm is not None:
            return mimic.location.at_mm
        rng = np.random.default_rng(mimic.place_seed)
        if mimic.location is None:
            usual = RegionPixels(mimic_kind(mimic.kind).usual_place(self._radiograph), self._radiograph.spacing_mm)
            return self._one_of(usual, usual.inside, rng)
        pixels = self._region(mimic.location)
        exposed = pixels.inside & pixels.window(self._radiograph.pixels > 0)  # nothing is drawn into black
        allowed = self._far(pixels, exposed, mimic.location.min_distance_mm, earlier)
        if not allowed.any():
            raise NoPlace(f"no place for {mimic.name!r} in {_name(mimic.location)} satisfies the request")
        return self._one_of(pixels, allowed, rng)

    def _one_of(self, pixels: RegionPixels, allowed: BoolArray, rng: np.random.Generator) -> tuple[float, float]:
        """Return a point within one of the allowed pixels, in mm."""
        spacing = self._radiograph.spacing_mm
        row, column = pixels.row_column(nth_of(allowed, int(rng.integers(np.count_nonzero(allowed)))))
        x, y = column + rng.uniform(), row + rng.uniform()
        return round(float(x * spacing[1]), 3), round(float(y * spacing[0]), 3)

    def _far(
        self, pixels: RegionPixels, allowed: BoolArray, least_mm: float, earlier: list[tuple[float, float]]
    ) -> BoolArray:
        """Return which of the allowed pixels lie at least so far from all earlier places."""
        if not earlier or not least_mm:
            return allowed
        far, (rows, columns) = allowed.copy(), pixels.middles_mm
        for x_mm, y_mm in earlier:
            far &= (columns - x_mm) ** 2 + (rows - y_mm)[:, None] ** 2 >= least_mm**2
        return far

    def _by(self, nodule: NoduleRecipe, mimics: list[Mimic]) -> BoolArray | None:
        """Return where a centre lies beside or under a distractor; None where it asks for neither."""
        location = nodule.location
        name = location.under or location.beside
        if name is None:
            return None
        mimic = next(m for m in mimics if m.name == name)
        if mimic not in self._away:
            mask = mimic_mask(self._radiograph, mimic)
            if not mask.any():
                raise NoPlace(f"the distractor {name!r} shows nowhere on this background")
            distance = scipy.ndimage.distance_transform_edt(~mask, sampling=self._radiograph.spacing_mm)
            self._away[mimic] = distance.astype(np.float32)
        away = self._away[mimic]
        if location.under is not None:
            return np.asarray(away == 0)
        edge = nodule.diameter_mm / 2 + location.gap_mm
        return np.asarray((away >= edge) & (away <= edge + BESIDE_WITHIN_MM))

    def _shown(self, nodule: Nodule) -> Nodule:
        """Return the nodule with the contrast that its density has at its place."""
        if nodule.contrast is not None:
            return nodule
        self._display = self._display or Display.of(self._radiograph)
        return resolved(nodule, self._radiograph, self._display)

    def _draw(
        self, nodule: NoduleRecipe, earlier: list[tuple[float, float]], mimics: list[Mimic]
    ) -> tuple[float, float]:
        location = nodule.location
        if location.at_mm is not None:
            return float(location.at_mm[0]), float(location.at_mm[1])
        if nodule.fills is not None and nodule.fills == location.box_px:
            return self._middle(nodule.name, nodule.fills)
        rng = np.random.default_rng(nodule.place_seed)
        pixels = self._region(location)
        allowed = pixels.clear_of_edge(nodule.clearance_mm)
        by = self._by(nodule, mimics)
        if by is not None:  # close to the edge rather than nowhere: the distractor's place is given
            near = pixels.inside & pixels.window(by)
            allowed = allowed & near if (allowed & near).any() else near
        allowed = self._far(pixels, allowed, location.min_distance_mm, earlier)
        if not allowed.any():
            raise NoPlace(f"no place for nodule {nodule.name!r} in {_name(location)} satisfies the request")
        return self._one_of(pixels, allowed, rng)

    def _middle(self, name: str, box_px: tuple[float, float, float, float]) -> tuple[float, float]:
        """Return the centre of a box, in mm."""
        (height, width), (row_mm, column_mm) = self._radiograph.shape, self._radiograph.spacing_mm
        x, y = centre_of(box_px)
        if x >= width or y >= height:
            raise NoPlace(f"the box of nodule {name!r} lies outside the radiograph of {width} x {height} pixels")
        return round(x * column_mm, 3), round(y * row_mm, 3)

    def _region(self, location: Location) -> RegionPixels:
        if location not in self._allowed:
            region, few = region_mask(self._radiograph, location), len(self._clearances) <= FEW_CLEARANCES
            largest_mm = 0.0 if few else max(self._clearances)
            pixels = RegionPixels(region, self._radiograph.spacing_mm, largest_mm)
            if not pixels.count:
                raise NoPlace(f"{_name(location)} is empty on this background")
            self._allowed[location] = pixels
        return self._allowed[location]


def _name(location: Location) -> str:
    return f"region {region_text(location.region)}" if location.region is not None else "the asked-for box"


def region_mask(radiograph: Radiograph, location: Location) -> BoolArray:
    """Return the mask where a centre may lie.

    Raises:
        MissingRegion: the radiograph lacks a region.
    """
    shape = radiograph.shape
    if location.box_px is not None:
        mask = np.zeros(shape, dtype=np.bool_)
        x0, y0, x1, y1 = (round(v) for v in location.box_px)
        mask[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = True
    elif location.region is not None:
        mask = _evaluate(location.region, radiograph)
    else:
        mask = np.ones(shape, dtype=np.bool_)
    for avoided in location.avoid:
        mask = mask & ~_evaluate(avoided, radiograph)
    return mask


def _evaluate(expression: RegionExpression, radiograph: Radiograph) -> BoolArray:
    try:
        return evaluate(expression, radiograph.regions)
    except KeyError as error:
        raise MissingRegion(str(error.args[0])) from None
