"""``invariant``: a perturbation changes a metric by less than a margin, either way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import number, one_of, option, reference
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
class Invariant(Compared):
    """Parameters of ``invariant``: a perturbation, or two arms that the scenes have."""

    margin: float = option("Margin, in units of the metric.", number(above=0))
    under: Sequence[tuple[str, Any]] | None = option(
        "The perturbation; it makes an arm of its own, compared with the unperturbed scenes. "
        "In place of arm and reference.",
        reference("perturbations"),
    )


@with_worst_case(against_both)
def invariant(parameters: Invariant, evidence: Evidence) -> Ruling:
    """A perturbation changes the metric by less than the margin: an arm of its own, or two that the scenes have."""
    return judge_difference(parameters, evidence, bound=float(parameters.margin), side="within")


KIND = Kind(
    name="invariant",
    about="A perturbation changes the metric by less than the margin, either way.",
    parameters=Invariant,
    ruling=invariant,
    title="Invariance",
    rules={"required": ["margin"], **one_of("under", ("arm", "reference"))},
    arms=paired_needs,
    unit=comparison_unit,
    asks=margin_below_1,
    fewest=lambda p, alpha, per_background: agreeing_backgrounds(p, float(p.margin), alpha, per_background),
    power=paired_power(lambda p: float(p.margin) if p.rates else None, both=True),
)
