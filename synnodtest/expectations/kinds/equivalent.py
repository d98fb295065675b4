"""``equivalent``: an arm and its reference differ by less than a margin, either way."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import number, option
from synnodtest.expectations.paired import (
    Compared,
    against_both,
    agreeing_backgrounds,
    comparison_unit,
    judge_difference,
    margin_below_1,
    paired_needs,
)
from synnodtest.expectations.power import paired_power
from synnodtest.expectations.worst import with_worst_case

__all__ = ["KIND"]


@dataclass(frozen=True)
class Equivalent(Compared):
    """Parameters of ``equivalent``."""

    margin: float = option("Margin, in units of the metric.", number(above=0))


@with_worst_case(against_both)
def equivalent(parameters: Equivalent, evidence: Evidence) -> Ruling:
    """Arm and reference differ by less than the margin, either way."""
    return judge_difference(parameters, evidence, bound=float(parameters.margin), side="within")


KIND = Kind(
    name="equivalent",
    about="Arm and reference differ by less than the margin, either way.",
    parameters=Equivalent,
    ruling=equivalent,
    title="Equivalence",
    rules={"required": ["arm", "reference", "margin"]},
    arms=paired_needs,
    unit=comparison_unit,
    asks=margin_below_1,
    fewest=lambda p, alpha, per_background: agreeing_backgrounds(p, float(p.margin), alpha, per_background),
    power=paired_power(lambda p: float(p.margin) if p.rates else None, both=True),
)
