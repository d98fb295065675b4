"""Checks of single rates: ``sensitivity``, ``specificity``, ``detected`` and ``false_positives_per_image``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from synnodtest.evidence.arm import UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling, Side
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, cluster_counts
from synnodtest.expectations.common import Held, hold, no_data, rule, selected
from synnodtest.expectations.registry import check
from synnodtest.expectations.worst import against_rate, with_worst_case
from synnodtest.statistics import clustered_rate, count_rate, icc

__all__ = [
    "by_diameter",
    "detected",
    "false_positives_per_image",
    "hold_rate",
    "hold_sensitivity",
    "rate_bound",
    "sensitivity",
    "specificity",
    "where_phrase",
]

Pairs = Sequence[tuple[Trial, NoduleTrial]]


def rate_bound(parameters: Mapping[str, Any]) -> tuple[float, Side]:
    """Return the bound and its side from ``at_least:`` or ``at_most:``."""
    if "at_least" in parameters:
        return float(parameters["at_least"]), "above"
    return float(parameters["at_most"]), "below"


def hold_rate(
    name: str,
    label: str,
    hits: Sequence[bool],
    trials: Sequence[Trial],
    evidence: Evidence,
    bound: float,
    side: Side = "above",
    *,
    role: Literal["decides", "gate", "shown"] = "decides",
) -> Held:
    """Hold a rate against a bound: Clopper-Pearson, or guarded Korn-Graubard where clusters repeat."""
    clusters = [trial.cluster for trial in trials]
    return hold(
        name,
        label,
        lambda alpha: clustered_rate(hits, clusters, alpha=alpha),
        alpha=evidence.alpha,
        bound=bound,
        side=side,
        role=role,
    )


def hold_sensitivity(
    pairs: Pairs,
    evidence: Evidence,
    bound: float,
    side: Side = "above",
    *,
    label: str = "sensitivity",
    role: Literal["decides", "gate", "shown"] = "decides",
) -> Held:
    """Hold the rate of detected nodules against a bound."""
    hits = [nodule.detected(evidence.operating_point) for _, nodule in pairs]
    return hold_rate("sensitivity", label, hits, [t for t, _ in pairs], evidence, bound, side, role=role)


@check("sensitivity")
@with_worst_case(against_rate)
def sensitivity(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Rate of planted nodules that a finding at or above the operating point hits."""
    bound, side = rate_bound(parameters)
    criterion = (
        f"sensitivity at operating point {evidence.operating_point:g} {_verb(side)} {bound:g}{where_phrase(parameters)}"
    )
    pairs = selected(parameters, evidence)
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    held = hold_sensitivity(pairs, evidence, bound, side)
    hits = [nodule.detected(evidence.operating_point) for _, nodule in pairs]
    return rule(
        [held],
        evidence,
        criterion,
        [t for t, _ in pairs],
        intraclass=_icc(hits, [t for t, _ in pairs]),
        figure={"kind": "rate"},
        details={"by requested diameter": by_diameter(pairs, evidence)},
    )


@check("detected")
@with_worst_case(against_rate)
def detected(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Rate of scenes in which every nodule that is judged is hit."""
    bound = float(parameters["rate_at_least"])
    criterion = (
        f"the rate of scenes with all nodules detected at operating point {evidence.operating_point:g} "
        f"exceeds {bound:g}{where_phrase(parameters)}"
    )
    scenes: dict[int, tuple[Trial, list[bool]]] = {}
    for trial, nodule in selected(parameters, evidence):
        scenes.setdefault(id(trial), (trial, []))[1].append(nodule.detected(evidence.operating_point))
    if not scenes:
        return no_data(criterion, "scene with a nodule", evidence)
    trials, hits = [t for t, _ in scenes.values()], [all(h) for _, h in scenes.values()]
    held = hold_rate("detected", "rate of scenes with all nodules detected", hits, trials, evidence, bound)
    return rule(
        [held],
        evidence,
        criterion,
        trials,
        noun="scene",
        intraclass=_icc(hits, trials),
        figure={"kind": "rate"},
        details={"by requested diameter": by_diameter(selected(parameters, evidence), evidence)},
    )


@check("specificity", arms=(UNTOUCHED_ARM,))
def specificity(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Rate of untouched backgrounds without a finding at or above the operating point."""
    bound, side = rate_bound(parameters)
    criterion = (
        f"specificity (untouched radiographs without a finding) at operating point {evidence.operating_point:g} "
        f"{_verb(side)} {bound:g}{where_phrase(parameters)}"
    )
    trials = evidence.untouched(parameters.get("arm"), where=parameters.get("where"), strict=True)
    if not trials:
        return no_data(criterion, "untouched background", evidence)
    quiet = [t.false_positives_at(evidence.operating_point) == 0 for t in trials]
    held = hold_rate("specificity", "specificity", quiet, trials, evidence, bound, side)
    figure = {"kind": "rate"}
    return rule([held], evidence, criterion, trials, noun="image", intraclass=_icc(quiet, trials), figure=figure)


@check("false_positives_per_image", arms=(UNTOUCHED_ARM,))
def false_positives_per_image(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Findings at or above the operating point per untouched background."""
    bound, side = rate_bound(parameters)
    criterion = (
        f"false positives per untouched radiograph at operating point {evidence.operating_point:g} "
        f"stay below {bound:g}{where_phrase(parameters)}"
    )
    trials = evidence.untouched(parameters.get("arm"), where=parameters.get("where"), strict=True)
    if not trials:
        return no_data(criterion, "untouched background", evidence)
    counts = [t.false_positives_at(evidence.operating_point) for t in trials]
    clusters = [t.cluster for t in trials]
    held = hold(
        "false_positives_per_image",
        "false positives per image",
        lambda alpha: count_rate(counts, clusters, alpha=alpha, seed=evidence.seed),
        alpha=evidence.alpha,
        bound=bound,
        side=side,
        unit="per image",
    )
    dispersion = held.estimate.extra.get("dispersion", float("nan"))
    return rule(
        [held],
        evidence,
        criterion,
        trials,
        noun="image",
        notes=[f"variance over mean {dispersion:.2f}; interval: {held.estimate.method}"],
        figure={"kind": "rate"},
        details={
            "images by number of false positives": [
                {"false positives": k, "images": counts.count(k)} for k in sorted(set(counts))
            ]
        },
    )


def by_diameter(pairs: Pairs, evidence: Evidence) -> list[dict[str, Any]]:
    """Return detected nodules per requested diameter: per level of a sweep, else in bands of 5 mm."""
    diameters = sorted({n.requested_mm for _, n in pairs})
    exact = len(diameters) <= 12
    groups: dict[float, list[bool]] = {}
    for _, nodule in pairs:
        key = nodule.requested_mm if exact else 5.0 * np.floor(nodule.requested_mm / 5.0)
        groups.setdefault(float(key), []).append(nodule.detected(evidence.operating_point))
    return [
        {
            "diameter": f"{key:g} mm" if exact else f"{key:g} to {key + 5:g} mm",
            "nodules": len(hits),
            "detected": int(sum(hits)),
            "rate": round(sum(hits) / len(hits), 4),
        }
        for key, hits in sorted(groups.items())
    ]


def where_phrase(parameters: Mapping[str, Any]) -> str:
    """Return the ``where`` of an expectation in words, with a blank before; empty if there is none."""
    where = parameters.get("where")
    if not where:
        return ""
    words = {"at_least": "at least", "at_most": "at most", "equals": "equal to", "in": "in"}
    parts = [
        f"{name} {words.get(op, op)} {_text(value)}"
        for name, condition in where.items()
        for op, value in (condition.items() if isinstance(condition, Mapping) else [("equals", condition)])
    ]
    return " where " + " and ".join(parts)


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _verb(side: Side) -> str:
    return "exceeds" if side == "above" else "stays below"


def _icc(hits: Sequence[bool], trials: Sequence[Trial]) -> float:
    successes, counts = cluster_counts(zip((t.cluster for t in trials), hits, strict=True))
    return icc(successes, counts)
