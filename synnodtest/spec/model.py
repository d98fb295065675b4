"""A spec as frozen data: what was asked for, with every default filled in and every line kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from synnodtest.evidence.regions import RegionExpression
from synnodtest.spec.values import Value


@dataclass(frozen=True)
class Location:
    """Places where a nodule's centre may lie; one of ``region``, ``at_mm`` and ``box_px`` is given.

    Args:
        region: Drawn within this region.
        at_mm: Exactly here, ``(x, y)`` from the top left corner.
        box_px: Drawn within this box ``(x0, y0, x1, y1)`` in pixels of the background.
        min_distance_mm: Centre to centre from every earlier nodule of the scene.
        avoid: Regions that the centre keeps out of.
        beside: Name of the distractor that the nodule lies beside.
        under: Name of the distractor in whose mask the centre lies.
        gap_mm: Between the edges of nodule and distractor, where it lies beside one; up to 5 mm more.
    """

    region: RegionExpression | None = "lung"
    at_mm: tuple[float, float] | None = None
    box_px: tuple[float, float, float, float] | None = None
    min_distance_mm: float = 0.0
    avoid: tuple[RegionExpression, ...] = ()
    beside: str | None = None
    under: str | None = None
    gap_mm: float = 8.0


class PerturbationSpec(NamedTuple):
    """One change of the whole radiograph; unpacks as ``kind, value``."""

    kind: str
    value: Value


NOMINAL_MM = 0.2
"""Millimetres per pixel that a box is planned with before a radiograph is read; theirs are 0.14 to 0.4."""


def filled_mm(box_px: tuple[float, float, float, float], spacing_mm: tuple[float, float]) -> float:
    """Return the diameter in mm of the disc that has the area of the ellipse in a box.

    Args:
        box_px: ``(x0, y0, x1, y1)`` in pixels.
        spacing_mm: (row, column).
    """
    x0, y0, x1, y1 = box_px
    return math.sqrt(abs(x1 - x0) * spacing_mm[1] * abs(y1 - y0) * spacing_mm[0])


@dataclass(frozen=True)
class NoduleSpec:
    """One nodule of a behaviour.

    Args:
        name: Its name; ``nodule``, or ``nodule-2``... where the spec gives none.
        diameter_mm: Equal-area diameter of the requested mask.
        location: Where its centre may lie.
        contrast: Mean added brightness over the mask / 5..95 percentile range of the lung. None: follows from the
            density.
        radiomics: Requested features by PyRadiomics name.
        hold: What stays equal between the scenes of a background: ``location``, ``seed``, or a drawn quantity.
        seed: Seed of its appearance; None: drawn for every scene.
        density: Attenuation relative to soft tissue. None, and no attenuation: as nodules that readers marked.
        attenuation: The word for a distribution of densities and a profile.
        margin: The word for an outline.
        fills_box: The nodule fills ``location.box_px``: its diameter is the box's on each radiograph, and
            ``diameter_mm`` what that is at :data:`NOMINAL_MM` per pixel.
        lesion: The word for what it is; None: a nodule.
        doubling_days: Doubling time of its volume, where it has grown since a prior radiograph.
        interval_days: Days since the prior.
        line: Line of the spec, from 1.
        column: Column of the spec, from 1.
    """

    name: str
    diameter_mm: Value
    location: Location = Location()
    contrast: Value | None = None
    radiomics: Mapping[str, Value] = field(default_factory=dict, hash=False)
    hold: frozenset[str] = frozenset()
    seed: int | None = None
    density: Value | None = None
    attenuation: Value | None = None
    margin: Value | None = None
    fills_box: bool = False
    lesion: Value | None = None
    doubling_days: Value | None = None
    interval_days: Value | None = None
    line: int = 0
    column: int = 0

    def values(self) -> dict[str, Value]:
        """Return the quantities that are given, by the name that ``over``, ``where`` and ``by`` use."""
        named: dict[str, Value] = {"diameter_mm": self.diameter_mm}
        looks = ("contrast", "density", "attenuation", "margin", "lesion", "doubling_days", "interval_days")
        named |= {name: value for name in looks if (value := getattr(self, name)) is not None}
        return named | dict(self.radiomics)


@dataclass(frozen=True)
class DistractorSpec:
    """One thing of a behaviour that looks like a nodule and is none.

    Args:
        name: Its name; ``distractor``, or ``distractor-2``... where the spec gives none.
        mimic: Its kind.
        location: Where its centre may lie; None: where its kind is found.
        size_mm: Its size; None: drawn from what is common.
        hold: What stays equal between the scenes of a background: ``location``, ``seed``.
    """

    name: str
    mimic: Value
    location: Location | None = None
    size_mm: Value | None = None
    hold: frozenset[str] = frozenset()

    def values(self) -> dict[str, Value]:
        """Return the quantities that are given, by the name that ``where`` and ``by`` use."""
        return {"mimic": self.mimic} | ({} if self.size_mm is None else {"size_mm": self.size_mm})


@dataclass(frozen=True)
class ArmSpec:
    """One arm of a paired design: names of the nodules and distractors that it has, its own perturbations in order."""

    nodules: tuple[str, ...]
    perturbations: tuple[PerturbationSpec, ...] = ()
    distractors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenes:
    """Scenes that a behaviour synthesizes.

    Args:
        set: Name of the background set.
        count: Number of backgrounds, or ``auto``.
        replicates: Scenes per background and arm.
        nodules: In planting order; none for behaviours on untouched backgrounds.
        arms: By name, in the order of the spec; empty where the spec names none.
        perturbations: Applied in every arm, before the arm's own.
        distractors: Drawn in order after synthesis, before perturbations.
        prior_perturbations: Of the priors of nodules that grow.
    """

    set: str
    count: int | Literal["auto"]
    replicates: int = 1
    nodules: tuple[NoduleSpec, ...] = ()
    arms: Mapping[str, ArmSpec] = field(default_factory=dict, hash=False)
    perturbations: tuple[PerturbationSpec, ...] = ()
    distractors: tuple[DistractorSpec, ...] = ()
    prior_perturbations: tuple[PerturbationSpec, ...] = ()


@dataclass(frozen=True)
class Companion:
    """A second nodule of a fuzzed example."""

    diameter_mm: Value
    contrast: Value | None = None
    distance_mm: Value | None = None
    location: Location = Location()
    density: Value | None = None


@dataclass(frozen=True)
class Fuzz:
    """A search for a nodule that fails.

    Args:
        vary: What the search changes: ``diameter_mm``, ``contrast``, ``density``, ``attenuation``, ``margin``,
            ``view``, a radiomics feature as ``radiomics.Sphericity``, a perturbation as ``perturbations.jpeg``,
            ``companion.distance_mm``, ``mimic``, ``mimic_distance_mm``.
        location: Where the nodule may lie.
        fixed: What stays as it is, by the same names.
        explicit: Examples that always run, first; by the same names, and ``location``, ``background``, ``seed``.
        examples: How many examples the search tries.
        time_budget_s: Stop searching after this many seconds.
        replicates: Scenes per example.
        set: Name of the background set.
        count: Number of backgrounds of the search.
        search_with: Cheaper synthesizer for search and shrinking.
        confirm_trials: Trials of a confirmation.
        companion: The second nodule, if the examples have one.
    """

    vary: Mapping[str, Value] = field(hash=False)
    location: Location = Location()
    fixed: Mapping[str, Any] = field(default_factory=dict, hash=False)
    explicit: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    examples: int = 100
    time_budget_s: float | None = None
    replicates: int = 5
    set: str = "normal"
    count: int = 20
    search_with: str | None = None
    confirm_trials: int = 60
    companion: Companion | None = None


@dataclass(frozen=True)
class Sampling:
    """Number of scenes, and the error rate.

    Args:
        alpha: One-sided error rate of each bound.
        sequential: Stop as soon as e-values decide; for rates and paired rates only.
        max_scenes: Cap of a sequential run.
        power: Power that ``count: auto`` aims at.
        assume: True values that ``count: auto`` plans for, by expectation; ``""`` stands for all.
        icc: Intra-cluster correlation assumed in planning.
    """

    alpha: float = 0.05
    sequential: bool = False
    max_scenes: int | None = None
    power: float = 0.8
    assume: tuple[tuple[str, float], ...] = ()
    icc: float = 0.2

    def assumed_for(self, *names: str) -> float | None:
        """Return the value assumed for the first of these names that has one, else None."""
        table = dict(self.assume)
        return next((table[name] for name in names if name in table), None)


@dataclass(frozen=True)
class Expectation:
    """One property that must hold; becomes a test item.

    Args:
        kind: ``sensitivity``, ``monotone``, ...
        parameters: Validated plain values, defaults filled in, ``alpha``, ``operating_point`` (a list) and
            ``matching`` (a mapping) among them. ``region`` is a region expression, ``under`` a tuple of
            perturbations, ``by`` and ``across`` map a name to its levels.
        line: Line of the spec, from 1.
        column: Column of the spec, from 1.
        index: Place under ``expect``, from 0.
        id: Unique within the behaviour: the kind, ``kind-2`` for repeats, or what the spec says.
    """

    kind: str
    parameters: Mapping[str, Any] = field(hash=False)
    line: int
    column: int
    index: int
    id: str


@dataclass(frozen=True)
class Behaviour:
    """One testable statement: scenes (or a search) and what must hold on them.

    ``matching`` is a mapping (``criterion`` and ``tolerance_mm`` or ``at_least``), ``operating_point`` a tuple.
    Lines and columns count from 1.
    """

    id: str
    statement: str
    requirement: tuple[str, ...] = ()
    hazard: tuple[str, ...] = ()
    gate: str = "performance"
    tags: tuple[str, ...] = ()
    rationale: str = ""
    scenes: Scenes | None = None
    fuzz: Fuzz | None = None
    synthesizers: tuple[str, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    line: int = 0
    column: int = 0
    sampling: Sampling = Sampling()
    matching: Mapping[str, object] = field(default_factory=dict, hash=False)
    operating_point: tuple[float, ...] = (0.25,)


@dataclass(frozen=True)
class Spec:
    """One spec file, resolved.

    Args:
        path: The file.
        title: Its title, or the file's stem.
        scope: Envelope of the claim, plain values.
        behaviours: In the order of the file, matrices expanded.
        sha256: Of the resolved canonical form: equal for specs that ask for the same, wherever they stand.
        included: Files that lend it something, relative to its folder.
    """

    path: Path
    title: str
    scope: Mapping[str, object] = field(hash=False)
    behaviours: tuple[Behaviour, ...]
    sha256: str
    included: tuple[str, ...] = ()

    def behaviour(self, id: str) -> Behaviour:
        """Return the behaviour of that id; KeyError if there is none."""
        return {behaviour.id: behaviour for behaviour in self.behaviours}[id]
