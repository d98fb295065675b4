"""``localization``: how well the boxes of hits fit the nodules."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations.fewest import perfect_backgrounds
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import Asked, Complaint, Selection, choice, number, one_of, option, share
from synnodtest.expectations.limits import LARGEST_RADIUS_MM, REFERENCE_AT_LEAST
from synnodtest.expectations.rates import rate_bound, sensitivity_gate, verb, where_phrase
from synnodtest.expectations.rule import hold, no_data, rule, selected
from synnodtest.expectations.worst import as_worst, beside, concerns, missed
from synnodtest.geometry import iou
from synnodtest.matching import Matching
from synnodtest.statistics import Estimate, paired_mean


@dataclass(frozen=True)
class Localization(Selection):
    """Parameters of ``localization``; one bound is given."""

    metric: str = option(
        "iou (default; judged with at_least) or distance_mm between centres (with at_most).",
        choice("iou", "distance_mm"),
        "iou",
        stated=True,
    )
    at_least: float | None = option("Mean IoU of hits must exceed this.", share())
    at_most: float | None = option("Mean distance in mm must stay below this.", number(above=0))


def localization(parameters: Localization, evidence: Evidence) -> Ruling:
    """Mean over backgrounds of the overlap (or the distance of centres) of findings that hit at the operating point.

    The few hits of a nearly silent detector say nothing of it: its sensitivity must exceed 0.2, too.
    """
    metric = parameters.metric
    bound, side = rate_bound(parameters)
    label = "mean intersection over union of hits" if metric == "iou" else "mean distance of hits in mm"
    criterion = (
        f"{label} at operating point {evidence.operating_point:g} "
        f"{verb(side)} {bound:g}{where_phrase(parameters)}, "
        f"while sensitivity exceeds {REFERENCE_AT_LEAST:g}"
    )
    pairs = [(t, n) for t, n in selected(parameters, evidence) if n.detected(evidence.operating_point)]
    if not pairs:
        return no_data(criterion, "hit", evidence)
    values = [_fit(metric, trial, nodule) for trial, nodule in pairs]
    worst = 0.0 if metric == "iou" else _farthest(parameters, pairs, values)

    limits, unit = ((0.0, 1.0), "score") if metric == "iou" else ((0.0, worst), "mm")

    def ruling(values: list[float], trials: list[Trial], seen: Evidence) -> Ruling:
        def estimator(alpha: float) -> Estimate:
            clusters = [t.cluster for t in trials]
            return paired_mean(values, clusters, alpha=alpha, limits=limits, guarded=True, seed=evidence.seed)

        held = hold(metric, label, estimator, evidence.alpha, bound, side, unit=unit)
        gate = sensitivity_gate(selected(parameters, seen), seen)
        return rule([held, gate], evidence, criterion, trials, noun="hit", figure={"kind": "rate"})

    outcome = ruling(values, [t for t, _ in pairs], evidence)
    excluded = [t for t in evidence.rejected if concerns(parameters, t)]
    if not excluded:
        return outcome
    fitting_least, silent = values + [worst] * len(excluded), as_worst(evidence, *missed(parameters, evidence))
    return beside(outcome, ruling(fitting_least, [t for t, _ in pairs] + excluded, silent), len(excluded))


def _fit(metric: str, trial: Trial, nodule: NoduleTrial) -> float:
    assert nodule.finding is not None
    box, truth = trial.sightings[nodule.finding].finding.box, nodule.truth.box
    if metric == "iou":
        return iou(box, truth)
    across = ((box[0] + box[2]) - (truth[0] + truth[2])) / 2 * trial.spacing_mm[1]
    down = ((box[1] + box[3]) - (truth[1] + truth[3])) / 2 * trial.spacing_mm[0]
    return math.hypot(across, down)


def _farthest(parameters: Localization, pairs: list[tuple[Trial, NoduleTrial]], values: list[float]) -> float:
    """Return the largest distance that could still have been a hit: radius and tolerance of the largest nodule."""
    tolerance = Matching.from_dict(parameters.matching).tolerance_mm
    return max([*values, *(n.truth.diameter_mm / 2 + tolerance for _, n in pairs)])


def _asks(parameters: Localization, asked: Asked) -> Iterator[Complaint]:
    side = "at_least" if parameters.metric == "iou" else "at_most"
    if getattr(parameters, side) is None:
        yield Complaint("metric", f"the metric {parameters.metric!r} is judged with {side!r}")


def _asks_little(parameters: Localization) -> str:
    farthest = LARGEST_RADIUS_MM + Matching.from_dict(parameters.matching).tolerance_mm
    if parameters.at_most is None or parameters.at_most < farthest:
        return ""
    return f"no finding that hits a nodule of 30 mm lies farther off than {farthest:g} mm"


def _fewest(parameters: Localization, alpha: float, per_background: float) -> int | None:
    return None if parameters.at_least is None else perfect_backgrounds(float(parameters.at_least), alpha)


KIND = Kind(
    name="localization",
    about="How well the boxes of hits fit.",
    parameters=Localization,
    ruling=localization,
    rules=one_of("at_least", "at_most"),
    hits_alone=lambda p: True,
    asks_little=_asks_little,
    asks=_asks,
    fewest=_fewest,
)
