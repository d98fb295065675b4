"""Sequential judgement of rates and paired rates: e-values that may be looked at after every background.

The units are clusters, in an order fixed before the run; a cluster with several nodules counts with their mean, which
lies in [0, 1] and keeps the e-value valid. PASSED or FAILED at the first look at which the e-value of either side
reaches 1/alpha. Excluded scenes count against the detector in the evidence for passing; in that for failing they have
no part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

import numpy as np

from synnodtest.errors import SynnodError
from synnodtest.evidence.ruling import Component, Ruling, Side, Status
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations.language import Selection
from synnodtest.expectations.rates import Units, verb, where_phrase
from synnodtest.expectations.rule import hold, no_data, ruling_on
from synnodtest.expectations.sentences import sentence_for
from synnodtest.expectations.worst import WorstScore, against_rate, as_worst, missed
from synnodtest.geometry import Array
from synnodtest.grouping import grouped
from synnodtest.statistics import Estimate, confidence_sequence, confidence_sequence_paired
from synnodtest.statistics.curves import thinned
from synnodtest.statistics.sequential import e_value_paired_above, e_value_paired_below, log_e_above, log_e_below

P = TypeVar("P", bound=Selection)
MOST_POINTS = 5000
"""Looks of which the record keeps the e-values; of a longer run as many, evenly spaced."""


@dataclass(frozen=True)
class EarlyStop(Generic[P]):
    """Rule by which a sequential run decides a kind of expectation.

    Args:
        bound: From the parameters to the bound and its side.
        units: The scene and the value of each unit: 0 to 1, or -1 to 1 of a difference.
        label: What is estimated.
        soonest: Backgrounds after which e-values can decide at the earliest, by parameters and error rate.
        able: False for parameters of which there are no e-values.
        paired: Whether the units are differences of two arms.
        one_pair_each: Whether each background must give one pair alone.
        worst_scores: The outcome of excluded scenes that would be worst; the first counts.
        gate: Units of the reference and the rate that it must show; None where there is no reference.
    """

    bound: Callable[[P], tuple[float, Side]]
    units: Callable[[P, Evidence], Units]
    label: Callable[[P], str]
    soonest: Callable[[P, float], int | None] = lambda p, alpha: None
    able: Callable[[P], bool] = lambda p: True
    paired: bool = False
    one_pair_each: Callable[[P], bool] = lambda p: False
    worst_scores: Callable[[P, Evidence], Sequence[WorstScore]] = against_rate
    gate: Callable[[P, Evidence], tuple[Units, float]] | None = None

    def check(self, name: str, parameters: P) -> None:
        """Refuse a bound that leaves nothing to show.

        Raises:
            SynnodError: the bound cannot be crossed.
        """
        bound, _ = self.bound(parameters)
        if not (-1.0 if self.paired else 0.0) < bound < 1.0:
            raise SynnodError(
                f"{name!r}: a bound of {bound:g} cannot be crossed", hint="give one strictly within the range"
            )


@dataclass(frozen=True)
class Path:
    """The log e-values after each cluster, and the estimate at any of them.

    Args:
        passing: Evidence that the bound is met; shape (k,).
        failing: Evidence that it is not; shape (k,).
        estimate: From the number of clusters and the error rate to the confidence sequence.
    """

    passing: Array
    failing: Array
    estimate: Callable[[int, float], Estimate]


def sequential_ruling(stop: EarlyStop[P], parameters: P, evidence: Evidence) -> Ruling:
    """Return the ruling of a sequential run on the evidence so far."""
    bound, side = stop.bound(parameters)
    label = stop.label(parameters)
    criterion = (
        f"{label} at operating point {evidence.operating_point:g} {verb(side)} {bound:g}{where_phrase(parameters)}, "
        f"judged sequentially by e-values"
    )
    worst = as_worst(evidence, stop.worst_scores(parameters, evidence)[0])
    real, adverse = stop.units(parameters, evidence), stop.units(parameters, worst)
    if not real:
        return no_data(criterion, "background", evidence)
    make = _paired_path if stop.paired else _rate_path
    order = evidence.order
    fair, harsh = (make(_in_order(units, order), bound, side) for units in (real, adverse))
    threshold = -math.log(evidence.alpha)
    silent = as_worst(evidence, *missed(parameters, evidence))
    reference, least = ([], 0.0) if stop.gate is None else stop.gate(parameters, silent)
    gate = 1 if stop.gate is None else _gate(reference, least, order, threshold, _clusters(adverse, order))
    passed = None if gate is None else _first(harsh.passing, threshold, gate)
    failed = _first(fair.failing, threshold)
    status, looks = _verdict(passed, failed, len(fair.failing))
    path, units = (harsh, adverse) if status is Status.PASSED else (fair, real)
    name, unit = label.replace(" ", "_"), "difference" if stop.paired else "rate"
    estimator = partial(path.estimate, looks)
    held = hold(name, label, estimator, alpha=evidence.alpha, bound=bound, side=side, unit=unit)
    part = replace(held.part, status=status)
    looked_at = _clusters(units, order)[:looks]
    trials = [trial for trial, _ in units if trial.cluster in looked_at]
    ruling = _ruling(criterion, part, evidence, trials, looked_at)
    whose = "both arms" if getattr(parameters, "on_images", False) else "the reference"
    unshown = f"; the sensitivity of {whose} was not shown to exceed {least:g}"
    return replace(
        ruling,
        sentence=ruling.sentence + (unshown if gate is None and status is not Status.FAILED else ""),
        p_value=min(1.0, math.exp(-float(fair.failing.max()))),
        figure=_figure(harsh, fair, threshold, _clusters(adverse, order)),
    )


def _verdict(passed: int | None, failed: int | None, looks: int) -> tuple[Status, int]:
    if failed is not None and (passed is None or failed <= passed):
        return Status.FAILED, failed
    if passed is not None:
        return Status.PASSED, passed
    return Status.INCONCLUSIVE, looks


def _first(logs: Array, threshold: float, least: int = 1) -> int | None:
    """Return after how many units, ``least`` or more, the threshold is reached first; never after a single one."""
    reached = np.flatnonzero(logs >= threshold) + 1
    return next((int(n) for n in reached if n >= max(least, 2)), None)


def _in_order(units: Units, order: Sequence[str]) -> Array:
    """Return the mean of each cluster, in the order fixed before the run."""
    by_unit = grouped((trial.cluster, value) for trial, value in units)
    return np.array([np.mean(by_unit[cluster]) for cluster in _clusters(units, order)], dtype=np.float64)


def _clusters(units: Units, order: Sequence[str]) -> list[str]:
    """Return the clusters that gave units, in the order fixed before the run."""
    there = {trial.cluster for trial, _ in units}
    return [cluster for cluster in order if cluster in there]


def _rate_path(means: Array, bound: float, side: Side) -> Path:
    hits, misses = np.cumsum(means), np.cumsum(1.0 - means)
    above, below = log_e_above(hits, misses, bound), log_e_below(hits, misses, bound)

    def estimate(looks: int, alpha: float) -> Estimate:
        return confidence_sequence(float(hits[looks - 1]), float(misses[looks - 1]), alpha=alpha)

    return Path(above, below, estimate) if side == "above" else Path(below, above, estimate)


def _paired_path(differences: Array, bound: float, side: Side) -> Path:
    better, worse = np.cumsum(differences > 0), np.cumsum(differences < 0)
    counts = [(float(b), float(w), float(k - b - w)) for k, (b, w) in enumerate(zip(better, worse, strict=True), 1)]

    def estimate(looks: int, alpha: float) -> Estimate:
        return confidence_sequence_paired(*counts[looks - 1], alpha=alpha)

    return Path(
        np.array([math.log(e_value_paired_above(*c, bound)) for c in counts]),
        np.array([math.log(e_value_paired_below(*c, bound)) for c in counts]),
        estimate,
    )


def _gate(units: Units, least: float, order: Sequence[str], threshold: float, looked_at: Sequence[str]) -> int | None:
    """Return after how many of the backgrounds looked at the reference has shown that it sees; None if it has not."""
    shown = _first(_rate_path(_in_order(units, order), least, "above").passing, threshold)
    if shown is None:
        return None
    until = set(order[: order.index(_clusters(units, order)[shown - 1]) + 1])
    return sum(cluster in until for cluster in looked_at)


def _ruling(
    criterion: str, part: Component, evidence: Evidence, trials: list[Trial], looked_at: Sequence[str]
) -> Ruling:
    settled = "undecided after" if part.status is Status.INCONCLUSIVE else "decided after"
    until, judged = evidence.order.index(looked_at[-1]) + 1, len(looked_at)
    counts = f"{settled} {until} of {len(evidence.order)} planned independent backgrounds by e-values"
    counts += f", {judged} of which are judged" if judged < until else ""
    sentence = sentence_for(part.status, [part], evidence.alpha, counts)
    ruling = ruling_on(trials, evidence, part.status, sentence, criterion)
    caution = "sequential runs are for development; a signed report rests on fixed n"
    return replace(ruling, components=(part,), notes=(caution, *ruling.notes))


def _figure(harsh: Path, fair: Path, threshold: float, clusters: Sequence[str]) -> dict[str, object]:
    """Return the log of e-values: after which cluster, evidence that the bound is met, evidence that it is not."""
    count = min(len(harsh.passing), len(fair.failing))
    keep = thinned(count, MOST_POINTS)
    return {
        "kind": "sequential",
        "n": (keep + 1).tolist(),
        "cluster": [clusters[i] for i in keep],
        "log_e_above": np.round(harsh.passing[keep], 5).tolist(),
        "log_e_below": np.round(fair.failing[keep], 5).tolist(),
        "threshold": threshold,
    }
