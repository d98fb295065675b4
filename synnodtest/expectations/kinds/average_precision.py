"""``average_precision``: COCO's average precision."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.bounds import hold
from synnodtest.expectations.curve_kind import curve_kind
from synnodtest.expectations.curves import (
    Weights,
    bootstrapped,
    curve_figure,
    hits_at,
    owners,
    rule_on_curve,
)
from synnodtest.expectations.fewest import precision_backgrounds
from synnodtest.expectations.language import option, share
from synnodtest.expectations.ledger import Ledger, ledger_of
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.rates import where_phrase
from synnodtest.expectations.rule import no_data
from synnodtest.expectations.worst import missed, with_worst_case
from synnodtest.statistics import Estimate, clustered_rate
from synnodtest.statistics.clusters import equal_clusters, unseen_share
from synnodtest.statistics.counts import UNSEEN_PER_IMAGE

_RECALLS = np.linspace(0.0, 1.0, 101)
"""The recalls at which COCO samples precision."""


@dataclass(frozen=True)
class AveragePrecision(Selection):
    """Parameters of ``average_precision``."""

    at_least: float = option("Average precision must exceed this.", share())


@with_worst_case(missed)
def average_precision(parameters: AveragePrecision, evidence: Evidence) -> Ruling:
    """COCO's average precision over 101 recalls, all images pooled; findings of equal score enter together."""
    bound = float(parameters.at_least)
    criterion = f"average precision (COCO, 101 recalls) exceeds {bound:g}{where_phrase(parameters)}"
    ledger = ledger_of(parameters, evidence)
    if not ledger.positives:
        return no_data(criterion, "nodule", evidence)
    hits, clusters = hits_at(ledger, math.inf), owners(ledger)

    def estimator(alpha: float) -> Estimate:
        """Guard the lower bound: the bootstrap alone passes a detector at the bound some 9% of the time.

        One more background on which nothing is found is allowed for (average precision of few nodules is too high),
        precision never exceeds 1, so that the exact bound of the share of nodules found holds, too, and a few
        backgrounds unlike all seen may show false positives of a higher score than any nodule.
        """
        drawn, exact = bootstrap(alpha), clustered_rate(hits, clusters, alpha=alpha)
        if not exact.usable:
            return replace(exact, value=drawn.value)
        one_more = drawn.clusters / (drawn.clusters + 1) if drawn.value < 1.0 else 1.0
        unseen = _average_precision(ledger, np.ones(len(ledger.trials)), ahead=_unseen(ledger, alpha))
        lower = min(drawn.lower * one_more, exact.lower, unseen)
        return replace(drawn, lower=lower, method=f"{drawn.method}, guarded")

    bootstrap = bootstrapped(ledger, lambda weights: _average_precision(ledger, weights), evidence)
    component = hold(
        "average_precision",
        "average precision",
        estimator,
        alpha=evidence.alpha,
        bound=bound,
        side="above",
    )
    return rule_on_curve([component], ledger, evidence, criterion, {"kind": "froc", **curve_figure(ledger, evidence)})


def _unseen(ledger: Ledger, alpha: float) -> float:
    """Return how many false positives the images may show that are unlike all seen: a share of 1 - alpha**(1/B)."""
    images = np.unique(ledger.clusters, return_counts=True)[1].astype(float)
    return UNSEEN_PER_IMAGE * len(ledger.trials) * unseen_share(equal_clusters(images), alpha)


def _average_precision(ledger: Ledger, weights: Weights, ahead: float = 0.0) -> float:
    """Return the average precision of weighted images, of which so many false positives stand before all findings."""
    nodules = float(weights @ ledger.nodules)
    if not nodules:
        return math.nan
    each = weights[ledger.image]
    true, all_of = (np.cumsum(of)[ledger.last] for of in (each * ledger.hit, each))
    precision = np.divide(true, all_of + ahead, out=np.zeros_like(true), where=all_of > 0)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(true / nodules, _RECALLS, side="left")
    return float(np.append(envelope, 0.0)[place].mean())


_CURVE = curve_kind(
    name="average_precision",
    about="COCO average precision (101 points) under the matching criterion.",
    parameters=AveragePrecision,
    ruling=average_precision,
    title="Average precision",
)
KIND = replace(_CURVE, fewest=lambda p, alpha, per_background: precision_backgrounds(p.at_least, alpha, per_background))
