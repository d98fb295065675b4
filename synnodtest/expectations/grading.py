"""Grades of an expectation's scenes, by how much they speak against the detector: the order of the gallery."""

from __future__ import annotations

from typing import Any, NamedTuple

from synnodtest.evidence.trial import NoduleTrial, Trial, holds, nodules_of


class Grade(NamedTuple):
    """Grade of a scene.

    Args:
        bad: Whether it speaks against it.
        severity: How much, among scenes that do.
    """

    bad: bool
    severity: float


def is_judged(parameters: Any, trial: Trial) -> bool:
    """Return whether an expectation judges anything of a scene: its ``arm``, ``of`` and ``where`` select it.

    Conditions on nodules do not speak of a radiograph without one.
    """
    arm, reference = getattr(parameters, "arm", None), getattr(parameters, "reference", None)
    if arm and not reference and not trial.arm.startswith("@") and trial.arm != arm:
        return False
    if trial.nodules:
        return bool(_nodules(parameters, trial))
    where = getattr(parameters, "where", None) or {}
    return all(holds(trial.strata[name], value) for name, value in where.items() if name in trial.strata)


def missed_nodule(parameters: Any, trial: Trial, point: float) -> Grade:
    """Grade by the nodules that are judged: one is missed, and the worse the larger and denser it is."""
    nodules = _nodules(parameters, trial)
    missed = [nodule for nodule in nodules if not nodule.detected(point)]
    sizes = (nodule.requested_mm * nodule.truth.contrast for nodule in missed or nodules)
    return Grade(bool(missed), max(sizes, default=0.0))


def _nodules(parameters: Any, trial: Trial) -> list[NoduleTrial]:
    chosen = nodules_of([trial], getattr(parameters, "of", None), getattr(parameters, "where", None))
    return [nodule for _, nodule in chosen]


def false_alarm(parameters: Any, trial: Trial, point: float) -> Grade:
    """Grade by false positives: the worse the more and the louder they are."""
    count = trial.false_positives_at(point)
    return Grade(count > 0, float(count) + trial.loudest)


def finding_in_region(parameters: Any, trial: Trial, point: float) -> Grade:
    """Grade by findings in the region of the expectation, in the behaviour's own arms: the worse the louder."""
    bad = trial.arm.is_own and trial.fires_in(parameters.region, point)
    return Grade(bad, trial.loudest)
