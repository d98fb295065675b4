"""What an experiment is given, what comes of it, and how its numbers are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from studies.paper.run import Answered, Bench
from synnodtest.annotated.sets import AnnotatedSet
from synnodtest.evidence.trial import Trial
from synnodtest.geometry import FloatArray
from synnodtest.statistics import Estimate

_CROP_MM = 80.0


@dataclass(frozen=True)
class Job:
    """What an experiment is given.

    Args:
        bench: Runs specs.
        out: Folder for its figures.
        real: Radiographs with nodules that stand for the paper's real ones; a function, because not all need them.
        synthetic: Radiographs with nodules that the synthesizer plants.
        nodules: How many of the real ones to take at most.
        stands_for_real: What figures call the real ones.
    """

    bench: Bench
    out: Path
    real: Callable[[], AnnotatedSet]
    synthetic: Callable[[], AnnotatedSet]
    nodules: int = 863
    stands_for_real: str = "real"


@dataclass(frozen=True)
class Drawn:
    """What came of an experiment: numbers as plain JSON values, and the files drawn."""

    numbers: dict[str, Any]
    files: list[Path]


def crop(bench: Bench, answered: Answered, trial: Trial) -> FloatArray:
    """Return what lies within 40 mm of the first nodule of a trial; black beyond the radiograph."""
    pixels = bench.radiograph(answered, trial).pixels
    x, y = trial.scene.nodules[0].centre_mm
    half = [round(_CROP_MM / 2 / mm) for mm in trial.spacing_mm]
    row, column = round(y / trial.spacing_mm[0]), round(x / trial.spacing_mm[1])
    padded = np.pad(pixels, ((half[0], half[0]), (half[1], half[1])))
    return padded[row : row + 2 * half[0], column : column + 2 * half[1]]


def plain(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as plain JSON values."""
    return {
        "value": estimate.value,
        "lower95": estimate.lower,
        "upper95": estimate.upper,
        "method": estimate.method,
        "clusters": estimate.clusters,
    }


def told(estimate: Estimate) -> str:
    """Return a value with its interval, for a figure."""
    return f"{estimate.value:.2f} ({estimate.lower:.2f} to {estimate.upper:.2f})"


def mean_confidence(answered: Answered) -> float:
    """Return the mean confidence of all planted nodules; NaN without any."""
    return float(np.mean([n.confidence for _, n in answered.pairs()])) if answered.pairs() else float("nan")


def primary(answered: Answered) -> dict[str, Any]:
    """Return the sentence of a verdict with its first value and bounds."""
    ruling = answered.judgement.ruling
    spoken: dict[str, Any] = {"sentence": ruling.sentence}
    if ruling.components:
        first = ruling.components[0]
        spoken |= {"value": first.value, "lower95": first.lower95, "upper95": first.upper95}
    return spoken
