"""Check of ``monotone``: a response rises (or falls) with a swept value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from synnodtest.checks.common import component, counts_phrase, no_data, sentence_for, sizes
from synnodtest.checks.registry import check
from synnodtest.checks.ruling import Component, Ruling, Status, combine
from synnodtest.planning.trial import Evidence, NoduleTrial, Trial, value_of
from synnodtest.statistics import drawdown, mean_cluster_spearman

__all__ = ["LEAST_BACKGROUNDS", "LEAST_LEVELS", "monotone"]

LEAST_BACKGROUNDS = 15
LEAST_LEVELS = 5
RATES_SHOWN = (0.15, 0.5)
"""The paper's thresholds for its curves of detection rate by size (figure 3)."""

Pairs = Sequence[tuple[Trial, NoduleTrial]]


@check("monotone")
def monotone(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Mean per-background Spearman correlation above a bound, and no worse a drop of the mean curve than allowed."""
    over, rising = parameters["over"], parameters.get("direction", "increasing") == "increasing"
    least, most = float(parameters.get("min_spearman", 0.0)), float(parameters.get("max_drop", 0.1))
    response = parameters.get("response", "confidence")
    criterion = (
        f"{response} is {'increasing' if rising else 'decreasing'} with {over}: mean within-background Spearman "
        f"correlation exceeds {least:g}, and the mean curve drops by less than {most:g}"
    )
    pairs = evidence.nodules(parameters.get("arm"), of=parameters.get("of"), where=parameters.get("where"))
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    x = np.array([float(value_of(over, t, n)) for t, n in pairs])
    y = np.array([_response(response, n, evidence) for _, n in pairs])
    signed = y if rising else -y
    clusters = [t.cluster for t, _ in pairs]
    levels, curves, names = _curves(x, signed, clusters)
    parts = _components(x, signed, clusters, curves, evidence, least, most)
    reasons = _too_few(len(levels), len(curves))
    status = Status.INCONCLUSIVE if reasons else combine(parts)
    backgrounds, n_clusters = sizes(t for t, _ in pairs)
    return Ruling(
        status=status,
        sentence=sentence_for(status, parts, evidence.alpha, counts_phrase(len(pairs), backgrounds), reasons),
        criterion=criterion,
        components=parts,
        n_nodules=len(pairs),
        n_backgrounds=backgrounds,
        n_clusters=n_clusters,
        alpha=evidence.alpha,
        notes=_notes(len(curves), len(names)),
        figure=_figure(over, levels, curves if rising else -curves, x, y),
    )


def _response(name: str, nodule: NoduleTrial, evidence: Evidence) -> float:
    return float(nodule.detected(evidence.operating_point)) if name == "detected" else nodule.confidence


def _components(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    clusters: Sequence[str],
    curves: NDArray[np.float64],
    evidence: Evidence,
    least: float,
    most: float,
) -> tuple[Component, ...]:
    trend, _ = component(
        "spearman",
        "mean within-background Spearman correlation",
        lambda alpha: mean_cluster_spearman(x, y, clusters, alpha=alpha),
        alpha=evidence.alpha,
        bound=least,
        side="above",
        unit="correlation",
    )
    low, high = min(0.0, float(y.min())), max(1.0, float(y.max()))
    drop, _ = component(
        "drawdown",
        "largest drop of the mean curve",
        lambda alpha: drawdown(curves, alpha=alpha, seed=evidence.seed, limits=(low, high)),
        alpha=evidence.alpha,
        bound=most,
        side="below",
        unit="score",
    )
    return trend, drop


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
    if LEAST_BACKGROUNDS <= complete < 30:
        notes.append(f"the bootstrap behind the drop rests on {complete} clusters; 30 are recommended")
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
