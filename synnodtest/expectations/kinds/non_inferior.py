"""``non_inferior``: an arm is worse than its reference by less than a margin."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.fewest import sequential_pairs
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import number, option
from synnodtest.expectations.paired import (
    LOWER_IS_BETTER,
    Compared,
    against_arm,
    agreeing_backgrounds,
    comparison_unit,
    judge_difference,
    margin_below_1,
    paired_needs,
    sequential_stop,
)
from synnodtest.expectations.power import paired_power
from synnodtest.expectations.worst import with_worst_case

__all__ = ["KIND"]


@dataclass(frozen=True)
class NonInferior(Compared):
    """Parameters of ``non_inferior``."""

    margin: float = option("Margin, in units of the metric.", number(above=0))


@with_worst_case(against_arm)
def non_inferior(parameters: NonInferior, evidence: Evidence) -> Ruling:
    """The arm is worse than the reference by less than the margin."""
    margin = float(parameters.margin)
    if parameters.metric in LOWER_IS_BETTER:
        return judge_difference(parameters, evidence, bound=margin, side="below")
    return judge_difference(parameters, evidence, bound=-margin, side="above")


KIND = Kind(
    name="non_inferior",
    about="The arm is worse than its reference by less than the margin.",
    parameters=NonInferior,
    ruling=non_inferior,
    title="Non-inferiority",
    rules={"required": ["arm", "reference", "margin"]},
    arms=paired_needs,
    unit=comparison_unit,
    asks=margin_below_1,
    early_stop=sequential_stop(
        lambda p: -float(p.margin or 0.0), lambda p, alpha: sequential_pairs(float(p.margin), alpha)
    ),
    fewest=lambda p, alpha, per_background: agreeing_backgrounds(p, float(p.margin), alpha, per_background),
    power=paired_power(lambda p: float(p.margin) if p.rates else None, both=False),
)
