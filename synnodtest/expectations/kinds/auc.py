"""``auc``: area under the ROC curve of the highest score per image: scenes with nodules against untouched backgrounds.

Findings on nodules that are not judged do not count: another nodule of the scene would stand for them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.curves import SILENT_AREA, area_over, curve_kind
from synnodtest.expectations.language import Selection, option, share
from synnodtest.expectations.ledger import Ledger
from synnodtest.expectations.rule import Estimator


@dataclass(frozen=True)
class Auc(Selection):
    """Parameters of ``auc``."""

    at_least: float = option("Area must exceed this.", share())


def _estimator(parameters: Auc, ledger: Ledger, evidence: Evidence) -> Estimator:
    scores, split = np.zeros(len(ledger.trials)), ledger.positives
    np.maximum.at(scores, ledger.image, ledger.score)
    return area_over(ledger, evidence, scores[:split], np.arange(split), scores[split:])


KIND = curve_kind(
    "auc",
    "Area under the ROC curve, images with nodules against untouched ones.",
    Auc,
    label=lambda p: "image-level AUC",
    explained=" (highest score per image)",
    estimator=_estimator,
    area=True,
    noun="image",
    nothing="image of both kinds",
    title="Image-level AUC",
    asks_little=lambda p: "scores drawn by chance reach an area of 0.5" if p.at_least <= SILENT_AREA else "",
    draw="synnodtest.report.figures.curves:roc_of_scenes",
)
