"""``invariant``: a perturbation changes a metric by less than a margin, either way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synnodtest.expectations.language import one_of, option, reference
from synnodtest.expectations.paired import Margined, margin_kind


@dataclass(frozen=True)
class Invariant(Margined):
    """Parameters of ``invariant``: a perturbation, or two arms that the scenes have."""

    under: Sequence[tuple[str, Any]] | None = option(
        "The perturbation; it makes an arm of its own, compared with the unperturbed scenes. "
        "In place of arm and reference.",
        reference("perturbations"),
    )


KIND = margin_kind(
    "invariant",
    "A perturbation changes the metric by less than the margin, either way.",
    Invariant,
    gain=None,
    title="Invariance",
    rules={"required": ["margin"], **one_of("under", ("arm", "reference"))},
)
