"""Which scenes of an expectation speak against the detector, and how much: the order of the gallery."""

from __future__ import annotations

from typing import Any, NamedTuple

from synnodtest.evidence.trial import Trial

__all__ = ["Grade", "false_alarm", "finding_in_region", "missed_nodule"]


class Grade(NamedTuple):
    """What a scene says of the detector.

    Args:
        bad: Whether it speaks against it.
        severity: How much, among scenes that do.
    """

    bad: bool
    severity: float


def missed_nodule(parameters: Any, trial: Trial, point: float) -> Grade:
    """Grade by the nodule: missed, and the worse the larger and denser it is."""
    nodule = trial.nodule(getattr(parameters, "of", None))
    bad = nodule is not None and not nodule.detected(point)
    return Grade(bad, 0.0 if nodule is None else nodule.requested_mm * nodule.truth.contrast)


def false_alarm(parameters: Any, trial: Trial, point: float) -> Grade:
    """Grade by false positives: the worse the more and the louder they are."""
    count = trial.false_positives_at(point)
    return Grade(count > 0, float(count) + _loudest(trial))


def finding_in_region(parameters: Any, trial: Trial, point: float) -> Grade:
    """Grade by findings in the region of the expectation, in the behaviour's own arms: the worse the louder."""
    bad = trial.arm.is_own and trial.fires_in(parameters.region, point)
    return Grade(bad, _loudest(trial))


def _loudest(trial: Trial) -> float:
    return max((s.finding.score for s in trial.sightings), default=0.0)
