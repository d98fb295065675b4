"""Confirmation: a failing example again, on fresh seeds and backgrounds that the search has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from synnodtest.fuzzing.search import Candidate
from synnodtest.fuzzing.stage import Replicate, Stage
from synnodtest.ports import Background
from synnodtest.statistics import Estimate, clustered_rate, holm

__all__ = ["Confirmation", "confirm", "decide", "held_out"]


@dataclass(frozen=True)
class Confirmation:
    """The trials of one candidate and what they show.

    Args:
        candidate: What was confirmed, or not.
        replicates: Its trials.
        estimate: Of the rate at which the claim holds.
        p_value: One-sided p of the rate asked for: small where the rate is surely below it.
        p_holm: The same, adjusted for all candidates of the expectation.
        confirmed: Whether it is a failure.
        refuted: Whether the lower bound exceeds the rate asked for: an accident of the search.
        complete: Whether all trials asked for were run.
    """

    candidate: Candidate
    replicates: tuple[Replicate, ...]
    estimate: Estimate
    p_value: float
    p_holm: float = 1.0
    confirmed: bool = False
    refuted: bool = False
    complete: bool = True


def held_out(backgrounds: Sequence[Background], search: int) -> tuple[list[Background], list[Background]]:
    """Split backgrounds into those of the search and those of confirmations; no patient is in both.

    The search gets the number that it asks for, but never more than half.
    """
    first = list(backgrounds[: max(1, min(search, len(backgrounds) // 2))])
    seen = {b.cluster for b in first}
    return first, [b for b in backgrounds[len(first) :] if b.cluster not in seen]


def confirm(stage: Stage, candidate: Candidate, trials: int, alpha: float, enough: Callable[[], bool]) -> Confirmation:
    """Run a candidate's trials: one per held-out background, then further replicates on them.

    Args:
        stage: With held-out backgrounds, fresh seeds and the synthesizer under test.
        candidate: The failing example.
        trials: How many, at least 60.
        alpha: One-sided error rate.
        enough: Whether time is up.
    """
    pool = stage.pool(candidate.example)
    where = [(pool[i % len(pool)], i // len(pool)) for i in range(trials)] if pool else []
    done: list[Replicate] = []
    complete = bool(where)
    for start in range(0, len(where), 8):
        if enough():
            complete = False
            break
        chunk = sorted(where[start : start + 8], key=lambda pair: (pair[0].id, pair[1]))
        done += stage.run(candidate.example, chunk)
    hits = [r.holds for r in done]
    clusters = [r.background.cluster for r in done]
    estimate = clustered_rate(hits, clusters, alpha=alpha)
    return Confirmation(candidate, tuple(done), estimate, _p_value(estimate, stage.claim.rate), complete=complete)


def _p_value(estimate: Estimate, rate: float) -> float:
    """Return the smallest error rate at which the upper bound lies below ``rate``."""
    if not estimate.usable:
        return 1.0
    size = float(estimate.extra.get("effective_n", estimate.n))
    x = estimate.value * size
    return 1.0 if x >= size else float(np.clip(stats.beta.sf(rate, x + 1, size - x), 0.0, 1.0))


def decide(found: Sequence[Confirmation], rate: float, alpha: float) -> list[Confirmation]:
    """Return the confirmations with their Holm-adjusted p-values and what they come to."""
    adjusted = holm([c.p_value for c in found])
    return [
        Confirmation(
            c.candidate,
            c.replicates,
            c.estimate,
            c.p_value,
            p_holm=float(p),
            confirmed=c.complete and c.estimate.usable and c.estimate.upper < rate and float(p) < alpha,
            refuted=c.complete and c.estimate.usable and c.estimate.lower > rate,
            complete=c.complete,
        )
        for c, p in zip(found, adjusted, strict=True)
    ]
