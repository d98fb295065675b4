"""Recipes: scenes whose places are not drawn yet, because no region mask has been read.

A behaviour is planned without a pixel: values are drawn, places are asked for. The engine reads each background
once and turns its recipes into scenes (:mod:`synnodtest.planning.place`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from synnodtest.attenuation import RULE_VERSION
from synnodtest.canonical import sha256_of
from synnodtest.evidence.arm import SHAM_ARM, Arm
from synnodtest.ports import Background
from synnodtest.scene import Mimic, Nodule, Perturbation
from synnodtest.spec.model import Location, filled_mm


@dataclass(frozen=True, slots=True)
class NoduleRecipe:
    """A nodule whose place is still to be drawn.

    Args:
        name: The nodule's name in the spec.
        diameter_mm: Requested equal-area diameter.
        contrast: Requested contrast; None where it follows from the density at the nodule's place.
        radiomics: Requested features.
        location: Where it may lie.
        clearance_mm: Distance that the centre should keep from the region's edge (the nodule's radius; with a held
            place the largest radius of the sweep, so that every size fits there).
        place_seed: Seed of the place; equal seeds in one background give equal places.
        seed: Seed of the appearance.
        density: Requested density; None where the contrast is an order.
        attenuation: The word that it was drawn for; may be empty.
        margin: The word for its outline; may be empty.
        fills: The box ``(x0, y0, x1, y1)`` in pixels that gives place and size, or None.
        lesion: The word for what it is; empty: a nodule.
        growth: Doubling time of the volume and time since the prior, in days; None where it does not grow.
    """

    name: str
    diameter_mm: float
    contrast: float | None
    radiomics: tuple[tuple[str, float], ...]
    location: Location
    clearance_mm: float
    place_seed: int
    seed: int
    density: float | None = None
    attenuation: str = ""
    margin: str = ""
    fills: tuple[float, float, float, float] | None = None
    growth: tuple[float, float] | None = None
    lesion: str = ""

    def placed(self, centre_mm: tuple[float, float], spacing_mm: tuple[float, float]) -> Nodule:
        """Return the nodule at a place of a radiograph of this spacing (row, column)."""
        size = self.diameter_mm if self.fills is None else round(filled_mm(self.fills, spacing_mm), 4)
        return Nodule(
            diameter_mm=size,
            centre_mm=centre_mm,
            contrast=self.contrast,
            radiomics=self.radiomics,
            name=self.name,
            seed=self.seed,
            density=self.density,
            attenuation=self.attenuation,
            margin=self.margin,
            lesion=self.lesion,
            doubling_days=None if self.growth is None else self.growth[0],
            interval_days=None if self.growth is None else self.growth[1],
        )

    def plain(self) -> list[Any]:
        """Return what decides its placement, as plain values."""
        own = [self.name, self.diameter_mm, self.contrast, self.radiomics, self.location, self.clearance_mm]
        look = [RULE_VERSION, self.density, self.attenuation, self.margin]
        bright = self.density is not None or bool(self.attenuation or self.margin)
        box = [["fills", *self.fills]] if self.fills is not None else []
        grown = [["growth", *self.growth]] if self.growth is not None else []
        return [
            *own,
            self.place_seed,
            self.seed,
            *([look] if bright else []),
            *box,
            *grown,
            *([["lesion", self.lesion]] if self.lesion else []),
        ]


@dataclass(frozen=True, slots=True)
class MimicRecipe:
    """A mimic whose place is still to be drawn.

    Args:
        name: The distractor's name in the spec.
        kind: Of mimic.
        size_mm: Its size.
        location: Where its centre may lie; None: where its kind is found.
        place_seed: Seed of the place.
        seed: Seed of the appearance.
    """

    name: str
    kind: str
    size_mm: float
    location: Location | None
    place_seed: int
    seed: int

    def placed(self, centre_mm: tuple[float, float]) -> Mimic:
        """Return the mimic at a place."""
        return Mimic(self.kind, centre_mm, self.size_mm, self.name, self.seed)

    def plain(self) -> list[Any]:
        """Return what decides its placement, as plain values."""
        return [self.name, self.kind, self.size_mm, self.location, self.place_seed, self.seed]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One scene of a behaviour before its places are drawn.

    Args:
        behaviour: Identifier of the behaviour.
        background: The background it stands on.
        arm: Name of the arm; ``@...`` are the arms that expectations plan by themselves.
        replicate: Number of the replicate, from 0.
        levels: The swept values of this scene, by name (``diameter_mm``, or ``index.diameter_mm`` where several
            nodules sweep).
        nodules: Nodules in planting order, those of other arms that this one leaves out not among them.
        ghosts: Nodules and distractors of other arms, placed first-come so that arms share places, then left out.
        perturbations: Applied after synthesis.
        seed: The one seed of the scene.
        sham: Inpaint without a nodule.
        mimics: Distractors in the order in which they are drawn.
        pair: The scene has a prior, in which nodules that grow are smaller.
        alone: Of a pair, the prior alone.
        prior_perturbations: Applied to the prior.
    """

    behaviour: str
    background: Background
    arm: Arm
    replicate: int
    levels: tuple[tuple[str, float | str], ...]
    nodules: tuple[NoduleRecipe, ...]
    ghosts: frozenset[str] = frozenset()
    perturbations: tuple[Perturbation, ...] = ()
    seed: int = 0
    sham: bool = False
    mimics: tuple[MimicRecipe, ...] = ()
    pair: bool = False
    alone: bool = False
    prior_perturbations: tuple[Perturbation, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "arm", Arm(self.arm))

    def as_sham(self) -> Recipe:
        """Return its sham edit: inpainted without a nodule where they lie; distractors are placed and left out."""
        ghosts = frozenset(mimic.name for mimic in self.mimics)
        return replace(self, arm=SHAM_ARM, sham=True, perturbations=(), ghosts=ghosts, pair=False)

    def key(self) -> str:
        """Return the sha256 of the recipe and its background's content: the key of its placement."""
        return sha256_of(self.as_dict())

    def as_dict(self) -> dict[str, object]:
        """Return what decides the placement, as plain JSON values."""
        return {
            "background": [self.background.id, self.background.content],
            "nodules": [nodule.plain() for nodule in self.nodules],
            "ghosts": sorted(self.ghosts),
            "perturbations": [[p.kind, p.value] for p in self.perturbations],
            "seed": self.seed,
            "sham": self.sham,
            **({"mimics": [mimic.plain() for mimic in self.mimics]} if self.mimics else {}),
            **({"pair": [self.alone, [[p.kind, p.value] for p in self.prior_perturbations]]} if self.pair else {}),
        }
