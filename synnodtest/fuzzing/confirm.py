"""Confirmation: a failing example again, on fresh seeds and backgrounds that the search has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synnodtest.fuzzing.candidates import Candidate
from synnodtest.fuzzing.judged import Placement, Replicate
from synnodtest.fuzzing.stage import Stage, run_in_time
from synnodtest.ports import Background
from synnodtest.statistics import Estimate, clustered_rate, holm
from synnodtest.statistics.distributions import beta_sf

LEAST_TRIALS = 60
"""Scenes of a confirmation: 59 that all hold show a rate above 0.95 at an error of 5%, so fewer could not clear a usual
claim."""
LONGER = 3
"""A candidate that the first look leaves open is tried this many times as often, where no other is confirmed."""
LOOKS = 2
"""Every p-value is multiplied by this, so that a second look raises no false alarm."""


@dataclass(frozen=True)
class Confirmation:
    """The trials of one candidate and what they show.

    Args:
        candidate: What was confirmed, or not.
        replicates: Its trials, of both looks.
        estimate: Of the rate at which the claim holds.
        p_value: One-sided p of the rate asked for (small where the rate is surely below it), adjusted for two looks.
        p_holm: The same, adjusted for all candidates of the expectation as well.
        confirmed: Whether it is a failure.
        refuted: Whether the lower bound exceeds the rate asked for: an accident of the search.
        complete: Whether all trials asked for were run, and at least 60 could be planted.
        suspicious: Whether it is neither confirmed nor shown to hold: too few trials, or fewer of them hold than asked.
    """

    candidate: Candidate
    replicates: tuple[Replicate, ...]
    estimate: Estimate
    p_value: float
    p_holm: float = 1.0
    confirmed: bool = False
    refuted: bool = False
    complete: bool = True
    suspicious: bool = True

    @property
    def settled(self) -> bool:
        """True where all trials were run and there is an interval."""
        return self.complete and self.estimate.usable

    def surely(self, rate: float, alpha: float) -> bool:
        """Return whether the trials alone, before Holm, show that the claim holds less often than ``rate``."""
        return self.settled and self.estimate.upper < rate and self.p_value < alpha


def held_out(backgrounds: Sequence[Background], search: int) -> tuple[list[Background], list[Background]]:
    """Split backgrounds into those of the search and those of confirmations; no patient is in both.

    The search gets the number that it asks for, but never more than half.
    """
    first = list(backgrounds[: max(1, min(search, len(backgrounds) // 2))])
    searched = {b.cluster for b in first}
    return first, [b for b in backgrounds[len(first) :] if b.cluster not in searched]


def confirm(
    stage: Stage, candidate: Candidate, trials: int, alpha: float, enough: Callable[[], bool], most: int | None = None
) -> Confirmation:
    """Run a candidate's trials: one per held-out background, then further replicates on them.

    Args:
        stage: With held-out backgrounds, fresh seeds and the synthesizer under test.
        candidate: The failing example.
        trials: How many, at least 60. Those that cannot be planted are made up for, as often as they can be.
        alpha: One-sided error rate.
        enough: Whether time is up.
        most: Held-out backgrounds to use at most, where there is no time to read more.
    """
    done = run_in_time(stage, _placements(stage, candidate, trials, range(2 * trials), most), enough, trials)
    estimate, complete = rate_of(done, alpha), len(done) >= max(trials, LEAST_TRIALS)
    return Confirmation(candidate, tuple(done), estimate, _p_value(estimate, stage.claim.rate), complete=complete)


def longer(
    stage: Stage, found: Confirmation, alpha: float, enough: Callable[[], bool], most: int | None = None
) -> Confirmation:
    """Return a confirmation with a second look at its candidate, three times as long in all."""
    n = len(found.replicates)
    placements = _placements(stage, found.candidate, n, range(2 * n, 2 * LONGER * n), most)
    more = run_in_time(stage, placements, enough, (LONGER - 1) * n)
    if len(more) < (LONGER - 1) * n:
        return found
    done = (*found.replicates, *more)
    estimate = rate_of(done, alpha)
    p_value = min(found.p_value, _p_value(estimate, stage.claim.rate))
    return replace(found, replicates=done, estimate=estimate, p_value=p_value)


def _placements(stage: Stage, candidate: Candidate, trials: int, numbers: range, most: int | None) -> list[Placement]:
    """Return background and replicate of trials by their numbers; no two have the same.

    Held-out backgrounds come one after the other, with as many trials on each as it takes. So every background is read
    once, also where more of them are used than memory holds.
    """
    pool = stage.pool(candidate.example)[:most]
    each = max(1, -(-trials // max(1, len(pool))))
    placements = []
    for block, within in (divmod(number, each) for number in numbers if pool):
        around, index = divmod(block, len(pool))
        placements.append((candidate.example, pool[index], around * each + within))
    return placements


def rate_of(done: Sequence[Replicate], alpha: float) -> Estimate:
    """Return the rate at which replicates keep the claim, clustered by patient."""
    return clustered_rate([r.holds for r in done], [r.background.cluster for r in done], alpha=alpha)


def _p_value(estimate: Estimate, rate: float) -> float:
    """Return the smallest error rate at which the upper bound lies below ``rate``, adjusted for two looks."""
    if not estimate.usable:
        return 1.0
    size = float(estimate.extra.get("effective_n", estimate.n))
    x = estimate.value * size
    return 1.0 if x >= size else float(np.clip(LOOKS * beta_sf(rate, x + 1, size - x), 0.0, 1.0))


def decide(found: Sequence[Confirmation], rate: float, alpha: float) -> list[Confirmation]:
    """Return the confirmations with their Holm-adjusted p-values and what they come to."""
    decided = []
    for one, p_holm in zip(found, holm([c.p_value for c in found]), strict=True):
        confirmed = one.surely(rate, alpha) and float(p_holm) < alpha
        refuted = one.settled and one.estimate.lower > rate
        suspicious = not confirmed and not (one.settled and one.estimate.value >= rate)
        decided.append(replace(one, p_holm=float(p_holm), confirmed=confirmed, refuted=refuted, suspicious=suspicious))
    return decided
