"""Shares of the spread of a figure that two crossed factors explain: host chest and nodule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import ArrayLike

from synnodtest.geometry import Array, Indices
from synnodtest.statistics.estimate import same_length, vector

STARTS = ((0.3, 0.3), (2.0, 0.3), (0.3, 2.0), (2.0, 2.0))
"""Standard deviations of the factors over the residual's, from which the likelihood is climbed: two tops occur."""
LARGEST_RATIO = 1e3
"""Of a factor's standard deviation to the residual's; beyond it the residual is nothing."""


@dataclass(frozen=True)
class CrossedShares:
    """Shares of the variance, which add up to 1; NaN with a reason where the data define none.

    Attributes:
        row: Share of the first factor.
        column: Share of the second.
        rest: What remains: the factors' interaction and noise.
        variance: Of a single figure, the three components together.
        reason: Why there are no shares, empty where there are.
    """

    row: float
    column: float
    rest: float
    variance: float
    reason: str = ""


def crossed_shares(values: ArrayLike, row: Sequence[str], column: Sequence[str]) -> CrossedShares:
    """Return the shares of variance of two crossed random factors, by restricted maximum likelihood.

    ``value = mean + row + column + rest``, all three independent; the design may be unbalanced and may have holes.

    Args:
        values: One figure per trial.
        row: The first factor's level of each trial.
        column: The second factor's.

    Raises:
        ValueError: lengths differ.

    Source: Patterson & Thompson, Biometrika 58 (1971) 545; Searle, Casella & McCulloch, Variance Components (1992).
    """
    y = vector(values, "values")
    first, second = (np.unique(np.asarray(levels, dtype=str), return_inverse=True)[1] for levels in (row, column))
    same_length(values=y, row=first, column=second)
    reason = _reason(y, first, second)
    if reason:
        return CrossedShares(math.nan, math.nan, math.nan, math.nan, reason)
    model = _Model(y, first, second)
    limits = [(0.0, LARGEST_RATIO)] * 2
    tops = [scipy.optimize.minimize(model.deviance, start, method="L-BFGS-B", bounds=limits) for start in STARTS]
    ratios = np.square(min(tops, key=lambda top: float(top.fun)).x)
    residual = model.residual(ratios)
    total = residual * (1 + float(ratios.sum()))
    return CrossedShares(
        float(ratios[0]) * residual / total, float(ratios[1]) * residual / total, residual / total, total
    )


def _reason(y: Array, first: Indices, second: Indices) -> str:
    if len(y) < 3 or min(first.max(initial=-1), second.max(initial=-1)) < 1:
        return "fewer than three trials, or one level of a factor"
    if not np.isfinite(y).all():
        return "a value is missing"
    if np.ptp(y) == 0:
        return "all values agree"
    if len(y) == max(first.max(), second.max()) + 1:
        return "no level of a factor is repeated"
    return ""


class _Model:
    """The restricted likelihood of the two standard deviations over the residual's, the latter profiled out."""

    def __init__(self, y: Array, first: Indices, second: Indices) -> None:
        self._y = np.stack([y, np.ones_like(y)], axis=1)
        levels = first.max() + 1, second.max() + 1
        design = np.zeros((len(y), sum(levels)))
        design[np.arange(len(y)), first] = design[np.arange(len(y)), levels[0] + second] = 1.0
        self._of_first = np.arange(sum(levels)) < levels[0]
        self._gram, self._cross, self._plain = design.T @ design, design.T @ self._y, self._y.T @ self._y

    def deviance(self, ratios: Array) -> float:
        """Return minus twice the restricted log-likelihood, up to a constant."""
        inner, logdet = self._inner(np.square(ratios))
        n = len(self._y)
        return float((n - 1) * math.log(max(self._rest(inner), 1e-300)) + logdet + math.log(inner[1, 1]))

    def residual(self, squared: Array) -> float:
        """Return the residual's variance at given ratios of variances."""
        return self._rest(self._inner(squared)[0]) / (len(self._y) - 1)

    def _inner(self, squared: Array) -> tuple[Array, float]:
        """Return [y 1]' V^-1 [y 1] and log |V|, V in units of the residual's variance, by Woodbury's identity."""
        scale = np.sqrt(np.where(self._of_first, squared[0], squared[1]))
        core = np.eye(len(scale)) + scale[:, None] * self._gram * scale
        root = np.linalg.cholesky(core)
        half = np.linalg.solve(root, scale[:, None] * self._cross)
        return self._plain - half.T @ half, 2 * float(np.log(np.diag(root)).sum())

    @staticmethod
    def _rest(inner: Array) -> float:
        return float(inner[0, 0] - inner[0, 1] ** 2 / inner[1, 1])
