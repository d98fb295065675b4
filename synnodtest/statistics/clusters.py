"""The one partition of trials into statistical clusters."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synnodtest.geometry import Array, Indices


def _known(label: Hashable) -> bool:
    return label is not None and label != "" and label == label


def cluster_index(
    backgrounds: Sequence[Hashable] | NDArray[np.generic], patients: Sequence[Hashable | None] | None = None
) -> Indices:
    """Return the cluster of each trial: its patient where known, else its background.

    Trials of one background are one cluster in any case, and so are backgrounds of one patient;
    a patient named on one trial of a background holds for all its trials.

    Args:
        backgrounds: One label per trial.
        patients: One label per trial, or None. None, "" and NaN mean "not known".

    Returns:
        Integers from 0 in order of first appearance, one per trial.

    Raises:
        ValueError: the two differ in length, or a background is not known.
    """
    names = backgrounds.tolist() if isinstance(backgrounds, np.ndarray) else list(backgrounds)
    who = names if patients is None else list(patients)
    if len(who) != len(names):
        raise ValueError(f"{len(names)} backgrounds, but {len(who)} patients")
    if not all(_known(name) for name in names):
        raise ValueError("every trial has a background")
    number: dict[Hashable, int] = {}
    if patients is None:
        return np.array([number.setdefault(name, len(number)) for name in names], dtype=np.intp)
    parent: dict[Hashable, Hashable] = {}

    def root(node: Hashable) -> Hashable:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for background, patient in zip(names, who, strict=True):
        node = root(("background", background))
        if _known(patient):
            parent[root(("patient", patient))] = node
    return np.array([number.setdefault(root(("background", b)), len(number)) for b in names], dtype=np.intp)


def codes(cluster: ArrayLike | Sequence[Hashable]) -> tuple[Indices, int]:
    """Return integer codes from 0 for any labels, and how many there are."""
    index = cluster_index(cluster)  # type: ignore[arg-type]
    return index, int(index.max()) + 1 if len(index) else 0


def cluster_sums(values: Array, index: Indices, count: int) -> Array:
    """Return the sum of ``values`` in each of ``count`` clusters."""
    return np.bincount(index, weights=values, minlength=count).astype(np.float64)


def cluster_means(values: Array, index: Indices, count: int) -> Array:
    """Return the mean of ``values`` in each of ``count`` clusters."""
    return cluster_sums(values, index, count) / np.bincount(index, minlength=count)


def equal_clusters(units: Array) -> float:
    """Return how many clusters of one size tell as much as these where all units of a cluster agree.

    It is the number of clusters where their sizes are equal, and near 1 where one of them holds most of the units.

    Args:
        units: Units of each cluster, at least one cluster with any.

    Source: Kish, Survey Sampling (1965), section 11.7: (sum n)^2 / sum n^2.
    """
    return float(units.sum()) ** 2 / float((units**2).sum())


def unseen_share(clusters: float, alpha: float) -> float:
    """Return the share that may be unlike all of so many independent clusters, with confidence ``1 - alpha``.

    The exact bound behind the "rule of three": 1 - alpha**(1/clusters).
    """
    return -math.expm1(math.log(alpha) / clusters)


def leverage(units: Array) -> Array:
    """Return by how much the residual of each cluster from the pooled rate is to be enlarged; never below 1.

    A cluster with a large share of the units pulls the rate towards its own, and its residual says less than it should.
    Divided by the share of all others it is that from the rate without the cluster, as the jackknife has it; all
    are 1 where sizes are equal.

    Args:
        units: Units of each of at least two clusters, all above 0.
    """
    count = len(units)
    return np.asarray(np.maximum(1.0, (1.0 - 1.0 / count) / (1.0 - units / units.sum())))
