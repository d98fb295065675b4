"""Checks of single rates: ``sensitivity`` and ``false_positives_per_image``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from synnodtest.checks.common import component, counts_phrase, no_data, number, sentence_for, sizes
from synnodtest.checks.registry import check
from synnodtest.checks.ruling import Component, Ruling, Side, Status, combine
from synnodtest.planning.recipe import UNTOUCHED_ARM
from synnodtest.planning.trial import Evidence, NoduleTrial, Trial, cluster_counts
from synnodtest.statistics import clustered_rate, count_rate, icc

__all__ = ["false_positives_per_image", "rate_bound", "sensitivity", "sensitivity_component", "worst_case"]


def rate_bound(parameters: Mapping[str, Any]) -> tuple[float, Side]:
    """Return the bound and its side from ``at_least:`` or ``at_most:``."""
    if "at_least" in parameters:
        return float(parameters["at_least"]), "above"
    return float(parameters["at_most"]), "below"


def sensitivity_component(
    pairs: list[tuple[Trial, NoduleTrial]],
    evidence: Evidence,
    bound: float,
    side: Side = "above",
    *,
    label: str = "sensitivity",
    role: str = "decides",
) -> Component:
    """Hold the rate of detected nodules against a bound; Korn-Graubard where clusters repeat, else Clopper-Pearson."""
    hits = [nodule.detected(evidence.operating_point) for _, nodule in pairs]
    clusters = [trial.cluster for trial, _ in pairs]
    made, _ = component(
        "sensitivity",
        label,
        lambda alpha: clustered_rate(hits, clusters, alpha=alpha),
        alpha=evidence.alpha,
        bound=bound,
        side=side,
        role=role,
    )
    return made


@check("sensitivity")
def sensitivity(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Rate of planted nodules that a finding at or above the operating point hits."""
    bound, side = rate_bound(parameters)
    criterion = (
        f"sensitivity at operating point {evidence.operating_point:g} "
        f"{'exceeds' if side == 'above' else 'stays below'} {bound:g}{_where(parameters)}"
    )
    pairs = evidence.nodules(parameters.get("arm"), of=parameters.get("of"), where=parameters.get("where"))
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    part = sensitivity_component(pairs, evidence, bound, side)
    status, note = worst_case(part.status, pairs, evidence, parameters, bound, side)
    hits = [nodule.detected(evidence.operating_point) for _, nodule in pairs]
    successes, trials = cluster_counts(zip((t.cluster for t, _ in pairs), hits, strict=True))
    backgrounds, clusters = sizes(t for t, _ in pairs)
    return Ruling(
        status=status,
        sentence=sentence_for(
            status,
            [part],
            evidence.alpha,
            counts_phrase(len(pairs), backgrounds),
            [note if status != part.status else ""],
        ),
        criterion=criterion,
        components=(part,),
        n_nodules=len(pairs),
        n_backgrounds=backgrounds,
        n_clusters=clusters,
        alpha=evidence.alpha,
        icc=icc(successes, trials),
        notes=(note,) if note else (),
        figure={"kind": "rate"},
        details={"by requested diameter": _by_diameter(pairs, evidence)},
    )


def worst_case(
    status: Status,
    pairs: list[tuple[Trial, NoduleTrial]],
    evidence: Evidence,
    parameters: Mapping[str, Any],
    bound: float,
    side: Side,
) -> tuple[Status, str]:
    """Count every excluded scene against the detector; where the verdict flips it becomes INCONCLUSIVE."""
    arm = parameters.get("arm")
    excluded = [t for t in evidence.rejected if (t.arm == arm if arm else not t.arm.startswith("@"))]
    if not excluded:
        return status, ""
    unit = 0.0 if side == "above" else 1.0
    hits = [float(n.detected(evidence.operating_point)) for _, n in pairs] + [unit] * len(excluded)
    clusters = [t.cluster for t, _ in pairs] + [t.cluster for t in excluded]
    worst = component(
        "worst case",
        "sensitivity",
        lambda alpha: clustered_rate(hits, clusters, alpha=alpha),
        alpha=evidence.alpha,
        bound=bound,
        side=side,
    )[0]
    note = (
        f"with the {len(excluded)} excluded scenes counted against the detector the rate is {number(worst.value)} "
        f"(bounds {number(worst.lower)} to {number(worst.upper)}): {worst.status}"
    )
    if status is Status.PASSED and worst.status is not Status.PASSED:
        return Status.INCONCLUSIVE, note
    return status, note


def _by_diameter(pairs: list[tuple[Trial, NoduleTrial]], evidence: Evidence) -> list[dict[str, Any]]:
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


def _where(parameters: Mapping[str, Any]) -> str:
    where = parameters.get("where")
    if not where:
        return ""
    words = {"at_least": "at least", "at_most": "at most", "equals": "equal to", "in": "in"}
    parts = [
        f"{name} {words.get(op, op)} {value}"
        for name, condition in where.items()
        for op, value in (condition.items() if isinstance(condition, Mapping) else [("equals", condition)])
    ]
    return " where " + " and ".join(parts)


@check("false_positives_per_image", arms=(UNTOUCHED_ARM,))
def false_positives_per_image(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Findings at or above the operating point per untouched background."""
    bound, side = rate_bound(parameters)
    criterion = (
        f"false positives per untouched radiograph at operating point {evidence.operating_point:g} stay below {bound:g}"
    )
    trials = evidence.arm(UNTOUCHED_ARM)
    if not trials:
        return no_data(criterion, "untouched background", evidence)
    counts = [t.false_positives_at(evidence.operating_point) for t in trials]
    clusters = [t.cluster for t in trials]
    part, estimate = component(
        "false_positives_per_image",
        "false positives per image",
        lambda alpha: count_rate(counts, clusters, alpha=alpha, seed=evidence.seed),
        alpha=evidence.alpha,
        bound=bound,
        side=side,
        unit="per image",
    )
    status = combine((part,))
    backgrounds, n_clusters = sizes(trials)
    dispersion = estimate.extra.get("dispersion", float("nan"))
    return Ruling(
        status=status,
        sentence=sentence_for(status, [part], evidence.alpha, counts_phrase(len(trials), backgrounds, "image")),
        criterion=criterion,
        components=(part,),
        n_nodules=len(trials),
        n_backgrounds=backgrounds,
        n_clusters=n_clusters,
        alpha=evidence.alpha,
        notes=(f"variance over mean {dispersion:.2f}; interval: {estimate.method}", *estimate.flags),
        figure={"kind": "rate"},
        details={
            "images by number of false positives": [
                {"false positives": k, "images": counts.count(k)} for k in sorted(set(counts))
            ]
        },
    )
