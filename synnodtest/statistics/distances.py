"""Distances of synthetic images from real ones, in a space of features, and how much of their variety they cover."""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from synnodtest.geometry import Array


def _samples(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    first, second = (np.asarray(a, dtype=np.float64) for a in (x, y))
    first, second = (a[:, None] if a.ndim == 1 else a for a in (first, second))
    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1]:
        raise ValueError(f"samples have shape (n, features), not {first.shape} and {second.shape}")
    return first, second


def _off_diagonal_mean(kernel: Array) -> float:
    count = len(kernel)
    return float(kernel.sum() - np.trace(kernel)) / (count * (count - 1))


def kernel_distance(x: ArrayLike, y: ArrayLike) -> float:
    """Return the unbiased squared MMD with the kernel (x.y/d + 1)^3, known as KID.

    Being unbiased it may be negative where the samples come from one distribution.

    Args:
        x: Features of one sample; shape (m, d), or (m,) for one feature.
        y: Features of the other; shape (n, d) or (n,).

    Returns:
        The distance; NaN with fewer than 2 rows on a side.

    Raises:
        ValueError: the shapes do not fit.

    Source: Binkowski et al., ICLR (2018); Gretton et al., J. Mach. Learn. Res. 13 (2012) 723.
    """
    first, second = _samples(x, y)
    if min(len(first), len(second)) < 2:
        return math.nan
    width = first.shape[1]

    def kernel(a: Array, b: Array) -> Array:
        return np.asarray((a @ b.T / width + 1) ** 3, dtype=np.float64)

    within = _off_diagonal_mean(kernel(first, first)) + _off_diagonal_mean(kernel(second, second))
    return within - 2 * float(kernel(first, second).mean())


def frechet_distance(mu1: ArrayLike, cov1: ArrayLike, mu2: ArrayLike, cov2: ArrayLike) -> float:
    """Return the squared Frechet distance of two normal distributions: FID, if the features are Inception's.

    Estimated moments bias it upwards, the more so the fewer images: print n, and a real-against-real distance
    at the same n as a yardstick.

    Args:
        mu1: Mean of one; shape (d,).
        cov1: Covariance of one, symmetric and positive semidefinite; shape (d, d).
        mu2: Mean of the other.
        cov2: Covariance of the other.

    Returns:
        The distance, 0 or more; NaN if a moment is not finite.

    Raises:
        ValueError: the shapes do not fit.

    Source: Dowson & Landau, J. Multivar. Anal. 12 (1982) 450; Heusel et al., NeurIPS (2017).
    """
    m1, m2 = (np.atleast_1d(np.asarray(a, dtype=np.float64)) for a in (mu1, mu2))
    c1, c2 = (np.atleast_2d(np.asarray(a, dtype=np.float64)) for a in (cov1, cov2))
    if m1.shape != m2.shape or c1.shape != c2.shape or c1.shape != (len(m1), len(m1)):
        raise ValueError(f"moments do not fit: {m1.shape}, {c1.shape}, {m2.shape}, {c2.shape}")
    if not all(np.isfinite(a).all() for a in (m1, m2, c1, c2)):
        return math.nan
    values, vectors = scipy.linalg.eigh(c1)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    cross = np.sqrt(np.maximum(scipy.linalg.eigvalsh(root @ c2 @ root), 0.0)).sum()
    squared = float(((m1 - m2) ** 2).sum() + np.trace(c1) + np.trace(c2) - 2 * cross)
    return max(0.0, squared)


def energy_distance(x: ArrayLike, y: ArrayLike) -> float:
    """Return the root of 2 E|X-Y| - E|X-X'| - E|Y-Y'| with Euclidean distance; SciPy's, for any number of features.

    Standardize the features first if their scales differ.

    Args:
        x: Features of one sample; shape (m, d), or (m,) for one feature.
        y: Features of the other; shape (n, d) or (n,).

    Returns:
        The distance, 0 or more; NaN if a sample is empty.

    Raises:
        ValueError: the shapes do not fit.

    Source: Szekely & Rizzo, J. Stat. Plan. Inference 143 (2013) 1249.
    """
    first, second = _samples(x, y)
    if min(len(first), len(second)) == 0:
        return math.nan
    across = float(scipy.spatial.distance.cdist(first, second).mean())
    within = sum(
        2 * float(scipy.spatial.distance.pdist(a).sum()) / len(a) ** 2 if len(a) > 1 else 0.0 for a in (first, second)
    )
    return math.sqrt(max(0.0, 2 * across - within))


NEIGHBOURS = 3
"""Of Kynkäänniemi et al., who recommend 3."""


def precision_recall(real: ArrayLike, synthetic: ArrayLike, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """Return precision and recall of synthetic samples, by balls around samples that reach to their k-th neighbour.

    Precision: share of synthetic samples within a ball of the real ones. Recall: share of real samples within a ball of
    the synthetic ones. Of two samples of one distribution neither is 1: compare with real against real.

    Args:
        real: (n, d).
        synthetic: (m, d).
        neighbours: k; fewer than n and m.

    Raises:
        ValueError: a sample has no k neighbours, or the widths differ.

    Source: Kynkäänniemi et al., NeurIPS (2019).
    """
    first, second = np.asarray(real, dtype=np.float64), np.asarray(synthetic, dtype=np.float64)
    if min(len(first), len(second)) <= neighbours or first.shape[1] != second.shape[1]:
        raise ValueError(f"samples of shape {first.shape} and {second.shape} have no {neighbours} neighbours")
    between = scipy.spatial.distance.cdist(first, second)
    return _covered(between.T, first, neighbours), _covered(between, second, neighbours)


def _covered(between: Array, centres: Array, neighbours: int) -> float:
    """Return the share of rows that lie within the ball of any centre."""
    radii = np.sort(scipy.spatial.distance.cdist(centres, centres), axis=1)[:, neighbours]
    return float((between <= radii[None, :]).any(axis=1).mean())


def vendi_score(samples: ArrayLike, width: float) -> float:
    """Return the effective number of distinct samples, 1 to n.

    The exponential of the entropy of the eigenvalues of K/n, with the kernel exp(-|x - y|^2 / (2 width^2)).

    Args:
        samples: (n, d).
        width: Of the kernel; the same for whatever is compared.

    Source: Friedman and Dieng, Trans. Mach. Learn. Res. (2023).
    """
    table = np.asarray(samples, dtype=np.float64)
    kernel = np.exp(-scipy.spatial.distance.cdist(table, table, "sqeuclidean") / (2 * width**2))
    values = np.linalg.eigvalsh(kernel / len(table))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))
