"""``specificity``: the rate of untouched backgrounds without a finding."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.evidence.arm import UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations.fewest import rate_backgrounds, sequential_rate
from synnodtest.expectations.grading import false_alarm
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import IMAGES, one_of, option, share
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.power import rate_power
from synnodtest.expectations.rates import hold_rate, intraclass, planned_bound, rate_bound, verb, where_phrase
from synnodtest.expectations.rule import no_data, rule
from synnodtest.expectations.sequential import EarlyStop


@dataclass(frozen=True)
class Specificity(Selection):
    """Parameters of ``specificity``; one bound is given."""

    at_least: float | None = option("Specificity must exceed this.", share())
    at_most: float | None = option("Specificity must stay below this.", share())


def specificity(parameters: Specificity, evidence: Evidence) -> Ruling:
    """Rate of untouched backgrounds without a finding at or above the operating point."""
    bound, side = rate_bound(parameters)
    criterion = (
        f"specificity (untouched radiographs without a finding) at operating point {evidence.operating_point:g} "
        f"{verb(side)} {bound:g}{where_phrase(parameters)}"
    )
    trials = _trials(parameters, evidence)
    if not trials:
        return no_data(criterion, "untouched background", evidence)
    quiet = [t.false_positives_at(evidence.operating_point) == 0 for t in trials]
    rate = hold_rate("specificity", "specificity", quiet, trials, evidence, bound, side)
    figure = {"kind": "rate"}
    return rule([rate], evidence, criterion, trials, noun="image", intraclass=intraclass(quiet, trials), figure=figure)


def _trials(parameters: Specificity, evidence: Evidence) -> list[Trial]:
    return list(evidence.untouched(parameters.arm, where=parameters.where, strict=True))


def _units(parameters: Specificity, evidence: Evidence) -> list[tuple[str, float]]:
    point = evidence.operating_point
    return [(t.cluster, float(t.false_positives_at(point) == 0)) for t in _trials(parameters, evidence)]


KIND: Kind[Specificity] = Kind(
    name="specificity",
    about="Share of untouched backgrounds without a finding at the operating point.",
    parameters=Specificity,
    ruling=specificity,
    common=IMAGES,
    rules=one_of("at_least", "at_most"),
    arms=lambda p: (UNTOUCHED_ARM,),
    unit=lambda p: "image",
    needs_nodules=False,
    passes_in_silence=lambda p: p.at_least is not None,
    early_stop=EarlyStop(
        bound=rate_bound,
        units=_units,
        trials=_trials,
        label=lambda p: "specificity",
        soonest=lambda p, alpha: sequential_rate(*planned_bound(p), alpha),
    ),
    fewest=lambda p, alpha, per_background: rate_backgrounds(*planned_bound(p), alpha, per_background),
    power=rate_power(planned_bound),
    grade=false_alarm,
)
