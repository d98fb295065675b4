"""Calibration: confidences read as probabilities."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from synnodtest.geometry import Array, Indices
from synnodtest.statistics.estimate import vector, vectors, yes_or_no


class CalibrationLine(NamedTuple):
    """Logistic recalibration: logit P(y = 1) = intercept + slope * logit(p). Perfect is (1, 0)."""

    slope: float
    intercept: float


def _check(p: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    chances, outcomes = vectors(p=p, y=y)
    if np.isnan(chances).any() or (chances < 0).any() or (chances > 1).any():
        raise ValueError("p are probabilities in [0, 1]")
    if not yes_or_no(outcomes):
        raise ValueError("y is 0 or 1")
    return chances, outcomes


def equal_mass(chances: Array, bins: int) -> Indices:
    """Bin of each value; ties share the bin of their first rank, so that order does not matter."""
    if bins < 1:
        raise ValueError(f"at least one bin, not {bins}")
    first_rank = np.searchsorted(np.sort(chances), chances, side="left")
    return (first_rank * bins // len(chances)).astype(np.intp)


def _between(chances: Array, edges: ArrayLike) -> Indices:
    cuts = vector(edges, "bins")
    if len(cuts) < 2 or (np.diff(cuts) <= 0).any() or cuts[0] > 0 or cuts[-1] < 1:
        raise ValueError("edges rise and cover 0 to 1")
    return np.clip(np.searchsorted(cuts, chances, side="right") - 1, 0, len(cuts) - 2)


def expected_calibration_error(p: ArrayLike, y: ArrayLike, *, bins: int | ArrayLike = 10) -> float:
    """Return the mean over bins of |mean outcome - mean p|, weighted by the bins' sizes.

    It is biased upwards in small samples, and depends on the bins; print slope and intercept beside it.

    Args:
        p: Predicted probabilities; shape (n,).
        y: Outcomes, 0 or 1; shape (n,).
        bins: A number of bins of equal mass (tied p stay together), or rising edges from 0 to 1.

    Returns:
        The error in [0, 1]; NaN without data.

    Raises:
        ValueError: lengths differ, p leaves [0, 1], y is not 0 or 1, or the bins make no sense.

    Source: Naeini, Cooper & Hauskrecht, AAAI (2015) 2901; equal mass: Nixon et al., CVPR-W (2019).
    """
    chances, outcomes = _check(p, y)
    if len(chances) == 0:
        return math.nan
    place = equal_mass(chances, int(bins)) if np.ndim(bins) == 0 else _between(chances, bins)  # type: ignore[arg-type]
    gaps = np.bincount(place, weights=outcomes - chances)
    return float(np.abs(gaps).sum() / len(chances))


def brier(p: ArrayLike, y: ArrayLike) -> float:
    """Return the mean squared distance of p from the outcome; NaN without data.

    Arguments and errors are those of :func:`expected_calibration_error`.

    Source: Brier, Mon. Weather Rev. 78 (1950) 1.
    """
    chances, outcomes = _check(p, y)
    return float(((chances - outcomes) ** 2).mean()) if len(chances) else math.nan


def calibration_line(p: ArrayLike, y: ArrayLike) -> CalibrationLine:
    """Return slope and intercept of the logistic recalibration of p.

    Probabilities are kept off 0 and 1 by 1e-6. NaN for both where the fit does not exist: one outcome
    only, constant p, or outcomes that p separates perfectly.

    Arguments and errors are those of :func:`expected_calibration_error`.

    Source: Cox, Biometrika 45 (1958) 562; Van Calster et al., BMC Med. 17 (2019) 230.
    """
    chances, outcomes = _check(p, y)
    missing = CalibrationLine(math.nan, math.nan)
    high, low = chances[outcomes == 1], chances[outcomes == 0]
    if len(high) == 0 or len(low) == 0 or np.ptp(chances) == 0:
        return missing
    if high.min() >= low.max() or high.max() <= low.min():
        return missing
    x = scipy.special.logit(np.clip(chances, 1e-6, 1 - 1e-6))
    design = np.column_stack([x, np.ones(len(x))])

    def loss(beta: Array) -> float:
        eta = design @ beta
        return float((np.logaddexp(0.0, eta) - outcomes * eta).mean())

    def gradient(beta: Array) -> Array:
        return np.asarray(design.T @ (scipy.special.expit(design @ beta) - outcomes) / len(x), dtype=np.float64)

    optimum = scipy.optimize.minimize(loss, np.array([1.0, 0.0]), jac=gradient, method="BFGS", options={"gtol": 1e-9})
    return CalibrationLine(float(optimum.x[0]), float(optimum.x[1]))
