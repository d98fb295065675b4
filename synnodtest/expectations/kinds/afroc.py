"""``afroc``: area under the alternative free-response curve: nodules against the loudest finding on normal images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.bounds import hold
from synnodtest.expectations.curve_kind import curve_kind
from synnodtest.expectations.curves import against_silent_area, area_over, rule_on_curve
from synnodtest.expectations.language import option, share
from synnodtest.expectations.ledger import ledger_of
from synnodtest.expectations.parameters import Selection
from synnodtest.expectations.rates import where_phrase
from synnodtest.expectations.rule import no_data
from synnodtest.expectations.worst import missed, with_worst_case

UNMARKED = -1.0
"""Below every score: a nodule that is not found, an image on which nothing is."""


@dataclass(frozen=True)
class Afroc(Selection):
    """Parameters of ``afroc``."""

    at_least: float = option("Area must exceed this.", share())


@with_worst_case(missed)
def afroc(parameters: Afroc, evidence: Evidence) -> Ruling:
    """Area under the AFROC: how often a nodule's score exceeds the highest on an untouched background, ties half.

    Unlike the area of images it counts a nodule only where it was found at its place. A silent detector has an area of
    0.5: where the bound allows that, its sensitivity must exceed 0.2 too.
    """
    bound = float(parameters.at_least)
    criterion = (
        f"area under the AFROC (nodules against the highest score per untouched image) exceeds {bound:g}"
        f"{where_phrase(parameters)}"
    )
    ledger = ledger_of(parameters, evidence)
    if not ledger.positives or ledger.positives == len(ledger.trials):
        return no_data(criterion, "nodule, or untouched image,", evidence)
    split = ledger.positives
    missing = ledger.nodules - np.bincount(ledger.image[ledger.hit], minlength=len(ledger.trials))
    unfound = np.repeat(np.arange(len(ledger.trials)), missing.astype(int))
    owner = np.concatenate([ledger.image[ledger.hit], unfound])
    nodules = np.concatenate([ledger.score[ledger.hit], np.full(len(unfound), UNMARKED)])
    loudest = np.array([max((s.finding.score for s in t.sightings), default=UNMARKED) for t in ledger.trials[split:]])
    estimator = area_over(ledger, evidence, nodules, owner, loudest)
    components = [hold("afroc", "area under the AFROC", estimator, alpha=evidence.alpha, bound=bound, side="above")]
    components += against_silent_area(parameters, evidence, bound)
    return rule_on_curve(components, ledger, evidence, criterion, {"kind": "rate"})


KIND = curve_kind(
    name="afroc",
    about="Area under the AFROC curve: nodules found at their place against the loudest finding on untouched images.",
    parameters=Afroc,
    ruling=afroc,
    title="Area under the AFROC",
)
