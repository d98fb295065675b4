"""Bootstraps that are asked for several error rates: the same draws, computed once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.expectations.limits import LEAST_CLUSTERS
from synnodtest.statistics import FEW_CLUSTERS

__all__ = ["few_clusters", "memoised", "too_few_clusters"]

Statistic = Callable[[NDArray[np.intp]], float]


def memoised(statistic: Statistic) -> Statistic:
    """Return the statistic with its values kept by the rows it was asked for.

    A bootstrap of one seed draws the same rows at every error rate.
    """
    known: dict[bytes, float] = {}

    def remembered(rows: NDArray[Any]) -> float:
        key = hashlib.blake2b(np.ascontiguousarray(rows).tobytes(), digest_size=16).digest()
        if key not in known:
            known[key] = statistic(rows)
        return known[key]

    return remembered


def too_few_clusters(count: int) -> list[str]:
    """Return why a bootstrap over so few clusters decides nothing; empty if it may."""
    return [] if count >= LEAST_CLUSTERS else [f"{count} backgrounds are too few, {LEAST_CLUSTERS} are needed"]


def few_clusters(count: int) -> tuple[str, ...]:
    """Return the flag that a bootstrap over so few clusters carries, if any."""
    return (f"bootstrap over fewer than {FEW_CLUSTERS} clusters",) if count < FEW_CLUSTERS else ()
