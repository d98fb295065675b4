"""Nodules as points: size, confidence, place and shape, with the cluster they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from synnodtest.evidence.trial import NoduleTrial, Trial
from synnodtest.geometry import Array, BoolArray
from synnodtest.statistics import Estimate, cluster_bootstrap


@dataclass(frozen=True)
class Point:
    """One planted or annotated nodule and how the detector met it.

    Args:
        diameter_mm: As asked for, or as annotated.
        confidence: Raw score of the finding that hits it, 0 if none.
        cluster: The patient where known, else the background.
        background: Identifier of the background.
        centre: ``(x, y)`` in pixels of the radiograph.
        regions: Regions in which the centre lies.
        roundness: Minor over major axis of the truth mask; 1 is a disc.
    """

    diameter_mm: float
    confidence: float
    cluster: str
    background: str = ""
    centre: tuple[float, float] = (0.0, 0.0)
    regions: frozenset[str] = frozenset()
    roundness: float = 1.0


def points_of(pairs: Iterable[tuple[Trial, NoduleTrial]]) -> list[Point]:
    """Return the points of planted nodules."""
    made = []
    for trial, nodule in pairs:
        x_min, y_min, x_max, y_max = nodule.truth.box
        made.append(
            Point(
                nodule.requested_mm,
                nodule.confidence,
                trial.cluster,
                trial.background,
                ((x_min + x_max) / 2, (y_min + y_max) / 2),
                nodule.regions,
                roundness(nodule.truth.crop, trial.spacing_mm),
            )
        )
    return made


def roundness(mask: BoolArray, spacing_mm: tuple[float, float] = (1.0, 1.0)) -> float:
    """Return minor over major axis of a mask, from its second moments: 1 for a disc, 0 for a line."""
    row, column = np.nonzero(mask)
    if row.size < 4:
        return 1.0
    spread = np.cov(np.stack([row * spacing_mm[0], column * spacing_mm[1]]))
    low, high = np.linalg.eigvalsh(spread)
    return float(np.sqrt(max(low, 0.0) / high)) if high > 0 else 1.0


def correlation(points: Sequence[Point], *, alpha: float = 0.025, resamples: int = 2000, seed: int = 0) -> Estimate:
    """Return the pooled Spearman correlation of size and confidence, with bounds from resampling clusters."""
    x, y = _arrays(points)
    return cluster_bootstrap(
        lambda rows: _spearman(x[rows], y[rows]),
        [point.cluster for point in points],
        alpha=alpha,
        resamples=resamples,
        seed=seed,
        limits=(-1.0, 1.0),
    )


def sampled_correlations(points: Sequence[Point], n: int, *, draws: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Return what the correlation looks like in random samples of ``n`` of the points: median and central 95%."""
    x, y = _arrays(points)
    rng = np.random.default_rng(seed)
    drawn = [_spearman(x[rows], y[rows]) for rows in (rng.choice(len(x), n, replace=False) for _ in range(draws))]
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    return {"n": n, "draws": draws, "median": float(middle), "from": float(low), "to": float(high)}


def mean_error(points: Sequence[Point]) -> float:
    """Return the standard error of the mean confidence, of clusters and not of nodules; NaN of a single cluster.

    It is that of a ratio of sums over clusters, so that of clusters of one nodule it is the mean's usual one.
    """
    mean = float(np.mean([point.confidence for point in points]))
    sums: dict[str, float] = {}
    for point in points:
        sums[point.cluster] = sums.get(point.cluster, 0.0) + point.confidence - mean
    clusters = len(sums)
    if clusters < 2:
        return float("nan")
    squares = sum(total**2 for total in sums.values())
    return float(np.sqrt(squares * clusters / (clusters - 1))) / len(points)


def by_region(points: Sequence[Point], regions: Sequence[str], threshold: float) -> list[dict[str, Any]]:
    """Return number, mean confidence and detection rate of the nodules in each region."""
    rows = []
    for name in regions:
        there = [point for point in points if name in point.regions]
        if there:
            scores = np.array([point.confidence for point in there])
            rows.append(
                {
                    "region": name,
                    "nodules": len(there),
                    "mean_confidence": float(scores.mean()),
                    "detected": float((scores >= threshold).mean()),
                }
            )
    return rows


def _arrays(points: Sequence[Point]) -> tuple[Array, Array]:
    return np.array([p.diameter_mm for p in points]), np.array([p.confidence for p in points])


def _spearman(x: Array, y: Array) -> float:
    a, b = rankdata(x), rankdata(y)
    scale = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean()) / scale if scale else 0.0
