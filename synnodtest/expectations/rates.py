"""Single rates held against a bound, and their words: the shared part of their kinds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from synnodtest.evidence.conditions import as_condition
from synnodtest.evidence.ruling import Role, Side
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, cluster_counts
from synnodtest.expectations.language import Selection
from synnodtest.expectations.limits import REFERENCE_AT_LEAST
from synnodtest.expectations.rule import Held, hold
from synnodtest.statistics import Estimate, clustered_rate, icc
from synnodtest.statistics import size_at_sensitivity as estimate_size

Pairs = Sequence[tuple[Trial, NoduleTrial]]
Units = Sequence[tuple[Trial, float]]
"""Scene and value of each unit; of a rate, whether it is a success."""


def rate_bound(parameters: Any) -> tuple[float, Side]:
    """Return the bound and its side from ``at_least:`` or ``at_most:``, of which one is given."""
    if parameters.at_least is not None:
        return float(parameters.at_least), "above"
    return float(parameters.at_most or 0.0), "below"


def hold_rate(
    name: str,
    label: str,
    units: Units,
    evidence: Evidence,
    bound: float,
    side: Side = "above",
    *,
    role: Role = "decides",
) -> Held:
    """Hold the rate of units that are true: Clopper-Pearson, or guarded Korn-Graubard where clusters repeat."""
    hits, clusters = [hit for _, hit in units], [trial.cluster for trial, _ in units]

    def estimator(alpha: float) -> Estimate:
        return clustered_rate(hits, clusters, alpha=alpha)

    return hold(name, label, estimator, evidence.alpha, bound, side, role=role)


def sensitivity_gate(
    pairs: Pairs, evidence: Evidence, least: float = REFERENCE_AT_LEAST, label: str = "sensitivity"
) -> Held:
    """Return the gate that more of these nodules are detected than a share that is asked for."""
    return hold_rate("sensitivity", label, detections(pairs, evidence), evidence, least, role="gate")


def detections(pairs: Pairs, evidence: Evidence) -> list[tuple[Trial, bool]]:
    """Return each nodule's scene, and whether the nodule is hit at the operating point."""
    return [(trial, nodule.detected(evidence.operating_point)) for trial, nodule in pairs]


def by_diameter(pairs: Pairs, evidence: Evidence) -> list[dict[str, object]]:
    """Return detected nodules per requested diameter: per level of a sweep, else in bands of 5 mm.

    The 95% interval of each allows for nodules that share a cluster, as the interval that decides does.
    """
    diameters = sorted({n.requested_mm for _, n in pairs})
    exact = len(diameters) <= 12 and all(round(mm, 1) == mm for mm in diameters)  # drawn ones have more decimals
    groups: dict[float, tuple[list[bool], list[str]]] = {}
    for trial, nodule in pairs:
        key = nodule.requested_mm if exact else 5.0 * np.floor(nodule.requested_mm / 5.0)
        hits, clusters = groups.setdefault(float(key), ([], []))
        hits.append(nodule.detected(evidence.operating_point))
        clusters.append(trial.cluster)
    return [
        {"diameter": f"{key:g} mm" if exact else f"{key:g} to {key + 5:g} mm", **_rate_row(*group)}
        for key, group in sorted(groups.items())
    ]


def _rate_row(hits: Sequence[bool], clusters: Sequence[str]) -> dict[str, object]:
    ends = clustered_rate(hits, clusters, alpha=0.025)
    row = {"rate": sum(hits) / len(hits), "rate, 95% lower": ends.lower, "rate, 95% upper": ends.upper}
    return {"nodules": len(hits), "detected": int(sum(hits)), **{k: round(float(v), 4) for k, v in row.items()}}


def where_phrase(parameters: Selection) -> str:
    """Return the ``where`` of an expectation in words, with a blank before; empty if there is none."""
    where = parameters.where
    if not where:
        return ""
    words = {"at_least": "at least", "at_most": "at most", "below": "below", "equals": "equal to", "in": "in"}
    parts = [
        f"{name} {words.get(op, op)} {_text(value)}"
        for name, condition in where.items()
        for op, value in as_condition(condition).items()
        for op, value in [as_asked(op, value)]
    ]
    return " where " + " and ".join(parts)


def as_asked(op: str, value: Any) -> tuple[str, Any]:
    """Return a condition as a reader puts it: at most the last number before a bin's edge is ``below`` the edge."""
    if op == "at_most" and isinstance(value, float):
        edge = math.nextafter(value, math.inf)
        if float(f"{value:g}") == edge:
            return "below", edge
    return op, value


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def verb(side: Side) -> str:
    """Return the verb of a criterion."""
    return "exceeds" if side == "above" else "stays below"


def intraclass(units: Units) -> float:
    """Return the correlation of units within a cluster."""
    return icc(*cluster_counts((trial.cluster, bool(hit)) for trial, hit in units))


def diameter_at(pairs: Pairs, evidence: Evidence, level: float, alpha: float, *, guarded: bool = False) -> Estimate:
    """Estimate the requested diameter at which sensitivity reaches ``level``; ``guarded`` for decisions."""
    return estimate_size(
        [n.requested_mm for _, n in pairs],
        [n.detected(evidence.operating_point) for _, n in pairs],
        [t.cluster for t, _ in pairs],
        level,
        alpha=alpha,
        guarded=guarded,
    )
