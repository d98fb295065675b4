"""Radiomics vectors that can occur together: the distribution of the nodules that the shipped model was trained on.

Kept as 256 of those vectors, and as a Gaussian copula: each feature's quantiles, and the loadings of its normal scores
on eight factors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from synnodtest.radiomics_features import FEATURE_NAMES
from synnodtest.statistics.distributions import chi2_isf, normal_ppf

RARE = 0.001
"""Combinations that fewer nodules than this would show count as impossible."""


@cache
def _distribution() -> dict[str, Any]:
    text = resources.files("synnodtest.planning").joinpath("radiomics_distribution.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def vectors() -> tuple[dict[str, float], ...]:
    """Return the features of 256 of the nodules, the most typical first."""
    return tuple(dict(zip(FEATURE_NAMES, row, strict=True)) for row in _distribution()["vectors"])


def plausible(features: Mapping[str, float]) -> bool:
    """Return whether features can occur together: their Mahalanobis distance in normal scores is not extreme.

    A single feature is left to the spec's range, and so are features outside the 67.
    """
    distribution = _distribution()
    known = {name: distribution["features"][name] for name in features if name in distribution["features"]}
    if len(known) < 2:
        return True
    shares = [np.interp(features[n], one["quantiles"], distribution["probabilities"]) for n, one in known.items()]
    scores = np.array([normal_ppf(share) for share in shares])
    loadings = np.array([one["loadings"] for one in known.values()])
    shared = loadings @ loadings.T
    covariance = shared + np.diag(np.maximum(1.0 - np.diag(shared), 0.05))
    distance = float(scores @ np.linalg.solve(covariance, scores))
    return bool(distance <= chi2_isf(RARE, len(known)))


def feature_range(name: str) -> tuple[float, float, float]:
    """Return the 1st percentile, the median and the 99th of a feature among the nodules of training."""
    distribution = _distribution()
    quantiles = distribution["features"][name]["quantiles"]
    low, middle, high = np.interp([0.01, 0.5, 0.99], distribution["probabilities"], quantiles)
    return float(low), float(middle), float(high)


def outermost(name: str) -> tuple[float, float]:
    """Return the 0.1st percentile and the 99.9th of a feature among the nodules of training: beyond lies one in 500."""
    quantiles = _distribution()["features"][name]["quantiles"]
    return float(quantiles[0]), float(quantiles[-1])
