"""``equivalent``: an arm and its reference differ by less than a margin, either way."""

from __future__ import annotations

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.margins import Margined, margin_kind
from synnodtest.expectations.paired import against_both, judge_difference
from synnodtest.expectations.worst import with_worst_case


@with_worst_case(against_both)
def equivalent(parameters: Margined, evidence: Evidence) -> Ruling:
    """Arm and reference differ by less than the margin, either way."""
    return judge_difference(parameters, evidence, bound=float(parameters.margin), side="within")


KIND = margin_kind(
    "equivalent",
    "Arm and reference differ by less than the margin, either way.",
    Margined,
    equivalent,
    title="Equivalence",
    rules={"required": ["arm", "reference", "margin"]},
    both=True,
)
