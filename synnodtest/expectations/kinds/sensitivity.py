"""``sensitivity``: the rate of planted nodules that are hit."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.fewest import rate_backgrounds, sequential_rate
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import one_of, option, share
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.power import rate_power
from synnodtest.expectations.rates import (
    by_diameter,
    hold_sensitivity,
    intraclass,
    planned_bound,
    rate_bound,
    verb,
    where_phrase,
)
from synnodtest.expectations.rule import no_data, rule, selected
from synnodtest.expectations.sequential import EarlyStop
from synnodtest.expectations.worst import against_rate, with_worst_case


@dataclass(frozen=True)
class Sensitivity(Selection):
    """Parameters of ``sensitivity``; one bound is given."""

    at_least: float | None = option("Sensitivity must exceed this.", share())
    at_most: float | None = option("Sensitivity must stay below this.", share())


@with_worst_case(against_rate)
def sensitivity(parameters: Sensitivity, evidence: Evidence) -> Ruling:
    """Rate of planted nodules that a finding at or above the operating point hits."""
    bound, side = rate_bound(parameters)
    criterion = (
        f"sensitivity at operating point {evidence.operating_point:g} {verb(side)} {bound:g}{where_phrase(parameters)}"
    )
    pairs = selected(parameters, evidence)
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    component = hold_sensitivity(pairs, evidence, bound, side)
    hits = [nodule.detected(evidence.operating_point) for _, nodule in pairs]
    return rule(
        [component],
        evidence,
        criterion,
        [t for t, _ in pairs],
        intraclass=intraclass(hits, [t for t, _ in pairs]),
        figure={"kind": "rate"},
        details={"by requested diameter": by_diameter(pairs, evidence)},
    )


def _units(parameters: Sensitivity, evidence: Evidence) -> list[tuple[str, float]]:
    point = evidence.operating_point
    return [(t.cluster, float(n.detected(point))) for t, n in selected(parameters, evidence)]


KIND: Kind[Sensitivity] = Kind(
    name="sensitivity",
    about="Share of nodules that are hit at the operating point.",
    parameters=Sensitivity,
    ruling=sensitivity,
    rules=one_of("at_least", "at_most"),
    passes_in_silence=lambda p: p.at_most is not None,
    hits_alone=lambda p: p.at_least is not None,
    wants_silence=lambda p: p.at_most is not None,
    early_stop=EarlyStop(
        bound=rate_bound,
        units=_units,
        trials=lambda p, evidence: [t for t, _ in selected(p, evidence)],
        label=lambda p: "sensitivity",
        soonest=lambda p, alpha: sequential_rate(*planned_bound(p), alpha),
    ),
    fewest=lambda p, alpha, per_background: rate_backgrounds(*planned_bound(p), alpha, per_background),
    power=rate_power(planned_bound),
)
