"""Checks of curves over all thresholds: ``froc``, ``average_precision`` and image-level ``auc``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.canonical import seed_sequence
from synnodtest.evidence.arm import UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.bootstrap import memoised, too_few_clusters
from synnodtest.expectations.common import Held, hold, no_data, rule, selected
from synnodtest.expectations.ledger import Ledger, ledger_of
from synnodtest.expectations.paired import REFERENCE_AT_LEAST
from synnodtest.expectations.rates import hold_sensitivity, where_phrase
from synnodtest.expectations.registry import OWN, check
from synnodtest.expectations.worst import missed, with_worst_case
from synnodtest.statistics import Estimate, cluster_bootstrap, clustered_rate, delong

__all__ = ["auc", "average_precision", "froc"]

BAND_DRAWS = 400
SILENT_AREA = 0.5
MOST_POINTS = 300
WIDEST_FPPI = 8.0
_RECALLS = np.linspace(0.0, 1.0, 101)

Weights = NDArray[np.float64]


@check("froc", arms=(OWN, UNTOUCHED_ARM))
@with_worst_case(missed)
def froc(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Sensitivity at a number of false positives per image, all images pooled; a step function."""
    at, bound = float(parameters.get("at_false_positives_per_image", 0.25)), float(parameters["at_least"])
    criterion = f"sensitivity at {at:g} false positives per image exceeds {bound:g}{where_phrase(parameters)}"
    ledger = ledger_of(parameters, evidence)
    if not ledger.positives:
        return no_data(criterion, "nodule", evidence)
    hits, clusters = _hits_at(ledger, at), _owners(ledger)

    def estimator(alpha: float) -> Estimate:
        """Widen the bootstrap to the exact interval at the observed threshold: near 0 and 1 it is too narrow."""
        drawn, exact = bootstrap(alpha), clustered_rate(hits, clusters, alpha=alpha)
        if not exact.usable:
            return replace(exact, value=drawn.value)
        lower, upper = min(drawn.lower, exact.lower), max(drawn.upper, exact.upper)
        return replace(drawn, lower=lower, upper=upper, method=f"{drawn.method}, no narrower than {exact.method}")

    bootstrap = _bootstrapped(ledger, lambda weights: _sensitivity_at(ledger, weights, at), evidence)
    held = hold(
        "froc",
        f"sensitivity at {at:g} false positives per image",
        estimator,
        alpha=evidence.alpha,
        bound=bound,
        side="above",
    )
    return _rule([held], ledger, evidence, criterion, {"kind": "froc", "at": at, **_figure(ledger, evidence)})


@check("average_precision", arms=(OWN, UNTOUCHED_ARM))
@with_worst_case(missed)
def average_precision(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """COCO's average precision over 101 recalls, all images pooled."""
    bound = float(parameters["at_least"])
    criterion = f"average precision (COCO, 101 recalls) exceeds {bound:g}{where_phrase(parameters)}"
    ledger = ledger_of(parameters, evidence)
    if not ledger.positives:
        return no_data(criterion, "nodule", evidence)
    found, clusters = _hits_at(ledger, math.inf), _owners(ledger)

    def estimator(alpha: float) -> Estimate:
        """Guard the lower bound: the bootstrap alone passes a detector at the bound some 9% of the time.

        One more background on which nothing is found is allowed for (average precision of few nodules is too high),
        and precision never exceeds 1, so that the exact bound of the share of nodules found holds, too.
        """
        drawn, exact = bootstrap(alpha), clustered_rate(found, clusters, alpha=alpha)
        if not exact.usable:
            return replace(exact, value=drawn.value)
        one_more = drawn.clusters / (drawn.clusters + 1) if drawn.value < 1.0 else 1.0
        return replace(drawn, lower=min(drawn.lower * one_more, exact.lower), method=f"{drawn.method}, guarded")

    bootstrap = _bootstrapped(ledger, lambda weights: _average_precision(ledger, weights), evidence)
    held = hold(
        "average_precision",
        "average precision",
        estimator,
        alpha=evidence.alpha,
        bound=bound,
        side="above",
    )
    return _rule([held], ledger, evidence, criterion, {"kind": "froc", **_figure(ledger, evidence)})


@check("auc", arms=(OWN, UNTOUCHED_ARM))
@with_worst_case(missed, alarms=False)
def auc(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Area under the ROC curve of the highest score per image: scenes with nodules against untouched backgrounds.

    A silent detector has an area of 0.5: where the bound allows that, its sensitivity must exceed 0.2 too.
    """
    bound = float(parameters["at_least"])
    criterion = f"image-level AUC (highest score per image) exceeds {bound:g}{where_phrase(parameters)}"
    ledger = ledger_of(parameters, evidence)
    if not ledger.positives or ledger.positives == len(ledger.trials):
        return no_data(criterion, "image of both kinds", evidence)
    scores = np.array([max((s.finding.score for s in t.sightings), default=0.0) for t in ledger.trials])
    split = ledger.positives
    positives, negatives = scores[:split], np.sort(scores[split:])
    order = np.argsort(scores[split:], kind="stable")
    below, up_to = (np.searchsorted(negatives, positives, side) for side in ("left", "right"))

    def area(weights: Weights) -> float:
        first, second = weights[:split], weights[split:][order]
        total = np.concatenate([[0.0], np.cumsum(second)])
        pairs = first.sum() * total[-1]
        return float((first * (total[below] + total[up_to])).sum() / 2 / pairs) if pairs else math.nan

    def estimator(alpha: float) -> Estimate:
        """Widen the bootstrap to DeLong's interval, guarded near 1."""
        drawn, exact = bootstrap(alpha), delong(positives, scores[split:], alpha=alpha, guarded=True)
        if not drawn.usable:
            return drawn
        lower, upper = min(drawn.lower, exact.lower), max(drawn.upper, exact.upper)
        return replace(drawn, lower=lower, upper=upper, method=f"{drawn.method}, no narrower than {exact.method}")

    bootstrap = _bootstrapped(ledger, area, evidence)
    held = [hold("auc", "image-level AUC", estimator, alpha=evidence.alpha, bound=bound, side="above")]
    if bound < SILENT_AREA:
        held.append(hold_sensitivity(selected(parameters, evidence), evidence, REFERENCE_AT_LEAST, role="gate"))
    return _rule(held, ledger, evidence, criterion, {"kind": "rate"}, noun="image")


def _bootstrapped(
    ledger: Ledger, statistic: Callable[[Weights], float], evidence: Evidence
) -> Callable[[float], Estimate]:
    """Return the estimator by BCa over clusters of images."""
    remembered = memoised(lambda rows: statistic(ledger.weights(rows)))
    clusters = ledger.clusters

    def estimator(alpha: float) -> Estimate:
        return cluster_bootstrap(remembered, clusters, alpha=alpha, seed=evidence.seed, limits=(0.0, 1.0))

    return estimator


def _rule(
    held: list[Held],
    ledger: Ledger,
    evidence: Evidence,
    criterion: str,
    figure: Mapping[str, Any],
    noun: str = "nodule",
) -> Ruling:
    """Rule on a curve; the units are nodules, or images."""
    untouched = len(ledger.trials) - ledger.positives
    units = ledger.trials
    if noun == "nodule":
        units = tuple(t for t, count in zip(ledger.trials, ledger.nodules, strict=True) for _ in range(int(count)))
    return rule(
        held,
        evidence,
        criterion,
        units,
        noun=noun,
        counts=f", {untouched} untouched",
        reasons=too_few_clusters(len(set(ledger.clusters))),
        figure=figure,
    )


def _steps(ledger: Ledger, weights: Weights) -> tuple[Weights, Weights]:
    """Return weighted hits and false positives down to each distinct score, the origin first."""
    each = weights[ledger.image]
    last = np.flatnonzero(np.append(ledger.score[1:] != ledger.score[:-1], True)) if len(each) else np.array([], int)
    true, false = (np.concatenate([[0.0], np.cumsum(each * kind)[last]]) for kind in (ledger.hit, ~ledger.hit))
    return true, false


def _sensitivity_at(ledger: Ledger, weights: Weights, fppi: float) -> float:
    nodules = float(weights @ ledger.nodules)
    if not nodules:
        return math.nan
    true, false = _steps(ledger, weights)
    allowed = np.searchsorted(false, fppi * weights.sum() * (1 + 1e-12), side="right") - 1
    return float(true[allowed]) / nodules


def _owners(ledger: Ledger) -> list[str]:
    """Return the statistical cluster of each judged nodule."""
    return [ledger.trials[i].cluster for i in np.repeat(np.arange(len(ledger.trials)), ledger.nodules.astype(int))]


def _hits_at(ledger: Ledger, fppi: float) -> list[bool]:
    """Return, nodule by nodule, whether it is hit at the threshold that allows so many false positives per image."""
    ones = np.ones(len(ledger.trials))
    _, false = _steps(ledger, ones)
    distinct = np.concatenate([[math.inf], np.unique(ledger.score)[::-1]])
    allowed = np.searchsorted(false, fppi * len(ones) * (1 + 1e-12), side="right") - 1
    found = np.bincount(ledger.image[ledger.hit & (ledger.score >= distinct[allowed])], minlength=len(ones))
    return [k < hits for count, hits in zip(ledger.nodules.astype(int), found, strict=True) for k in range(count)]


def _average_precision(ledger: Ledger, weights: Weights) -> float:
    nodules = float(weights @ ledger.nodules)
    if not nodules:
        return math.nan
    each = weights[ledger.image]
    true, all_of = np.cumsum(each * ledger.hit), np.cumsum(each)
    if not len(each):
        return 0.0
    precision = np.divide(true, all_of, out=np.zeros_like(true), where=all_of > 0)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(true / nodules, _RECALLS, side="left")
    return float(np.append(envelope, 0.0)[place].mean())


def _figure(ledger: Ledger, evidence: Evidence) -> dict[str, Any]:
    """Return the curve with its pointwise percentile band, thinned for drawing."""
    ones = np.ones(len(ledger.trials))
    true, false = _steps(ledger, ones)
    fppi = false / len(ones)
    seen = np.flatnonzero(fppi <= max(WIDEST_FPPI, fppi[0]))
    points = seen[np.unique(np.linspace(0, len(seen) - 1, min(len(seen), MOST_POINTS)).astype(int))]
    grid = fppi[points]
    names, index = np.unique(ledger.clusters, return_inverse=True)
    rng = np.random.default_rng(seed_sequence("froc-band", evidence.seed))
    draws = []
    for _ in range(BAND_DRAWS):
        weights = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[index].astype(float)
        nodules = float(weights @ ledger.nodules)
        if nodules:
            hits, misses = _steps(ledger, weights)
            place = np.searchsorted(misses, grid * weights.sum() * (1 + 1e-12), side="right") - 1
            draws.append(hits[place] / nodules)
    band = np.quantile(draws, [evidence.alpha, 1 - evidence.alpha], axis=0)
    return {
        "fppi": np.round(grid, 5).tolist(),
        "sensitivity": np.round(true[points] / ledger.nodules.sum(), 5).tolist(),
        "band_lower": np.round(band[0], 5).tolist(),
        "band_upper": np.round(band[1], 5).tolist(),
    }
