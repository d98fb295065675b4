"""The fewest backgrounds on which PASSED is possible at all: what the best data that there can be would show."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from synnodtest.planning.variants import Variant
from synnodtest.statistics import (
    e_value_paired_above,
    korn_graubard,
    mean_cluster_spearman,
    paired_mean,
    rate_difference_clustered,
    smallest_n_paired,
    smallest_n_rate,
    spearman,
    tango,
)

__all__ = [
    "LEAST_CLUSTERS",
    "RATES",
    "RATE_METRICS",
    "REFERENCE_AT_LEAST",
    "rate_bound",
    "reference_units",
    "smallest_backgrounds",
    "smallest_sequential_pairs",
]

LEAST_CLUSTERS = 15
"""Fewest backgrounds on which a bootstrap decides."""
REFERENCE_AT_LEAST = 0.2
"""Least sensitivity that a reference must show: two silent arms prove nothing."""
RATES = frozenset({"sensitivity", "specificity", "no_detection", "detected"})
RATE_METRICS = frozenset({"sensitivity", "specificity"})
_LEVELS = 5
_MOST = 100_000

Passes = Callable[[int], bool]


def smallest_backgrounds(variant: Variant, alpha: float, per_background: float) -> int | None:
    """Return the fewest backgrounds with which an expectation can pass; None where that is not known.

    Args:
        variant: The item; counts per image and parity are not known here.
        alpha: One-sided error rate of each bound.
        per_background: Units that a background gives, above 0.
    """
    kind, parameters = variant.expectation.kind, variant.parameters
    if kind in RATES:
        bound, below = rate_bound(variant)
        return _rates(bound, below, alpha, per_background) if 0 < bound < 1 else None
    if kind in {"froc", "auc", "average_precision"}:
        return max(LEAST_CLUSTERS, _rate(float(parameters["at_least"]), alpha))
    if kind == "calibration":
        return LEAST_CLUSTERS
    if kind == "monotone":
        return _first(_all_rise(float(parameters.get("min_spearman", 0.0)), alpha), LEAST_CLUSTERS)
    if kind == "correlation" and "at_least" in parameters:
        rise = _one_line if per_background <= 1 else _all_rise
        return _first(rise(float(parameters["at_least"]), alpha), LEAST_CLUSTERS)
    if kind == "correlation":
        return LEAST_CLUSTERS
    if kind == "localization" and "at_least" in parameters:
        return _first(_all_perfect(float(parameters["at_least"]), alpha), 2)
    if kind in {"non_inferior", "superior", "equivalent", "invariant"}:
        pairs = _two_arms(kind, parameters, alpha, per_background)
        return None if pairs is None else max(pairs, reference_units(variant, alpha))
    return None


def rate_bound(variant: Variant) -> tuple[float, bool]:
    """Return the bound of a rate, and whether the rate must stay below it."""
    parameters = variant.parameters
    if "at_most" in parameters:
        return float(parameters["at_most"]), True
    return float(parameters.get("at_least", parameters.get("rate_at_least", 0.0))), False


def smallest_sequential_pairs(parameters: Mapping[str, Any], alpha: float) -> int | None:
    """Return after how many concordant pairs the e-value of non-inferiority reaches 1/alpha at the earliest."""
    margin = float(parameters["margin"])
    return _first(lambda n: e_value_paired_above(0, 0, n, -margin) >= 1 / alpha, 2)


def reference_units(variant: Variant, alpha: float) -> int:
    """Return the fewest nodules that show that the reference of a comparison detects anything at all."""
    return _rate(float(variant.parameters.get("reference_at_least", REFERENCE_AT_LEAST)), alpha)


def _two_arms(kind: str, parameters: Mapping[str, Any], alpha: float, per_background: float) -> int | None:
    """Return the backgrounds that show the difference where the arm is as good as can be."""
    margin, rates = float(parameters.get("margin", 0.0)), parameters.get("metric", "sensitivity") in RATE_METRICS
    if kind == "superior":
        if not rates:
            return None
        pairs = _first(lambda n: tango(0, n, 0, 0, alpha=alpha).lower > margin, 2)
        return None if pairs is None else max(2, math.ceil(pairs / min(per_background, 1.0)))
    if rates and per_background <= 1:
        return max(2, math.ceil(smallest_n_paired(margin, alpha=alpha) / per_background))
    several = max(1, round(per_background))

    def equal(n: int) -> bool:
        if rates:
            alike, cluster = np.ones(several * n), np.repeat(np.arange(n), several)
            return -rate_difference_clustered(alike, alike, cluster, alpha=alpha).lower < margin
        return -paired_mean(np.zeros(n), np.arange(n), alpha=alpha, guarded=True).lower < margin

    return _first(equal, 2)


def _rates(bound: float, below: bool, alpha: float, per_background: float) -> int | None:
    """Return the backgrounds on which a rate can be shown: all units alike, or equally many successes on each."""
    least = 1.0 - bound if below else bound
    if per_background <= 1:
        return max(2, math.ceil(smallest_n_rate(least, alpha=alpha) / per_background))
    units = round(per_background)

    def passes(n: int) -> bool:
        trials = np.full(n, units)
        found = (korn_graubard(trials - missed, trials, alpha=alpha, guarded=True) for missed in range(units))
        return any(one.lower > least for one in found)

    return _first(passes, 2)


def _rate(bound: float, alpha: float) -> int:
    """Return the fewest units that show a rate above ``bound``; two where any would."""
    return max(2, smallest_n_rate(bound, alpha=alpha)) if bound < 1 else _MOST


def _all_rise(bound: float, alpha: float) -> Passes:
    def passes(n: int) -> bool:
        x, cluster = np.tile(np.arange(_LEVELS), n), np.repeat(np.arange(n), _LEVELS)
        return mean_cluster_spearman(x, x, cluster, alpha=alpha, guarded=True).lower > bound

    return passes


def _one_line(bound: float, alpha: float) -> Passes:
    return lambda n: spearman(np.arange(n), np.arange(n), alpha=alpha).lower > bound


def _all_perfect(bound: float, alpha: float) -> Passes:
    def passes(n: int) -> bool:
        limits = (0.0, 1.0)
        return paired_mean(np.ones(n), np.arange(n), alpha=alpha, limits=limits, guarded=True).lower > bound

    return passes


def _first(passes: Passes, start: int) -> int | None:
    """Return the smallest n from ``start`` on that passes, where all larger ones do; None if none of 100,000 does."""
    high = start
    while not passes(high):
        high *= 2
        if high > _MOST:
            return None
    low = max(start, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle + 1, high)
    return high
