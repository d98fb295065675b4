"""Checks of two arms: ``non_inferior``, ``superior``, ``equivalent`` and ``invariant``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.evidence.ruling import Ruling, Side
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.common import hold, no_data, rule
from synnodtest.expectations.paired import (
    LOWER_IS_BETTER,
    ON_IMAGES,
    Comparison,
    against_arm,
    against_both,
    compare,
    difference,
    paired_figure,
    paired_needs,
    reference_gate,
    table,
)
from synnodtest.expectations.rates import where_phrase
from synnodtest.expectations.registry import check
from synnodtest.expectations.worst import with_worst_case

__all__ = ["equivalent", "invariant", "non_inferior", "superior"]


@check("non_inferior", needs=paired_needs)
@with_worst_case(against_arm)
def non_inferior(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """The arm is worse than the reference by less than the margin."""
    margin = float(parameters["margin"])
    if parameters.get("metric") in LOWER_IS_BETTER:
        return _judge(parameters, evidence, bound=margin, side="below")
    return _judge(parameters, evidence, bound=-margin, side="above")


@check("superior", needs=paired_needs)
@with_worst_case(against_arm)
def superior(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """The arm is better than the reference by more than the margin."""
    margin = float(parameters.get("margin", 0.0))
    if parameters.get("metric") in LOWER_IS_BETTER:
        return _judge(parameters, evidence, bound=-margin, side="below")
    return _judge(parameters, evidence, bound=margin, side="above")


@check("equivalent", needs=paired_needs)
@with_worst_case(against_both)
def equivalent(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Arm and reference differ by less than the margin, either way."""
    return _judge(parameters, evidence, bound=float(parameters["margin"]), side="within")


@check("invariant", needs=paired_needs)
@with_worst_case(against_both)
def invariant(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """A perturbation changes the metric by less than the margin: an arm of its own, or two that the scenes have."""
    return _judge(parameters, evidence, bound=float(parameters["margin"]), side="within")


def _judge(parameters: Mapping[str, Any], evidence: Evidence, *, bound: float, side: Side) -> Ruling:
    """Hold the paired difference against its bound, gated by the reference's sensitivity."""
    compared = compare(parameters, evidence)
    criterion = _criterion(parameters, evidence, compared, bound, side)
    if not compared.trials:
        return no_data(criterion, "pair", evidence)
    held = hold(
        "difference",
        compared.label,
        lambda alpha: difference(compared, evidence, alpha),
        alpha=evidence.alpha,
        bound=bound,
        side=side,
        unit=compared.unit,
    )
    _, n10, n01, _ = table(compared)
    counted = compared.metric in {"sensitivity", "specificity"}
    figure = paired_figure(parameters, evidence, compared)
    if side == "within":
        figure |= {"kind": "equivalence", "margin": bound}
    return rule(
        [held, reference_gate(parameters, compared, evidence)],
        evidence,
        criterion,
        compared.trials,
        noun="pair",
        counts=f", {n10 + n01} of them discordant" if counted else "",
        notes=compared.notes(),
        figure=figure,
    )


def _criterion(
    parameters: Mapping[str, Any], evidence: Evidence, compared: Comparison, bound: float, side: Side
) -> str:
    arm, reference = compared.names
    metric = compared.metric.replace("_", " ")
    if compared.metric in ON_IMAGES and not any(t.arm.startswith("@") for t in compared.trials):
        metric += " (findings that hit no nodule, on images with nodules)"
    verb = {"above": f"exceeds {bound:g}", "below": f"stays below {bound:g}", "within": f"lies within ±{bound:g}"}[side]
    point = "" if compared.metric == "confidence" else f" at operating point {evidence.operating_point:g}"
    return f"{metric} in {arm!r} minus {reference!r} {verb}{point}{where_phrase(parameters)}"
