"""Agreement of a second sample of real nodules with the first: planted ones cannot be asked to do better."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.evaluation.transfer.compare import RATES, agree, threshold_at
from synnodtest.evaluation.transfer.gather import Gathered

DRAWS = 1000
"""Samples of patients; Monte Carlo error of a percentile of the rank correlation: below 0.01."""
SEED = 0
"""Seed of the samples; any would do, and a fixed one gives the same figures again."""
TOLD = ("spearman", "mean_absolute_difference")


def yardstick(done: Sequence[Gathered]) -> dict[str, object] | None:
    """Return the agreement of sensitivities over detectors between the annotated patients and others like them.

    Patients are drawn again with replacement, as many as there are and the same for every detector; thresholds stay,
    as they do between real and planted nodules.

    Args:
        done: What each detector did; all of them on the same annotated films.

    Returns:
        Median, 5th and 95th percentile of Spearman's rank correlation and of the mean absolute difference over all
        rates; None with fewer than two detectors or patients.
    """
    if len(done) < 2:
        return None
    patients, of = np.unique([one.host for one in done[0].real], return_inverse=True)
    if len(patients) < 2:
        return None
    at = [(each, threshold_at(each.negative_scores, rate)) for each in done for rate in RATES]
    hits = np.array([[one.score > threshold for one in each.real] for each, threshold in at], dtype=np.float64)
    rng = np.random.default_rng(SEED)
    weights = rng.multinomial(len(patients), np.full(len(patients), 1 / len(patients)), DRAWS)[:, of].astype(np.float64)
    drawn = weights @ hits.T / weights.sum(axis=1, keepdims=True)
    rates = hits.mean(axis=1)
    agreements = [agree(list(zip(row, rates, strict=True))) for row in drawn]
    return {"draws": DRAWS} | {name: _percentiles([one[name] for one in agreements]) for name in TOLD}


def _percentiles(values: Sequence[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    low, middle, high = np.percentile(known, [5, 50, 95])
    return {"median": float(middle), "p5": float(low), "p95": float(high)}
