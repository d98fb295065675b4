"""Expectations on one fuzzed scene: which arms they compare, and by how much a replicate keeps or breaks them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.evidence.trial import NoduleTrial, Trial, lies_in

__all__ = ["BASE", "COMPANION", "GROWN", "UNDER", "Claim"]

BASE, UNDER, COMPANION, GROWN = "example", "@under", "@companion", "@grown"
_ARMS = {
    "detected": (BASE,),
    "silent": (BASE,),
    "invariant": (BASE, UNDER),
    "not_lower": (BASE, COMPANION),
    "no_reversal": (BASE, GROWN),
}
DEFAULT_RATE = 0.8


@dataclass(frozen=True)
class Claim:
    """What must hold of an example.

    Args:
        kind: ``detected``, ``silent``, ``invariant``, ``not_lower`` or ``no_reversal``.
        parameters: Of the expectation, with one operating point.
    """

    kind: str
    parameters: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.kind not in _ARMS:
            raise SynnodError(
                f"the expectation {self.kind!r} cannot be searched", hint=f"within fuzz there are {', '.join(_ARMS)}"
            )

    @property
    def arms(self) -> tuple[str, ...]:
        """The scenes that a replicate needs."""
        return _ARMS[self.kind]

    @property
    def rate(self) -> float:
        """Share of replicates in which it must hold."""
        return float(self.parameters.get("rate_at_least", DEFAULT_RATE))

    @property
    def point(self) -> float:
        """The operating point."""
        return float(self.parameters["operating_point"])

    @property
    def needs_control(self) -> bool:
        """Whether a detector that is always silent would keep it."""
        return self.kind != "detected"

    def margin(self, trials: Mapping[str, Trial]) -> float:
        """Return by how much one replicate keeps the claim; negative: it breaks it."""
        base = trials[BASE]
        if self.kind == "detected":
            return min((self._lead(nodule) for nodule in self._judged(base)), default=-self.point)
        if self.kind == "silent":
            loudest = self._loudest(base)
            return self.point - loudest if loudest < self.point else min(self.point - loudest, -1e-9)
        before, after = self._confidence(base), self._confidence(trials[self.arms[1]])
        if self.kind == "invariant":
            return float(self.parameters["margin"]) - abs(after - before)
        return after - before + float(self.parameters["max_drop"])

    def holds(self, margin: float) -> bool:
        """Return whether a replicate of this margin keeps the claim; ``invariant`` asks for less than its margin."""
        return margin > 0 if self.kind == "invariant" else margin >= -1e-12

    def criterion(self) -> str:
        """Return the claim in words."""
        what = {
            "detected": f"its nodules are hit at operating point {self.point:g}",
            "silent": f"nothing is reported at operating point {self.point:g}",
            "invariant": f"the perturbation changes the confidence by less than {self.parameters.get('margin', 0):g}",
            "not_lower": f"a second nodule lowers the confidence by at most {self.parameters.get('max_drop', 0):g}",
            "no_reversal": f"growing {self.parameters.get('over', 'diameter_mm')} by a factor of "
            f"{self.parameters.get('factor', 1.5):g} lowers the confidence by at most "
            f"{self.parameters.get('max_drop', 0):g}",
        }[self.kind]
        return f"for every example of the space, {what} in at least {self.rate:g} of its scenes"

    def _judged(self, trial: Trial) -> list[NoduleTrial]:
        of = self.parameters.get("of")
        return [n for n in trial.nodules if of is None or n.name == of]

    def _lead(self, nodule: NoduleTrial) -> float:
        return (
            float(nodule.confidence) - self.point
            if nodule.detected(self.point)
            else min(float(nodule.confidence) - self.point, -1e-9)
        )

    def _loudest(self, trial: Trial) -> float:
        region = self.parameters.get("region")
        if region is None:
            return max((s.finding.score for s in trial.sightings), default=0.0)
        return max((s.finding.score for s in trial.sightings if lies_in(region, s.regions)), default=0.0)

    def _confidence(self, trial: Trial) -> float:
        nodule = trial.nodule(self.parameters.get("of"))
        return 0.0 if nodule is None else float(nodule.confidence)
