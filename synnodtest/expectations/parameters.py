"""Parameters that kinds of expectation have in common, as classes that theirs derive from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class Stratum(Protocol):
    """One group of a comparison."""

    @property
    def label(self) -> str:
        """Name for a reader."""
        ...

    @property
    def where(self) -> Mapping[str, object]:
        """The conditions that choose it."""
        ...


@dataclass(frozen=True)
class Selection:
    """Nodules and scenes that an expectation judges; the parameters of every kind begin with these.

    Args:
        where: Conditions by name.
        of: Name of a nodule.
        arm: Name of an arm.
        reference: Name of the arm that ``arm`` is compared with.
        strata: Groups that are compared, where the kind has any.
        matching: How findings are assigned to nodules.
    """

    where: Mapping[str, object] | None = None
    of: str | None = None
    arm: str | None = None
    reference: str | None = None
    strata: Sequence[Stratum] = ()
    matching: Mapping[str, object] | None = None


class Bounded(Protocol):
    """Parameters with a bound on either side, of which one is given."""

    @property
    def at_least(self) -> float | None:
        """Lower bound."""
        ...

    @property
    def at_most(self) -> float | None:
        """Upper bound."""
        ...
