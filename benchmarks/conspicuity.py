"""Which figure of visibility orders real nodules as a detector finds them? Candidates on annotated films.

    python benchmarks/conspicuity.py --data nih/nodule --detector demo

Every candidate looks at the same outlines; Spearman's rank correlation with the detector's score at the nodule, and
the area under the curve of found against missed ones at its score for one false positive per film (``--threshold``).
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage, stats

from synnodtest import conspicuity as rule
from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.conspicuity import _rise, _View
from synnodtest.detectors import resolve_detector
from synnodtest.evaluation.transfer.gather import scores_in
from synnodtest.geometry import Box
from synnodtest.radiograph import Radiograph, lung_range
from synnodtest.statistics import auc

CHANNELS = (0.12, 0.2, 0.32, 0.5, 0.8)
"""Widths of the difference-of-Gaussians channels, in diameters (Abbey & Barrett, JOSA A 18 (2001) 473)."""


def candidates(film: Radiograph, outline: Box) -> dict[str, float]:
    """Return every candidate of one nodule."""
    view = _View(film, outline)
    ring = view.inside & (view.away > rule.RING[0]) & (view.away < rule.RING[1])
    around = view.inside & (view.away > rule.RIM)
    ring, around = (
        mask & view.lung if (mask & view.lung).sum() >= rule.LEAST_CELLS else mask for mask in (ring, around)
    )
    rise = _rise(view, ring)
    contrast = float(rise[view.away <= 1].mean())
    smooth = ndimage.gaussian_filter(view.pixels, 1.0)
    slope_y, slope_x = np.gradient(smooth)
    y, x = np.indices(smooth.shape) - (np.array(smooth.shape) // 2)[:, None, None]
    inward = -(slope_y * y + slope_x * x) / np.maximum(np.hypot(y, x), 1e-9)
    edge = (view.away > 0.6) & (view.away < 1.2)
    return {
        "contrast in place": contrast / lung_range(film),
        "contrast to noise": contrast / float(rise[ring].std()),
        "Kundel-Revesz": float(inward[edge].mean() / np.hypot(slope_y, slope_x)[ring].mean()),
        "channelized Hotelling": hotelling(view, around),
        "matched filter": rule.visibility(film, outline).conspicuity,
    }


def hotelling(view: _View, around: np.ndarray) -> float:
    """Return the response of a channelized Hotelling observer whose noise is the lung around."""
    blurred = [ndimage.gaussian_filter(view.pixels, width * view.size) for width in CHANNELS]
    channels = np.stack([a - b for a, b in itertools.pairwise(blurred)])
    shadow = np.sqrt(np.clip(1 - view.away**2, 0, None))
    middle = tuple(length // 2 for length in shadow.shape)
    seen = [ndimage.gaussian_filter(shadow, width * view.size)[middle] for width in CHANNELS]
    signal = np.array([a - b for a, b in itertools.pairwise(seen)])
    noise = np.cov(channels[:, around])
    weights = np.linalg.solve(noise + 0.05 * np.diag(np.diag(noise)), signal)
    response = np.tensordot(weights, channels - channels[:, around].mean(axis=1)[:, None, None], axes=1)
    return float(response[view.away <= rule.WANDER].max() / math.sqrt(weights @ noise @ weights))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--detector", default="demo")
    parser.add_argument("--threshold", type=float, default=0.197)
    parser.add_argument("--store", type=Path, default=Path(".synnodtest"))
    options = parser.parse_args()
    films, detector = AnnotatedFilms(options.data, cache=options.store), resolve_detector(options.detector)
    rows: list[dict[str, float]] = []
    for film in films.backgrounds:
        radiograph, nodules = films.load(film), films.nodules(film.id)
        (found,) = detector.detect([radiograph])
        scores = scores_in(found, [one.box for one in nodules], radiograph.spacing_mm)
        rows += [
            {"diameter": one.diameter_mm, **candidates(radiograph, one.outline), "score": score}
            for one, score in zip(nodules, scores, strict=True)
            if one.counted
        ]
    score = np.array([row["score"] for row in rows])
    hit = score > options.threshold
    print(f"{len(rows)} nodules, {hit.sum()} found by {detector.identity.name} above {options.threshold:g}")
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        rank, area = stats.spearmanr(values, score).statistic, auc(values[hit], values[~hit])
        print(f"{name:24s} Spearman {rank:5.2f}  AUC {area:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
