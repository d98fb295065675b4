"""``auc``: area under the ROC curve of the highest score per image: scenes with nodules against untouched backgrounds.

Findings on nodules that are not judged do not count: another nodule of the scene would stand for them. Nor do those on
distractors, which untouched backgrounds lack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations.curves import SILENT_AREA, Ledger, area_over, curve_kind
from synnodtest.expectations.language import Selection, option, share
from synnodtest.expectations.rule import Estimator
from synnodtest.matching import Matching, lies_on
from synnodtest.statistics.pooled import Ranked


@dataclass(frozen=True)
class Auc(Selection):
    """Parameters of ``auc``."""

    at_least: float = option("Area must exceed this.", share())


def _estimator(parameters: Auc, ledger: Ledger, evidence: Evidence) -> Estimator:
    matching = Matching.from_dict(parameters.matching)
    scores = np.array([_beside_distractors(t, matching) for t in ledger.trials])
    counted = ledger.hit | np.array([not t.mimics for t in ledger.trials])[ledger.image]
    np.maximum.at(scores, ledger.image[counted], ledger.score[counted])
    return area_over(ledger, evidence, Ranked.images_of(scores, ledger.nodules > 0, ledger.nodules == 0))


def _beside_distractors(trial: Trial, matching: Matching) -> float:
    """Return the highest score off nodules and distractors of a scene that has some; 0 without any."""
    if not trial.mimics:
        return 0.0
    findings = (trial.sightings[i].finding for i in trial.false_positives)
    beside = (f for f in findings if not any(lies_on(f, m.truth, trial.spacing_mm, matching) for m in trial.mimics))
    return max((finding.score for finding in beside), default=0.0)


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
