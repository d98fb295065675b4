"""Too few clusters for a bootstrap: what decides nothing, and what is flagged."""

from __future__ import annotations

from synnodtest.expectations.limits import LEAST_CLUSTERS
from synnodtest.statistics import FEW_CLUSTERS

__all__ = ["few_clusters", "too_few_clusters"]


def too_few_clusters(count: int) -> list[str]:
    """Return why a bootstrap over so few clusters decides nothing; empty if it may."""
    return [] if count >= LEAST_CLUSTERS else [f"{count} backgrounds are too few, {LEAST_CLUSTERS} are needed"]


def few_clusters(count: int) -> tuple[str, ...]:
    """Return the flag that a bootstrap over so few clusters carries, if any."""
    return (f"bootstrap over fewer than {FEW_CLUSTERS} clusters",) if count < FEW_CLUSTERS else ()
