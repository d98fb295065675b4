"""Expectations on one fuzzed scene: which arms they compare, and by how much a replicate keeps or breaks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.evidence.arm import Arm
from synnodtest.evidence.regions import RegionExpression
from synnodtest.evidence.trial import Trial
from synnodtest.expectations.claim import BASE, ClaimKind, Searched
from synnodtest.expectations.registry import claims, find_claim


@dataclass(frozen=True)
class Claim:
    """Property that must hold of an example.

    Args:
        kind: ``detected``, ``silent``, ``invariant``, ``not_lower``, ``no_reversal``, or one of an installed package.
        parameters: Of the expectation, with one operating point.
    """

    kind: str
    parameters: Mapping[str, Any]

    def __post_init__(self) -> None:
        _ = self.about

    @cached_property
    def about(self) -> ClaimKind[Any]:
        """Its kind."""
        registered = find_claim(self.kind)
        if registered is None:
            raise SynnodError(
                f"the expectation {self.kind!r} cannot be searched", hint=f"within fuzz there are {', '.join(claims())}"
            )
        return registered

    @cached_property
    def own(self) -> Searched:
        """Its parameters, as its kind reads them."""
        read: Searched = self.about.read(self.parameters)
        return read

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The scenes that a replicate needs."""
        return self.about.arms

    @property
    def rate(self) -> float:
        """Share of replicates in which it must hold."""
        return float(self.own.rate_at_least)

    @property
    def point(self) -> float:
        """The operating point."""
        return float(self.own.operating_point)

    @property
    def fall(self) -> float:
        """The largest fall of a nodule's confidence that keeps it; 0 where it speaks of none."""
        return self.about.fall(self.own)

    @property
    def region(self) -> RegionExpression | None:
        """The region that it is about: a radiograph that shows nothing of it tells nothing; None: all of it."""
        region: RegionExpression | None = getattr(self.own, "region", None)
        return region

    def tells(self, trials: Mapping[str, Trial]) -> bool:
        """Return whether the example has the nodule that is judged: one without it tells nothing."""
        return not self.about.plants or trials[BASE].nodule(self.own.of) is not None

    def margin(self, trials: Mapping[str, Trial]) -> float:
        """Return by how much one replicate keeps the claim; negative: it breaks it."""
        return self.about.margin(self.own, trials)

    def holds(self, margin: float) -> bool:
        """Return whether a replicate of this margin keeps the claim."""
        return self.about.holds(margin)

    def criterion(self) -> str:
        """Return the claim in words."""
        return f"for every example of the space, {self.about.words(self.own)} in at least {self.rate:g} of its scenes"
