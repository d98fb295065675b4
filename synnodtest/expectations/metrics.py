"""Metrics by which two sides are compared, unit by unit: arms of a behaviour, groups, versions of a detector."""

from __future__ import annotations

from collections.abc import Sequence

from synnodtest.evidence.trial import NoduleTrial, Trial
from synnodtest.statistics import Estimate, most_per_image, paired_mean, rate_difference_clustered

METRICS = ("sensitivity", "confidence", "specificity", "false_positives_per_image")
ON_IMAGES = frozenset({"specificity", "false_positives_per_image"})
"""Metrics of images; the others are of nodules."""
LOWER_IS_BETTER = frozenset({"false_positives_per_image"})
RATES = frozenset({"sensitivity", "specificity"})
"""Metrics that are yes or no of each unit."""
UNITS = {"confidence": "score", "false_positives_per_image": "per image"}


def of_nodule(metric: str, nodule: NoduleTrial, point: float) -> float:
    """Return sensitivity or confidence of one nodule at an operating point."""
    return nodule.confidence if metric == "confidence" else float(nodule.detected(point))


def of_image(metric: str, trial: Trial, point: float) -> float:
    """Return specificity or false positives of one image at an operating point."""
    count = trial.false_positives_at(point)
    return float(count == 0) if metric == "specificity" else float(count)


def difference(
    metric: str, one: Sequence[float], other: Sequence[float], clusters: Sequence[str], *, alpha: float, seed: int = 0
) -> Estimate:
    """Estimate one side minus the other: Tango's bounds for rates (wider where clusters repeat), else guarded t."""
    if metric in RATES:
        return rate_difference_clustered(one, other, clusters, alpha=alpha)
    most = max([1.0, *one, *other])  # scores of some detectors exceed 1
    most = most_per_image(clusters, most) if metric in LOWER_IS_BETTER else most
    shifts = [a - b for a, b in zip(one, other, strict=True)]
    return paired_mean(shifts, clusters, alpha=alpha, limits=(-most, most), guarded=True, seed=seed)
