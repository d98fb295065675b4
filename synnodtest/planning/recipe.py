"""Recipes: scenes whose places are not drawn yet, because no region mask has been read.

A behaviour is planned without a pixel: values are drawn, places are asked for. The engine reads each background
once and turns its recipes into scenes (:mod:`synnodtest.planning.place`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from synnodtest.attenuation import RULE_VERSION
from synnodtest.canonical import sha256_of
from synnodtest.evidence.arm import SHAM_ARM, Arm
from synnodtest.ports import Background
from synnodtest.scene import Mimic, Nodule, Perturbation
from synnodtest.spec.model import Location, filled_mm


@dataclass(frozen=True, kw_only=True)
class NoduleRecipe(Nodule):
    """A nodule whose place is still to be drawn.

    Args:
        location: Where it may lie.
        clearance_mm: Distance that the centre should keep from the region's edge (the nodule's radius; with a held
            place the largest radius of the sweep, so that every size fits there).
        place_seed: Seed of the place; equal seeds in one background give equal places.
        fills: The box ``(x0, y0, x1, y1)`` in pixels that gives place and size, or None.
    """

    centre_mm: tuple[float, float] = (0.0, 0.0)
    location: Location
    clearance_mm: float
    place_seed: int
    fills: tuple[float, float, float, float] | None = None

    def placed(self, centre_mm: tuple[float, float], spacing_mm: tuple[float, float]) -> Nodule:
        """Return the nodule at a place of a radiograph of this spacing (row, column)."""
        size = self.diameter_mm if self.fills is None else round(filled_mm(self.fills, spacing_mm), 4)
        own = {field.name: getattr(self, field.name) for field in fields(Nodule)}
        return Nodule(**own | {"diameter_mm": size, "centre_mm": centre_mm})

    def plain(self) -> list[Any]:
        """Return what decides its placement, as plain values."""
        own = [self.name, self.diameter_mm, self.contrast, self.radiomics, self.location, self.clearance_mm]
        look = [RULE_VERSION, self.density, self.attenuation, self.margin]
        bright = self.density is not None or bool(self.attenuation or self.margin)
        return [
            *own,
            self.place_seed,
            self.seed,
            *([look] if bright else []),
            *([["fills", *self.fills]] if self.fills is not None else []),
            *([["growth", self.doubling_days, self.interval_days]] if self.doubling_days is not None else []),
            *([["lesion", self.lesion]] if self.lesion else []),
        ]


@dataclass(frozen=True, kw_only=True)
class MimicRecipe(Mimic):
    """A mimic whose place is still to be drawn.

    Args:
        location: Where its centre may lie; None: where its kind is found.
        place_seed: Seed of the place.
    """

    centre_mm: tuple[float, float] = (0.0, 0.0)
    location: Location | None
    place_seed: int

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
        """Return its sham edit: inpainted without a nodule where they lie; distractors are placed and left out.

        A prior is the background as it is.
        """
        ghosts = frozenset(mimic.name for mimic in self.mimics)
        return replace(self, arm=SHAM_ARM, sham=True, perturbations=(), ghosts=ghosts)

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
