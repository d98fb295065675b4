"""Outcome of a search, all stages together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from synnodtest.fuzzing.confirm import Confirmation
from synnodtest.fuzzing.describe import Neighbourhood
from synnodtest.fuzzing.failure_rule import Rule, Surroundings
from synnodtest.fuzzing.hole.region import Region
from synnodtest.fuzzing.stage import Judged
from synnodtest.fuzzing.sweep import Sweep


@dataclass
class Findings:
    """Outcome of a search.

    Args:
        found: The confirmations.
        around: Examples around the first confirmed counterexample.
        rule: What tells its failing scenes from its holding ones.
        swept: Failing examples that were not followed up one by one.
        open: Examples that failed and that neither a confirmation nor a closer look settled, easiest first.
        region: The largest region around the first confirmed counterexample that fails.
        surroundings: How far a place lies from the borders of regions.
    """

    surroundings: Surroundings
    found: list[Confirmation] = field(default_factory=list)
    around: Neighbourhood | None = None
    rule: Rule | None = None
    swept: Sweep | None = None
    open: Sequence[Judged] = ()
    region: Region | None = None

    @property
    def first(self) -> Confirmation | None:
        """The surest counterexample that was confirmed; None where none was."""
        return min((c for c in self.found if c.confirmed), key=lambda c: c.p_value, default=None)
