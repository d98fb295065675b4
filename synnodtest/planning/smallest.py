"""The fewest backgrounds on which PASSED is possible at all: what the best data that there can be would show.

For expectations whose intervals have no closed form; those of rates stand in :mod:`synnodtest.statistics.planning`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from synnodtest.planning.variants import Variant
from synnodtest.statistics import (
    e_value_paired_above,
    mean_cluster_spearman,
    paired_mean,
    smallest_n_rate,
    spearman,
    tango,
)

__all__ = [
    "LEAST_CLUSTERS",
    "REFERENCE_AT_LEAST",
    "reference_units",
    "smallest_backgrounds",
    "smallest_sequential_pairs",
]

LEAST_CLUSTERS = 15
"""Fewest backgrounds on which a bootstrap decides."""
REFERENCE_AT_LEAST = 0.2
"""Least sensitivity that a reference must show: two silent arms prove nothing."""
_LEVELS = 5
_MOST = 100_000

Passes = Callable[[int], bool]


def smallest_backgrounds(variant: Variant, alpha: float, *, alone: bool) -> int | None:
    """Return the fewest backgrounds with which an expectation can pass; None where that is not known.

    Args:
        variant: The item; rates, counts and parity are not known here.
        alpha: One-sided error rate of each bound.
        alone: Whether every background gives one unit.
    """
    kind, parameters = variant.expectation.kind, variant.parameters
    if kind in {"froc", "auc", "average_precision"}:
        return max(LEAST_CLUSTERS, _rate(float(parameters["at_least"]), alpha))
    if kind == "calibration":
        return LEAST_CLUSTERS
    if kind == "monotone":
        return _first(_all_rise(float(parameters.get("min_spearman", 0.0)), alpha), LEAST_CLUSTERS)
    if kind == "correlation" and "at_least" in parameters:
        rise = _one_line if alone else _all_rise
        return _first(rise(float(parameters["at_least"]), alpha), LEAST_CLUSTERS)
    if kind == "correlation":
        return LEAST_CLUSTERS
    if kind == "localization" and "at_least" in parameters:
        return _first(_all_perfect(float(parameters["at_least"]), alpha), 2)
    if kind in {"non_inferior", "superior", "equivalent", "invariant"}:
        pairs = _two_arms(kind, parameters, alpha)
        return None if pairs is None else max(pairs, reference_units(variant, alpha))
    return None


def smallest_sequential_pairs(parameters: Mapping[str, Any], alpha: float) -> int | None:
    """Return after how many concordant pairs the e-value of non-inferiority reaches 1/alpha at the earliest."""
    margin = float(parameters["margin"])
    return _first(lambda n: e_value_paired_above(0, 0, n, -margin) >= 1 / alpha, 2)


def reference_units(variant: Variant, alpha: float) -> int:
    """Return the fewest nodules that show that the reference of a comparison detects anything at all."""
    return _rate(float(variant.parameters.get("reference_at_least", REFERENCE_AT_LEAST)), alpha)


def _two_arms(kind: str, parameters: Mapping[str, Any], alpha: float) -> int | None:
    """Return the pairs that show the difference where the arm is as good as can be."""
    margin = float(parameters.get("margin", 0.0))
    if kind == "superior":
        if parameters.get("metric", "sensitivity") not in {"sensitivity", "specificity"}:
            return None
        return _first(lambda n: tango(0, n, 0, 0, alpha=alpha).lower > margin, 2)

    def equal(n: int) -> bool:
        return -paired_mean(np.zeros(n), np.arange(n), alpha=alpha, guarded=True).lower < margin

    return _first(equal, 2)


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
