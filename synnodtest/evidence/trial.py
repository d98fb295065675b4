"""Trials: what came of each scene, and the evidence of one expectation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.evidence.arm import UNTOUCHED_ARM, Arm
from synnodtest.evidence.conditions import holds
from synnodtest.evidence.regions import RegionExpression, lies_in
from synnodtest.evidence.sightings import Sighting, highest, matched, scores_of
from synnodtest.matching import Matching, Outcome, match, on_mimic
from synnodtest.radiograph import Truth
from synnodtest.scene import Scene

SEEN = ("conspicuity", "contrast_in_place")
"""Quantities of a nodule that are measured on the finished radiograph, blind to the detector."""


class Question(partial[bool]):
    """A method that is not called yet: taken for its answer it would be true of every nodule, and any check passed."""

    def __bool__(self) -> bool:
        """Refuse to be taken for an answer.

        Raises:
            TypeError: always.
        """
        raise TypeError("detected is asked of an operating point: nodule.detected(evidence.operating_point)")


@dataclass(frozen=True)
class NoduleTrial:
    """One planted nodule and how the detector met it.

    Args:
        name: The nodule's name.
        requested_mm: Requested diameter.
        truth: The realised nodule.
        requested: The request in plain values.
        confidence: Raw score of the matched finding whatever the operating point, 0 if none.
        finding: Index of the matched finding, or None.
        regions: Regions in which its centre lies.
    """

    name: str
    requested_mm: float
    truth: Truth
    requested: Mapping[str, Any]
    confidence: float
    finding: int | None
    regions: frozenset[str] = frozenset()

    @property
    def detected(self) -> Callable[[float], bool]:
        """Test of whether a finding at or above an operating point hits it: ``detected(0.25)``."""
        return Question(self._detected)

    def _detected(self, operating_point: float) -> bool:
        return self.finding is not None and self.confidence >= operating_point


@dataclass(frozen=True)
class Trial:
    """One scene's outcome.

    Args:
        scene: The recipe.
        scene_id: Its key.
        synthesizer: Name of the synthesizer that made it.
        background: Identifier of the background.
        cluster: Patient where known, else background.
        arm: Arm of the behaviour.
        replicate: Number of the replicate.
        levels: Swept values by name.
        strata: What is known of the background (view, sex, age, ...).
        spacing_mm: ``(row, column)``.
        shape: Height and width in pixels.
        sightings: Every finding.
        nodules: Every planted nodule.
        duplicates: Indices of findings on an already matched nodule.
        false_positives: Indices of findings on no nodule.
        radiograph_sha256: Content of the radiograph that the detector saw.
        rejected: Why the scene was excluded before any detector saw it; empty if accepted.
        regions: Names of the regions of which the radiograph shows any pixel; None where that was not kept.
        mimics: Whatever was drawn that looks like a nodule and is none, with the finding on it.
    """

    scene: Scene
    scene_id: str
    synthesizer: str
    background: str
    cluster: str
    arm: Arm
    replicate: int
    levels: Mapping[str, float | str]
    strata: Mapping[str, str]
    spacing_mm: tuple[float, float]
    shape: tuple[int, int]
    sightings: Sequence[Sighting]
    nodules: tuple[NoduleTrial, ...]
    duplicates: tuple[int, ...]
    false_positives: Sequence[int]
    radiograph_sha256: str = ""
    rejected: str = ""
    regions: frozenset[str] | None = None
    mimics: tuple[NoduleTrial, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "arm", Arm(self.arm))

    @property
    def place(self) -> tuple[str, int, tuple[tuple[str, float | str], ...]]:
        """Key that scenes of different arms share which belong together: background, replicate and swept values."""
        return self.background, self.replicate, tuple(sorted(self.levels.items()))

    @property
    def loudest(self) -> float:
        """The highest score of all findings, 0 without one."""
        return highest(self.sightings, 0.0)

    def false_positives_at(self, operating_point: float) -> int:
        """Return how many false positives stand at or above the operating point."""
        scores = scores_of(self.sightings)
        return sum(scores[i] >= operating_point for i in self.false_positives)

    def fires_in(self, region: RegionExpression, operating_point: float) -> bool:
        """Return whether any finding at or above the operating point has its centre in the region."""
        return any(s.finding.score >= operating_point and lies_in(region, s.regions) for s in self.sightings)

    def nodule(self, name: str | None) -> NoduleTrial | None:
        """Return the nodule of that name (None: the first), or None if the scene has no such nodule."""
        return next((n for n in self.nodules if name is None or n.name == name), None)


def score_trial(
    sightings: Sequence[Sighting],
    truths: Sequence[Truth],
    truth_regions: Sequence[frozenset[str]],
    spacing_mm: tuple[float, float],
    matching: Matching,
) -> tuple[tuple[NoduleTrial, ...], tuple[int, ...], Sequence[int]]:
    """Match findings with nodules; return nodule trials, duplicate indices and false-positive indices."""
    outcome = matched(sightings, truths, spacing_mm, matching)
    nodules = tuple(
        _met(truth, "diameter_mm", sightings, index, regions)
        for truth, index, regions in zip(truths, outcome.finding_of, truth_regions, strict=True)
    )
    return nodules, outcome.duplicates, outcome.false_positives


def score_mimics(
    sightings: Sequence[Sighting],
    mimics: Sequence[Truth],
    mimic_regions: Sequence[frozenset[str]],
    nodules: Sequence[NoduleTrial],
    spacing_mm: tuple[float, float],
    matching: Matching,
) -> tuple[NoduleTrial, ...]:
    """Return what was found on each mimic, in the form of nodules: ``detected`` where a finding lies on it."""
    if not mimics:
        return ()
    findings, truths = [s.finding for s in sightings], [n.truth for n in nodules]
    outcome: Outcome = match(findings, truths, spacing_mm, matching)
    return tuple(
        _met(truth, "size_mm", sightings, on_mimic(findings, truth, truths, outcome, spacing_mm, matching), regions)
        for truth, regions in zip(mimics, mimic_regions, strict=True)
    )


def _met(
    truth: Truth, size: str, sightings: Sequence[Sighting], index: int | None, regions: frozenset[str]
) -> NoduleTrial:
    """Return what was drawn with the finding on it; ``size`` is the key of its requested size."""
    asked = float(truth.requested.get(size, truth.diameter_mm))
    confidence = 0.0 if index is None else sightings[index].finding.score
    return NoduleTrial(truth.name, asked, truth, truth.requested, confidence, index, regions)


@dataclass(frozen=True)
class Evidence:
    """All trials of one expectation, by arm.

    Args:
        trials: Accepted trials of the behaviour's own arms and of the arms that the expectation planned by itself.
        rejected: Trials excluded before any detector saw them.
        operating_point: A finding of at least this score is a detection.
        alpha: One-sided error rate of each bound.
        seed: Master seed, for bootstraps.
        shortfall: Why fewer scenes were made than asked for, with counts.
        order: Of a sequential run: the clusters in the order fixed before it; empty where n is fixed.
    """

    trials: tuple[Trial, ...]
    rejected: tuple[Trial, ...] = ()
    operating_point: float = 0.25
    alpha: float = 0.05
    seed: int = 0
    shortfall: Mapping[str, int] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    def arm(self, *names: str) -> tuple[Trial, ...]:
        """Return the accepted trials of these arms."""
        return tuple(t for t in self.trials if t.arm in names)

    def own(self, arm: str | None = None) -> tuple[Trial, ...]:
        """Return the accepted trials of the behaviour's own arms, or of one of them."""
        return tuple(t for t in self.trials if (t.arm == arm if arm else t.arm.is_own))

    def untouched(
        self, arm: str | None = None, *, where: Mapping[str, object] | None = None, strict: bool = False
    ) -> tuple[Trial, ...]:
        """Return the untouched backgrounds, under the perturbations of an arm where it has any.

        Args:
            arm: Name of the arm; None: of every arm that is judged.
            where: Conditions. Those on nodules do not speak of a background without one.
            strict: Let conditions on nodules select no background at all.
        """
        every = tuple(t for t in self.trials if t.arm.is_from(UNTOUCHED_ARM))
        trials = every if arm is None else self.arm(UNTOUCHED_ARM.of(arm)) or self.arm(UNTOUCHED_ARM)
        known = {name for trial in trials for name in trial.strata}
        asked = {n: c for n, c in (where or {}).items() if strict or n in known}
        return tuple(t for t in trials if all(holds(t.strata.get(n), c) for n, c in asked.items()))

    def nodules(
        self, arm: str | None = None, *, of: str | None = None, where: Mapping[str, object] | None = None
    ) -> list[tuple[Trial, NoduleTrial]]:
        """Return ``(trial, nodule)`` pairs of an arm; all nodules, or those named ``of``; filtered by ``where``."""
        return nodules_of(self.own(arm), of, where)

    def mimics(
        self, arm: str | None = None, *, of: str | None = None, where: Mapping[str, object] | None = None
    ) -> list[tuple[Trial, NoduleTrial]]:
        """Return ``(trial, mimic)`` pairs of an arm; all mimics, or those named ``of``; filtered by ``where``."""
        keep = predicate(where)
        return [(t, m) for t in self.own(arm) for m in t.mimics if of in (None, m.name) and keep(t, m)]


def cluster_counts(pairs: Iterable[tuple[str, bool]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return successes and trials per cluster, in order of first appearance.

    The one place where trials are grouped into clusters for rates.
    """
    totals: dict[str, list[int]] = {}
    for cluster, success in pairs:
        entry = totals.setdefault(cluster, [0, 0])
        entry[0] += bool(success)
        entry[1] += 1
    table = np.array(list(totals.values()), dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def nodules_of(
    trials: Iterable[Trial], of: str | None = None, where: Mapping[str, object] | None = None
) -> list[tuple[Trial, NoduleTrial]]:
    """Return ``(trial, nodule)`` pairs of trials; all nodules, or those named ``of``; filtered by ``where``."""
    keep = predicate(where)
    return [(t, n) for t in trials for n in t.nodules if of in (None, n.name) and keep(t, n)]


Predicate = Callable[[Trial, NoduleTrial], bool]


def predicate(where: Mapping[str, object] | None) -> Predicate:
    """Return the filter that a ``where:`` mapping stands for; every condition must hold.

    Diameter and contrast are the requested ones, fixed before the run; how visible a nodule is, is known only once it
    is planted, but of every detector alike.
    """
    if not where:
        return lambda trial, nodule: True

    def keep(trial: Trial, nodule: NoduleTrial) -> bool:
        return all(holds(value_of(name, trial, nodule), condition) for name, condition in where.items())

    return keep


def value_of(name: str, trial: Trial, nodule: NoduleTrial) -> Any:
    """Return what ``name`` means for one nodule of one trial; None if it has no such value.

    Known are ``diameter_mm``, ``contrast``, ``conspicuity``, ``contrast_in_place``, ``name``, ``region`` (all regions
    at the centre), ``arm``, swept names, requested radiomics features, the strata of the background, and ``mimic``: of
    a mimic its kind, of a nodule those of all mimics in its scene.
    """
    if name in SEEN:
        figure = float(getattr(nodule.truth, name))
        return figure if math.isfinite(figure) else None
    if name == "diameter_mm":  # asked of every nodule and condition: no table of these is made
        return nodule.requested_mm
    if name == "region":
        return nodule.regions
    if name in {"name", "nodule"}:
        return nodule.name
    if name == "arm":
        return trial.arm
    for given in (nodule.requested, trial.levels):
        if name in given:
            return given[name]
    if name == "lesion":
        return "nodule"
    if name == "mimic":
        return frozenset(str(m.requested.get("mimic")) for m in trial.mimics)
    radiomics = nodule.requested.get("radiomics") or {}
    return radiomics[name] if name in radiomics else trial.strata.get(name)
