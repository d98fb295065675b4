"""Credibility of a synthesizer's nodules: numbers, each with the yardstick it is read by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from synnodtest.canonical import seed_sequence
from synnodtest.counted import counted
from synnodtest.errors import SynnodError, missing_extra
from synnodtest.evaluation.embedding import Embedding
from synnodtest.evaluation.measured import Planted
from synnodtest.geometry import Array
from synnodtest.statistics import spearman
from synnodtest.statistics.distances import (
    energy_distance,
    frechet_distance,
    kernel_distance,
    precision_recall,
    vendi_score,
)

HALVES = 50
"""Times that backgrounds are split in two."""
FEWEST = 4
"""Nodules in a half: a neighbourhood takes three others."""
_SHOWN = (
    ("diameter_mm", "diameter", "Diameter in mm", (4, 8, 16, 32)),
    ("contrast", "contrast", "Contrast", (0.1, 0.2, 0.4, 0.8)),
)
_FINE, _COARSE = (0.92, 0.95, 0.98, 1, 1.02, 1.05, 1.08), (0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2)
"""Of the picture of agreement: axes, and ticks of a narrow and of a wide one."""


def agreement(requested: Array, realised: Array) -> dict[str, object]:
    """Return how realised values follow requested ones: rank correlation, relative error, limits of agreement.

    Limits of agreement (Bland & Altman, Lancet 1986) are those of the log ratio, given back as ratios.
    """
    ratio = realised / requested
    logs = np.log(np.maximum(ratio, 1e-6))
    spread = 1.96 * float(logs.std(ddof=1)) if len(logs) > 1 else 0.0
    return {
        "n": len(requested),
        "spearman": spearman(requested, realised).value,
        "median_ratio": float(np.median(ratio)),
        "median_relative_error": float(np.median(np.abs(ratio - 1))),
        "p90_relative_error": float(np.percentile(np.abs(ratio - 1), 90)),
        "limits_of_agreement_ratio": [float(np.exp(logs.mean() + sign * spread)) for sign in (-1, 1)],
    }


def bland_altman(figures: Mapping[str, object], path: Path) -> None:
    """Draw realised over requested against their mean, per kind of background (Bland & Altman, Lancet 1986).

    Args:
        figures: What :func:`synnodtest.evaluation.synthesizer.evaluate_synthesizer` returned.
        path: A PNG or SVG file to write.
    """
    from matplotlib.figure import Figure

    domains = [
        (name, measured) for name, measured in figures.items() if isinstance(measured, Mapping) and "pairs" in measured
    ]
    figure = Figure(figsize=(9, 3.2 * len(domains)), layout="constrained")
    axes = figure.subplots(len(domains), 2, squeeze=False)
    for row, (name, measured) in zip(axes, domains, strict=True):
        for axis, (pairs, summary, label, places) in zip(row, _SHOWN, strict=True):
            requested, realised = np.asarray(measured["pairs"][pairs]).T
            low, high = measured[summary]["limits_of_agreement_ratio"]
            axis.scatter(np.sqrt(requested * realised), realised / requested, s=12, alpha=0.6, color="#1f5a94", lw=0)
            axis.axhline(measured[summary]["median_ratio"], color="#333333", lw=1)
            for limit in (low, high):
                axis.axhline(limit, color="#333333", lw=0.8, ls="--")
            axis.set(xscale="log", yscale="log", xlabel=f"{label} (geometric mean)", ylabel="realised / requested")
            axis.set_title(f"{name}, n = {len(requested)}: 95% limits {low:.3f} to {high:.3f}", fontsize=9, loc="left")
            widest = max(1.05, float(np.exp(np.abs(np.log(np.r_[realised / requested, low, high])).max())) * 1.02)
            axis.set_ylim(1 / widest, widest)
            ticks = [t for t in (_FINE if widest < 1.1 else _COARSE) if 1 / widest < t < widest]
            axis.set_yticks(ticks, [f"{t:g}" for t in ticks])
            axis.set_xticks(places, [f"{place:g}" for place in places])
            axis.minorticks_off()
    figure.savefig(path, dpi=110)


def standardised(table: Array, reference: Array) -> Array:
    """Return features (n, d) with heavy tails drawn in, centred and scaled by a reference sample; within +-4."""
    squeezed, basis = np.cbrt(table), np.cbrt(reference)
    scale = np.maximum(basis.std(axis=0), 1e-9)
    return np.asarray(np.clip((squeezed - basis.mean(axis=0)) / scale, -4, 4), dtype=np.float64)


def distances(
    planted: Array, real: Array, clusters: Sequence[str], *, halves: int = HALVES, seed: int = 0
) -> dict[str, object]:
    """Return distances of synthetic to real nodules in a space of features, beside those of real to real.

    Backgrounds are split in two, ``halves`` times at random. The real nodules of one half are compared with the
    synthetic nodules of the other, and with the real ones of the other, which lie at the same places and have the same
    sizes and contrasts. So both distances suffer the same noise, and no nodule is compared with its own twin or
    its own background, which would make any synthesizer look nearer than it is.

    Args:
        planted: (n, features) synthetic; row i is the same scene as row i of ``real``.
        real: (n, features) real.
        clusters: Background of every row.
        halves: How many splits.
        seed: Of the splits.

    Returns:
        Per distance its mean from synthetic to real, and from real to real the mean and the 95th percentile.

    Raises:
        SynnodError: a half holds next to no nodule.
    """
    a, b = standardised(planted, real), standardised(real, real)
    splits = _first_halves("distances", clusters, halves, seed)
    figures: dict[str, object] = {"n": len(real), "backgrounds": len(set(clusters))}
    for name, measure in MEASURES.items():
        synthetic, again = ([measure(table[~first], b[first]) for first in splits] for table in (a, b))
        figures[name] = {
            "synthetic_to_real": float(np.mean(synthetic)),
            "real_to_real_mean": float(np.mean(again)),
            "real_to_real_p95": float(np.percentile(again, 95)),
        }
    return figures


def _first_halves(word: str, clusters: Sequence[str], count: int = HALVES, seed: int = 0) -> list[NDArray[np.bool_]]:
    """Return which rows belong to one half of the backgrounds, drawn anew ``count`` times."""
    rng = np.random.default_rng(seed_sequence(word, seed))
    names, owner = np.unique(np.asarray(clusters), return_inverse=True)
    splits = [np.isin(owner, rng.permutation(len(names))[: (len(names) + 1) // 2]) for _ in range(count)]
    if min(len(half) for first in splits for half in (owner[first], owner[~first])) < FEWEST:
        too_few(f"halves of the {counted(len(names), 'background')}")
    return splits


def too_few(across: str) -> NoReturn:
    """Say that nodules cannot be compared across patients or backgrounds.

    Raises:
        SynnodError: always.
    """
    raise SynnodError(
        f"the nodules that can be measured are too few to be compared across {across}",
        hint="take more films or phantoms, ten at least, and more scenes",
    )


def coverage(planted: Array, real: Array, clusters: Sequence[str]) -> dict[str, object]:
    """Return how much of real variety synthetic nodules span, beside real nodules in their place.

    Split and compared as :func:`distances` are: recall is the share of real nodules of one half within the
    neighbourhood of synthetic ones of the other, precision the reverse; the Vendi score is the effective number of
    distinct nodules in a half.

    Args:
        planted: (n, features) synthetic; row i is the same scene as row i of ``real``.
        real: (n, features) real.
        clusters: Background of every row.
    """
    a, b = standardised(planted, real), standardised(real, real)
    width = float(np.median(pdist(b)))
    splits = _first_halves("coverage", clusters)
    sides = [
        [(*precision_recall(b[first], table[~first]), vendi_score(table[~first], width)) for first in splits]
        for table in (a, b)
    ]
    figures: dict[str, object] = {"n": len(real)}
    for name, synthetic, again in zip(
        ("precision", "recall", "vendi"), *(zip(*s, strict=True) for s in sides), strict=True
    ):
        figures[name] = {
            "synthetic": float(np.mean(synthetic)),
            "real_mean": float(np.mean(again)),
            "real_p5": float(np.percentile(again, 5)),
        }
    return figures


def _frechet(x: Array, y: Array) -> float:
    return frechet_distance(x.mean(axis=0), np.cov(x.T), y.mean(axis=0), np.cov(y.T))


MEASURES: dict[str, Callable[[Array, Array], float]] = {
    "kernel": kernel_distance,
    "energy": energy_distance,
    "frechet": _frechet,
}


def two_sample_auc(planted: Array, real: Array, clusters: Sequence[str], *, seed: int = 0) -> dict[str, float]:
    """Return how well classifiers tell synthetic from real nodules by their features; 0.5 is not at all.

    Args:
        planted: (n, features) synthetic.
        real: (m, features) real.
        clusters: Background of every row, synthetic first; folds never split one.
        seed: Of the trees.

    Returns:
        Out-of-fold AUC of a logistic regression and of boosted trees.

    Raises:
        SynnodError: without the nodules of some patients only one kind is left, or scikit-learn is not installed.
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
    patients = len(set(clusters))
    folds = GroupKFold(n_splits=min(5, max(2, patients)))
    if patients < 2 or any(np.ptp(label[train]) == 0 for train, _ in folds.split(table, groups=list(clusters))):
        too_few("patients")
    scores = {}
    for name, model in models.items():
        guess = cross_val_predict(model, table, label, groups=list(clusters), cv=folds, method="predict_proba")
        scores[name] = float(roc_auc_score(label, guess[:, 1]))
    return scores


def of_planted(synthetic: Planted, real: Planted, embedding: Embedding | None = None) -> dict[str, object]:
    """Return distances and two-sample AUC of one synthesizer's nodules against real ones, planted in the same scenes.

    They are taken in radiomics space, over the scenes whose nodules can be measured in both, and, where an encoder is
    given, the distances in its space too, over all scenes.
    """
    both = synthetic.measurable & real.measurable
    clusters = [name for name, measured in zip(real.clusters, both, strict=True) if measured]
    a, b = synthetic.features[both], real.features[both]
    figures = {
        "distances": distances(a, b, clusters),
        "coverage": coverage(a, b, clusters),
        "two_sample_auc": two_sample_auc(a, b, clusters * 2),
    }
    if embedding is not None:
        views = (embedding.of(synthetic.views), embedding.of(real.views))
        figures["embedding_distances"] = distances(*views, real.clusters)
    return figures
