"""Noise is not sight: a hit is worth something only where no finding would have lain there anyway.

An expectation that counts hits alone is passed by a detector that marks everything, or whose operating point is so low
that its findings lie densely. The places of the nodules, mirrored into the other lung, show it: nothing was planted
there, and what hits a nodule is left out. So do, where it marks one lung or region alone, those of other backgrounds.
What it marks at one place of every radiograph shows where the nodules are taken out again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from synnodtest.evidence.arm import CONTROL_ARM, UNDER_ARM, Arm
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.sightings import matched
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, nodules_of
from synnodtest.geometry import centre_of
from synnodtest.matching import Matching
from synnodtest.radiograph import Truth
from synnodtest.scene import Scene

MANY = 0.1
"""Share of nodules hit at mirrored places above which a pass says so."""
MOSTLY = 0.5
"""Mirrored places that are hit for each nodule that is: from here on most of what a detector hits may be chance. A
little noise is alike in both arms and near whatever it hits, so that comparisons and distances hold at it as well."""


MIRRORED = "the places mirrored into the other lung"
EXCHANGED = "the places of other backgrounds' nodules"
BARE = "the nodules' own places with the nodules taken out"
_SIDES = frozenset({"left_lung", "right_lung"})

Move = Callable[[Trial, NoduleTrial], Truth]
"""From a nodule of a trial to where nothing was planted."""


def mirrored(evidence: Evidence, matching: Matching) -> Evidence:
    """Return the evidence as it would be had every nodule lain in the other lung, met by what hit none."""
    return _moved(evidence, matching, lambda trial, nodule: _other_side(nodule.truth, trial.shape[1]))


def exchanged(evidence: Evidence, matching: Matching) -> Evidence:
    """Return the evidence had every nodule lain where that of the next background does, met by what hit none.

    The next background of which a nodule of its name and arm lies in the same regions, else in the same lung; where
    there is none, the place is the mirrored one.
    """
    places: dict[_Key, dict[str, _Place]] = {}
    for trial in evidence.trials:
        for nodule in trial.nodules:
            for key in _keys(trial, nodule):
                places.setdefault(key, {}).setdefault(trial.background, _place(trial, nodule.truth))
    turns = {key: dict(zip(own, [*list(own)[1:], *list(own)[:1]], strict=True)) for key, own in places.items()}

    def move(trial: Trial, nodule: NoduleTrial) -> Truth:
        key = next((key for key in _keys(trial, nodule) if len(places[key]) > 1), None)
        if key is None:
            return _other_side(nodule.truth, trial.shape[1])
        across, down = places[key][turns[key][trial.background]]
        height, width = nodule.truth.crop.shape
        origin = round(down * trial.shape[0] - height / 2), round(across * trial.shape[1] - width / 2)
        return replace(nodule.truth, origin=origin)

    return _moved(evidence, matching, move)


def bare(evidence: Evidence, matching: Matching, shown: Sequence[Trial | None]) -> Evidence:
    """Return the evidence as it would be had every planted nodule been met by what is found without it.

    Args:
        evidence: Of an expectation.
        matching: The localization criterion.
        shown: The trial of each scene without its nodules; where there is none, nothing is found.
    """
    trials = [_found_as(trial, own) for trial, own in zip(evidence.trials, shown, strict=True)]
    return _moved(replace(evidence, trials=tuple(trials)), matching, lambda trial, nodule: nodule.truth)


def _found_as(trial: Trial, shown: Trial | None) -> Trial:
    if shown is None or not trial.scene.nodules:
        return replace(trial, sightings=(), duplicates=(), false_positives=())
    return replace(trial, sightings=shown.sightings, duplicates=shown.duplicates, false_positives=shown.false_positives)


def without_nodules(scene: Scene) -> Scene:
    """Return a scene without its nodules, with its distractors, perturbations and prior; alike for every seed."""
    prior = None if scene.prior is None else without_nodules(scene.prior)
    return replace(scene, nodules=(), prior=prior, seed=0)


_Key = tuple[str, str, frozenset[str]]
_Place = tuple[float, float]
"""Middle of a nodule, as shares of the radiograph's width and height."""


def _keys(trial: Trial, nodule: NoduleTrial) -> list[_Key]:
    return [(trial.arm, nodule.name, regions) for regions in (nodule.regions, nodule.regions & _SIDES)]


def _place(trial: Trial, truth: Truth) -> _Place:
    x, y = centre_of(truth.box)
    return x / trial.shape[1], y / trial.shape[0]


def _moved(evidence: Evidence, matching: Matching, move: Move) -> Evidence:
    return replace(evidence, trials=tuple(_met(trial, matching, move) for trial in evidence.trials))


def _met(trial: Trial, matching: Matching, move: Move) -> Trial:
    if not trial.nodules:
        return trial
    truths = [move(trial, nodule) for nodule in trial.nodules]
    outcome = matched(trial.sightings, truths, trial.spacing_mm, matching, trial.false_positives)
    met, matches = outcome.finding_of, {*outcome.finding_of, *outcome.duplicates}
    nodules = [
        replace(nodule, finding=None, confidence=0.0)
        if hit is None
        else replace(nodule, truth=truth, finding=hit, confidence=trial.sightings[hit].finding.score)
        for nodule, truth, hit in zip(trial.nodules, truths, met, strict=True)
    ]
    false = tuple(index for index in trial.false_positives if index not in matches)
    return replace(trial, nodules=tuple(nodules), duplicates=outcome.duplicates, false_positives=false)


def _other_side(truth: Truth, width: int) -> Truth:
    row, column = truth.origin
    crop = truth.crop
    return replace(truth, crop=crop[:, ::-1], origin=(row, width - column - crop.shape[1]))


def share_hit(evidence: Sequence[Evidence], parameters: Any = None) -> float:
    """Return the share of nodules that are hit at the operating points of evidence, mirrored or not.

    Args:
        evidence: Of an expectation, by synthesizer.
        parameters: Of the expectation; nodules that its arms, ``of`` and ``where`` leave out do not count, nor those
            of none of the groups that it compares. Of silence in a region those planted outside it count.
    """
    return _mean(
        [n.detected(one.operating_point) for one in evidence for _, n in judged_nodules(one.trials, parameters)]
    )


def mean_confidence(evidence: Sequence[Evidence], parameters: Any = None) -> float:
    """Return the mean confidence of the same nodules, whatever the operating point."""
    return _mean([n.confidence for one in evidence for _, n in judged_nodules(one.trials, parameters)])


def at_any_score(evidence: Evidence) -> Evidence:
    """Return the evidence with an operating point that every finding reaches."""
    return replace(evidence, operating_point=0.0)


def judged_nodules(trials: Sequence[Trial], parameters: Any = None) -> list[tuple[Trial, NoduleTrial]]:
    """Return the nodules that an expectation counts hits of, each with its scene."""
    arm, reference, of, where = (getattr(parameters, name, None) for name in ("arm", "reference", "of", "where"))
    arms = {arm, reference} - {None}
    groups = [group.where for group in compared_groups(parameters)] or [where]

    def is_judged(arm: Arm) -> bool:
        shown = arm.before(UNDER_ARM)
        return shown in arms if arms else shown.is_own

    asked = [t for t in trials if t.arm.is_from(CONTROL_ARM)] or [t for t in trials if is_judged(t.arm)]
    return [pair for group in groups for pair in nodules_of(asked, of, group)]


def compared_groups(parameters: Any) -> Sequence[Any]:
    """Return the groups that an expectation compares with one another, each with conditions, ``where``."""
    return getattr(parameters, "strata", ())


def mostly_chance(share: float, hit: float) -> bool:
    """Return whether most of what is hit may be chance.

    Args:
        share: Of places where nothing was planted, how many are hit.
        hit: Of nodules, how many are.
    """
    return share > MANY and share >= MOSTLY * hit


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def withheld_for_chance(
    ruling: Ruling, share: float, operating_point: float, where: str, *, met: bool = True
) -> Ruling:
    """Return a pass as INCONCLUSIVE that findings beside the nodules earn as well.

    Args:
        ruling: The pass.
        share: Of the places where nothing was planted, how many are hit.
        operating_point: A finding of at least this score hits; 0: every finding.
        where: Which places, in words.
        met: Whether the expectation is met there; else nodules are surely hit neither more often nor louder.
    """
    which = f"findings of {operating_point:g} or more" if operating_point else "findings of any score"
    earned = "the expectation is met as well" if met else "nodules are surely hit neither more often nor louder than"
    hit = f", {share:.0%} of which are hit ({which})" if share else ", by findings that hit none of these"
    why = f"sight or noise cannot be told: {earned} where nothing was planted, at {where}{hit}"
    asks = "ask for false_positives_per_image and, where distractors are shown, for distractor in the same run"
    remedy = (
        "Raise the operating point" if operating_point else "Have the detector report less that it does not believe in"
    )
    return ruling.withdrawn(why, f"{remedy}, or {asks}.")


def told_of_chance(ruling: Ruling, share: float, where: str) -> Ruling:
    """Return a pass with the share of hits that mean little."""
    remark = f"; {share:.0%} of {where}, where nothing was planted, are hit as well"
    return replace(ruling, sentence=ruling.sentence + remark)
