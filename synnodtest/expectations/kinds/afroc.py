"""``afroc``: how often a nodule's score exceeds the highest on an untouched background, ties half.

Unlike the area of images it counts a nodule only where it was found at its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.expectations.curves import area_over, curve_kind
from synnodtest.expectations.language import Selection, option, share


@dataclass(frozen=True)
class Afroc(Selection):
    """Parameters of ``afroc``."""

    at_least: float = option("Area must exceed this.", share())


KIND = curve_kind(
    "afroc",
    "Area under the AFROC curve: nodules found at their place against the loudest finding on untouched images.",
    Afroc,
    label=lambda p: "area under the AFROC",
    explained=" (nodules against the highest score per untouched image)",
    estimator=lambda p, ledger, evidence: area_over(ledger, evidence, ledger.against_normal),
    area=True,
    nothing="nodule, or untouched image,",
    title="Area under the AFROC",
    hits_alone=lambda p: True,
)
