"""``auc``: area under the ROC curve of images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.bounds import hold
from synnodtest.expectations.curve_kind import curve_kind
from synnodtest.expectations.curves import SILENT_AREA, against_silent_area, area_over, rule_on_curve
from synnodtest.expectations.language import option, share
from synnodtest.expectations.ledger import ledger_of
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.rates import where_phrase
from synnodtest.expectations.rule import no_data
from synnodtest.expectations.worst import missed, with_worst_case


@dataclass(frozen=True)
class Auc(Selection):
    """Parameters of ``auc``."""

    at_least: float = option("Area must exceed this.", share())


@with_worst_case(missed, alarms=False)
def auc(parameters: Auc, evidence: Evidence) -> Ruling:
    """Area under the ROC curve of the highest score per image: scenes with nodules against untouched backgrounds.

    Findings on nodules that are not judged do not count: another nodule of the scene would stand for them.
    A silent detector has an area of 0.5: where the bound allows that, its sensitivity must exceed 0.2 too.
    """
    bound = float(parameters.at_least)
    criterion = f"image-level AUC (highest score per image) exceeds {bound:g}{where_phrase(parameters)}"
    ledger = ledger_of(parameters, evidence)
    if not ledger.positives or ledger.positives == len(ledger.trials):
        return no_data(criterion, "image of both kinds", evidence)
    scores = np.zeros(len(ledger.trials))
    np.maximum.at(scores, ledger.image, ledger.score)
    split = ledger.positives
    estimator = area_over(ledger, evidence, scores[:split], np.arange(split), scores[split:])
    components = [hold("auc", "image-level AUC", estimator, alpha=evidence.alpha, bound=bound, side="above")]
    components += against_silent_area(parameters, evidence, bound)
    return rule_on_curve(components, ledger, evidence, criterion, {"kind": "rate"}, noun="image")


KIND = curve_kind(
    name="auc",
    about="Area under the ROC curve, images with nodules against untouched ones.",
    parameters=Auc,
    ruling=auc,
    title="Image-level AUC",
    asks_little=lambda p: "scores drawn by chance reach an area of 0.5" if p.at_least <= SILENT_AREA else "",
    draw="synnodtest.report.figures.curves:roc_of_scenes",
)
