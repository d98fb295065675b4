"""The distribution of radiomics that searches draw from, from the windows that a diffusion model was trained on.

    synnodtest train diffusion --data DIR --ct-patches DIR --out OUT      # leaves OUT/work/windows.npz
    python benchmarks/radiomics_distribution.py OUT/work/windows.npz --out radiomics_distribution.json
    python benchmarks/radiomics_distribution.py OUT/work/windows.npz --against OTHER.json

The shipped file is ``synnodtest/planning/radiomics_distribution.json``.

Writes each feature's quantiles, the loadings of its normal scores on eight principal factors, and 256 of the vectors,
drawn at random, the most typical first. With ``--against`` it says how far the quantiles of another such file lie away.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from synnodtest.radiomics_features import FEATURE_NAMES
from synnodtest.training.windows import TrainingWindows

PROBABILITIES = [0.001, 0.01, *np.round(np.arange(0.05, 0.96, 0.05), 2).tolist(), 0.99, 0.999]
FACTORS, VECTORS = 8, 256
DESCRIPTION = (
    "Radiomics of the nodules that the shipped diffusion model was trained on: quantiles of each feature and "
    "loadings of its normal scores on eight principal factors, and 256 of the vectors, most typical first, "
    "features in the order above."
)


def nodules_of(path: Path) -> NDArray[np.float64]:
    """Return (n, 67) features of the windows that hold a nodule."""
    features = TrainingWindows.load(path).features[:, -len(FEATURE_NAMES) :].astype(np.float64)
    return features[np.isfinite(features).all(axis=1) & (np.abs(features).sum(axis=1) > 0)]


def distribution(features: NDArray[np.float64], seed: int) -> dict[str, Any]:
    """Return the copula and the vectors."""
    scores = stats.norm.ppf((stats.rankdata(features, axis=0) - 0.5) / len(features))
    values, vectors = np.linalg.eigh(np.corrcoef(scores, rowvar=False))
    largest = np.argsort(values)[::-1][:FACTORS]
    loadings = vectors[:, largest] * np.sqrt(np.maximum(values[largest], 0))
    picked = np.random.default_rng(seed).choice(len(features), min(VECTORS, len(features)), replace=False)
    picked = picked[np.argsort((scores[picked] ** 2).sum(axis=1))]
    quantiles = np.quantile(features, PROBABILITIES, axis=0)
    return {
        "description": DESCRIPTION,
        "n": len(features),
        "probabilities": PROBABILITIES,
        "features": {
            name: {"quantiles": rounded(quantiles[:, k]), "loadings": rounded(loadings[k])}
            for k, name in enumerate(FEATURE_NAMES)
        },
        "vectors": [rounded(features[k]) for k in picked],
    }


def rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{v:.5g}") for v in values]


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """Return by feature the largest distance of its quantiles from 5% to 95%, in units of the other's spread."""
    found = {}
    for name in FEATURE_NAMES:
        a, b = (np.interp(np.arange(0.05, 0.96, 0.05), d["probabilities"], d["features"][name]["quantiles"])
                for d in (one, other))  # fmt: skip
        found[name] = float(np.abs(a - b).max() / max(np.ptp(b), 1e-12))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("windows", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    made = distribution(nodules_of(options.windows), options.seed)
    if options.out:
        options.out.write_text(json.dumps(made, separators=(",", ":")) + "\n")
    if options.against:
        away = differences(made, json.loads(options.against.read_text()))
        worst = sorted(away, key=lambda name: -away[name])[:5]
        print(f"{made['n']} nodules; quantiles differ by {np.median(list(away.values())):.3f} of the spread (median);")
        print("largest: " + ", ".join(f"{name} {away[name]:.3f}" for name in worst))


if __name__ == "__main__":
    main()
