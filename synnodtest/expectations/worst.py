"""The worst case beside the primary estimate: every excluded scene counts against the detector.

Scenes are excluded for the quality of their synthesis, by rules fixed beforehand and blind to the detector. Where a
pass would not survive had they all gone against it, the ruling is INCONCLUSIVE.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from synnodtest.counted import counted
from synnodtest.evidence.arm import PRIOR_ARM, UNDER_ARM
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.sightings import Sighting
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, predicate
from synnodtest.expectations import sentences
from synnodtest.expectations.language import Selection
from synnodtest.finding import Finding
from synnodtest.radiograph import Truth

MISSED, FOUND = 0.0, 1.0
"""Confidences that excluded nodules are taken to have received: the ends of the scale."""

WorstScore = Callable[[Trial, NoduleTrial], float]
"""The confidence that an excluded nodule is taken to have received."""
P = TypeVar("P", bound=Selection)
Judge = Callable[[P, Evidence], Ruling]
WorstScores = Callable[[Any, Evidence], Sequence[WorstScore]]
"""From an expectation and its evidence to the outcomes that would be worst for it; the pass must survive each."""


def missed(parameters: Selection, evidence: Evidence) -> list[WorstScore]:
    """Take every excluded nodule as missed."""
    return [lambda trial, nodule: MISSED]


def against_rate(parameters: Selection, evidence: Evidence) -> list[WorstScore]:
    """Take every excluded nodule as missed, or as found where the rate must stay below its bound."""
    outcome = MISSED if getattr(parameters, "at_most", None) is None else FOUND
    return [lambda trial, nodule: outcome]


def with_worst_case(
    worst_scores: WorstScores, *, alarms: bool = True, concerned: Callable[[Any, Trial], bool] | None = None
) -> Callable[[Judge[P]], Judge[P]]:
    """Decorate a ruling: where excluded scenes could turn its pass, the ruling becomes INCONCLUSIVE.

    Args:
        worst_scores: The outcomes that would be worst; of a ruling with a gate, that all were missed is one of them.
        concerned: Whether an excluded scene would have been judged, where that is not asked of its nodules.
        alarms: Take a scene with a missed nodule to have a loud false positive, too. False where whole images are
            ranked by their loudest finding, which would count for the detector.
    """

    def decorate(judge: Judge[P]) -> Judge[P]:
        @functools.wraps(judge)
        def judged(parameters: P, evidence: Evidence) -> Ruling:
            ruling = judge(parameters, evidence)
            excluded = sum((concerned or concerns)(parameters, trial) for trial in evidence.rejected)
            if not excluded or not ruling.components:
                return ruling
            scores = worst_scores(parameters, evidence)
            if worst_scores is not missed and any(part.role == "gate" for part in ruling.components):
                scores = [*scores, *missed(parameters, evidence)]  # whatever else is worst, silence keeps a gate shut
            worst = [judge(parameters, as_worst(evidence, score, alarms=alarms)) for score in scores]
            return beside(ruling, min(worst, key=_standing), excluded) if worst else ruling

        return judged

    return decorate


def _standing(ruling: Ruling) -> int:
    return [Status.FAILED, Status.INCONCLUSIVE, Status.PASSED].index(ruling.status)


def beside(ruling: Ruling, worst: Ruling, excluded: int) -> Ruling:
    """Return the ruling with its worst case noted; INCONCLUSIVE where a pass does not survive it.

    Args:
        ruling: On the accepted scenes.
        worst: With the excluded ones counted against the detector.
        excluded: How many they are.
    """
    part = next((c for c in worst.components if c.role != "shown" and c.status is worst.status), worst.components[0])
    low, high = (sentences.beside(end, part.bound) for end in (part.lower, part.upper))
    note = (
        f"with the {counted(excluded, 'excluded scene')} counted against the detector: {part.label} "
        f"{sentences.number(part.value)} (bounds {low} to {high}), {worst.status}"
    )
    if ruling.status is not Status.PASSED or worst.status is Status.PASSED:
        return replace(ruling, notes=(*ruling.notes, note))
    return ruling.held_open(note, note)


def concerns(parameters: Selection, trial: Trial) -> bool:
    """Return whether an excluded scene would have been judged.

    Of a prior ``where`` says nothing: it speaks of the nodules as they are when they have grown.
    """
    is_prior, arm = trial.arm.is_from(PRIOR_ARM), trial.arm.before(UNDER_ARM).before(PRIOR_ARM)
    named = {name for name in (parameters.arm, parameters.reference) if name}
    if not arm.is_own or (named and arm not in named):
        return False
    of, keep = parameters.of, predicate(None if is_prior else parameters.where)
    nodules = _nodules(trial)
    return not nodules or any(of in (None, n.name) and keep(trial, n) for n in nodules)


def as_worst(evidence: Evidence, worst_score: WorstScore, *, alarms: bool = True) -> Evidence:
    """Return the evidence with its excluded scenes among the trials, their outcomes as pretended."""
    scores = (trial.loudest for trial in evidence.trials) if evidence.rejected else ()
    loud = max([FOUND, evidence.operating_point, *scores])
    trials = tuple(_as_if(trial, worst_score, loud, alarms) for trial in evidence.rejected)
    return replace(evidence, trials=evidence.trials + trials, rejected=())


def _as_if(trial: Trial, worst_score: WorstScore, loud: float, alarms: bool) -> Trial:
    """Return an excluded scene with the outcome that is pretended; with ``alarms`` a miss has a false positive too.

    Every distractor of it counts as reported. What is found has the score ``loud``: the highest there is, as scores
    of a detector may exceed 1.
    """
    sightings: list[Sighting] = []
    nodules: list[NoduleTrial] = []
    for nodule in _nodules(trial):
        found = worst_score(trial, nodule) > 0
        index = len(sightings) if found else None
        sightings += [Sighting(Finding(nodule.truth.box, loud), nodule.regions)] if found else []
        nodules.append(replace(nodule, confidence=loud if found else 0.0, finding=index))
    extra: tuple[int, ...] = ()
    if alarms and any(n.finding is None for n in nodules):
        extra = (len(sightings),)
        sightings.append(Sighting(Finding((0.0, 0.0, 1.0, 1.0), loud)))
    return replace(
        trial,
        sightings=tuple(sightings),
        nodules=tuple(nodules),
        mimics=tuple(replace(mimic, confidence=loud, finding=0) for mimic in trial.mimics),
        duplicates=(),
        false_positives=extra,
        rejected="",
    )


def _nodules(trial: Trial) -> list[NoduleTrial]:
    """Return the nodules of an excluded scene, those that left no mask as they were asked for."""
    there = {n.name: n for n in trial.nodules}
    nodules = []
    for one in trial.scene.nodules:
        if one.name not in there:
            order = {"diameter_mm": one.diameter_mm, "contrast": one.contrast, "radiomics": dict(one.radiomics)}
            truth = Truth(one.name, np.ones((1, 1), dtype=np.bool_), (0, 0), one.diameter_mm, 0.0, order)
            there[one.name] = NoduleTrial(one.name, one.diameter_mm, truth, order, 0.0, None)
        nodules.append(there.pop(one.name))
    return [*nodules, *there.values()]
