"""``distractor``: what looks like a nodule and is none is not reported as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synnodtest.evidence.arm import OWN, UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations.bounds import Held
from synnodtest.expectations.fewest import rate_backgrounds, sequential_rate
from synnodtest.expectations.grading import Grade
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import option, share
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.power import rate_power
from synnodtest.expectations.rates import Pairs, hold_rate, intraclass, where_phrase
from synnodtest.expectations.rule import no_data, rule
from synnodtest.expectations.sequential import EarlyStop
from synnodtest.expectations.worst import MISSED, as_worst, beside
from synnodtest.matching import Matching, lies_on


@dataclass(frozen=True)
class Distractor(Selection):
    """Parameters of ``distractor``; ``of`` names a distractor, ``where`` and ``by`` know ``mimic`` and ``size_mm``."""

    at_most: float = option("Share of distractors with a finding on them must stay below this.", share(above=0))


def distractor(parameters: Distractor, evidence: Evidence) -> Ruling:
    """Rate of distractors with a finding at or above the operating point on them."""
    bound = float(parameters.at_most)
    criterion = (
        f"the rate of distractors with a finding of at least {evidence.operating_point:g} on them "
        f"stays below {bound:g}{where_phrase(parameters)}"
    )
    pairs = _judged(parameters, evidence)
    if not pairs:
        return no_data(criterion, "distractor", evidence)
    trials, fooled = [t for t, _ in pairs], _fooled(pairs, evidence)
    component = _held(fooled, trials, evidence, bound)
    ruling = rule(
        [component, *_without(parameters, pairs, evidence, bound)],
        evidence,
        criterion,
        trials,
        noun="distractor",
        intraclass=intraclass(fooled, trials),
        figure={"kind": "rate"},
        details={"by kind": _by_kind(pairs, fooled)},
    )
    return _with_excluded(ruling, parameters, evidence)


def _judged(parameters: Distractor, evidence: Evidence) -> Pairs:
    return evidence.mimics(parameters.arm, of=parameters.of, where=parameters.where)


def _fooled(pairs: Pairs, evidence: Evidence) -> list[bool]:
    return [mimic.detected(evidence.operating_point) for _, mimic in pairs]


def _held(fooled: Sequence[bool], trials: Sequence[Trial], evidence: Evidence, bound: float) -> Held:
    label = "rate of distractors with a finding on them"
    return hold_rate("distractor rate", label, fooled, trials, evidence, bound, "below")


def _without(parameters: Distractor, pairs: Pairs, evidence: Evidence, bound: float) -> list[Held]:
    """Describe the same rate at the same places of the untouched backgrounds; nothing is decided on it."""
    matching = Matching.from_dict(parameters.matching)
    bare = {trial.background: trial for trial in evidence.untouched(parameters.arm)}
    there = [(t, m) for t, m in pairs if t.background in bare and t.scene.perturbations == _changes(bare, t)]
    if not there:
        return []
    fires = [_fires(bare[t.background], m, matching, evidence.operating_point) for t, m in there]
    label = "rate of findings at the same places without the distractors"
    trials = [t for t, _ in there]
    return [hold_rate("without", label, fires, trials, evidence, bound, "below", role="shown")]


def _changes(bare: dict[str, Trial], trial: Trial) -> Any:
    return bare[trial.background].scene.perturbations


def _fires(bare: Trial, mimic: NoduleTrial, matching: Matching, point: float) -> bool:
    loud = [s.finding for s in bare.sightings if s.finding.score >= point]
    return any(lies_on(finding, mimic.truth, bare.spacing_mm, matching) for finding in loud)


def _by_kind(pairs: Pairs, fooled: Sequence[bool]) -> list[dict[str, object]]:
    groups: dict[str, list[bool]] = {}
    for (_, mimic), hit in zip(pairs, fooled, strict=True):
        groups.setdefault(str(mimic.requested.get("mimic", mimic.name)), []).append(hit)
    return [
        {"mimic": kind, "distractors": len(hits), "reported": sum(hits), "rate": round(sum(hits) / len(hits), 4)}
        for kind, hits in sorted(groups.items())
    ]


def _with_excluded(ruling: Ruling, parameters: Distractor, evidence: Evidence) -> Ruling:
    """Count every distractor of an excluded scene as reported; a pass that does not survive is INCONCLUSIVE."""
    worst = as_worst(evidence, lambda trial, nodule: MISSED)
    pairs = _judged(parameters, worst)
    scene_ids = {trial.scene_id for trial in evidence.trials}
    excluded = {trial.scene_id for trial, _ in pairs} - scene_ids
    if not excluded:
        return ruling
    trials = [t for t, _ in pairs]
    component = _held(_fooled(pairs, worst), trials, worst, float(parameters.at_most))
    return beside(ruling, rule([component], worst, ruling.criterion, trials, noun="distractor"), len(excluded))


def _grade(parameters: Distractor, trial: Trial, point: float) -> Grade:
    loudest = max((mimic.confidence for mimic in trial.mimics if parameters.of in (None, mimic.name)), default=0.0)
    return Grade(loudest >= point, loudest)


def _planned(parameters: Distractor) -> tuple[float, bool]:
    return float(parameters.at_most), True


KIND: Kind[Distractor] = Kind(
    name="distractor",
    about="Share of distractors with a finding on them at the operating point; a finding on one is a false positive.",
    parameters=Distractor,
    ruling=distractor,
    rules={"required": ["at_most"]},
    arms=lambda p: (OWN, UNTOUCHED_ARM),
    needs_nodules=False,
    judges_distractors=True,
    passes_in_silence=lambda p: True,
    early_stop=EarlyStop(
        bound=lambda p: (float(p.at_most), "below"),
        units=lambda p, evidence: [
            (t.cluster, float(m.detected(evidence.operating_point))) for t, m in _judged(p, evidence)
        ],
        trials=lambda p, evidence: [t for t, _ in _judged(p, evidence)],
        label=lambda p: "distractor rate",
        soonest=lambda p, alpha: sequential_rate(*_planned(p), alpha),
    ),
    fewest=lambda p, alpha, per_background: rate_backgrounds(*_planned(p), alpha, per_background),
    power=rate_power(_planned),
    grade=_grade,
)
