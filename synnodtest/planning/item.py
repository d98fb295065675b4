"""An item: one expectation of a behaviour, with what its kind asks for."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.expectations import Kind, kind_of
from synnodtest.expectations.registry import Judge, sequential_judge
from synnodtest.matching import Matching
from synnodtest.planning.groups import Group, groups_for
from synnodtest.planning.variants import Variant
from synnodtest.spec.model import Behaviour, Scenes


def scenes_of(behaviour: Behaviour) -> Scenes:
    """Return the scenes of a behaviour.

    Raises:
        SynnodError: it has none.
    """
    if behaviour.scenes is None:
        raise SynnodError(f"behaviour {behaviour.id!r} has no scenes")
    return behaviour.scenes


@dataclass(frozen=True)
class Item:
    """An expectation of a behaviour.

    Args:
        behaviour: With scenes.
        variant: The expectation.
    """

    behaviour: Behaviour
    variant: Variant

    @cached_property
    def kind(self) -> Kind[Any]:
        """The kind of the expectation."""
        return kind_of(self.variant.expectation.kind)

    @cached_property
    def parameters(self) -> Any:
        """Its parameters, as the kind reads them."""
        return self.kind.read(self.variant.parameters)

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
