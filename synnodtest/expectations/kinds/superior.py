"""``superior``: an arm is better than its reference by more than a margin."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.fewest import gated, superior_backgrounds
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import number, option
from synnodtest.expectations.metrics import LOWER_IS_BETTER
from synnodtest.expectations.paired import (
    against_arm,
    comparison_unit,
    judge_difference,
    margin_below_1,
    paired_needs,
    sequential_stop,
)
from synnodtest.expectations.pairing import Compared
from synnodtest.expectations.worst import with_worst_case


@dataclass(frozen=True)
class Superior(Compared):
    """Parameters of ``superior``."""

    margin: float = option("Margin, in units of the metric. Default 0.", number(0), 0, stated=True)


@with_worst_case(against_arm)
def superior(parameters: Superior, evidence: Evidence) -> Ruling:
    """The arm is better than the reference by more than the margin."""
    margin = float(parameters.margin)
    if parameters.metric in LOWER_IS_BETTER:
        return judge_difference(parameters, evidence, bound=-margin, side="below")
    return judge_difference(parameters, evidence, bound=margin, side="above")


def _fewest(parameters: Superior, alpha: float, per_background: float) -> int | None:
    if not parameters.rates:
        return None
    pairs = superior_backgrounds(float(parameters.margin), alpha, per_background)
    return gated(pairs, float(parameters.reference_at_least), alpha)


KIND = Kind(
    name="superior",
    about="The arm is better than its reference by more than the margin.",
    parameters=Superior,
    ruling=superior,
    title="Superiority",
    rules={"required": ["arm", "reference"]},
    arms=paired_needs,
    hits_alone=lambda p: not p.on_images,
    unit=comparison_unit,
    asks=margin_below_1,
    early_stop=sequential_stop(lambda p: float(p.margin), lambda p, alpha: None),
    fewest=_fewest,
)
