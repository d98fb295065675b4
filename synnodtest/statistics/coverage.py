"""Coverage of real variety by synthetic images: recall and precision of neighbourhoods, and the Vendi score."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

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


def _covered(between: NDArray[np.float64], centres: NDArray[np.float64], neighbours: int) -> float:
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
