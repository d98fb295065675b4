"""Sweeps, maps, companions and air leaks: the studio's own specs run scene by scene, each told as it is done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from synnodtest.evidence.trial import Trial
from synnodtest.geometry import centre_of
from synnodtest.planning.radiomics_space import feature_range
from synnodtest.radiomics_features import PAPER_FEATURES

USUAL = {"diameter_mm": (6.0, 30.0), "density": (0.4, 2.0), "contrast": (0.05, 0.6)}
"""Ends of a sweep unless told otherwise: sizes and densities (ground glass to calcified) that readers see."""
SWEPT = (*USUAL, *PAPER_FEATURES)
"""Quantities that can be swept."""


@dataclass(frozen=True)
class Point:
    """One nodule of an exploration: where it lies, how large it is, and what each detector says of it.

    Args:
        x: Centre in pixels; ``y`` likewise.
        label: Level or arm.
        level: Swept value; NaN where nothing is swept.
        diameter_mm: As realised.
        contrast: As realised.
        confidence: Score of the matched finding, 0 without one; None where a run would exclude the scene.
        rejected: Why it would.
    """

    x: float
    y: float
    label: str
    level: float
    diameter_mm: float
    contrast: float
    confidence: float | None
    rejected: str = ""


@dataclass
class Exploration:
    """Results of an exploration so far.

    Args:
        kind: ``sweep``, ``map``, ``companion`` or ``leak``.
        title: In words.
        detector: Whose confidence it is.
        text: The spec.
        total: Scenes in all.
        points: One per nodule that is judged.
        unplaced: Why scenes have no place.
    """

    kind: str
    title: str
    detector: str
    text: str
    total: int
    points: list[Point] = field(default_factory=list)
    scenes: list[Trial] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)
    cancelled: bool = False

    @property
    def done(self) -> int:
        """Scenes that are done."""
        return len(self.scenes) + len(self.unplaced)

    def add(self, trial: Trial) -> None:
        """Take in one scene: its first nodule is the one that is judged."""
        self.scenes.append(trial)
        what = (_label(trial), _level(trial))
        if trial.nodules:
            first, truth = trial.nodules[0], trial.nodules[0].truth
            size, confidence = float(truth.diameter_mm), None if trial.rejected else float(first.confidence)
            self.points.append(
                Point(*centre_of(truth.box), *what, size, float(truth.contrast), confidence, trial.rejected)
            )
        elif trial.rejected:
            (x, y), (row, column) = trial.scene.nodules[0].centre_mm, trial.spacing_mm
            self.points.append(Point(x / column, y / row, *what, 0, 0, None, trial.rejected))


def _label(trial: Trial) -> str:
    levels = (v if isinstance(v, str) else f"{name} {v:g}" for name, v in trial.levels.items())
    return ", ".join(levels) or trial.arm


def _level(trial: Trial) -> float:
    return next((float(value) for value in trial.levels.values() if isinstance(value, (int, float))), math.nan)


def levels_between(low: float, high: float, count: int) -> Sequence[float]:
    """Return evenly spaced levels, rounded as a person would write them."""
    step = (high - low) / max(count - 1, 1)
    digits = max(0, 2 - math.floor(math.log10(abs(high - low)))) if high > low else 3
    return [round(low + step * index, digits) for index in range(count)]


def usual_range(quantity: str) -> tuple[float, float]:
    """Return where a sweep over one of ``SWEPT`` starts and ends: a feature goes over its range in training."""
    if quantity in USUAL:
        return USUAL[quantity]
    low, _, high = feature_range(quantity)
    return float(f"{low:.3g}"), float(f"{high:.3g}")
