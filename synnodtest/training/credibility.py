"""How far a synthesizer's nodules can be believed: numbers, each with the yardstick it is read by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.canonical import seed_sequence
from synnodtest.errors import missing_extra
from synnodtest.statistics.distances import energy_distance, frechet_distance, kernel_distance
from synnodtest.training.embedding import Embedding
from synnodtest.training.measured import Planted

__all__ = ["agreement", "distances", "of_planted", "standardised", "two_sample_auc"]

Array = NDArray[np.float64]


def agreement(requested: Array, realised: Array) -> dict[str, Any]:
    """Return how realised values follow requested ones: rank correlation, relative error, limits of agreement.

    Limits of agreement (Bland & Altman, Lancet 1986) are those of the log ratio, given back as ratios.
    """
    from scipy.stats import spearmanr

    ratio = realised / requested
    logs = np.log(np.maximum(ratio, 1e-6))
    spread = 1.96 * float(logs.std(ddof=1)) if len(logs) > 1 else 0.0
    return {
        "n": len(requested),
        "spearman": float(spearmanr(requested, realised).statistic),
        "median_ratio": float(np.median(ratio)),
        "median_relative_error": float(np.median(np.abs(ratio - 1))),
        "p90_relative_error": float(np.percentile(np.abs(ratio - 1), 90)),
        "limits_of_agreement_ratio": [float(np.exp(logs.mean() + sign * spread)) for sign in (-1, 1)],
    }


def standardised(table: Array, reference: Array) -> Array:
    """Return features (n, d) with heavy tails drawn in, centred and scaled by a reference sample; within +-4."""
    squeezed, basis = np.cbrt(table), np.cbrt(reference)
    scale = np.maximum(basis.std(axis=0), 1e-9)
    return np.asarray(np.clip((squeezed - basis.mean(axis=0)) / scale, -4, 4), dtype=np.float64)


def distances(planted: Array, real: Array, *, halves: int = 50, seed: int = 0) -> dict[str, Any]:
    """Return distances of synthetic to real nodules in radiomics space, beside those of real to real.

    The yardstick is made of ``halves`` random splits of the real nodules into halves; the synthetic sample is
    compared with each first half at the same size, so that both suffer the same noise.

    Args:
        planted: (n, features) synthetic.
        real: (m, features) real.
        halves: How many splits.
        seed: Of the splits.
    """
    rng = np.random.default_rng(seed_sequence("distances", seed))
    a, b = standardised(planted, real), standardised(real, real)
    size = min(len(b) // 2, len(a))
    names = {"kernel": kernel_distance, "energy": energy_distance}
    found: dict[str, dict[str, list[float]]] = {name: {"synthetic": [], "real": []} for name in names}
    for _ in range(halves):
        order, some = rng.permutation(len(b)), rng.permutation(len(a))[:size]
        first, second = b[order[:size]], b[order[size : 2 * size]]
        for name, measure in names.items():
            found[name]["synthetic"].append(float(measure(a[some], first)))
            found[name]["real"].append(float(measure(second, first)))
    report: dict[str, Any] = {"n_per_side": size}
    for name, values in found.items():
        report[name] = {
            "synthetic_to_real": float(np.mean(values["synthetic"])),
            "real_to_real_mean": float(np.mean(values["real"])),
            "real_to_real_p95": float(np.percentile(values["real"], 95)),
        }
    report["frechet"] = {
        "synthetic_to_real": float(frechet_distance(a.mean(0), np.cov(a.T), b.mean(0), np.cov(b.T))),
        "n": [len(a), len(b)],
    }
    return report


def two_sample_auc(planted: Array, real: Array, clusters: Sequence[str], *, seed: int = 0) -> dict[str, float]:
    """Return how well classifiers tell synthetic from real nodules by their features; 0.5 is not at all.

    Args:
        planted: (n, features) synthetic.
        real: (m, features) real.
        clusters: Background of every row, synthetic first; folds never split one.
        seed: Of the trees.

    Returns:
        Out-of-fold AUC of a logistic regression and of boosted trees.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import roc_auc_score
        from sklearn.model_selection import GroupKFold, cross_val_predict
    except ImportError:
        raise missing_extra("scikit-learn", "metrics", "the two-sample test") from None
    table = np.concatenate([standardised(planted, real), standardised(real, real)])
    label = np.concatenate([np.ones(len(planted)), np.zeros(len(real))])
    models = {
        "logistic": LogisticRegression(C=0.1, max_iter=2000),
        "trees": HistGradientBoostingClassifier(max_depth=3, max_iter=80, random_state=seed),
    }
    folds = GroupKFold(n_splits=min(5, len(set(clusters))))
    scores = {}
    for name, model in models.items():
        guess = cross_val_predict(model, table, label, groups=list(clusters), cv=folds, method="predict_proba")
        scores[name] = float(roc_auc_score(label, guess[:, 1]))
    return scores


def of_planted(synthetic: Planted, real: Planted, embedding: Embedding | None = None) -> dict[str, Any]:
    """Return distances and two-sample AUC of one synthesizer's nodules against real ones.

    They are taken in radiomics space, and, where an encoder is given, the distances in its space too.
    """
    a, b = synthetic.measurable, real.measurable
    clusters = [c for c, ok in zip(synthetic.clusters, a, strict=True) if ok]
    clusters += [c for c, ok in zip(real.clusters, b, strict=True) if ok]
    found = {
        "distances": distances(synthetic.features[a], real.features[b]),
        "two_sample_auc": two_sample_auc(synthetic.features[a], real.features[b], clusters),
    }
    if embedding is not None:
        found["embedding_distances"] = distances(embedding.of(synthetic.views), embedding.of(real.views))
    return found
