"""``detected``: the rate of scenes whose nodules are all hit."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations.fewest import rate_backgrounds, sequential_rate
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import option, share
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.power import rate_power
from synnodtest.expectations.rates import by_diameter, hold_rate, intraclass, where_phrase
from synnodtest.expectations.rule import no_data, rule, selected
from synnodtest.expectations.sequential import EarlyStop
from synnodtest.expectations.worst import against_rate, with_worst_case


@dataclass(frozen=True)
class Detected(Selection):
    """Parameters of ``detected``."""

    rate_at_least: float = option("The share must exceed this.", share())


@with_worst_case(against_rate)
def detected(parameters: Detected, evidence: Evidence) -> Ruling:
    """Rate of scenes in which every nodule that is judged is hit."""
    bound = float(parameters.rate_at_least)
    criterion = (
        f"the rate of scenes with all nodules detected at operating point {evidence.operating_point:g} "
        f"exceeds {bound:g}{where_phrase(parameters)}"
    )
    scenes: dict[int, tuple[Trial, list[bool]]] = {}
    for trial, nodule in selected(parameters, evidence):
        scenes.setdefault(id(trial), (trial, []))[1].append(nodule.detected(evidence.operating_point))
    if not scenes:
        return no_data(criterion, "scene with a nodule", evidence)
    trials, hits = [t for t, _ in scenes.values()], [all(h) for _, h in scenes.values()]
    component = hold_rate("detected", "rate of scenes with all nodules detected", hits, trials, evidence, bound)
    return rule(
        [component],
        evidence,
        criterion,
        trials,
        noun="scene",
        intraclass=intraclass(hits, trials),
        figure={"kind": "rate"},
        details={"by requested diameter": by_diameter(selected(parameters, evidence), evidence)},
    )


def _trials(parameters: Detected, evidence: Evidence) -> list[Trial]:
    return list({id(t): t for t, _ in selected(parameters, evidence)}.values())


def _units(parameters: Detected, evidence: Evidence) -> list[tuple[str, float]]:
    point = evidence.operating_point
    missed = {id(t) for t, n in selected(parameters, evidence) if not n.detected(point)}
    return [(t.cluster, float(id(t) not in missed)) for t in _trials(parameters, evidence)]


def _planned(parameters: Detected) -> tuple[float, bool]:
    return float(parameters.rate_at_least), False


KIND = Kind(
    name="detected",
    about="Share of scenes whose nodules are all hit at the operating point.",
    parameters=Detected,
    ruling=detected,
    rules={"required": ["rate_at_least"]},
    hits_alone=lambda p: True,
    unit=lambda p: "scene",
    early_stop=EarlyStop(
        bound=lambda p: (float(p.rate_at_least), "above"),
        units=_units,
        trials=_trials,
        label=lambda p: "detected",
        soonest=lambda p, alpha: sequential_rate(*_planned(p), alpha),
    ),
    fewest=lambda p, alpha, per_background: rate_backgrounds(*_planned(p), alpha, per_background),
    power=rate_power(_planned),
)
