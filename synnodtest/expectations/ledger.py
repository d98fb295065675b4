"""All findings of an expectation, whatever their score: what curves and calibration are made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations.language import Selection
from synnodtest.expectations.rule import selected
from synnodtest.matching import Matching, match
from synnodtest.statistics.pooled import Marks, Pooled


@dataclass(frozen=True, eq=False)
class Ledger(Pooled):
    """The marks of an expectation's images, pooled.

    Findings on an already matched nodule, and those on nodules that are not judged, are neither hits nor false
    positives and stand in no ledger.

    Args:
        trials: Each image: scenes with a judged nodule first, then untouched backgrounds.
        positives: How many of the images hold a judged nodule.
    """

    trials: tuple[Trial, ...]
    positives: int

    @property
    def clusters(self) -> list[str]:
        """The statistical cluster of each image."""
        return [t.cluster for t in self.trials]


def ledger_of(parameters: Selection, evidence: Evidence, *, doubles: bool = False) -> Ledger:
    """Return the ledger of an expectation: its scenes with a judged nodule, and the untouched backgrounds.

    Args:
        parameters: What is judged.
        evidence: All trials.
        doubles: Take further findings on a judged nodule that is matched as false positives, as COCO does.
    """
    matching = Matching.from_dict(parameters.matching)
    judged: dict[int, tuple[Trial, list[NoduleTrial]]] = {}
    for trial, nodule in selected(parameters, evidence):
        judged.setdefault(id(trial), (trial, []))[1].append(nodule)
    images = list(judged.values())
    images += [(t, []) for t in evidence.untouched(parameters.arm, where=parameters.where)]
    marks = []
    for trial, nodules in images:
        more = _doubles(trial, nodules, matching) if doubles else set()
        false = [trial.sightings[i].finding.score for i in (*trial.false_positives, *more)]
        found = [-math.inf if n.finding is None else n.confidence for n in nodules]
        marks.append(Marks(np.array(found, dtype=float), np.array(false, dtype=float)))
    return Ledger.of(marks, trials=tuple(trial for trial, _ in images), positives=len(judged))


def _doubles(trial: Trial, nodules: Sequence[NoduleTrial], matching: Matching) -> set[int]:
    truths = [nodule.truth for nodule in nodules]
    alone = {i: match([trial.sightings[i].finding], truths, trial.spacing_mm, matching) for i in trial.duplicates}
    return {i for i, outcome in alone.items() if not outcome.false_positives}
