"""Margins between an arm and its reference: the declaration that their kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from synnodtest.evidence.ruling import Ruling, Side
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.fewest import difference_backgrounds, gated, sequential_pairs
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import number, option
from synnodtest.expectations.metrics import LOWER_IS_BETTER
from synnodtest.expectations.paired import (
    against_arm,
    against_both,
    judge_difference,
    margin_below_1,
    paired_needs,
    sequential_gate,
    sequential_units,
    wide_margin,
)
from synnodtest.expectations.pairing import Compared
from synnodtest.expectations.power import paired_power
from synnodtest.expectations.sequential import EarlyStop
from synnodtest.expectations.worst import with_worst_case


@dataclass(frozen=True)
class Margined(Compared):
    """Parameters of an expectation that allows a difference below a margin."""

    margin: float = option("Margin, in units of the metric.", number(above=0))


M = TypeVar("M", bound=Margined)


def margin_kind(
    name: str,
    about: str,
    parameters: type[M],
    *,
    gain: Literal[-1, 1] | None,
    title: str,
    rules: Mapping[str, object],
    **further: Any,
) -> Kind[M]:
    """Return the kind.

    Args:
        name: Its name in specs.
        about: What it asks, in a sentence.
        parameters: Class of its parameters.
        gain: By how many margins the arm must be better than its reference; None: the difference is bounded either way.
        title: Its name in the report.
        rules: Further JSON Schema.
        further: Other fields of :class:`Kind`, in place of these.
    """

    def bound(p: M) -> tuple[float, Side]:
        if gain is None:
            return float(p.margin), "within"
        least = gain * float(p.margin)
        return (-least, "below") if p.metric in LOWER_IS_BETTER else (least, "above")

    @with_worst_case(against_both if gain is None else against_arm)
    def ruling(p: M, evidence: Evidence) -> Ruling:
        limit, side = bound(p)
        return judge_difference(p, evidence, bound=limit, side=side)

    early_stop: EarlyStop[M] = EarlyStop(
        bound=bound,
        units=sequential_units,
        label=lambda p: f"difference in {p.metric}",
        soonest=lambda p, alpha: sequential_pairs(float(p.margin), alpha) if gain == -1 else None,
        able=lambda p: p.rates,
        paired=True,
        one_pair_each=lambda p: not p.on_images,
        worst_scores=against_arm,
        gate=lambda p, evidence: sequential_gate(p, evidence, bound(p)[0]),
    )
    kind = Kind(
        name=name,
        about=about,
        parameters=parameters,
        ruling=ruling,
        title=title,
        rules=rules,
        arms=paired_needs,
        hits_alone=lambda p: not p.on_images,
        asks_little=wide_margin,
        unit=lambda p: "image" if p.on_images else "nodule",
        asks=margin_below_1,
        early_stop=None if gain is None else early_stop,
        fewest=_agreeing_backgrounds,
        power=paired_power(lambda p: float(p.margin) if p.rates else None, both=gain is None),
    )
    return replace(kind, **further)


def _agreeing_backgrounds(parameters: Margined, alpha: float, per_background: float) -> int | None:
    """Return the fewest backgrounds that show arms that agree fully to differ by less than the margin."""
    pairs = difference_backgrounds(float(parameters.margin), parameters.rates, alpha, per_background)
    return gated(pairs, float(parameters.reference_at_least), alpha)
