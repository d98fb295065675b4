"""An example on one background -> the recipes of its arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from synnodtest.attenuation import LUNG_DENSITY, draw_density
from synnodtest.canonical import seed_of
from synnodtest.evidence.arm import Arm
from synnodtest.expectations.claim import BASE, COMPANION, GROWN, UNDER
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.places import Places
from synnodtest.mimics import mimic_kind
from synnodtest.planning.example import Example
from synnodtest.planning.example_space import COMPANION_DISTANCE_MM, MIMIC_DISTANCE_MM
from synnodtest.planning.place import NoPlace
from synnodtest.planning.radiomics_space import plausible
from synnodtest.planning.recipe import MimicRecipe, NoduleRecipe, Recipe
from synnodtest.ports import Background
from synnodtest.scene import Perturbation
from synnodtest.spec.limits import LIMITS
from synnodtest.spec.model import Location

DEFAULT_DIAMETER_MM = 20.0
"""Of a nodule whose diameter neither the search nor the spec names."""
BESIDE_MM = 1.0
"""Distance within which a further replicate on the same background lies: another picture, whatever the synthesizer
draws at random."""


@dataclass(frozen=True)
class RecipeMaker:
    """Turns examples into recipes.

    Args:
        behaviour: Identifier of the behaviour.
        claim: What is judged; says which arms there are.
        places: Where centres lie.
        plants: Whether examples have a nodule.
        seed: The master seed.
    """

    behaviour: str
    claim: Claim
    places: Places
    plants: bool
    seed: int

    def recipes(self, example: Example, background: Background, replicate: int, namespace: str) -> list[Recipe]:
        """Return one recipe per arm of the claim.

        Args:
            example: What to plant.
            background: Where.
            replicate: Number of the replicate on this background.
            namespace: ``search`` or ``confirm``: seeds of one never occur in the other.

        Raises:
            MissingRegion, NoPlace: it cannot be planted there, or the region that the claim is about is not there.
        """
        if self.claim.region is not None:
            self.places.require(background, self.claim.region)
        parts = (self.seed, self.behaviour, namespace, example.key(), background.id, replicate)
        pinned = example.get("seed")
        seed = int(pinned) if pinned is not None and replicate == 0 else seed_of(*parts, pinned)
        base = self._base(example, background, replicate, seed)
        return [self._arm(arm, base, example) for arm in self.claim.arms]

    def _base(self, example: Example, background: Background, replicate: int, seed: int) -> Recipe:
        nodules: list[NoduleRecipe] = []
        if self.plants or example.get("diameter_mm") is not None:
            nodules.append(self._first(example, background, replicate, seed))
            if example.group("companion") and not self.claim.about.needs_companion:
                nodules.append(self._second(example, background, nodules[0], seed))
        changes = tuple(Perturbation(kind, value) for kind, value in example.group("perturbations").items())
        plain = Recipe(
            self.behaviour, background, BASE, replicate, (), tuple(nodules), perturbations=changes, seed=seed
        )
        kind = example.get("mimic")
        return plain if kind is None else replace(plain, mimics=(self._mimic(str(kind), example, plain),))

    def _mimic(self, kind: str, example: Example, base: Recipe) -> MimicRecipe:
        """Return the distractor: at its distance from the first nodule, or anywhere where there is none."""
        rng = _rng(base.seed, "mimic")
        size = round(float(rng.uniform(*mimic_kind(kind).sizes_mm)), 4)
        if base.nodules:
            first = base.nodules[0].location.at_mm
            assert first is not None
            distance = float(example.get("mimic_distance_mm", sum(MIMIC_DISTANCE_MM) / 2))
            centre = self.places.near(base.background, first, distance, rng)
        else:
            centre = self.places.anywhere(base.background, 0.0, rng)
        location = Location(region=None, at_mm=centre)
        return MimicRecipe(kind, size, "distractor", base.seed, location=location, place_seed=base.seed)

    def _arm(self, arm: Arm, base: Recipe, example: Example) -> Recipe:
        if arm == UNDER:
            under = enumerate(self.claim.parameters["under"])
            added = (Perturbation(kind, value.draw(_rng(base.seed, i, kind))) for i, (kind, value) in under)
            return replace(base, arm=arm, perturbations=(*base.perturbations, *added))
        if arm == COMPANION:
            second = self._second(example, base.background, base.nodules[0], base.seed)
            return replace(base, arm=arm, nodules=(*base.nodules, second))
        if arm == GROWN:
            return replace(base, arm=arm, nodules=(self._grown(base.nodules[0]), *base.nodules[1:]))
        return base

    def _first(self, example: Example, background: Background, replicate: int, seed: int) -> NoduleRecipe:
        diameter = float(example.get("diameter_mm", DEFAULT_DIAMETER_MM))
        if not plausible(example.group("radiomics")):
            raise NoPlace("no nodule has these radiomics features together")
        centre = self._centre(example, background, diameter / 2, replicate, seed)
        return _recipe("nodule", diameter, example.values, example.group("radiomics"), centre, seed)

    def _centre(
        self, example: Example, background: Background, radius: float, replicate: int, seed: int
    ) -> tuple[float, float]:
        places = replace(self.places, location=example.get("location") or self.places.location)
        place, at_mm = example.group("place"), places.location.at_mm
        if at_mm is None and not place:
            return places.anywhere(background, radius, _rng(seed, "place"))
        centre = at_mm or places.at(background, place, radius)
        return _beside(centre, seed) if replicate else centre

    def _second(self, example: Example, background: Background, first: NoduleRecipe, seed: int) -> NoduleRecipe:
        values_given = example.group("companion")
        distance = float(values_given.get("distance_mm", sum(COMPANION_DISTANCE_MM) / 2))
        assert first.location.at_mm is not None
        centre = self.places.near(background, first.location.at_mm, distance, _rng(seed, "companion"))
        diameter = float(values_given.get("diameter_mm", first.diameter_mm))
        if not values_given.keys() & {"contrast", "density"}:
            values_given |= {"contrast": first.contrast, "density": first.density, "attenuation": first.attenuation}
        return _recipe("companion", diameter, values_given, {}, centre, seed ^ 1)

    def _grown(self, nodule: NoduleRecipe) -> NoduleRecipe:
        over = str(self.claim.parameters.get("over", "diameter_mm"))
        factor = float(self.claim.parameters.get("factor", 1.5))
        if over == "diameter_mm":
            return replace(nodule, diameter_mm=min(nodule.diameter_mm * factor, LIMITS[over][1]))
        if nodule.density is None:
            return replace(nodule, contrast=min(float(nodule.contrast or 0.0) * factor, LIMITS["contrast"][1]))
        excess = LUNG_DENSITY if over == "contrast" else 0.0
        denser = min(excess + (nodule.density - excess) * factor, LIMITS["density"][1])
        return replace(nodule, density=round(denser, 4))


def _recipe(
    name: str,
    diameter: float,
    given: Mapping[str, Any],
    radiomics: dict[str, Any],
    centre: tuple[float, float],
    seed: int,
) -> NoduleRecipe:
    contrast, density, attenuation = given.get("contrast"), given.get("density"), str(given.get("attenuation") or "")
    if contrast is None and density is None:
        density = draw_density(attenuation, diameter, _rng(seed, "density"))
    return NoduleRecipe(
        round(diameter, 4),
        contrast=None if contrast is None else round(float(contrast), 4),
        radiomics=tuple(sorted((k, float(v)) for k, v in radiomics.items())),
        name=name,
        seed=seed,
        density=None if density is None else round(float(density), 4),
        attenuation=attenuation,
        margin=str(given.get("margin") or ""),
        location=Location(region=None, at_mm=centre),
        clearance_mm=diameter / 2,
        place_seed=seed,
    )


def _beside(centre: tuple[float, float], seed: int) -> tuple[float, float]:
    rng = _rng(seed, "beside")
    distance, bearing = BESIDE_MM * np.sqrt(rng.random()), rng.uniform(-np.pi, np.pi)
    x, y = centre[0] + distance * np.cos(bearing), centre[1] + distance * np.sin(bearing)
    return round(float(x), 3), round(float(y), 3)


def _rng(*parts: Any) -> np.random.Generator:
    return np.random.default_rng(seed_of(*parts))
