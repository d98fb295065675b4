"""A kind of claim that a search tries to break: what spec, search and report ask about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from synnodtest.evidence.arm import UNDER_ARM, Arm
from synnodtest.evidence.trial import NoduleTrial, Trial
from synnodtest.expectations.language import SEARCH, fields_given, object_schema, option, share

BASE, UNDER, COMPANION, GROWN = Arm("example"), UNDER_ARM, Arm("@companion"), Arm("@grown")
"""The scenes of a replicate: as searched, perturbed, with a second nodule, with a larger one."""
DEFAULT_RATE = 0.8
"""Share of replicates in which a claim must hold: one unlucky place in five is not yet a hole."""
JUST_BROKEN = -1e-9
"""Margin of a claim that is broken by nothing measurable."""


def rate() -> Any:
    """Return the parameter that most claims share."""
    return option(
        "Share of replicates of one example in which it must hold. Default 0.8.",
        share(above=0, default=DEFAULT_RATE),
        DEFAULT_RATE,
    )


@dataclass(frozen=True)
class Searched:
    """Parameters of every claim.

    Args:
        of: Name of the judged nodule.
        operating_point: A finding of at least this score is a detection.
        rate_at_least: Share of replicates in which it must hold.
    """

    of: str | None = None
    operating_point: float = 0.25
    rate_at_least: float = DEFAULT_RATE

    def judged(self, trial: Trial) -> list[NoduleTrial]:
        """Return the nodules that are judged."""
        return [n for n in trial.nodules if self.of is None or n.name == self.of]


C = TypeVar("C", bound=Searched)


@dataclass(frozen=True)
class ClaimKind(Generic[C]):
    """One kind of claim.

    Args:
        name: Its name in specs.
        about: What it asks, in a sentence, for the schema.
        parameters: Class of its parameters.
        margin: By how much one replicate keeps the claim, from its trials by arm; negative: it breaks it.
        words: The claim in words.
        arms: The scenes that a replicate needs.
        rules: Further JSON Schema of its definition.
        holds: Whether a replicate of a margin keeps the claim.
        needs_control: Whether a detector that is always silent would keep it.
        passes_in_silence: Whether it asks for quiet alone.
        plants: Whether examples always have a nodule.
        needs_companion: Whether it is of two nodules.
        fall: The largest fall of a nodule's confidence that keeps it; 0: it speaks of none.
    """

    name: str
    about: str
    parameters: type[C]
    margin: Callable[[C, Mapping[str, Trial]], float]
    words: Callable[[C], str]
    arms: tuple[Arm, ...] = (BASE,)
    rules: Mapping[str, object] = dataclasses.field(default_factory=dict)
    holds: Callable[[float], bool] = lambda margin: margin >= -1e-12
    needs_control: bool = True
    passes_in_silence: bool = False
    plants: bool = True
    needs_companion: bool = False
    fall: Callable[[C], float] = lambda parameters: 0.0

    @property
    def schema(self) -> dict[str, object]:
        """Its definition in the schema of the spec language."""
        return object_schema(self.about, SEARCH, self.parameters, self.rules)

    def read(self, given: Mapping[str, Any]) -> C:
        """Return the parameters of an expectation as an instance of the class."""
        return self.parameters(**fields_given(self.parameters, given))


def lead_of(parameters: Searched, nodule: NoduleTrial) -> float:
    """Return by how much a nodule is found; negative where it is not."""
    lead = float(nodule.confidence) - parameters.operating_point
    return lead if nodule.detected(parameters.operating_point) else min(lead, JUST_BROKEN)


def confidence_of(parameters: Searched, trial: Trial) -> float:
    """Return the confidence of the judged nodule, 0 without one."""
    nodule = trial.nodule(parameters.of)
    return 0.0 if nodule is None else float(nodule.confidence)


def rise(parameters: Searched, trials: Mapping[str, Trial], arm: Arm) -> float:
    """Return by how much the confidence of the judged nodule is higher in another scene than in the example itself."""
    return confidence_of(parameters, trials[arm]) - confidence_of(parameters, trials[BASE])
