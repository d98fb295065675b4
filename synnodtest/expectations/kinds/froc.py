"""``froc``: sensitivity at a number of false positives per image, all images pooled; a step function."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from synnodtest.counted import counted
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.curves import Ledger, beside_exact, bootstrapped, curve_figure, curve_kind
from synnodtest.expectations.fewest import froc_backgrounds
from synnodtest.expectations.language import Selection, number, option, share
from synnodtest.expectations.limits import many_false_positives
from synnodtest.expectations.rule import Estimator, no_narrower
from synnodtest.statistics import Estimate, most_per_image
from synnodtest.statistics.clusters import codes, equal_clusters, unseen_share
from synnodtest.statistics.pooled import allowed


@dataclass(frozen=True)
class Froc(Selection):
    """Parameters of ``froc``."""

    at_false_positives_per_image: float = option(
        "The place on the curve. Default 0.25.", number(above=0), 0.25, stated=True
    )
    at_least: float = option("Sensitivity there must exceed this.", share())

    @property
    def label(self) -> str:
        """Name of the estimate for a reader."""
        at = float(self.at_false_positives_per_image)
        return f"sensitivity at {counted(at, 'false positive', shown=f'{at:g}')} per image"


def _estimator(parameters: Froc, ledger: Ledger, evidence: Evidence) -> Estimator:
    """Widen the bootstrap to the exact interval at the observed threshold: near 0 and 1 it is too narrow.

    Nor is the lower bound above the sensitivity that is left where backgrounds unlike all seen crowd false positives.
    """
    at = float(parameters.at_false_positives_per_image)

    def guarded(drawn: Estimate, exact: Estimate) -> Estimate:
        wide = no_narrower(drawn, exact)
        return replace(wide, lower=min(wide.lower, _with_unseen(ledger, at, wide.alpha)))

    return beside_exact(ledger, at, bootstrapped(ledger, partial(ledger.sensitivity, rate=at), evidence), guarded)


def _with_unseen(ledger: Ledger, at: float, alpha: float) -> float:
    """Return the sensitivity at a threshold that allows for the false positives of backgrounds unlike all seen.

    As of counts, a share of 1 - alpha**(1/B) of them shows three per image, or as many as the worst seen does there.
    """
    index, _ = codes(ledger.clusters)
    true, false = ledger.steps(ledger.ones)
    share = unseen_share(equal_clusters(np.bincount(index).astype(np.float64)), alpha)
    unseen = np.maximum(most_per_image(ledger.clusters, 0.0), ledger.worst(index))
    last = int(allowed((1.0 - share) * false / len(index) + share * unseen, at))
    return float(true[last]) / len(ledger.found) if last >= 0 else 0.0


def _figure(parameters: Froc, ledger: Ledger, evidence: Evidence) -> dict[str, object]:
    at = float(parameters.at_false_positives_per_image)
    return {"kind": "froc", "at": at, **curve_figure(ledger, evidence)}


KIND = curve_kind(
    "froc",
    "Sensitivity at a number of false positives per image.",
    Froc,
    label=lambda p: p.label,
    estimator=_estimator,
    figure=_figure,
    title="Free-response curve (FROC)",
    asks_little=lambda p: many_false_positives(p.at_false_positives_per_image),
    fewest=lambda p, alpha, per_background: froc_backgrounds(p.at_least, p.at_false_positives_per_image, alpha),
)
