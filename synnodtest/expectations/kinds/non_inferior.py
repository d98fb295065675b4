"""``non_inferior``: an arm is worse than its reference by less than a margin."""

from __future__ import annotations

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.fewest import sequential_pairs
from synnodtest.expectations.margins import Margined, margin_kind
from synnodtest.expectations.metrics import LOWER_IS_BETTER
from synnodtest.expectations.paired import against_arm, judge_difference, sequential_stop
from synnodtest.expectations.worst import with_worst_case


@with_worst_case(against_arm)
def non_inferior(parameters: Margined, evidence: Evidence) -> Ruling:
    """The arm is worse than the reference by less than the margin."""
    margin = float(parameters.margin)
    if parameters.metric in LOWER_IS_BETTER:
        return judge_difference(parameters, evidence, bound=margin, side="below")
    return judge_difference(parameters, evidence, bound=-margin, side="above")


KIND = margin_kind(
    "non_inferior",
    "The arm is worse than its reference by less than the margin.",
    Margined,
    non_inferior,
    title="Non-inferiority",
    rules={"required": ["arm", "reference", "margin"]},
    both=False,
    early_stop=sequential_stop(
        lambda p: -float(p.margin or 0.0), lambda p, alpha: sequential_pairs(float(p.margin), alpha)
    ),
)
