"""All findings of an expectation, whatever their score: what curves and calibration are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations.language import Selection
from synnodtest.expectations.rule import selected
from synnodtest.matching import Matching, match


@dataclass(frozen=True, eq=False)
class Ledger:
    """Findings by falling score, and the images they lie on.

    Findings on an already matched nodule, and those on nodules that are not judged, are neither hits nor false
    positives and stand in no ledger.

    Args:
        score: Of each finding; shape (f,).
        hit: Whether it is the match of a judged nodule; shape (f,).
        image: Number of its image; shape (f,).
        nodules: Judged nodules of each image; shape (n,).
        trials: Each image: scenes with a judged nodule first, then untouched backgrounds.
        positives: How many of the images hold a judged nodule.
    """

    score: NDArray[np.float64]
    hit: NDArray[np.bool_]
    image: NDArray[np.intp]
    nodules: NDArray[np.float64]
    trials: tuple[Trial, ...]
    positives: int

    @property
    def clusters(self) -> list[str]:
        """The statistical cluster of each image."""
        return [t.cluster for t in self.trials]

    @cached_property
    def last(self) -> NDArray[np.intp]:
        """Position of the last finding of each distinct score."""
        changes = self.score[1:] != self.score[:-1]
        return np.flatnonzero(np.append(changes, True)) if len(self.score) else np.array([], np.intp)

    def weights(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return how often each image is among ``rows`` (with repeats); shape (n,)."""
        return np.bincount(rows, minlength=len(self.trials)).astype(np.float64)


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
    positives = len(images)
    where = parameters.where
    images += [(t, []) for t in evidence.untouched(parameters.arm, where=where)]
    rows = [
        (trial.sightings[i].finding.score, i in hits, number)
        for number, (trial, nodules) in enumerate(images)
        for hits in [{n.finding for n in nodules if n.finding is not None}]
        for more in [_doubles(trial, nodules, matching) if doubles else set()]
        for i in sorted(hits | set(trial.false_positives) | more)
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    table = table[np.argsort(-table[:, 0], kind="stable")]
    return Ledger(
        score=table[:, 0],
        hit=table[:, 1] > 0,
        image=table[:, 2].astype(np.intp),
        nodules=np.array([len(nodules) for _, nodules in images], dtype=np.float64),
        trials=tuple(trial for trial, _ in images),
        positives=positives,
    )


def _doubles(trial: Trial, nodules: Sequence[NoduleTrial], matching: Matching) -> set[int]:
    truths = [nodule.truth for nodule in nodules]
    alone = {i: match([trial.sightings[i].finding], truths, trial.spacing_mm, matching) for i in trial.duplicates}
    return {i for i, outcome in alone.items() if not outcome.false_positives}
