"""``calibration``: whether the score of a finding is the chance that it is a nodule."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.counted import counted
from synnodtest.evidence.arm import OWN, UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.curves import Ledger, ledger_of
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import CURVE, Selection, number, option
from synnodtest.expectations.limits import LEAST_CLUSTERS, REFERENCE_AT_LEAST, too_few_equal_clusters
from synnodtest.expectations.rates import sensitivity_gate, where_phrase
from synnodtest.expectations.rule import hold, no_data, rule, selected
from synnodtest.expectations.sentences import beside, limit
from synnodtest.expectations.worst import missed, with_worst_case
from synnodtest.geometry import Array, Indices
from synnodtest.statistics import Estimate, brier, calibration_line, clopper_pearson
from synnodtest.statistics.bootstrap import RESAMPLES, few_clusters
from synnodtest.statistics.calibration import equal_mass
from synnodtest.statistics.clusters import unseen_share
from synnodtest.statistics.distributions import t_isf

LEAST_PER_BIN = 10
"""Findings per bin; set by hand: the share of hits among 10 has a standard error of 0.16, and fewer make the error of
any detector large."""

LEAST_LOUD = 30
"""Likewise of those at the operating point, of which few are one or two bins; by simulation: of 60 whose scores are
right and a bound of 0.05 bins of ten withhold 38%, of thirty 24%, and either 70% where all scores are 0.1 too high."""


@dataclass(frozen=True)
class Calibration(Selection):
    """Parameters of ``calibration``."""

    at_most: float = option("Error must stay below this.", number(None, 1, above=0))
    bins: int = option("Number of bins of equal mass. Default 10.", number(2, 100, whole=True), 10, stated=True)


_OF_CHANCE = 1.0 / (math.sqrt(2.0) - 1.0)
"""Part of the error that is chance, over what resampling adds to it: where scores are right, the gap of a bin has a
spread of s between samples and of s times the root of two between resamples."""


@with_worst_case(missed)
def calibration(parameters: Calibration, evidence: Evidence) -> Ruling:
    """Expected calibration error of all findings, in bins of equal mass; the detector must find nodules, too.

    Most detectors report many findings of next to no score and are right in that: beside these an error of all others
    weighs little. So a pass is withheld where the error of those at the operating point, without what bins of few
    findings add to it by chance, exceeds the bound.
    """
    bound, bins = float(parameters.at_most), int(parameters.bins)
    criterion = (
        f"the expected calibration error of findings ({bins} bins of equal mass) stays below {bound:g}"
        f"{where_phrase(parameters)}, while sensitivity exceeds {REFERENCE_AT_LEAST:g}"
    )
    ledger = ledger_of(parameters, evidence)
    if not ledger.positives or not len(ledger.score):
        return no_data(criterion, "finding", evidence)
    chances, outcomes = ledger.score[::-1], ledger.hit[::-1].astype(np.float64)
    reasons = _reasons(ledger, bins)
    estimator = _estimator(ledger, bins, evidence.seed)
    label = "expected calibration error"
    component = hold("calibration_error", label, estimator, evidence.alpha, bound, "below", unit="score")
    gate = sensitivity_gate(selected(parameters, evidence), evidence)
    if component.part.status is Status.PASSED and not reasons:
        reasons = _among_the_loud(ledger, bins, bound, evidence)
    notes = []
    if not any("leave 0 to 1" in reason for reason in reasons):
        line = calibration_line(chances, outcomes)
        words = f"recalibration slope {line.slope:.2f}, intercept {line.intercept:.2f}"
        fitted = words if np.isfinite(line).all() else "no recalibration line can be fitted"
        notes = [f"Brier score {brier(chances, outcomes):.3f}; {fitted}"]
    return rule(
        [component, gate],
        evidence,
        criterion,
        [ledger.trials[i] for i in ledger.image],
        noun="finding",
        reasons=reasons,
        notes=notes,
        figure=_figure(chances, outcomes, bins),
    )


def _among_the_loud(ledger: Ledger, bins: int, bound: float, evidence: Evidence) -> list[str]:
    """Return why the error of all findings says too little of those at the operating point; empty if it does not."""
    point = evidence.operating_point
    loud = ledger.score >= point
    count = int(loud.sum())
    few = min(bins, max(count // LEAST_LOUD, min(2, count // LEAST_PER_BIN)))
    if few < 1 or loud.all():
        return []
    part = replace(ledger, score=ledger.score[loud], hit=ledger.hit[loud], image=ledger.image[loud])
    error = _error_of(part, few)(np.ones(len(part.trials), dtype=np.intp))
    left = math.sqrt(max(0.0, error**2 - _by_chance(part.score, few) ** 2))
    if not left > bound:
        return []
    outcome = f"{beside(error, bound)} ({beside(left, bound)} without chance), beyond {limit(bound)}"
    return [f"of the {counted(part.score.size, 'finding')} of {point:g} or more the error is {outcome}"]


def _by_chance(scores: Array, bins: int) -> float:
    """Return the error that independent findings whose scores are right show on average, by the normal law."""
    variance = np.bincount(equal_mass(scores, bins), weights=scores * (1.0 - scores))
    return math.sqrt(2.0 / math.pi) * float(np.sqrt(variance).sum()) / len(scores)


def _estimator(ledger: Ledger, bins: int, seed: int) -> Callable[[float], Estimate]:
    """Return the estimator of the error, by the spread between resampled clusters.

    The error of few findings is too large, and a resample's larger still. BCa would take that back from the upper bound
    and pass a detector exactly at the bound up to 25% of the time; so it is taken from the lower bound alone, as if all
    of it were of scores that are right: by what resampling adds alone these failed a bound of 0.02 in 17% of runs.
    """
    names, index = np.unique(ledger.clusters, return_inverse=True)
    count = len(names)
    error = _error_of(ledger, bins)
    value = error(np.ones(len(ledger.trials), dtype=np.intp))
    rng = np.random.default_rng(seed_sequence("calibration", seed))
    chosen = rng.integers(count, size=(RESAMPLES, count))
    draws = np.array([error(np.bincount(pick, minlength=count)[index]) for pick in chosen])
    draws = draws[~np.isnan(draws)]
    excess, spread = max(0.0, float(draws.mean()) - value), float(draws.std(ddof=1))
    name, reason = "cluster-bootstrap-t, lower bound less bias", "one cluster" if count < 2 else ""
    made = partial(Estimate, value, method=name, n=len(ledger.score), clusters=count, reason=reason)
    made = partial(made, flags=few_clusters(count))

    def estimator(alpha: float) -> Estimate:
        half = t_isf(alpha, max(count - 1, 1)) * spread
        unlike = unseen_share(count, alpha) if half < 1e-12 else 0.0
        return made(
            max(0.0, value - _OF_CHANCE * excess - half - unlike * value),
            max(min(1.0, value + half + unlike * (1.0 - value)), _skewed(value, spread, len(ledger.score), alpha)),
            alpha=alpha,
        )

    return estimator


def _skewed(value: float, spread: float, most: int, alpha: float) -> float:
    """Return the upper bound of a share that varies by ``spread`` between samples, of ``most`` units at most."""
    if spread < 1e-12 or not 0.0 < value < 1.0:
        return 0.0
    units = min(value * (1.0 - value) / spread**2, float(most))
    return clopper_pearson(value * units, units, alpha=alpha).upper


def _reasons(ledger: Ledger, bins: int) -> list[str]:
    reasons = too_few_equal_clusters(ledger.clusters)
    if len(ledger.score) < LEAST_PER_BIN * bins:
        reasons.append(
            f"{counted(len(ledger.score), 'finding is', 'findings are')} too few for {bins} bins of {LEAST_PER_BIN}"
        )
    if ledger.score.max() > 1.0 or ledger.score.min() < 0.0:
        reasons.append("scores leave 0 to 1 and are no probabilities")
    return reasons


def _places(tied: Indices, weights: Indices, bins: int) -> Indices:
    """Return the bin of each finding, by rising score: equal mass, ties together in the bin of their first."""
    up_to = weights.cumsum()
    place: Indices = np.minimum((up_to - weights)[tied] * bins // up_to[-1], bins - 1)
    return place


def _error_of(ledger: Ledger, bins: int) -> Callable[[Indices], float]:
    """Return the error as a function of how often each image is counted."""
    image, gap = ledger.image[::-1], (ledger.hit - ledger.score)[::-1]
    rising = ledger.score[::-1]
    tied = np.searchsorted(rising, rising, side="left")

    def error(weights: Indices) -> float:
        each = weights[image]
        total = each.sum()
        if not total:
            return math.nan
        return float(np.abs(np.bincount(_places(tied, each, bins), weights=each * gap)).sum() / total)

    return error


def _figure(chances: Array, outcomes: Array, bins: int) -> dict[str, object]:
    place = equal_mass(chances, bins)
    used = np.unique(place)
    return {
        "kind": "calibration",
        "p": [round(float(chances[place == k].mean()), 5) for k in used],
        "observed": [round(float(outcomes[place == k].mean()), 5) for k in used],
        "count": [int((place == k).sum()) for k in used],
    }


KIND = Kind(
    name="calibration",
    about="Expected calibration error of the scores.",
    parameters=Calibration,
    ruling=calibration,
    common=CURVE,
    rules={"required": ["at_most"]},
    arms=lambda p: (OWN, UNTOUCHED_ARM),
    threshold_free=lambda p: True,
    fewest=lambda p, alpha, per_background: LEAST_CLUSTERS,
    all_scores=True,
    curve=True,
)
