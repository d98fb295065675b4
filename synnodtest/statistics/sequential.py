"""Evidence that may be looked at after every unit: e-values and confidence sequences.

The units are independent, lie in [0, 1], and come in an order fixed before the run. Under the null the e-value starts
at 1 and is a nonnegative supermartingale, so by Ville's inequality it ever reaches 1/alpha with probability at most
alpha: stopping there is valid whenever one looks. Never for units chosen adaptively, nor for nodules within a
background.

Source: Waudby-Smith & Ramdas, J. R. Stat. Soc. B 86 (2024) 1; Ville, Etude critique de la notion de collectif (1939).
"""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike

from synnodtest.geometry import Array
from synnodtest.statistics.estimate import Estimate, check_alpha, halved

_GRID = (np.arange(256) + 0.5) / 256
"""Middles of 256 equal parts of (0, 1), over which likelihood ratios are averaged: valid with any number; set by hand
so that the log e-value is smooth."""
_LARGEST_LOG = 700.0
"""Logarithm of about the largest double (709.8), so that an e-value stays finite; all above is beyond any doubt."""


def log_e_above(successes: ArrayLike, failures: ArrayLike, bound: ArrayLike) -> Array:
    """Return log e-values against "the rate is at most ``bound``", of any shape."""
    s, r, m = (np.asarray(a, dtype=np.float64) for a in (successes, failures, bound))
    with np.errstate(divide="ignore"):
        tail = np.log(scipy.special.betaincc(s + 1, r + 1, m))
    mixture = scipy.special.betaln(s + 1, r + 1) + tail - np.log1p(-m)
    return np.asarray(mixture - scipy.special.xlogy(s, m) - scipy.special.xlog1py(r, -m), dtype=np.float64)


def log_e_below(successes: ArrayLike, failures: ArrayLike, bound: ArrayLike) -> Array:
    """Return log e-values against "the rate is at least ``bound``", of any shape."""
    return log_e_above(failures, successes, 1 - np.asarray(bound, dtype=np.float64))


def _plain(log_value: ArrayLike) -> float:
    return math.exp(min(float(log_value), _LARGEST_LOG))  # type: ignore[arg-type]


def _check(bound: float, low: float, *counts: float) -> None:
    if any(not math.isfinite(count) or count < 0 for count in counts):
        raise ValueError(f"counts are finite and not negative, not {counts}")
    if not low < bound < 1:
        raise ValueError(f"the bound lies strictly between {low:g} and 1, not {bound}")


def e_value_above(successes: float, failures: float, bound: float) -> float:
    """Return the evidence that the rate exceeds ``bound``: PASSED at 1/alpha or more, at any look.

    ``B(s+1, r+1) SF(m) / ((1-m) m^s (1-m)^r)``, SF the survival function of Beta(s+1, r+1): the likelihood ratio
    against m, averaged over rates uniform on (m, 1).

    Args:
        successes: Successes so far.
        failures: Failures so far.
        bound: The rate m that is to be exceeded, strictly between 0 and 1.

    Returns:
        The e-value: 1 without data; capped near 1e304.

    Raises:
        ValueError: a count is negative or not finite, or the bound is out of range.
    """
    _check(bound, 0.0, successes, failures)
    return _plain(log_e_above(successes, failures, bound))


def e_value_below(successes: float, failures: float, bound: float) -> float:
    """Return the evidence that the rate is below ``bound``: FAILED at 1/alpha or more, at any look.

    Arguments, returns and errors are those of :func:`e_value_above`.
    """
    _check(bound, 0.0, successes, failures)
    return _plain(log_e_below(successes, failures, bound))


def _log_paired(better: float, worse: float, same: float, bound: float) -> float:
    """Log e-value that the mean of D in {-1, 0, 1} exceeds ``bound``, on the scale x = (D + 1)/2."""
    m = (bound + 1) / 2
    q = m + (1 - m) * _GRID
    stake = (q - m) / (m * (1 - m))
    logs = scipy.special.xlogy(better, 1 + stake * (1 - m)) + scipy.special.xlogy(same, 1 + stake * (0.5 - m))
    logs = logs + scipy.special.xlogy(worse, 1 - stake * m)
    return float(np.logaddexp.reduce(logs)) - math.log(len(_GRID))


def e_value_paired_above(n10: float, n01: float, concordant: float, bound: float) -> float:
    """Return the evidence that p(arm) - p(reference) exceeds ``bound``, valid at every look.

    With x = (D + 1)/2 and m = (bound + 1)/2, the mean over 256 values q of (m, 1) of
    ``prod(1 + (q - m)/(m (1 - m)) (x - m))``.

    Args:
        n10: Pairs so far in which only the arm succeeds (D = 1).
        n01: Pairs so far in which only the reference succeeds (D = -1).
        concordant: All other pairs so far (D = 0).
        bound: The difference that is to be exceeded, e.g. minus the margin; strictly between -1 and 1.

    Returns:
        The e-value: 1 without data; capped near 1e304.

    Raises:
        ValueError: a count is negative or not finite, or the bound is out of range.
    """
    _check(bound, -1.0, n10, n01, concordant)
    return _plain(_log_paired(n10, n01, concordant, bound))


def e_value_paired_below(n10: float, n01: float, concordant: float, bound: float) -> float:
    """Return the evidence that p(arm) - p(reference) is below ``bound``, valid at every look.

    Arguments, returns and errors are those of :func:`e_value_paired_above`.
    """
    _check(bound, -1.0, n10, n01, concordant)
    return _plain(_log_paired(n01, n10, concordant, -bound))


def confidence_sequence(successes: float, failures: float, *, alpha: float = 0.05) -> Estimate:
    """Estimate a rate with bounds that hold at every n at once, however often one looks.

    Each bound is the rate at which the e-value reaches 1/alpha.

    Args:
        successes: Successes so far.
        failures: Failures so far.
        alpha: One-sided error rate of each bound, over the whole sequence.

    Returns:
        The estimate; NaN within [0, 1] without data.

    Raises:
        ValueError: a count is negative or not finite.
    """
    check_alpha(alpha)
    _check(0.5, 0.0, successes, failures)
    n, reach = successes + failures, -math.log(alpha)
    if n == 0:
        return _sequence(math.nan, 0.0, 1.0, alpha, n, "no trials")
    value = successes / n
    lower, _ = halved(0.0, value, lambda m: bool(log_e_above(successes, failures, m) >= reach))
    upper, _ = halved(1.0, value, lambda m: bool(log_e_below(successes, failures, m) >= reach))
    return _sequence(value, lower, upper, alpha, n)


def confidence_sequence_paired(n10: float, n01: float, concordant: float, *, alpha: float = 0.05) -> Estimate:
    """Estimate p(arm) - p(reference) with bounds that hold at every number of pairs at once.

    Args:
        n10: Pairs so far in which only the arm succeeds.
        n01: Pairs so far in which only the reference succeeds.
        concordant: All other pairs so far.
        alpha: One-sided error rate of each bound, over the whole sequence.

    Returns:
        The estimate; NaN within [-1, 1] without data.

    Raises:
        ValueError: a count is negative or not finite.
    """
    check_alpha(alpha)
    _check(0.0, -1.0, n10, n01, concordant)
    n, reach = n10 + n01 + concordant, -math.log(alpha)
    if n == 0:
        return _sequence(math.nan, -1.0, 1.0, alpha, n, "no pairs")
    value = (n10 - n01) / n
    lower, upper = -1.0, 1.0
    if n01 < n:
        lower, _ = halved(-1.0, value, lambda m: _log_paired(n10, n01, concordant, m) >= reach)
    if n10 < n:
        upper, _ = halved(1.0, value, lambda m: _log_paired(n01, n10, concordant, -m) >= reach)
    return _sequence(value, lower, upper, alpha, n)


def _sequence(value: float, lower: float, upper: float, alpha: float, n: float, reason: str = "") -> Estimate:
    why, count = reason or ("fewer than 2 units" if n < 2 else ""), round(n)
    return Estimate(value, lower, upper, alpha, "confidence-sequence", n=count, clusters=count, reason=why)
