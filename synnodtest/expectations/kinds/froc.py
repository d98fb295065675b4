"""``froc``: sensitivity at a number of false positives per image, all images pooled; a step function."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from synnodtest.counted import counted
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.curves import Ledger, beside_exact, bootstrapped, curve_figure, curve_kind
from synnodtest.expectations.language import Selection, number, option, share
from synnodtest.expectations.limits import many_false_positives
from synnodtest.expectations.rule import Estimator, no_narrower


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
    """Widen the bootstrap to the exact interval at the observed threshold: near 0 and 1 it is too narrow."""
    at = float(parameters.at_false_positives_per_image)
    drawn = bootstrapped(ledger, partial(ledger.sensitivity, rate=at), evidence)
    return beside_exact(ledger, at, drawn, no_narrower)


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
)
