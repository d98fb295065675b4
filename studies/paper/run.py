"""Runs the spec of an experiment through the engine and keeps what figures are drawn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from studies.paper.points import Point
from synnodtest.annotated.sets import AnnotatedSet
from synnodtest.canonical import seed_sequence
from synnodtest.engine.judgement import Gathered
from synnodtest.errors import SynnodError
from synnodtest.evidence.sightings import Sighting
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, score_trial
from synnodtest.expectations import find_check
from synnodtest.matching import Matching
from synnodtest.planning.cases import Case, variants_of
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph
from synnodtest.shell.progress import Progress
from synnodtest.shell.run import Run
from synnodtest.shell.settings import Settings
from synnodtest.spec import Behaviour, load_spec

_BATCH = 8


def spec_path(name: str) -> Path:
    """Return the path of an experiment's spec."""
    return Path(__file__).with_name(f"{name}.yaml")


@dataclass(frozen=True)
class Answered:
    """One expectation of an experiment, judged."""

    behaviour: Behaviour
    judgement: Gathered

    @property
    def evidence(self) -> Evidence:
        """The trials behind it."""
        return next(iter(self.judgement.evidence.values()))

    def pairs(self) -> list[tuple[Trial, NoduleTrial]]:
        """Return every nodule of the behaviour's own scenes, with its trial."""
        return self.evidence.nodules()


@dataclass
class Bench:
    """A detector, a synthesizer and backgrounds, on which experiments run; finished scenes are kept in the cache.

    Args:
        settings: As for a run under pytest.
        scenes: How many scenes of a behaviour with replicates; None: as its spec says.
        resolved: Behaviours and rulings of all specs that have run, by spec.
    """

    settings: Settings
    scenes: int | None = None
    resolved: dict[str, list[Answered]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.run = Run(self.settings, Progress())

    def answers(self, name: str, only: Sequence[str] = ()) -> list[Answered]:
        """Run the spec ``name`` (or the behaviours ``only`` of it) and return its expectations, judged.

        Raises:
            SynnodError: something other than the detector's judgement is broken.
        """
        key = ",".join([name, *only])
        if key not in self.resolved:
            spec = load_spec(spec_path(name))
            chosen = [b for b in spec.behaviours if not only or b.id in only]
            self.resolved[key] = [
                self._answered(Case(f"{name}::{b.id}::{variant.id}", spec, self._sized(b), variant))
                for b in chosen
                for variant in variants_of(b)
            ]
        return self.resolved[key]

    def _sized(self, behaviour: Behaviour) -> Behaviour:
        """Return the behaviour with at least ``scenes`` scenes, if it has replicates."""
        scenes = behaviour.scenes
        if self.scenes is None or scenes is None or scenes.replicates == 1 or not isinstance(scenes.count, int):
            return behaviour
        there = len(self.run.campaign.background_set(behaviour).backgrounds)
        count = min(scenes.count, self.scenes, self.settings.limit or scenes.count, max(there, 1))
        return replace(behaviour, scenes=replace(scenes, count=count, replicates=math.ceil(self.scenes / count)))

    def _answered(self, case: Case) -> Answered:
        gathered = self.run.gather(case)
        if self.scenes is not None and case.behaviour.scenes and case.behaviour.scenes.replicates > 1:
            gathered = _cut(gathered, self.scenes)
        return Answered(case.behaviour, self.run.rule(case, gathered))

    def radiograph(self, answered: Answered, trial: Trial | None = None) -> Radiograph:
        """Return the pixels behind a trial; without one, of the behaviour's first background, untouched."""
        campaign = self.run.campaign
        engine = campaign.engine(answered.behaviour, campaign.synthesizer_names(answered.behaviour)[0])
        backgrounds = campaign.backgrounds(answered.behaviour)
        if trial is None:
            return engine.load(backgrounds[0])
        return engine.radiograph(trial.scene, next(b for b in backgrounds if b.id == trial.background))

    def identities(self) -> dict[str, Any]:
        """Return who took part: detector, synthesizers and background sets."""
        campaign = self.run.campaign
        sets = {}
        for answered in (a for some in self.resolved.values() for a in some):
            held = campaign.background_set(answered.behaviour)
            sets[held.name] = held.identity.as_dict()
        return {
            "detector": campaign.providers.detector.identity.as_dict(),
            "synthesizers": [campaign.synthesizer(name).identity.as_dict() for name in campaign.loaded_synthesizers()],
            "backgrounds": sets,
        }


def _cut(gathered: Gathered, scenes: int) -> Gathered:
    """Keep the first ``scenes`` own trials, replicate by replicate, and judge again."""
    found = find_check(gathered.variant.expectation.kind)
    if found is None:
        raise SynnodError(f"{gathered.variant.expectation.kind} cannot be judged")
    evidence = {}
    for name, held in gathered.evidence.items():
        own = sorted(held.own(), key=lambda trial: trial.replicate)[:scenes]
        others = tuple(trial for trial in held.trials if trial.arm.startswith("@"))
        evidence[name] = replace(held, trials=(*own, *others))
    rulings = {name: found.judge(gathered.variant.parameters, held) for name, held in evidence.items()}
    return replace(gathered, evidence=evidence, rulings=rulings)


def annotated_points(detector: Detector, data: AnnotatedSet, most: int, seed: int = 0) -> list[Point]:
    """Return the annotated nodules of 4 to 40 mm of a set, at most ``most`` of them, and how the detector met them.

    Args:
        detector: The detector.
        data: Radiographs with their truth.
        most: Patients are taken in an order drawn by ``seed`` until so many nodules are there.
        seed: Of that order.
    """
    clusters = sorted({case.cluster for case in data.cases})
    drawn = np.random.default_rng(seed_sequence("annotated order", seed)).permutation(len(clusters))
    rank = dict(zip(clusters, drawn.tolist(), strict=True))
    cases = sorted(data.cases, key=lambda case: rank[case.cluster])
    points: list[Point] = []
    for start in range(0, len(cases), _BATCH):
        batch = cases[start : start + _BATCH]
        radiographs = [data.load(case) for case in batch]
        answers = detector.detect([radiograph.with_pixels(radiograph.pixels, ()) for radiograph in radiographs])
        for case, radiograph, found in zip(batch, radiographs, answers, strict=True):
            sightings = [Sighting(finding) for finding in found]
            nowhere = [frozenset[str]()] * len(radiograph.nodules)
            nodules, *_ = score_trial(sightings, radiograph.nodules, nowhere, radiograph.spacing_mm, Matching())
            points += [
                Point(nodule.truth.diameter_mm, nodule.confidence, case.cluster, case.id)
                for nodule in nodules
                if 4 <= nodule.truth.diameter_mm <= 40
            ]
        if len(points) >= most:
            break
    return points[:most]
