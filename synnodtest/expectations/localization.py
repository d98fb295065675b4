"""Check of ``localization``: how well the boxes of hits fit the nodules."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations.common import hold, no_data, rule, selected
from synnodtest.expectations.paired import REFERENCE_AT_LEAST
from synnodtest.expectations.rates import hold_sensitivity, rate_bound, where_phrase
from synnodtest.expectations.registry import check
from synnodtest.expectations.worst import beside, concerns
from synnodtest.geometry import iou
from synnodtest.statistics import paired_mean

__all__ = ["localization"]

TOLERANCE_MM = 5.0


@check("localization")
def localization(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Mean over backgrounds of the overlap (or the distance of centres) of findings that hit at the operating point.

    The few hits of a nearly silent detector say nothing of it: its sensitivity must exceed 0.2, too.
    """
    metric = parameters.get("metric", "iou")
    bound, side = rate_bound(parameters)
    label = "mean intersection over union of hits" if metric == "iou" else "mean distance of hits in mm"
    criterion = (
        f"{label} at operating point {evidence.operating_point:g} "
        f"{'exceeds' if side == 'above' else 'stays below'} {bound:g}{where_phrase(parameters)}, "
        f"while sensitivity exceeds {REFERENCE_AT_LEAST:g}"
    )
    pairs = [(t, n) for t, n in selected(parameters, evidence) if n.detected(evidence.operating_point)]
    if not pairs:
        return no_data(criterion, "hit", evidence)
    gate = hold_sensitivity(selected(parameters, evidence), evidence, REFERENCE_AT_LEAST, role="gate")
    values = [_fit(metric, trial, nodule) for trial, nodule in pairs]
    worst = 0.0 if metric == "iou" else _farthest(parameters, pairs, values)

    def ruling(values: list[float], trials: list[Trial]) -> Ruling:
        clusters = [t.cluster for t in trials]
        limits = (0.0, 1.0 if metric == "iou" else worst)
        held = hold(
            metric,
            label,
            lambda alpha: paired_mean(values, clusters, alpha=alpha, limits=limits, guarded=True, seed=evidence.seed),
            alpha=evidence.alpha,
            bound=bound,
            side=side,
            unit="score" if metric == "iou" else "mm",
        )
        return rule([held, gate], evidence, criterion, trials, noun="hit", figure={"kind": "rate"})

    made = ruling(values, [t for t, _ in pairs])
    excluded = [t for t in evidence.rejected if concerns(parameters, t)]
    if not excluded:
        return made
    return beside(made, ruling(values + [worst] * len(excluded), [t for t, _ in pairs] + excluded), len(excluded))


def _fit(metric: str, trial: Trial, nodule: NoduleTrial) -> float:
    assert nodule.finding is not None
    box, truth = trial.sightings[nodule.finding].finding.box, nodule.truth.box
    if metric == "iou":
        return iou(box, truth)
    across = ((box[0] + box[2]) - (truth[0] + truth[2])) / 2 * trial.spacing_mm[1]
    down = ((box[1] + box[3]) - (truth[1] + truth[3])) / 2 * trial.spacing_mm[0]
    return math.hypot(across, down)


def _farthest(parameters: Mapping[str, Any], pairs: list[tuple[Trial, NoduleTrial]], values: list[float]) -> float:
    """Return the largest distance that could still have been a hit: radius and tolerance of the largest nodule."""
    tolerance = float((parameters.get("matching") or {}).get("tolerance_mm", TOLERANCE_MM))
    return max([*values, *(n.truth.diameter_mm / 2 + tolerance for _, n in pairs)])
