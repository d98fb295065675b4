"""Rules that part failing scenes from holding ones: a threshold on a parameter, or on the place in the chest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synnodtest.expectations.claim import BASE
from synnodtest.fuzzing.judged import Replicate
from synnodtest.geometry import Array
from synnodtest.ports import Background

LEAST_SCENES = 5
"""Failing and holding scenes that there must be."""
LEAST_BALANCE = 0.7
"""Share of failing plus share of holding scenes told rightly, minus 1, from which on a rule is stated."""
FROM, INSIDE = "mm from the border of ", "in the region "
_WORDS = {"retrocardiac": "the heart", "lung": "the lung", "subdiaphragmatic": "the diaphragm"}
Surroundings = Callable[[Background, tuple[float, float]], Mapping[str, float]]
"""Distance of a place from the borders of regions, by name, in mm."""


@dataclass(frozen=True)
class Rule:
    """A threshold, with failing scenes on one side of it.

    Args:
        name: A parameter, ``mm from the border of <region>`` or ``in the region <region>`` (1 or 0).
        threshold: Half-way between the nearest scenes of either kind.
        below: Whether failing scenes lie below it.
        failing: How many failing scenes it tells rightly, and of how many.
        holding: The same of holding scenes.
    """

    name: str
    threshold: float
    below: bool
    failing: tuple[int, int]
    holding: tuple[int, int]

    @property
    def balance(self) -> float:
        """0: tells nothing; 1: tells every scene."""
        return self.failing[0] / self.failing[1] + self.holding[0] / self.holding[1] - 1

    def sentence(self) -> str:
        """Return ``failing scenes lie up to 12 mm from the border of the heart (right for 28 of 28 ..)``."""
        right = f"right for {self.failing[0]} of {self.failing[1]} failing and {self.holding[0]} of {self.holding[1]}"
        return f"{self._what()} ({right} holding scenes)"

    @property
    def region(self) -> str:
        """The region that it is on; the parameter where it is on none."""
        return self.name.removeprefix(INSIDE).removeprefix(FROM)

    def _what(self) -> str:
        if self.name.startswith(INSIDE):
            return f"failing scenes lie {'outside' if self.below else 'in'} the region {self.region}"
        if self.name.startswith(FROM):
            side = "up to" if self.below else "more than"
            return f"failing scenes lie {side} {self.threshold:.3g} mm from the border of {named(self.region)}"
        return f"failing scenes have {self.name} {'below' if self.below else 'above'} {self.threshold:.3g}"

    def value(self, replicate: Replicate, surroundings: Surroundings) -> float:
        """Return what a replicate measures; not a number where it has no such quantity."""
        return dict(_measures(replicate, surroundings)).get(self.name, np.nan)

    def tells_failing(self, value: float) -> bool:
        """Return whether a scene of this value lies on the failing side."""
        return value < self.threshold if self.below else value > self.threshold


def named(region: str) -> str:
    """Return what a region is called in a sentence on its border."""
    return f"{_WORDS[region]} (region {region})" if region in _WORDS else f"the region {region}"


def failure_rule(
    replicates: Sequence[Replicate],
    surroundings: Surroundings,
    only: tuple[str, ...] = ("",),
    least: float = LEAST_BALANCE,
    keeps: float = 0.0,
) -> Rule | None:
    """Return the one threshold that tells failing scenes from holding ones best; None where none does well.

    Args:
        replicates: Scenes around one counterexample.
        surroundings: How far a place lies from the borders of regions; see ``Places.surroundings``.
        only: How the names of rules begin that are asked for; default: all.
        least: How well a rule must tell them.
        keeps: Share of the failing scenes that it must tell rightly.
    """
    fails = np.array([not r.holds for r in replicates], dtype=bool)
    if min(int(fails.sum()), int((~fails).sum())) < LEAST_SCENES:
        return None
    table: dict[str, list[float]] = {}
    for number, replicate in enumerate(replicates):
        for name, value in _measures(replicate, surroundings):
            if name.startswith(only):
                table.setdefault(name, [np.nan] * len(replicates))[number] = value
    cuts = (_best_cut(name, np.array(values), fails) for name, values in table.items())
    rules = [rule for rule in cuts if rule is not None and rule.failing[0] >= keeps * rule.failing[1]]
    best = max(rules, key=_preferred, default=None)
    return best if best is not None and best.balance >= least else None


def _preferred(rule: Rule) -> tuple[float, bool]:
    """Return what the best rule has most of; of two that tell as well, one names where the scenes lie."""
    return round(rule.balance, 3), not (rule.below and rule.name.startswith(INSIDE))


def _measures(replicate: Replicate, surroundings: Surroundings) -> Iterator[tuple[str, float]]:
    """Yield parameters first, then regions, then distances: among equally good rules the plainest is stated."""
    for name, value in replicate.example.items:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield name, float(value)
    trial = replicate.trials[BASE]
    if not trial.scene.nodules:
        return
    away = surroundings(replicate.background, trial.scene.nodules[0].centre_mm)
    inside = trial.nodules[0].regions
    yield from ((f"{INSIDE}{region}", float(region in inside)) for region in away)
    yield from ((f"{FROM}{region}", distance) for region, distance in away.items())


def _best_cut(name: str, values: Array, fails: NDArray[np.bool_]) -> Rule | None:
    """Return the best threshold on one quantity; None where it is not known everywhere or does not vary."""
    if not np.isfinite(values).all() or np.ptp(values) == 0:
        return None
    order = np.argsort(values, kind="stable")
    ranked, failing = values[order], fails[order]
    below = np.cumsum(failing) / fails.sum()
    holding_share = np.cumsum(~failing) / (~fails).sum()
    cuts = np.flatnonzero(np.diff(ranked) > 0)
    gain = (below - holding_share)[cuts]
    at = int(np.argmax(np.abs(gain)))
    cut, low = int(cuts[at]), bool(gain[at] > 0)
    threshold = float((ranked[cut] + ranked[cut + 1]) / 2)
    predicted = values < threshold if low else values > threshold
    return Rule(
        name,
        threshold,
        low,
        (int((predicted & fails).sum()), int(fails.sum())),
        (int((~predicted & ~fails).sum()), int((~fails).sum())),
    )
