"""``average_precision``: COCO's, over 101 recalls, all images pooled; findings of equal score enter together.

As COCO has it a second finding on a nodule is a false positive, which it is to no other curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.curves import Ledger, beside_exact, bootstrapped, curve_figure, curve_kind, ledger_of
from synnodtest.expectations.fewest import precision_backgrounds
from synnodtest.expectations.language import Selection, option, share
from synnodtest.expectations.rule import Estimator
from synnodtest.statistics import Estimate, most_per_image
from synnodtest.statistics.clusters import equal_clusters, unseen_share


@dataclass(frozen=True)
class AveragePrecision(Selection):
    """Parameters of ``average_precision``."""

    at_least: float = option("Average precision must exceed this.", share())


def _estimator(parameters: AveragePrecision, ledger: Ledger, evidence: Evidence) -> Estimator:
    """Guard the lower bound: the bootstrap alone passes a detector at the bound some 9% of the time.

    One more background on which nothing is found is allowed for (average precision of few nodules is too high),
    precision never exceeds 1, so that the exact bound of the share of nodules found holds, too, and a few
    backgrounds unlike all seen may show false positives of a higher score than any nodule.
    """
    ledger = ledger_of(parameters, evidence, doubles=True)

    def guarded(drawn: Estimate, exact: Estimate) -> Estimate:
        one_more = drawn.clusters / (drawn.clusters + 1) if drawn.value < 1.0 else 1.0
        unseen = ledger.precision(ledger.ones, ahead=_unseen(ledger, drawn.alpha))
        lower = min(drawn.lower * one_more, exact.lower, unseen)
        return replace(drawn, lower=lower, method=f"{drawn.method}, guarded")

    return beside_exact(ledger, math.inf, bootstrapped(ledger, ledger.precision, evidence), guarded)


def _unseen(ledger: Ledger, alpha: float) -> float:
    """Return how many false positives the images may show that are unlike all seen: a share of 1 - alpha**(1/B)."""
    images = np.unique(ledger.clusters, return_counts=True)[1].astype(float)
    each = most_per_image(ledger.clusters, 0.0)
    return each * len(ledger.trials) * unseen_share(equal_clusters(images), alpha)


KIND = curve_kind(
    "average_precision",
    "COCO average precision (101 points) under the matching criterion.",
    AveragePrecision,
    label=lambda p: "average precision",
    explained=" (COCO, 101 recalls)",
    estimator=_estimator,
    figure=lambda p, ledger, evidence: {"kind": "froc", **curve_figure(ledger, evidence)},
    title="Average precision",
    fewest=lambda p, alpha, per_background: precision_backgrounds(p.at_least, alpha, per_background),
)
