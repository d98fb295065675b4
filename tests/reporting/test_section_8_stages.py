"""Section 8, recomputed: what stops early or is searched for, and what users' functions say."""

from __future__ import annotations

import numpy as np
from scipy import integrate, optimize

from tests.reporting.recomputed import hits, holds

REACH = 20
"""An e-value of 1/alpha decides."""


def evidence_against(rate, hit, miss):
    """The e-value against a rate: the mean likelihood ratio over all larger rates, by numerical integration."""
    mean, _ = integrate.quad(lambda p: (p / rate) ** hit * ((1 - p) / (1 - rate)) ** miss, rate, 1, epsabs=0)
    return mean / (1 - rate)


def test_a_sequential_rate_stops_where_the_evidence_suffices_and_has_a_confidence_sequence(judged):
    found = judged("one-by-one::sensitivity")
    hit = np.cumsum(hits(found[1]))
    n = np.arange(1, len(hit) + 1)
    stop = next(k for k in n if k > 1 and evidence_against(0.3, hit[k - 1], k - hit[k - 1]) >= REACH)
    assert f"after {stop} of 16 planned backgrounds" in found[0]["ruling"]["sentence"]
    x, y = float(hit[stop - 1]), float(stop - hit[stop - 1])
    low = optimize.brentq(lambda m: evidence_against(m, x, y) - REACH, 1e-6, x / stop)
    high = 1 - optimize.brentq(lambda m: evidence_against(m, y, x) - REACH, 1e-6, y / stop) if y else 1.0
    holds(found, x / stop, low, high, tolerance=1e-5)
