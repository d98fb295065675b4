"""Check of ``non_inferior``: an arm against a reference arm on the same backgrounds, nodules and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.checks.common import component, counts_phrase, no_data, sentence_for
from synnodtest.checks.rates import sensitivity_component
from synnodtest.checks.registry import check
from synnodtest.checks.ruling import Component, Ruling, Side, combine
from synnodtest.planning.trial import Evidence, NoduleTrial, Trial
from synnodtest.statistics import Estimate, paired_mean, tango

__all__ = ["REFERENCE_AT_LEAST", "Pair", "non_inferior", "paired_difference", "pairs_of", "table"]

REFERENCE_AT_LEAST = 0.2
"""Least sensitivity that the reference must show: two silent arms prove nothing."""

Pair = tuple[tuple[Trial, NoduleTrial], tuple[Trial, NoduleTrial]]


def pairs_of(parameters: Mapping[str, Any], evidence: Evidence) -> list[Pair]:
    """Return the same nodule in both arms: ``((trial, nodule) in arm, (trial, nodule) in reference)``."""
    of, where = parameters.get("of"), parameters.get("where")
    arm = _by_unit(evidence.nodules(parameters["arm"], of=of, where=where))
    reference = _by_unit(evidence.nodules(parameters["reference"], of=of, where=where))
    return [(arm[unit], reference[unit]) for unit in reference if unit in arm]


def _by_unit(pairs: list[tuple[Trial, NoduleTrial]]) -> dict[tuple[Any, ...], tuple[Trial, NoduleTrial]]:
    return {
        (trial.background, trial.replicate, tuple(sorted(trial.levels.items())), nodule.name): (trial, nodule)
        for trial, nodule in pairs
    }


def table(pairs: list[Pair], operating_point: float) -> tuple[int, int, int, int]:
    """Return n11, n10, n01, n00: detected in both, only in the arm, only in the reference, in neither."""
    cells = [(a.detected(operating_point), r.detected(operating_point)) for (_, a), (_, r) in pairs]
    n11, n10 = cells.count((True, True)), cells.count((True, False))
    n01, n00 = cells.count((False, True)), cells.count((False, False))
    return n11, n10, n01, n00


def paired_difference(pairs: list[Pair], evidence: Evidence, alpha: float) -> Estimate:
    """Estimate arm minus reference: Tango with one pair per cluster, else Student's t over cluster means."""
    clusters = [trial.cluster for (trial, _), _ in pairs]
    point = evidence.operating_point
    if len(set(clusters)) == len(clusters):
        return tango(*table(pairs, point), alpha=alpha)
    differences = [float(a.detected(point)) - float(r.detected(point)) for (_, a), (_, r) in pairs]
    return paired_mean(differences, clusters, alpha=alpha, seed=evidence.seed)


def reference_gate(parameters: Mapping[str, Any], pairs: list[Pair], evidence: Evidence) -> Component:
    """Return the gate that the reference arm detects anything at all."""
    return sensitivity_component(
        [reference for _, reference in pairs],
        evidence,
        float(parameters.get("reference_at_least", REFERENCE_AT_LEAST)),
        label=f"sensitivity of the reference arm {parameters['reference']!r}",
        role="gate",
    )


@check("non_inferior")
def non_inferior(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Sensitivity in the arm is not lower than in the reference by the margin or more."""
    margin = float(parameters["margin"])
    criterion = (
        f"sensitivity in arm {parameters['arm']!r} minus arm {parameters['reference']!r} exceeds {-margin:g} "
        f"at operating point {evidence.operating_point:g}"
    )
    return judge_difference(parameters, evidence, criterion, bound=-margin, side="above")


def judge_difference(
    parameters: Mapping[str, Any], evidence: Evidence, criterion: str, *, bound: float, side: Side
) -> Ruling:
    """Hold the paired difference of sensitivities against a bound, gated by the reference's sensitivity."""
    pairs = pairs_of(parameters, evidence)
    if not pairs:
        return no_data(criterion, "pair of nodules", evidence)
    difference, estimate = component(
        "difference",
        f"difference in sensitivity ({parameters['arm']} - {parameters['reference']})",
        lambda alpha: paired_difference(pairs, evidence, alpha),
        alpha=evidence.alpha,
        bound=bound,
        side=side,
        unit="difference",
    )
    parts = (difference, reference_gate(parameters, pairs, evidence))
    status = combine(parts)
    n11, n10, n01, n00 = table(pairs, evidence.operating_point)
    trials = [trial for (trial, _), _ in pairs]
    backgrounds = len({t.background for t in trials})
    return Ruling(
        status=status,
        sentence=sentence_for(
            status,
            parts,
            evidence.alpha,
            counts_phrase(len(pairs), backgrounds, "pair") + f", {n10 + n01} of them discordant",
        ),
        criterion=criterion,
        components=parts,
        n_nodules=len(pairs),
        n_backgrounds=backgrounds,
        n_clusters=len({t.cluster for t in trials}),
        alpha=evidence.alpha,
        notes=estimate.flags,
        figure={
            "kind": "paired",
            "n11": n11,
            "n10": n10,
            "n01": n01,
            "n00": n00,
            "labels": [parameters["arm"], parameters["reference"]],
            "pairs": [[a.confidence, r.confidence] for (_, a), (_, r) in pairs],
        },
    )
