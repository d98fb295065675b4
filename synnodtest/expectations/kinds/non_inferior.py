"""``non_inferior``: an arm is worse than its reference by less than a margin."""

from __future__ import annotations

from synnodtest.expectations.paired import Margined, margin_kind

KIND = margin_kind(
    "non_inferior",
    "The arm is worse than its reference by less than the margin.",
    Margined,
    gain=-1,
    title="Non-inferiority",
    rules={"required": ["arm", "reference", "margin"]},
)
