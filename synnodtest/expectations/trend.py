"""Trends of a response that is watched while a quantity varies: the shared part of their kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.evidence.ruling import Side
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, value_of
from synnodtest.expectations.asked import Asked, Complaint
from synnodtest.expectations.bounds import Held, hold
from synnodtest.expectations.language import choice, option
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.rates import Pairs, sensitivity_gate
from synnodtest.expectations.rule import selected
from synnodtest.expectations.worst import FOUND, MISSED, WorstScore
from synnodtest.statistics import mean_cluster_spearman

RATES_SHOWN = (0.15, 0.5)
"""The paper's thresholds for its curves of detection rate by size (figure 3); drawn beside the operating point."""
WATCHED = (
    "What is watched: confidence (score of the matched finding, 0 if none) or detected (1 if hit at the operating "
    "point)."
)


@dataclass(frozen=True)
class Trend(Selection):
    """Parameters of a trend."""

    response: str = option(WATCHED, choice("confidence", "detected"), "confidence", stated=True)
    over: str = ""

    @property
    def rising(self) -> bool:
        """True where the response should rise with the quantity."""
        return True


def varies(parameters: Trend, asked: Asked) -> Iterator[Complaint]:
    """Complain of a quantity that does not vary."""
    if asked.has_scenes and parameters.over in asked.fixed:
        hint = "give it {sweep: [..]} or {uniform: [a, b]}"
        yield Complaint("over", f"{parameters.over!r} does not vary", hint)


def against_trend(parameters: Trend, evidence: Evidence) -> list[WorstScore]:
    """Take excluded nodules as answered the wrong way round: low where the response should be high."""
    known = (value_of(parameters.over, t, n) for t, n in selected(parameters, evidence))
    values = [float(value) for value in known if value is not None]
    middle = float(np.median(values)) if values else 0.0
    rising = parameters.rising

    def worst_score(trial: Trial, nodule: NoduleTrial) -> float:
        value = value_of(parameters.over, trial, nodule)
        return MISSED if value is None or (float(value) > middle) == rising else FOUND

    return [worst_score]


def against_silence(pairs: Pairs, evidence: Evidence, bound: float, side: Side) -> list[Held]:
    """Return the gate that the detector finds nodules, where a correlation of 0 would do."""
    if (bound < 0) if side == "above" else (bound > 0):
        return [sensitivity_gate(pairs, evidence)]
    return []


def over_of(parameters: Trend, trial: Trial, nodule: NoduleTrial) -> float:
    """Return the value of the quantity that varies."""
    return float(value_of(parameters.over, trial, nodule))


def response_of(name: str, nodule: NoduleTrial, evidence: Evidence) -> float:
    """Return what is watched of a nodule."""
    return float(nodule.detected(evidence.operating_point)) if name == "detected" else nodule.confidence


def within(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    clusters: Sequence[str],
    evidence: Evidence,
    bound: float,
    side: Side,
) -> Held:
    """Hold the mean within-background correlation against its bound."""
    return hold(
        "spearman",
        "mean within-background Spearman correlation",
        lambda alpha: mean_cluster_spearman(x, y, clusters, alpha=alpha, guarded=True),
        alpha=evidence.alpha,
        bound=bound,
        side=side,
        unit="correlation",
    )


def curves_of(
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


def trend_figure(
    over: str,
    levels: NDArray[np.float64],
    curves: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    operating_point: float,
) -> dict[str, object]:
    """Return the data of the figure: the mean curve, its isotonic fit, detection rates and the lines."""
    mean = np.array([y[x == level].mean() for level in levels])
    points = sorted({*RATES_SHOWN, operating_point})
    return {
        "kind": "monotone",
        "over": over,
        "levels": levels.tolist(),
        "mean_confidence": mean.tolist(),
        "isotonic": scipy.optimize.isotonic_regression(mean).x.tolist(),
        "detection_rates": {f"{t:g}": [float((y[x == level] >= t).mean()) for level in levels] for t in points},
        "lines": np.round(curves, 5).tolist(),
        "d50": None,
    }
