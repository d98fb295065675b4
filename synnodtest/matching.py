"""Which finding hits which nodule: by a stated localization criterion, one to one, greedy by descending score."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from synnodtest.finding import Finding
from synnodtest.geometry import iou
from synnodtest.radiograph import Truth

__all__ = ["Matching", "Outcome", "lies_on", "match", "on_mimic"]


@dataclass(frozen=True)
class Matching:
    """The localization criterion.

    Args:
        criterion: ``centre-in-nodule`` (the finding's centre lies in the truth mask dilated by ``tolerance_mm``)
            or ``iou`` (box against the truth's tight box, at least ``at_least``).
        tolerance_mm: Dilation of the truth mask, in mm.
        at_least: Smallest intersection over union that hits.
    """

    criterion: str = "centre-in-nodule"
    tolerance_mm: float = 5.0
    at_least: float = 0.2

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None) -> Matching:
        """Build from the ``matching:`` mapping of a spec."""
        data = data or {}
        return cls(
            criterion=data.get("criterion", cls.criterion),
            tolerance_mm=float(data.get("tolerance_mm", cls.tolerance_mm)),
            at_least=float(data.get("at_least", cls.at_least)),
        )

    def sentence(self) -> str:
        """Return the criterion in words, for reports."""
        if self.criterion == "iou":
            return f"box intersection over union of at least {self.at_least:g}"
        return f"finding's centre in the nodule's mask dilated by {self.tolerance_mm:g} mm"


@dataclass(frozen=True)
class Outcome:
    """How the findings of one radiograph meet its nodules.

    Args:
        finding_of: Per nodule the index of the finding that hits it, or None.
        duplicates: Findings that localize an already matched nodule: neither hits nor false positives.
        false_positives: Findings that localize no nodule.
    """

    finding_of: tuple[int | None, ...]
    duplicates: tuple[int, ...]
    false_positives: tuple[int, ...]


def match(
    findings: Sequence[Finding],
    nodules: Sequence[Truth],
    spacing_mm: tuple[float, float],
    matching: Matching,
) -> Outcome:
    """Assign findings to nodules, greedily by descending score (ties by position in the list), one to one.

    A finding that localizes several free nodules takes the one whose centre is nearest (``iou``: the best overlap).

    Args:
        findings: In any order.
        nodules: Realised truth.
        spacing_mm: ``(row, column)``.
        matching: The criterion.
    """
    localizes = _localizers(nodules, spacing_mm, matching)
    finding_of: list[int | None] = [None] * len(nodules)
    duplicates: list[int] = []
    false_positives: list[int] = []
    for index in sorted(range(len(findings)), key=lambda i: (-findings[i].score, i)):
        affinity = [affinity_to(findings[index]) for affinity_to in localizes]
        candidates = [k for k, value in enumerate(affinity) if value is not None]
        free = [k for k in candidates if finding_of[k] is None]
        if free:
            best = max(free, key=lambda k: (affinity[k], -k))
            finding_of[best] = index
        elif candidates:
            duplicates.append(index)
        else:
            false_positives.append(index)
    return Outcome(tuple(finding_of), tuple(sorted(duplicates)), tuple(sorted(false_positives)))


def on_mimic(
    findings: Sequence[Finding],
    mimic: Truth,
    nodules: Sequence[Truth],
    outcome: Outcome,
    spacing_mm: tuple[float, float],
    matching: Matching,
) -> int | None:
    """Return the loudest finding on a mimic; None if there is none.

    Its centre lies in the mimic's mask dilated by ``tolerance_mm`` (boxes of wires say nothing, so ``iou`` is not
    asked), and it is no hit. A hit of a nodule nearby counts too where its centre lies in the mimic's own mask and in
    no nodule's: it is the mimic that was seen.
    """
    near = _centre_inside(mimic, spacing_mm, matching.tolerance_mm)
    within = _centre_inside(mimic, spacing_mm, 0.0)
    of_nodule = [_centre_inside(truth, spacing_mm, 0.0) for truth in nodules]
    false = set(outcome.false_positives)

    def counts(index: int, finding: Finding) -> bool:
        if index in false:
            return near(finding) is not None
        return within(finding) is not None and all(inside(finding) is None for inside in of_nodule)

    fooled = [index for index, finding in enumerate(findings) if counts(index, finding)]
    return max(fooled, key=lambda index: (findings[index].score, -index), default=None)


def lies_on(finding: Finding, mimic: Truth, spacing_mm: tuple[float, float], matching: Matching) -> bool:
    """Return whether a finding's centre lies in a mask dilated by ``tolerance_mm``."""
    return _centre_inside(mimic, spacing_mm, matching.tolerance_mm)(finding) is not None


Affinity = Callable[[Finding], float | None]


def _localizers(nodules: Sequence[Truth], spacing_mm: tuple[float, float], matching: Matching) -> list[Affinity]:
    if matching.criterion == "iou":
        return [_overlap(truth, matching.at_least) for truth in nodules]
    return [_centre_inside(truth, spacing_mm, matching.tolerance_mm) for truth in nodules]


def _overlap(truth: Truth, at_least: float) -> Affinity:
    def affinity(finding: Finding) -> float | None:
        value = iou(finding.box, truth.box)
        return value if value >= at_least else None

    return affinity


def _centre_inside(truth: Truth, spacing_mm: tuple[float, float], tolerance_mm: float) -> Affinity:
    row, column = truth.origin
    pad = [int(np.ceil(tolerance_mm / step)) + 2 for step in spacing_mm]
    rows, columns = (side + 2 * p for side, p in zip(truth.crop.shape, pad, strict=True))
    x_min, y_min, x_max, y_max = truth.box
    centre = ((x_min + x_max) / 2, (y_min + y_max) / 2)

    @cache
    def distance_mm() -> NDArray[np.float64]:
        """Distance to the mask; most findings lie far from every nodule and never ask for it."""
        mask = np.pad(truth.crop, ((pad[0], pad[0]), (pad[1], pad[1])))
        return distance_transform_edt(~mask, sampling=spacing_mm) if mask.any() else np.full(mask.shape, np.inf)

    def affinity(finding: Finding) -> float | None:
        x, y = finding.centre
        i, j = math.floor(y) - row + pad[0], math.floor(x) - column + pad[1]
        if not (0 <= i < rows and 0 <= j < columns) or distance_mm()[i, j] > tolerance_mm:
            return None
        return -float(np.hypot((x - centre[0]) * spacing_mm[1], (y - centre[1]) * spacing_mm[0]))

    return affinity
