"""``distractor``: what looks like a nodule and is none is not reported: the rate of those with a finding on them."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.evidence.arm import OWN, UNTOUCHED_ARM
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations.kind import Grade
from synnodtest.expectations.language import Selection, option, share
from synnodtest.expectations.rate_kind import rate_kind
from synnodtest.expectations.rates import Pairs, detections, hold_rate
from synnodtest.expectations.rule import Held
from synnodtest.expectations.worst import missed, with_worst_case
from synnodtest.matching import Matching, lies_on


@dataclass(frozen=True)
class Distractor(Selection):
    """Parameters of ``distractor``; ``of`` names a distractor, ``where`` and ``by`` know ``mimic`` and ``size_mm``."""

    at_most: float = option("Share of distractors with a finding on them must stay below this.", share(above=0))


def _judged(parameters: Distractor, evidence: Evidence) -> Pairs:
    return evidence.mimics(parameters.arm, of=parameters.of, where=parameters.where)


def _units(parameters: Distractor, evidence: Evidence) -> list[tuple[Trial, bool]]:
    return detections(_judged(parameters, evidence), evidence)


def _without(parameters: Distractor, evidence: Evidence) -> list[Held]:
    """Describe the same rate at the same places of the untouched backgrounds; nothing is decided on it."""
    matching = Matching.from_dict(parameters.matching)
    bare = {(t.background, t.scene.perturbations): t for t in evidence.untouched(parameters.arm)}
    fires = [
        (trial, _fires(bare[alike], mimic, matching, evidence.operating_point))
        for trial, mimic in _judged(parameters, evidence)
        if (alike := (trial.background, trial.scene.perturbations)) in bare
    ]
    label = "rate of findings at the same places without the distractors"
    bound = float(parameters.at_most)
    return [hold_rate("without", label, fires, evidence, bound, "below", role="shown")] if fires else []


def _fires(bare: Trial, mimic: NoduleTrial, matching: Matching, point: float) -> bool:
    loud = [s.finding for s in bare.sightings if s.finding.score >= point]
    return any(lies_on(finding, mimic.truth, bare.spacing_mm, matching) for finding in loud)


def _by_kind(parameters: Distractor, evidence: Evidence) -> dict[str, object]:
    groups: dict[str, list[bool]] = {}
    for _, mimic in _judged(parameters, evidence):
        hits = groups.setdefault(str(mimic.requested.get("mimic", mimic.name)), [])
        hits.append(mimic.detected(evidence.operating_point))
    rows = [
        {"mimic": kind, "distractors": len(hits), "reported": sum(hits), "rate": round(sum(hits) / len(hits), 4)}
        for kind, hits in sorted(groups.items())
    ]
    return {"by kind": rows}


def _has_judged(parameters: Distractor, trial: Trial) -> bool:
    """Return whether an excluded scene has a distractor that would have been judged: each counts as reported."""
    return bool(_judged(parameters, Evidence((trial,))))


def _grade(parameters: Distractor, trial: Trial, point: float) -> Grade:
    loudest = max((mimic.confidence for mimic in trial.mimics if parameters.of in (None, mimic.name)), default=0.0)
    return Grade(loudest >= point, loudest)


KIND = rate_kind(
    "distractor",
    "Share of distractors with a finding on them at the operating point; a finding on one is a false positive.",
    Distractor,
    units=_units,
    criterion="the rate of distractors with a finding of at least {point:g} on them",
    nothing="distractor",
    worst_case=with_worst_case(missed, concerned=_has_judged),
    bound=lambda p: (float(p.at_most), "below"),
    called="distractor rate",
    label="rate of distractors with a finding on them",
    noun="distractor",
    shown=_without,
    details=_by_kind,
    rules={"required": ["at_most"]},
    arms=lambda p: (OWN, UNTOUCHED_ARM),
    needs_nodules=False,
    judges_distractors=True,
    passes_in_silence=lambda p: True,
    grade=_grade,
)
