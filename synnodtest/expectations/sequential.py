"""Sequential judgement of rates and paired rates: e-values that may be looked at after every background.

The units are clusters, in an order fixed before the run; a cluster with several nodules counts with their mean, which
lies in [0, 1] and keeps the e-value valid. PASSED or FAILED at the first look at which the e-value of either side
reaches 1/alpha. Excluded scenes count against the detector in the evidence for passing; in that for failing they have
no part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.errors import SynnodError
from synnodtest.evidence.ruling import Component, Ruling, Side, Status
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations.common import no_data, not_made, selected, sentence_for, sizes
from synnodtest.expectations.paired import REFERENCE_AT_LEAST, against_arm, compare
from synnodtest.expectations.rates import rate_bound, where_phrase
from synnodtest.expectations.registry import Judge
from synnodtest.expectations.worst import against_rate, pretend
from synnodtest.spec.sequential import SEQUENTIAL_PAIRED, SEQUENTIAL_RATES, can_stop
from synnodtest.statistics import (
    Estimate,
    confidence_sequence,
    confidence_sequence_paired,
    e_value_paired_above,
    e_value_paired_below,
)
from synnodtest.statistics.sequential import log_e_above, log_e_below

__all__ = ["SEQUENTIAL", "sequential_judge"]

PAIRED = SEQUENTIAL_PAIRED
SEQUENTIAL = SEQUENTIAL_RATES | SEQUENTIAL_PAIRED
"""Expectations that can stop early."""
MOST_POINTS = 5000
"""Looks of which the record keeps the e-values; of a longer run as many, evenly spaced."""

Floats = NDArray[np.float64]
Units = list[tuple[str, float]]


@dataclass(frozen=True)
class Path:
    """The log e-values after each cluster, and the estimate at any of them.

    Args:
        passing: Evidence that the bound is met; shape (k,).
        failing: Evidence that it is not; shape (k,).
        estimate: From the number of clusters and the error rate to the confidence sequence.
    """

    passing: Floats
    failing: Floats
    estimate: Callable[[int, float], Estimate]


def sequential_judge(kind: str, parameters: Mapping[str, Any]) -> Judge:
    """Return the judge of an expectation in a sequential run.

    Raises:
        SynnodError: the expectation is no rate or paired rate, or its bound leaves nothing to show.
    """
    metric = parameters.get("metric", "sensitivity")
    if not can_stop(kind, metric):
        what = kind if kind not in SEQUENTIAL else f"{kind} of {metric}"
        raise SynnodError(
            f"'sampling: sequential' is for rates and paired rates, not for {what!r}",
            hint=f"it can stop {', '.join(sorted(SEQUENTIAL))}; give {what!r} a behaviour of its own with fixed n",
        )
    bound, _ = _bound(kind, parameters)
    if not (-1.0 if kind in PAIRED else 0.0) < bound < 1.0:
        raise SynnodError(
            f"{kind!r}: a bound of {bound:g} cannot be crossed", hint="give one strictly within the range"
        )
    return lambda given, evidence: _judge(kind, given, evidence)


def _bound(kind: str, parameters: Mapping[str, Any]) -> tuple[float, Side]:
    if kind == "detected":
        return float(parameters["rate_at_least"]), "above"
    if kind in PAIRED:
        margin = float(parameters.get("margin", 0.0))
        return (-margin if kind == "non_inferior" else margin), "above"
    return rate_bound(parameters)


def _judge(kind: str, parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    bound, side = _bound(kind, parameters)
    label = f"difference in {parameters.get('metric', 'sensitivity')}" if kind in PAIRED else kind.replace("_", " ")
    verb = "exceeds" if side == "above" else "stays below"
    criterion = (
        f"{label} at operating point {evidence.operating_point:g} {verb} {bound:g}{where_phrase(parameters)}, "
        f"judged sequentially by e-values"
    )
    pretence = (against_arm if kind in PAIRED else against_rate)(parameters, evidence)[0]
    worst = pretend(evidence, pretence)
    real, adverse = _units(kind, parameters, evidence), _units(kind, parameters, worst)
    if not real:
        return no_data(criterion, "background", evidence)
    make = _paired_path if kind in PAIRED else _rate_path
    order = evidence.order
    fair, harsh = (make(_in_order(units, order), bound, side) for units in (real, adverse))
    threshold = -math.log(evidence.alpha)
    gate = _gate(parameters, evidence, order, threshold) if kind in PAIRED else 1
    passed, failed = _first(harsh.passing, threshold), _first(fair.failing, threshold)
    passed = None if passed is None or gate is None else min(max(passed, gate), len(harsh.passing))
    status, looks = _verdict(passed, failed, len(fair.failing))
    path = harsh if status is Status.PASSED else fair
    part = _component(label, path, looks, bound, side, status, evidence.alpha)
    ruling = _ruling(criterion, part, evidence, _trials(kind, parameters, evidence), looks)
    return replace(
        ruling,
        sentence=ruling.sentence + (f"; {_silent(parameters)}" if gate is None and status is not Status.FAILED else ""),
        p_value=min(1.0, math.exp(-float(fair.failing.max()))),
        figure=_figure(harsh, fair, threshold, _clusters(adverse, order)),
    )


def _silent(parameters: Mapping[str, Any]) -> str:
    least = parameters.get("reference_at_least", REFERENCE_AT_LEAST)
    return f"the sensitivity of the reference was not shown to exceed {least:g}"


def _verdict(passed: int | None, failed: int | None, looks: int) -> tuple[Status, int]:
    if failed is not None and (passed is None or failed <= passed):
        return Status.FAILED, failed
    if passed is not None:
        return Status.PASSED, passed
    return Status.INCONCLUSIVE, looks


def _first(logs: Floats, threshold: float) -> int | None:
    """Return after how many units the threshold is reached first; never after a single one."""
    reached = np.flatnonzero(logs >= threshold)
    return max(int(reached[0]) + 1, 2) if len(reached) and len(logs) > 1 else None


def _trials(kind: str, parameters: Mapping[str, Any], evidence: Evidence) -> list[Trial]:
    if kind in PAIRED:
        return list(compare(parameters, evidence).trials)
    if kind == "specificity":
        return list(evidence.untouched(parameters.get("arm"), where=parameters.get("where"), strict=True))
    trials = [t for t, _ in selected(parameters, evidence)]
    return trials if kind == "sensitivity" else list({id(t): t for t in trials}.values())


def _units(kind: str, parameters: Mapping[str, Any], evidence: Evidence) -> Units:
    point = evidence.operating_point
    if kind in PAIRED:
        compared = compare(parameters, evidence)
        clusters = [t.cluster for t in compared.trials]
        if len(set(clusters)) < len(clusters):
            raise SynnodError(
                "a sequential comparison of arms needs one pair per background (and patient)",
                hint="leave out 'replicates' and sweeps, or give a fixed n",
            )
        return [(c, a - r) for c, a, r in zip(clusters, compared.arm, compared.reference, strict=True)]
    trials = _trials(kind, parameters, evidence)
    if kind == "specificity":
        return [(t.cluster, float(t.false_positives_at(point) == 0)) for t in trials]
    if kind == "sensitivity":
        return [(t.cluster, float(n.detected(point))) for t, n in selected(parameters, evidence)]
    missed = {id(t) for t, n in selected(parameters, evidence) if not n.detected(point)}
    return [(t.cluster, float(id(t) not in missed)) for t in trials]


def _in_order(units: Units, order: Sequence[str]) -> Floats:
    """Return the mean of each cluster, in the order fixed before the run."""
    found: dict[str, list[float]] = {}
    for cluster, value in units:
        found.setdefault(cluster, []).append(value)
    return np.array([np.mean(found[cluster]) for cluster in _clusters(units, order)], dtype=np.float64)


def _clusters(units: Units, order: Sequence[str]) -> list[str]:
    """Return the clusters that gave units, in the order fixed before the run."""
    there = {cluster for cluster, _ in units}
    return [cluster for cluster in order if cluster in there]


def _rate_path(means: Floats, bound: float, side: Side) -> Path:
    hits, misses = np.cumsum(means), np.cumsum(1.0 - means)
    above, below = log_e_above(hits, misses, bound), log_e_below(hits, misses, bound)

    def estimate(looks: int, alpha: float) -> Estimate:
        return confidence_sequence(float(hits[looks - 1]), float(misses[looks - 1]), alpha=alpha)

    return Path(above, below, estimate) if side == "above" else Path(below, above, estimate)


def _paired_path(differences: Floats, bound: float, side: Side) -> Path:
    better, worse = np.cumsum(differences > 0), np.cumsum(differences < 0)
    counts = [(float(b), float(w), float(k - b - w)) for k, (b, w) in enumerate(zip(better, worse, strict=True), 1)]

    def estimate(looks: int, alpha: float) -> Estimate:
        return confidence_sequence_paired(*counts[looks - 1], alpha=alpha)

    return Path(
        np.array([math.log(e_value_paired_above(*c, bound)) for c in counts]),
        np.array([math.log(e_value_paired_below(*c, bound)) for c in counts]),
        estimate,
    )


def _gate(parameters: Mapping[str, Any], evidence: Evidence, order: Sequence[str], threshold: float) -> int | None:
    """Return after how many backgrounds the reference has shown that it detects anything; None if it has not."""
    least = float(parameters.get("reference_at_least", REFERENCE_AT_LEAST))
    point = evidence.operating_point
    units = [(t.cluster, float(n.detected(point))) for t, n in compare(parameters, evidence).gate]
    if not units:
        return None
    hits = _in_order(units, order)
    if least <= 0.0:
        return _first(hits, np.finfo(float).tiny)
    return _first(_rate_path(hits, least, "above").passing, threshold)


def _component(label: str, path: Path, looks: int, bound: float, side: Side, status: Status, alpha: float) -> Component:
    estimate, wide = path.estimate(looks, alpha), path.estimate(looks, 0.025)
    return Component(
        name=label.replace(" ", "_"),
        label=label,
        value=estimate.value,
        lower=estimate.lower,
        upper=estimate.upper,
        bound=bound,
        side=side,
        status=status,
        method=estimate.method,
        lower95=wide.lower,
        upper95=wide.upper,
        unit="difference" if label.startswith("difference") else "rate",
    )


def _ruling(criterion: str, part: Component, evidence: Evidence, trials: list[Trial], looks: int) -> Ruling:
    backgrounds, clusters = sizes(trials)
    settled = "undecided after" if part.status is Status.INCONCLUSIVE else "decided after"
    counts = f"{settled} {looks} of {len(evidence.order)} planned backgrounds by e-values"
    return Ruling(
        status=part.status,
        sentence=sentence_for(part.status, [part], evidence.alpha, counts),
        criterion=criterion,
        components=(part,),
        n_nodules=len(trials),
        n_backgrounds=backgrounds,
        n_clusters=clusters,
        alpha=evidence.alpha,
        notes=("sequential runs are for development; a signed report rests on fixed n", *not_made(evidence)),
    )


def _figure(harsh: Path, fair: Path, threshold: float, clusters: Sequence[str]) -> dict[str, Any]:
    """Return the log of e-values: after which cluster, evidence that the bound is met, evidence that it is not."""
    count = min(len(harsh.passing), len(fair.failing))
    keep = np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int))
    return {
        "kind": "sequential",
        "n": (keep + 1).tolist(),
        "cluster": [clusters[i] for i in keep],
        "log_e_above": np.round(harsh.passing[keep], 5).tolist(),
        "log_e_below": np.round(fair.failing[keep], 5).tolist(),
        "threshold": threshold,
    }
