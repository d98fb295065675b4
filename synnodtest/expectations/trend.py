"""Trends of a response that is watched while a quantity varies: the shared part of their kinds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy

from synnodtest.evidence.ruling import Side, Status
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, value_of
from synnodtest.expectations.language import Asked, Complaint, Selection, choice, option
from synnodtest.expectations.rates import Pairs, sensitivity_gate
from synnodtest.expectations.rule import Held, hold, selected
from synnodtest.expectations.worst import FOUND, MISSED, WorstScore
from synnodtest.geometry import Array
from synnodtest.statistics import Estimate, mean_cluster_spearman

RATES_SHOWN = (0.15, 0.5)
"""The paper's thresholds for its curves of detection rate by size (figure 3); drawn beside the operating point."""
WATCHED = (
    "What is watched: confidence (score of the matched finding, 0 if none) or detected (1 if hit at the operating "
    "point)."
)


LEAST_SPAN = 0.001
"""Change of the response over all levels below which a pass says so; set by hand: no display of a score shows less."""


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


@dataclass(frozen=True)
class Watched:
    """A response beside the quantity that varies, nodule by nodule.

    Args:
        x: The quantity.
        y: The response.
        clusters: The statistical cluster of each nodule.
    """

    x: Array
    y: Array
    clusters: Sequence[str]

    @cached_property
    def levels(self) -> Array:
        """The values of the quantity, each once, rising."""
        return np.unique(self.x)

    @cached_property
    def curves(self) -> Array:
        """The mean response per complete cluster and level; a row a cluster."""
        row = {name: i for i, name in enumerate(dict.fromkeys(self.clusters))}
        cells = np.array([row[c] for c in self.clusters]), np.searchsorted(self.levels, self.x)
        total, count = np.zeros((2, len(row), len(self.levels)))
        np.add.at(total, cells, self.y)
        np.add.at(count, cells, 1.0)
        complete = (count > 0).all(axis=1)
        return np.asarray(total[complete] / count[complete])

    def barely_moves(self, held: Held) -> list[str]:
        """Return that a rank correlation which passes is one of responses that hardly differ; else nothing."""
        means = [float(self.y[self.x == level].mean()) for level in self.levels]
        span = max(means) - min(means)
        if held.part.status is not Status.PASSED or held.part.side != "above" or span >= LEAST_SPAN:
            return []
        return [f"ranks alone are judged: from its lowest to its highest mean the response changes by {span:.2g}"]

    def within(self, evidence: Evidence, bound: float, side: Side) -> Held:
        """Hold the mean within-background correlation against its bound."""

        def estimator(alpha: float) -> Estimate:
            return mean_cluster_spearman(self.x, self.y, self.clusters, alpha=alpha, guarded=True)

        label = "mean within-background Spearman correlation"
        return hold("spearman", label, estimator, evidence.alpha, bound, side, unit="correlation")

    def figure(self, over: str, curves: Array, operating_point: float) -> dict[str, object]:
        """Return the data of the figure: the mean curve, its isotonic fit, detection rates and ``curves`` as lines."""
        at = [self.y[self.x == level] for level in self.levels]
        mean = np.array([responses.mean() for responses in at])
        points = sorted({*RATES_SHOWN, operating_point})
        return {
            "kind": "monotone",
            "over": over,
            "levels": self.levels.tolist(),
            "mean_confidence": mean.tolist(),
            "isotonic": scipy.optimize.isotonic_regression(mean).x.tolist(),
            "detection_rates": {f"{t:g}": [float((responses >= t).mean()) for responses in at] for t in points},
            "lines": np.round(curves, 5).tolist(),
            "d50": None,
        }


def watched(parameters: Trend, pairs: Pairs, evidence: Evidence) -> Watched:
    """Return what is watched of nodules; each has a value of the quantity."""
    detected = parameters.response == "detected"
    return Watched(
        np.array([float(value_of(parameters.over, t, n)) for t, n in pairs]),
        np.array([float(n.detected(evidence.operating_point)) if detected else n.confidence for _, n in pairs]),
        [t.cluster for t, _ in pairs],
    )
