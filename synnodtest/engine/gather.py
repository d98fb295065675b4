"""Needs of one item: its groups of scenes, its judge, and when a finding hits a nodule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from synnodtest.engine.parts import scenes_of
from synnodtest.errors import SynnodError
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations import Kind, Ruling, find_check, known_checks
from synnodtest.expectations.early import sequential_judge
from synnodtest.matching import Matching
from synnodtest.planning.groups import Group, groups_for
from synnodtest.planning.variants import Variant
from synnodtest.spec.model import Behaviour

FEWER_BACKGROUNDS = "backgrounds asked for"
"""Ending of a shortfall's sentence that says how many backgrounds a set has."""


def fewer_backgrounds(reasons: Iterable[str]) -> list[str]:
    """Return those of the reasons why scenes are missing that say that a set has fewer backgrounds than asked for."""
    return [reason for reason in reasons if reason.endswith(FEWER_BACKGROUNDS)]


Judge = Callable[[Mapping[str, object], Evidence], Ruling]


@dataclass(frozen=True)
class Item:
    """An expectation of a behaviour, with what its kind asks for.

    Args:
        behaviour: With scenes.
        variant: The expectation.
    """

    behaviour: Behaviour
    variant: Variant

    @cached_property
    def kind(self) -> Kind[Any]:
        """The kind of the expectation.

        Raises:
            SynnodError: nothing judges such an expectation.
        """
        registered = find_check(self.variant.expectation.kind)
        if registered is None:
            raise SynnodError(
                f"the expectation {self.variant.expectation.kind!r} is known to the language but not built yet",
                hint=f"these can be judged: {', '.join(known_checks())}",
            )
        return registered

    @property
    def is_sequential(self) -> bool:
        """True where evidence is gathered until it decides."""
        return self.behaviour.sampling.sequential

    @property
    def judge(self) -> Judge:
        """The kind that rules on the evidence."""
        return sequential_judge(self.kind.name, self.variant.parameters) if self.is_sequential else self.kind.judge

    @property
    def groups(self) -> tuple[Group, ...]:
        """The scenes that the expectation needs, without those of the sham control."""
        parameters = self.variant.parameters
        return groups_for(self.kind.arms_for(parameters), scenes_of(self.behaviour), parameters)

    @property
    def matching(self) -> Matching:
        """When a finding hits a nodule."""
        return Matching.from_dict(self.variant.parameters.get("matching", self.behaviour.matching))

    @property
    def alpha(self) -> float:
        """One-sided error rate of each bound."""
        return float(self.variant.parameters.get("alpha", self.behaviour.sampling.alpha))
