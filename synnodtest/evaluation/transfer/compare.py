"""Sensitivity to planted nodules beside sensitivity to real ones, at matched false positives per negative film."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from synnodtest.evaluation.transfer.gather import Found, Gathered
from synnodtest.geometry import Array
from synnodtest.statistics import (
    Estimate,
    cluster_bootstrap,
    clustered_rate,
    crossed_shares,
    equivalent_rates,
    spearman,
)
from synnodtest.statistics.pooled import Ranked, of_rows

RATES = (0.5, 1.0, 2.0)
"""False positives per negative film at which sensitivities are compared."""
BANDS_MM = ((0.0, 15.0), (15.0, 25.0), (25.0, 45.0))
"""Of the longest side of the annotated box; the last one closed."""
SEED = 0
"""Seed of the resamples; any would do, and a fixed one gives the same bounds again."""
DRAWS = 1000
"""Samples of patients; Monte Carlo error of a percentile of the rank correlation: below 0.01."""
TOLD = ("spearman", "mean_absolute_difference")


def threshold_at(negative_scores: Sequence[Sequence[float]], rate: float) -> float:
    """Return the score above which at most ``rate`` findings per negative film lie: the next lower score of a finding.

    A finding counts if its score is *above* it. 0 where even all findings together are no more.
    """
    scores = sorted((score for film in negative_scores for score in film), reverse=True)
    allowed = math.floor(rate * len(negative_scores) + 1e-9)
    return scores[allowed] if len(scores) > allowed else 0.0


def compare(done: Gathered, *, margin: float, alpha: float = 0.05) -> dict[str, object]:
    """Return the comparison of one detector in plain JSON values.

    Args:
        done: What it found.
        margin: Of equivalence of the sensitivities.
        alpha: One-sided error rate of each bound and test.
    """
    return {
        "rates": [_at(done, rate, margin, alpha) for rate in RATES],
        "image_auc": {
            "real": _image_auc(done.real_tops, done, alpha),
            "planted": _image_auc(done.planted_tops, done, alpha),
        },
        "variance": _variance(done.planted),
        "rejected": len(done.rejected),
        "unplaced": len(done.unplaced),
        "why_rejected": _counted(done.rejected),
    }


def _at(done: Gathered, rate: float, margin: float, alpha: float) -> dict[str, object]:
    threshold = threshold_at(done.negative_scores, rate)
    films = max(len(done.negative_scores), 1)
    reached = sum(score > threshold for film in done.negative_scores for score in film) / films
    beside = sum(score > threshold for score in done.false_positives) / max(done.exhaustive, 1)
    bands = [
        {"from_mm": low, "to_mm": high}
        | _pair(_sized(done.real, low, high), _sized(done.planted, low, high), threshold, margin, alpha)
        for low, high in BANDS_MM
    ]
    return {
        "false_positives_per_image": rate,
        "threshold": threshold,
        "reached": reached,
        "on_annotated_films": beside if done.exhaustive else None,
        **_pair(done.real, done.planted, threshold, margin, alpha),
        "bands": bands,
    }


def _sized(found: Sequence[Found], low: float, high: float) -> list[Found]:
    return [one for one in found if low <= one.size_mm < high or (one.size_mm == high == BANDS_MM[-1][1])]


def _pair(
    real: Sequence[Found], planted: Sequence[Found], threshold: float, margin: float, alpha: float
) -> dict[str, object]:
    hits = [[float(one.score > threshold) for one in group] for group in (planted, real)]
    hosts = [[one.host for one in group] for group in (planted, real)]
    owners = [hosts[0], [one.nodule for one in planted]]
    test = equivalent_rates(hits[0], owners, hits[1], [hosts[1]], margin=margin, alpha=alpha)
    return {
        "real": as_plain(clustered_rate(hits[1], hosts[1], alpha=alpha)),
        "planted": as_plain(clustered_rate(hits[0], hosts[0], alpha=alpha)),
        "difference": as_plain(test.difference),
        "covers_0": test.difference.lower <= 0 <= test.difference.upper,
        "margin": margin,
        "p_equivalence": test.p_value,
        "equivalent": test.equivalent and any(hits[0] + hits[1]),  # two silent sides prove nothing
    }


def as_plain(estimate: Estimate) -> dict[str, object]:
    """Return an estimate in plain JSON values."""
    return {
        "value": estimate.value if math.isfinite(estimate.value) else None,
        "lower": estimate.lower,
        "upper": estimate.upper,
        "n": estimate.n,
        "clusters": estimate.clusters,
        **({"reason": estimate.reason} if estimate.reason else {}),
    }


def _image_auc(tops: Sequence[tuple[str, float]], done: Gathered, alpha: float) -> dict[str, object]:
    """Return the area under the curve of films with a nodule against negative ones; patients are resampled."""
    negatives = [max(film, default=-math.inf) for film in done.negative_scores]
    scores = np.array([score for _, score in tops] + negatives)
    positive = np.arange(len(scores)) < len(tops)
    patients = [patient for patient, _ in tops] + list(done.negatives)
    if not len(tops) or not negatives:
        return {"value": None, "n": len(scores), "reason": "no film of one kind"}
    area = of_rows(Ranked.images_of(scores, positive, ~positive).area, len(scores))
    return as_plain(cluster_bootstrap(area, patients, alpha=alpha, resamples=1000, seed=SEED, limits=(0.0, 1.0)))


def _variance(planted: Sequence[Found]) -> dict[str, object]:
    """Return the shares of the score's variance that the negative film and the nodule explain."""
    shares = crossed_shares(
        [one.score for one in planted], [one.host for one in planted], [one.nodule for one in planted]
    )
    if shares.reason:
        return {"reason": shares.reason}
    return {"host": shares.row, "nodule": shares.column, "rest": shares.rest, "n": len(planted)}


def _counted(reasons: Sequence[str]) -> dict[str, int]:
    """Return how often each kind of reason occurs: reasons without names and numbers."""
    kinds = [" ".join(re.sub(r"nodule '[^']*':?|[0-9.]+", "", one).split()) for one in reasons]
    return dict(sorted(Counter(kinds).items()))


def visibility_of(real: Sequence[Found], planted: Sequence[Found]) -> dict[str, object]:
    """Return how contrast in place and conspicuity of planted nodules compare with those of real ones, by band."""
    bands = (*BANDS_MM, (0.0, BANDS_MM[-1][1]))
    return {
        name: [
            {"from_mm": low, "to_mm": high}
            | _distance(*(_values(_sized(group, low, high), name) for group in (real, planted)))
            for low, high in bands
        ]
        for name in ("contrast", "conspicuity")
    }


def _values(found: Sequence[Found], name: str) -> Array:
    values = np.array([getattr(one, name) for one in found], dtype=np.float64)
    return values[np.isfinite(values)]


def _distance(real: Array, planted: Array) -> dict[str, object]:
    if not len(real) or not len(planted):
        return {"n_real": len(real), "n_planted": len(planted)}
    own, others = (np.quantile(group, (0.1, 0.5, 0.9)).tolist() for group in (real, planted))
    return {
        "n_real": len(real),
        "n_planted": len(planted),
        "real": own,
        "planted": others,
        "median_ratio": others[1] / own[1] if min(own[1], others[1]) > 0 else None,  # no ratio across 0
        "kolmogorov_smirnov": float(stats.ks_2samp(real, planted).statistic),
    }


def agreement(detectors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how sensitivities to planted and to real nodules agree over detectors.

    Args:
        detectors: What :func:`compare` returned of each.

    Returns:
        Per rate Spearman's rank correlation (None with fewer than three detectors, or where all are alike), the mean
        and the largest absolute difference; and the same over all rates.
    """
    tables = [
        {
            "false_positives_per_image": rate,
            **agree([(one["rates"][k]["planted"]["value"], one["rates"][k]["real"]["value"]) for one in detectors]),
        }
        for k, rate in enumerate(RATES)
    ]
    pairs = [(at["planted"]["value"], at["real"]["value"]) for one in detectors for at in one["rates"]]
    return {"detectors": len(detectors), "rates": tables, "all_rates": agree(pairs)}


def agree(pairs: Sequence[tuple[float | None, float | None]]) -> dict[str, Any]:
    """Return rank correlation (None where it is not defined) and differences of pairs; pairs with None are left out."""
    known = np.array([pair for pair in pairs if None not in pair], dtype=np.float64).reshape(-1, 2)
    gaps = np.abs(known[:, 0] - known[:, 1])
    varied = len(known) >= 3 and all(np.ptp(known[:, k]) > 0 for k in (0, 1))
    return {
        "n": len(known),
        "spearman": spearman(known[:, 0], known[:, 1]).value if varied else None,
        "mean_absolute_difference": float(gaps.mean()) if len(known) else None,
        "largest_difference": float(gaps.max()) if len(known) else None,
    }


def yardstick(done: Sequence[Gathered]) -> dict[str, object] | None:
    """Return the agreement of sensitivities over detectors between the annotated patients and others like them.

    A second sample of real nodules: planted ones cannot be asked to agree better.
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
