"""``froc``: sensitivity at a number of false positives per image."""

from __future__ import annotations

from dataclasses import dataclass, replace

from synnodtest.counted import counted
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.bounds import hold, no_narrower
from synnodtest.expectations.curve_kind import curve_kind
from synnodtest.expectations.curves import (
    bootstrapped,
    curve_figure,
    hits_at,
    owners,
    rule_on_curve,
    sensitivity_at,
)
from synnodtest.expectations.language import number, option, share
from synnodtest.expectations.ledger import ledger_of
from synnodtest.expectations.limits import many_false_positives
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.rates import where_phrase
from synnodtest.expectations.rule import no_data
from synnodtest.expectations.worst import missed, with_worst_case
from synnodtest.statistics import Estimate, clustered_rate


@dataclass(frozen=True)
class Froc(Selection):
    """Parameters of ``froc``."""

    at_false_positives_per_image: float = option(
        "The place on the curve. Default 0.25.", number(above=0), 0.25, stated=True
    )
    at_least: float = option("Sensitivity there must exceed this.", share())


@with_worst_case(missed)
def froc(parameters: Froc, evidence: Evidence) -> Ruling:
    """Sensitivity at a number of false positives per image, all images pooled; a step function."""
    at, bound = float(parameters.at_false_positives_per_image), float(parameters.at_least)
    rate = counted(at, "false positive", shown=f"{at:g}")
    criterion = f"sensitivity at {rate} per image exceeds {bound:g}{where_phrase(parameters)}"
    ledger = ledger_of(parameters, evidence)
    if not ledger.positives:
        return no_data(criterion, "nodule", evidence)
    hits, clusters = hits_at(ledger, at), owners(ledger)

    def estimator(alpha: float) -> Estimate:
        """Widen the bootstrap to the exact interval at the observed threshold: near 0 and 1 it is too narrow."""
        drawn, exact = bootstrap(alpha), clustered_rate(hits, clusters, alpha=alpha)
        if not exact.usable:
            return replace(exact, value=drawn.value)
        return no_narrower(drawn, exact)

    bootstrap = bootstrapped(ledger, lambda weights: sensitivity_at(ledger, weights, at), evidence)
    component = hold(
        "froc",
        f"sensitivity at {rate} per image",
        estimator,
        alpha=evidence.alpha,
        bound=bound,
        side="above",
    )
    return rule_on_curve(
        [component], ledger, evidence, criterion, {"kind": "froc", "at": at, **curve_figure(ledger, evidence)}
    )


KIND = curve_kind(
    name="froc",
    about="Sensitivity at a number of false positives per image.",
    parameters=Froc,
    ruling=froc,
    title="Free-response curve (FROC)",
    asks_little=lambda p: many_false_positives(p.at_false_positives_per_image),
)
