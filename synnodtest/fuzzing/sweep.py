"""A sweep over failing examples that were not followed up: do they fail on backgrounds that the search has not seen?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synnodtest.counted import counted
from synnodtest.expectations.sentences import beside
from synnodtest.fuzzing.confirm import rate_of
from synnodtest.fuzzing.judged import UNLIKELY, Placement
from synnodtest.fuzzing.stage import Stage, run_in_time
from synnodtest.planning.example import Example
from synnodtest.statistics import Estimate
from synnodtest.statistics.distributions import binom_cdf

TRIALS = 120
"""Scenes in all, shared by the examples."""
MOST = 600
"""Scenes where each of many examples needs its own: as many as a walk around a counterexample takes."""

Shares = dict[str, tuple[int, int]]
"""By key of the example: how many of its fresh scenes keep the claim, and how many there are."""


@dataclass(frozen=True)
class Sweep:
    """Outcome of a sweep.

    Args:
        examples: How many examples there are.
        scenes: How many fresh scenes of them were tried.
        kept: How many of those keep the claim.
        estimate: Of the rate at which they do.
        worst: Of one example the fewest that keep it and of how many scenes, as far as that is surely too few for the
            rate asked for; None where no example alone falls short.
        each: Fewest fresh scenes of any example.
        needed: How many of each would show an example of which none holds.
        rate: The rate asked for.
    """

    examples: int
    scenes: int
    kept: int
    estimate: Estimate
    worst: tuple[int, int] | None = None
    each: int = 0
    needed: int = 0
    rate: float = math.nan

    def clears(self, rate: float) -> bool:
        """Return whether they surely hold as often as asked, taken together and none falls short alone.

        Then they are accidents of the search. Examples that hold must not hide one that never does, so each must have
        been tried often enough to show it.
        """
        together = self.scenes >= TRIALS // 2 and self.estimate.usable and self.estimate.lower > rate
        return together and self.worst is None and self.each >= self.needed

    def sentence(self) -> str:
        """Return it in words."""
        bound = f"lower bound {beside(self.estimate.lower, self.rate)}" if self.estimate.usable else "no bound"
        examples = counted(self.examples, "failing example")
        rate = f"{self.kept} of {counted(self.scenes, 'fresh scene')} of {examples} hold ({bound})"
        if self.worst is not None:
            return f"{rate}, {self.worst[0]} of {self.worst[1]} of one of them"
        few = f", {self.each} of one of them, where {self.needed} would show that none holds"
        return rate + (few if self.each < self.needed else "")


def scenes_needed(rate: float) -> int:
    """Return how many scenes that all break a claim are too many for an example that keeps it at ``rate``."""
    return 1 if rate >= 1 else max(1, math.floor(math.log(UNLIKELY) / math.log1p(-rate)) + 1)


def _falls_short(shares: Shares, rate: float) -> tuple[int, int] | None:
    """Return the counts of the example that holds least often, if it surely holds less often than asked."""
    short = [(k, n) for k, n in shares.values() if binom_cdf(k, n, rate) < UNLIKELY]
    return min(short, key=lambda one: (one[0] / one[1], -one[1]), default=None)


def sweep(stage: Stage, examples: Sequence[Example], alpha: float, enough: Callable[[], bool]) -> Sweep:
    """Try the examples in turn, each on another held-out background."""
    placements: list[Placement] = []
    rate, needed = stage.claim.rate, scenes_needed(stage.claim.rate)
    for number in range(min(max(TRIALS, needed * len(examples)), MOST)):
        turn, index = divmod(number, len(examples))
        pool = stage.pool(examples[index])
        if pool:
            placements.append((examples[index], pool[(index + turn) % len(pool)], turn // len(pool)))
    done = run_in_time(stage, placements, enough)
    shares = {example.key(): (0, 0) for example in examples}
    for replicate in done:
        holding, scenes = shares[replicate.example.key()]
        shares[replicate.example.key()] = (holding + replicate.holds, scenes + 1)
    return Sweep(
        len(examples),
        len(done),
        sum(r.holds for r in done),
        rate_of(done, alpha),
        worst=_falls_short(shares, rate),
        each=min(n for _, n in shares.values()),
        needed=needed,
        rate=rate,
    )
