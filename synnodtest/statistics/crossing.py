"""Crossing of a required rate along a quantity, with an interval; a step or a slope, as the trials say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from synnodtest.geometry import Array

PLACES = 161
"""Candidate midpoints over the window: finer than the trials lie."""
WIDTHS = (1e-4, 0.02, 0.05, 0.1, 0.2)
"""Widths of the logistic slope as shares of the window: from a step to a slope that fills it."""
EVIDENCE = 20.0
"""Odds against one constant rate from which on the rate is said to cross (strong evidence, Kass and Raftery 1995)."""
_RATES = np.array([0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.995])


@dataclass(frozen=True)
class Crossing:
    """The place where the rate crosses the required one.

    Args:
        value: Posterior median.
        lower: Lower end of the interval.
        upper: Its upper end.
        odds: Odds of a crossing against one constant rate.
    """

    value: float
    lower: float
    upper: float
    odds: float

    @property
    def sure(self) -> bool:
        """True where a crossing is shown at all."""
        return self.odds >= EVIDENCE


def crossing(
    values: Sequence[float],
    holds: Sequence[bool],
    clusters: Sequence[Hashable],
    rate: float,
    *,
    fails_below: bool,
    window: tuple[float, float],
    level: float = 0.95,
) -> Crossing | None:
    """Return where the rate of ``holds`` crosses ``rate``; None without trials.

    A Bayesian change-point: the rate is a logistic curve between a rate below and one above the required one; midpoint,
    width and both rates have uniform priors on a grid, and the interval is the equal-tailed posterior one. Scenes of
    one cluster weigh as one scene in all.

    Args:
        values: Of the quantity.
        holds: Whether the claim holds there.
        clusters: Of each trial.
        rate: The required rate, in (0, 1).
        fails_below: Whether the low side fails.
        window: In which the crossing is sought; trials lie in it.
        level: Of the interval.
    """
    if not values:
        return None
    low, high = window
    sizes = Counter(clusters)
    weights = np.array([1 / sizes[c] for c in clusters])
    x, holding = np.asarray(values, dtype=float), np.asarray(holds, dtype=float)
    x, low, high = (x, low, high) if fails_below else (-x, -high, -low)
    places, likelihoods = _posterior(x, holding, weights, rate, (low, high))
    logs = np.log(_RATES) * (weights @ holding) + np.log(1 - _RATES) * (weights @ (1 - holding))
    constant = float(np.mean(np.exp(logs)))
    odds = float(np.exp(np.clip(np.log(np.mean(likelihoods)) - np.log(constant), -700, 700)))
    order = np.argsort(places)
    mass = np.cumsum(likelihoods[order]) / likelihoods.sum()
    ends = [float(places[order][np.searchsorted(mass, share)]) for share in ((1 - level) / 2, 0.5, (1 + level) / 2)]
    ends = ends if fails_below else [-end for end in reversed(ends)]
    return Crossing(ends[1], ends[0], ends[2], odds)


def _posterior(x: Array, kept: Array, weights: Array, rate: float, window: tuple[float, float]) -> tuple[Array, Array]:
    """Return candidate crossings and their likelihoods."""
    low, high = window
    middle = np.linspace(low, high, PLACES)
    below, above = _RATES[rate - 0.05 > _RATES], _RATES[rate + 0.02 < _RATES]
    if not above.size:  # a required rate next to 1
        above = np.array([(1 + rate) / 2])
    if not below.size:  # a required rate next to 0
        below = np.array([rate / 2])
    places, likelihoods, yes = [], [], kept > 0
    for width in WIDTHS:
        scale = width * (high - low)
        share = 1 / (1 + np.exp(-np.clip((x[None, :] - middle[:, None]) / scale, -60, 60)))
        held, failed = share[:, yes], share[:, ~yes]
        for b in below:
            for a in above:
                level = (rate - b) / (a - b)
                places.append(middle + scale * np.log(level / (1 - level)))
                logs = np.log(b + (a - b) * held) @ weights[yes] + np.log(1 - b - (a - b) * failed) @ weights[~yes]
                likelihoods.append(np.exp(logs))
    return np.concatenate(places), np.concatenate(likelihoods)
