"""Checks of trends: ``monotone`` (a response rises or falls with a swept value) and ``correlation``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.stats import rankdata

from synnodtest.evidence.ruling import Ruling, Side
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, value_of
from synnodtest.expectations.bootstrap import memoised, too_few_clusters
from synnodtest.expectations.common import Held, hold, no_data, rule, selected
from synnodtest.expectations.paired import REFERENCE_AT_LEAST
from synnodtest.expectations.rates import by_diameter, hold_sensitivity, rate_bound, where_phrase
from synnodtest.expectations.registry import check
from synnodtest.expectations.size import diameter_at
from synnodtest.expectations.worst import FOUND, MISSED, Pretence, with_worst_case
from synnodtest.statistics import Estimate, cluster_bootstrap, drawdown, mean_cluster_spearman, spearman

__all__ = ["LEAST_BACKGROUNDS", "LEAST_LEVELS", "correlation", "monotone"]

LEAST_BACKGROUNDS = 15
LEAST_LEVELS = 5
RATES_SHOWN = (0.15, 0.5)
"""The paper's thresholds for its curves of detection rate by size (figure 3)."""

Pairs = Sequence[tuple[Trial, NoduleTrial]]


def against_trend(parameters: Mapping[str, Any], evidence: Evidence) -> list[Pretence]:
    """Take excluded nodules as answered the wrong way round: low where the response should be high."""
    values = [_over(parameters, t, n) for t, n in selected(parameters, evidence)]
    middle = float(np.median(values)) if values else 0.0
    rising = parameters.get("direction", "increasing") == "increasing" and "at_most" not in parameters

    def pretend(trial: Trial, nodule: NoduleTrial) -> float:
        return MISSED if (_over(parameters, trial, nodule) > middle) == rising else FOUND

    return [pretend]


@check("monotone")
@with_worst_case(against_trend)
def monotone(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Mean per-background Spearman correlation above a bound, and no worse a drop of the mean curve than allowed."""
    over, rising = parameters["over"], parameters.get("direction", "increasing") == "increasing"
    least, most = float(parameters.get("min_spearman", 0.0)), float(parameters.get("max_drop", 0.1))
    response = parameters.get("response", "confidence")
    criterion = (
        f"{response} is {'increasing' if rising else 'decreasing'} with {over}: mean within-background Spearman "
        f"correlation exceeds {least:g}, and the mean curve drops by less than {most:g}{where_phrase(parameters)}"
    )
    pairs = selected(parameters, evidence)
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    x = np.array([_over(parameters, t, n) for t, n in pairs])
    y = np.array([_response(response, n, evidence) for _, n in pairs])
    signed = y if rising else -y
    clusters = [t.cluster for t, _ in pairs]
    levels, curves, names = _curves(x, signed, clusters)
    held = [_within(x, signed, clusters, evidence, least, "above"), _drop(curves, signed, evidence, most)]
    held += _against_silence(pairs, evidence, least, "above")
    return rule(
        held,
        evidence,
        criterion,
        [t for t, _ in pairs],
        reasons=_too_few(len(levels), len(curves)),
        notes=_notes(len(curves), len(names)),
        figure=_figure(over, levels, curves if rising else -curves, x, y) | {"d50": _d50(over, pairs, evidence)},
    )


@check("correlation")
@with_worst_case(against_trend)
def correlation(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Mean per-background Spearman correlation against a bound; across backgrounds where each gives one nodule.

    A silent detector has a correlation of 0: where the bound allows that, its sensitivity must exceed 0.2 too.
    """
    over, response = parameters["over"], parameters.get("response", "confidence")
    bound, side = rate_bound(parameters)
    pairs = [(t, n) for t, n in selected(parameters, evidence) if value_of(over, t, n) is not None]
    clusters = [t.cluster for t, _ in pairs]
    alone = len(set(clusters)) == len(clusters)
    criterion = (
        f"the {'' if alone else 'mean within-background '}Spearman correlation of {response} with {over} "
        f"{'exceeds' if side == 'above' else 'stays below'} {bound:g}{where_phrase(parameters)}"
    )
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    x = np.array([_over(parameters, t, n) for t, n in pairs])
    y = np.array([_response(response, n, evidence) for _, n in pairs])
    hold_it = _across if alone else _within
    held = [hold_it(x, y, clusters, evidence, bound, side)]
    held += _against_silence(pairs, evidence, bound, side)
    used = held[0].estimate.clusters
    few = too_few_clusters(used)
    levels, curves, _ = _curves(x, y, clusters)
    drawn = len(levels) >= LEAST_LEVELS and len(curves) > 1
    return rule(
        held,
        evidence,
        criterion,
        [t for t, _ in pairs],
        reasons=few,
        figure=_figure(over, levels, curves, x, y) if drawn else {"kind": "rate"},
        details={"by requested diameter": by_diameter(pairs, evidence)},
    )


def _against_silence(pairs: Pairs, evidence: Evidence, bound: float, side: Side) -> list[Held]:
    """Return the gate that the detector finds nodules, where a correlation of 0 would do."""
    if (bound < 0) if side == "above" else (bound > 0):
        return [hold_sensitivity(pairs, evidence, REFERENCE_AT_LEAST, role="gate")]
    return []


def _over(parameters: Mapping[str, Any], trial: Trial, nodule: NoduleTrial) -> float:
    return float(value_of(parameters["over"], trial, nodule))


def _response(name: str, nodule: NoduleTrial, evidence: Evidence) -> float:
    return float(nodule.detected(evidence.operating_point)) if name == "detected" else nodule.confidence


def _within(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    clusters: Sequence[str],
    evidence: Evidence,
    bound: float,
    side: Side,
) -> Held:
    return hold(
        "spearman",
        "mean within-background Spearman correlation",
        lambda alpha: mean_cluster_spearman(x, y, clusters, alpha=alpha, guarded=True),
        alpha=evidence.alpha,
        bound=bound,
        side=side,
        unit="correlation",
    )


def _across(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    clusters: Sequence[str],
    evidence: Evidence,
    bound: float,
    side: Side,
) -> Held:
    """Hold the correlation of independent points: the wider of Bonett and Wright's and BCa's bounds."""

    def of_rows(rows: NDArray[np.intp]) -> float:
        first, second = rankdata(x[rows]), rankdata(y[rows])
        scale = float(first.std() * second.std())
        return float(((first - first.mean()) * (second - second.mean())).mean()) / scale if scale else 0.0

    def estimator(alpha: float) -> Estimate:
        exact = spearman(x, y, alpha=alpha)
        if not exact.usable:
            return exact
        drawn = cluster_bootstrap(remembered, clusters, alpha=alpha, seed=evidence.seed, limits=(-1.0, 1.0))
        return replace(
            drawn,
            lower=min(exact.lower, drawn.lower),
            upper=max(exact.upper, drawn.upper),
            method="bonett-wright and cluster-bootstrap-bca",
        )

    remembered = memoised(of_rows)
    return hold(
        "spearman",
        "Spearman correlation across backgrounds",
        estimator,
        alpha=evidence.alpha,
        bound=bound,
        side=side,
        unit="correlation",
    )


def _drop(curves: NDArray[np.float64], y: NDArray[np.float64], evidence: Evidence, most: float) -> Held:
    limits = min(0.0, float(y.min())), max(1.0, float(y.max()))
    return hold(
        "drawdown",
        "largest drop of the mean curve",
        lambda alpha: drawdown(curves, alpha=alpha, seed=evidence.seed, limits=limits),
        alpha=evidence.alpha,
        bound=most,
        side="below",
        unit="score",
    )


def _d50(over: str, pairs: Pairs, evidence: Evidence) -> dict[str, float] | None:
    """Return the diameter at which half of the nodules are found, for the figure; None where it cannot be told."""
    if over != "diameter_mm":
        return None
    estimate = diameter_at(pairs, evidence, 0.5, 0.05)
    return {"value": estimate.value, "lower": estimate.lower, "upper": estimate.upper} if estimate.usable else None


def _curves(
    x: NDArray[np.float64], y: NDArray[np.float64], clusters: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Return levels, the mean response per complete cluster and level, and the names of all clusters."""
    levels = np.unique(x)
    names = list(dict.fromkeys(clusters))
    row = {name: i for i, name in enumerate(names)}
    total = np.zeros((len(names), len(levels)))
    count = np.zeros_like(total)
    rows = np.array([row[c] for c in clusters])
    columns = np.searchsorted(levels, x)
    np.add.at(total, (rows, columns), y)
    np.add.at(count, (rows, columns), 1.0)
    complete = (count > 0).all(axis=1)
    return levels, total[complete] / count[complete], names


def _too_few(levels: int, backgrounds: int) -> list[str]:
    reasons = []
    if levels < LEAST_LEVELS:
        reasons.append(f"{levels} levels are too few, {LEAST_LEVELS} are needed")
    if backgrounds < LEAST_BACKGROUNDS:
        reasons.append(f"{backgrounds} complete backgrounds are too few, {LEAST_BACKGROUNDS} are needed")
    return reasons


def _notes(complete: int, clusters: int) -> tuple[str, ...]:
    notes = []
    if complete < clusters:
        notes.append(f"{clusters - complete} backgrounds lack a level and are left out of the mean curve")
    return tuple(notes)


def _figure(
    over: str,
    levels: NDArray[np.float64],
    curves: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
) -> dict[str, Any]:
    mean = np.array([y[x == level].mean() for level in levels])
    return {
        "kind": "monotone",
        "over": over,
        "levels": levels.tolist(),
        "mean_confidence": mean.tolist(),
        "isotonic": isotonic_regression(mean).x.tolist(),
        "detection_rates": {f"{t:g}": [float((y[x == level] >= t).mean()) for level in levels] for t in RATES_SHOWN},
        "lines": np.round(curves, 5).tolist(),
        "d50": None,
    }
