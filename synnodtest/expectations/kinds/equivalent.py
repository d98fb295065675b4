"""``equivalent``: an arm and its reference differ by less than a margin, either way."""

from __future__ import annotations

from synnodtest.expectations.paired import Margined, margin_kind

KIND = margin_kind(
    "equivalent",
    "Arm and reference differ by less than the margin, either way.",
    Margined,
    gain=None,
    title="Equivalence",
    rules={"required": ["arm", "reference", "margin"]},
)
