"""Confidence and the shape of nodules of one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from studies.paper import figures
from studies.paper.job import Drawn, Job, crop, plain
from studies.paper.points import Point, correlation, mean_error, points_of
from studies.paper.run import Answered, Bench
from synnodtest.evidence.trial import NoduleTrial, Trial
from synnodtest.geometry import FloatArray

ROUND_EDGES = (0.0, 0.55, 0.65, 0.75, 0.85, 1.0)
EXAMPLES, EXAMPLE_MM = 6, 20.0
"""As many, of the size of the paper's figure 7."""


def shape(job: Job) -> Drawn:
    """Plant projected CT nodules of many shapes, each at several sizes in the same place."""
    answered = job.bench.answers("shape")[0]
    points = sorted(points_of(answered.pairs()), key=lambda point: point.diameter_mm)
    of_size = {size: list(some) for size, some in groupby(points, key=lambda point: point.diameter_mm)}
    rows = [row for some in of_size.values() for row in _by_roundness(some)]
    seed = job.bench.settings.seed
    found = {
        f"{size:g} mm": correlation([replace(p, diameter_mm=p.roundness) for p in some], seed=seed)
        for size, some in of_size.items()
    }
    strips = [(name, e.value, e.lower, e.upper) for name, e in found.items()]
    files = figures.bars(strips, "Spearman correlation of confidence and roundness", job.out / "shape")
    files += figures.shape_curves(rows, job.out / "shape-curves")
    size = min(of_size, key=lambda mm: abs(mm - EXAMPLE_MM))
    note = f"projected CT nodules of {size:g} mm, from the most elongated to the roundest"
    files += figures.strip(_examples(job.bench, answered, size), note, job.out / "shape-examples")
    return Drawn({"by_shape": rows, "spearman_of_roundness": {k: plain(e) for k, e in found.items()}}, files)


def _by_roundness(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Return number, mean roundness and mean confidence with its error of each group; the last includes discs."""
    rows = []
    for low, high in pairwise(ROUND_EDGES):
        there = [p for p in points if low <= p.roundness < high or p.roundness == high == ROUND_EDGES[-1]]
        if there:
            row: dict[str, Any] = {"diameter_mm": there[0].diameter_mm, "roundness_from": low, "roundness_to": high}
            row |= {"nodules": len(there), "mean_roundness": float(np.mean([p.roundness for p in there]))}
            rows.append(
                row | {"mean_confidence": float(np.mean([p.confidence for p in there])), "error": mean_error(there)}
            )
    return rows


def _examples(bench: Bench, answered: Answered, size: float) -> list[tuple[str, FloatArray]]:
    """Return crops of nodules of one size, evenly spread from the most elongated to the roundest."""

    def key(pair: tuple[Trial, NoduleTrial]) -> float:
        return points_of([pair])[0].roundness

    ordered = sorted((pair for pair in answered.pairs() if pair[1].requested_mm == size), key=key)
    picks = sorted({round(place) for place in np.linspace(0, len(ordered) - 1, EXAMPLES)})
    return [
        (f"roundness {key(pair):.2f}\nconfidence {pair[1].confidence:.2f}", crop(bench, answered, pair[0]))
        for pair in (ordered[pick] for pick in picks)
    ]
