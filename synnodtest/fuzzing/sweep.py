"""A sweep over failing examples that were not followed up: do they fail on backgrounds that the search has not seen?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synnodtest.fuzzing.confirm import rate_of
from synnodtest.fuzzing.stage import Replicate, Spot, Stage
from synnodtest.planning.example import Example
from synnodtest.statistics import Estimate

__all__ = ["Sweep", "sweep"]

TRIALS = 120
"""Scenes in all, shared by the examples."""


@dataclass(frozen=True)
class Sweep:
    """What came of a sweep.

    Args:
        examples: How many examples there are.
        scenes: How many fresh scenes of them were tried.
        kept: How many of those keep the claim.
        estimate: Of the rate at which they do.
    """

    examples: int
    scenes: int
    kept: int
    estimate: Estimate

    def clears(self, rate: float) -> bool:
        """Return whether they surely hold as often as asked, taken together: accidents of the search."""
        return self.scenes >= TRIALS // 2 and self.estimate.usable and self.estimate.lower > rate

    def sentence(self) -> str:
        """Return it in words."""
        bound = f"lower bound {self.estimate.lower:.2f}" if self.estimate.usable else "no bound"
        return f"{self.kept} of {self.scenes} fresh scenes of {self.examples} failing examples hold ({bound})"


def sweep(stage: Stage, examples: Sequence[Example], alpha: float, enough: Callable[[], bool]) -> Sweep:
    """Try the examples in turn, each on another held-out background."""
    spots: list[Spot] = []
    for number in range(TRIALS):
        example = examples[number % len(examples)]
        pool = stage.pool(example)
        if pool:
            spots.append((example, pool[number % len(pool)], number // len(pool)))
    done: list[Replicate] = []
    for start in range(0, len(spots), 8):
        if enough():
            break
        done += stage.run_all(iter(sorted(spots[start : start + 8], key=lambda spot: (spot[1].id, spot[2]))))
    return Sweep(len(examples), len(done), sum(r.holds for r in done), rate_of(done, alpha))
