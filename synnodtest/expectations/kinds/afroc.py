"""``afroc``: how often a nodule's score exceeds the highest on an untouched background, ties half.

Unlike the area of images it counts a nodule only where it was found at its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.curves import area_over, curve_kind
from synnodtest.expectations.language import Selection, option, share
from synnodtest.expectations.ledger import Ledger
from synnodtest.expectations.rule import Estimator

UNMARKED = -1.0
"""Below every score: a nodule that is not found, an image on which nothing is."""


@dataclass(frozen=True)
class Afroc(Selection):
    """Parameters of ``afroc``."""

    at_least: float = option("Area must exceed this.", share())


def _estimator(parameters: Afroc, ledger: Ledger, evidence: Evidence) -> Estimator:
    missing = ledger.nodules - np.bincount(ledger.image[ledger.hit], minlength=len(ledger.trials))
    unfound = np.repeat(np.arange(len(ledger.trials)), missing.astype(int))
    owner = np.concatenate([ledger.image[ledger.hit], unfound])
    nodules = np.concatenate([ledger.score[ledger.hit], np.full(len(unfound), UNMARKED)])
    untouched = ledger.trials[ledger.positives :]
    loudest = np.array([max((s.finding.score for s in t.sightings), default=UNMARKED) for t in untouched])
    return area_over(ledger, evidence, nodules, owner, loudest)


KIND = curve_kind(
    "afroc",
    "Area under the AFROC curve: nodules found at their place against the loudest finding on untouched images.",
    Afroc,
    label=lambda p: "area under the AFROC",
    explained=" (nodules against the highest score per untouched image)",
    estimator=_estimator,
    area=True,
    nothing="nodule, or untouched image,",
    title="Area under the AFROC",
    hits_alone=lambda p: True,
)
