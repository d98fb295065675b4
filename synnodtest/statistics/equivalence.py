"""Equivalence of two rates on different, clustered units: two one-sided tests at effective sample sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synnodtest.statistics.clustered import clustered_rate
from synnodtest.statistics.differences import miettinen_nurminen, score_z
from synnodtest.statistics.distributions import normal_cdf, normal_sf
from synnodtest.statistics.estimate import Estimate, check_alpha, unknown, vector


@dataclass(frozen=True)
class Equivalence:
    """Difference of two rates, and the test that it lies within a margin.

    Attributes:
        difference: p(arm) - p(reference) with its two one-sided bounds.
        margin: What counts as no difference.
        p_value: The larger of the two one-sided p-values (TOST).
        equivalent: Whether both bounds lie within the margin; False where the data cannot say.
    """

    difference: Estimate
    margin: float
    p_value: float
    equivalent: bool


def equivalent_rates(
    arm: ArrayLike,
    arm_clusters: Sequence[ArrayLike],
    reference: ArrayLike,
    reference_clusters: Sequence[ArrayLike],
    *,
    margin: float,
    alpha: float = 0.05,
) -> Equivalence:
    """Test whether two rates on different units differ by less than a margin.

    Each rate enters with the number of independent trials that carry as much (:func:`clustered_rate`); Miettinen and
    Nurminen's score statistic at these sizes gives the bounds and both one-sided tests, so that the rates are
    equivalent exactly where the 1 - 2 alpha interval lies within the margin (Schuirmann, J. Pharmacokinet. Biopharm.
    15 (1987) 657).

    Args:
        arm: 1 or True for a success, one per trial.
        arm_clusters: One or more ways in which these trials cluster (host, nodule); the one that leaves the fewest
            independent trials counts.
        reference: The same of the reference.
        reference_clusters: The same of the reference.
        margin: Above 0 and at most 1.
        alpha: One-sided error rate of each bound and test.

    Raises:
        ValueError: the margin is none, lengths differ, or an outcome is neither 0 nor 1.
    """
    check_alpha(alpha)
    if not 0 < margin <= 1:
        raise ValueError(f"a margin of equivalence is above 0 and at most 1, not {margin}")
    first, second = vector(arm, "arm"), vector(reference, "reference")
    n1, n2 = _size(first, arm_clusters, alpha), _size(second, reference_clusters, alpha)
    units, clusters = len(first) + len(second), _clusters(arm_clusters) + _clusters(reference_clusters)
    if min(n1, n2) < 2:
        value = float(first.mean() - second.mean()) if min(len(first), len(second)) else float("nan")
        reason = "fewer than two independent units in a group"
        gap = unknown(-1, 1, alpha=alpha, method=METHOD, reason=reason, value=value, n=units, k=clusters)
        return Equivalence(gap, margin, 1.0, False)
    x1, x2 = float(first.mean()) * n1, float(second.mean()) * n2
    gap = replace(
        miettinen_nurminen(x1, n1, x2, n2, alpha=alpha),
        method=METHOD,
        n=units,
        clusters=clusters,
        extra={"effective_n_arm": n1, "effective_n_reference": n2},
    )
    above = normal_sf(score_z(x1, n1, x2, n2, -margin))
    below = normal_cdf(score_z(x1, n1, x2, n2, margin))
    return Equivalence(gap, margin, max(above, below), bool(gap.lower > -margin and gap.upper < margin))


METHOD = "miettinen-nurminen at effective sizes"


def _size(hits: NDArray[np.float64], clusterings: Sequence[ArrayLike], alpha: float) -> float:
    """Return the fewest independent trials that any of the clusterings leaves."""
    estimates = [clustered_rate(hits, clusters, alpha=alpha) for clusters in clusterings if len(hits)]
    return min((0.0 if e.reason else e.extra.get("effective_n", float(e.n)) for e in estimates), default=0.0)


def _clusters(clusterings: Sequence[ArrayLike]) -> int:
    return min(len(np.unique(np.asarray(clusters))) for clusters in clusterings)
