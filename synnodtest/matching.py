"""Matching of findings and nodules: by a stated localization criterion, one to one, greedy by descending score."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.finding import Finding
from synnodtest.geometry import Array, BoolArray, Indices, centre_of, iou
from synnodtest.radiograph import Truth


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
            return f"overlap (IoU) of the boxes of at least {self.at_least:g}"
        return f"centre of the finding within {self.tolerance_mm:g} mm of the nodule's mask"


class AllBut(Sequence[int]):
    """The indices below a count without a few, ascending; of hundreds of findings all but a few are false positives.

    Args:
        count: Of all.
        few: Left out.
    """

    __slots__ = ("_count", "_few")

    def __init__(self, count: int, few: Iterable[int]) -> None:
        self._count, self._few = count, frozenset(few)

    def __len__(self) -> int:
        return self._count - len(self._few)

    def __iter__(self) -> Iterator[int]:
        return (index for index in range(self._count) if index not in self._few)

    def __contains__(self, index: object) -> bool:
        return index in range(self._count) and index not in self._few

    def __getitem__(self, number: Any) -> Any:
        return tuple(self)[number]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


@dataclass(frozen=True)
class Outcome:
    """Matches between the findings and the nodules of one radiograph.

    Args:
        finding_of: Per nodule the index of the finding that hits it, or None.
        duplicates: Findings that localize an already matched nodule: neither hits nor false positives.
        false_positives: Findings that localize no nodule.
    """

    finding_of: tuple[int | None, ...]
    duplicates: tuple[int, ...]
    false_positives: Sequence[int]


def match(
    findings: Sequence[Finding], nodules: Sequence[Truth], spacing_mm: tuple[float, float], matching: Matching
) -> Outcome:
    """Assign findings to nodules, greedily by descending score (ties by position in the list), one to one.

    A finding that localizes several free nodules takes the one whose centre is nearest (``iou``: the best overlap).

    Args:
        findings: In any order.
        nodules: Realised truth.
        spacing_mm: ``(row, column)``.
        matching: The criterion.
    """
    if not findings:  # of most radiographs that are asked about no finding lies near a nodule
        return Outcome((None,) * len(nodules), (), AllBut(0, ()))
    finding_of: list[int | None] = [None] * len(nodules)
    duplicates: list[int] = []
    localized = _localized(findings, nodules, spacing_mm, matching)
    for index in sorted(localized, key=lambda index: findings[index].score, reverse=True):  # stable: ties keep order
        near = localized[index]
        free = [k for k in near if finding_of[k] is None]
        if free:
            best = max(free, key=lambda k: (near[k], -k))
            finding_of[best] = index
        else:
            duplicates.append(index)
    hits = (index for index in finding_of if index is not None)
    return Outcome(tuple(finding_of), tuple(sorted(duplicates)), AllBut(len(findings), [*hits, *duplicates]))


def on_mimic(
    findings: Sequence[Finding],
    mimic: Truth,
    nodules: Sequence[Truth],
    outcome: Outcome,
    spacing_mm: tuple[float, float],
    matching: Matching,
) -> int | None:
    """Return the loudest finding on a mimic; None if there is none.

    It is no hit, and its centre lies in the mimic's mask dilated by ``tolerance_mm`` or its box is the mimic's: a box
    around a bent wire has its centre beside it. A hit of a nodule nearby counts too where its centre lies in the
    mimic's own mask and in no nodule's: it is the mimic that was seen.
    """
    near = _lying_on(mimic, spacing_mm, matching)
    within = _centre_inside(mimic, spacing_mm, 0.0)
    of_nodule = [_centre_inside(truth, spacing_mm, 0.0) for truth in nodules]

    def counts(index: int, finding: Finding) -> bool:
        if index in outcome.false_positives:
            return near(finding)
        return within(finding) is not None and all(inside(finding) is None for inside in of_nodule)

    fooled = [index for index, finding in enumerate(findings) if counts(index, finding)]
    return max(fooled, key=lambda index: (findings[index].score, -index), default=None)


def lies_on(finding: Finding, mimic: Truth, spacing_mm: tuple[float, float], matching: Matching) -> bool:
    """Return whether a finding's centre lies in a mask dilated by ``tolerance_mm``, or its box overlaps that of it."""
    return _lying_on(mimic, spacing_mm, matching)(finding)


def _lying_on(mimic: Truth, spacing_mm: tuple[float, float], matching: Matching) -> Callable[[Finding], bool]:
    inside, overlap = _centre_inside(mimic, spacing_mm, matching.tolerance_mm), _overlap(mimic, matching.at_least)
    return lambda finding: inside(finding) is not None or overlap(finding) is not None


Affinity = Callable[[Finding], float | None]


def _localized(
    findings: Sequence[Finding], nodules: Sequence[Truth], spacing_mm: tuple[float, float], matching: Matching
) -> dict[int, dict[int, float]]:
    """Return which nodules each finding localizes, with its affinity; findings, in order, that localize any."""
    found: dict[int, dict[int, float]] = {}
    for k, of in enumerate(_localizers(nodules, spacing_mm, matching)):
        for index, finding in enumerate(findings):
            if (value := of(finding)) is not None:
                found.setdefault(index, {})[k] = value
    return dict(sorted(found.items()))


def in_reach(boxes: Array, nodules: Sequence[Truth], spacing_mm: tuple[float, float], matching: Matching) -> Indices:
    """Return the indices of boxes, a row each, that lie near enough to a nodule to be asked about it."""
    if matching.criterion == "iou":
        return np.arange(len(boxes))
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    near = np.zeros(len(boxes), bool)
    for truth in nodules:
        top, left, bottom, right = _window(truth, spacing_mm, matching.tolerance_mm)
        near |= (top <= y) & (y < bottom) & (left <= x) & (x < right)
    return np.flatnonzero(near)


def _window(truth: Truth, spacing_mm: tuple[float, float], tolerance_mm: float) -> tuple[int, int, int, int]:
    """Return first and last rows and columns, as slices have them, outside which no pixel is so near to a mask."""
    (row, column), (height, width) = truth.origin, truth.crop.shape
    down, across = (int(np.ceil(tolerance_mm / step)) + 2 for step in spacing_mm)
    return row - down, column - across, row + height + down, column + width + across


def _localizers(nodules: Sequence[Truth], spacing_mm: tuple[float, float], matching: Matching) -> list[Affinity]:
    if matching.criterion == "iou":
        return [_overlap(truth, matching.at_least) for truth in nodules]
    return [_centre_inside(truth, spacing_mm, matching.tolerance_mm) for truth in nodules]


def _overlap(truth: Truth, at_least: float) -> Affinity:
    box = truth.box

    def affinity(finding: Finding) -> float | None:
        value = iou(finding.box, box)
        return value if value >= at_least else None

    return affinity


def _centre_inside(truth: Truth, spacing_mm: tuple[float, float], tolerance_mm: float) -> Affinity:
    row, column = truth.origin
    top, left, bottom, right = _window(truth, spacing_mm, tolerance_mm)

    @cache  # no finding lies near most nodules, and few near others: for each all distances are taken
    def edge() -> NDArray[np.int64]:
        return np.argwhere(_edge(truth.crop))

    @cache
    def centre() -> tuple[float, float]:
        return centre_of(truth.box)

    def affinity(finding: Finding) -> float | None:
        x_min, y_min, x_max, y_max = finding.box
        x, y = (x_min + x_max) / 2, (y_min + y_max) / 2  # its centre; a detector may report hundreds, none of them near
        if not (top <= y < bottom and left <= x < right):
            return None
        i, j = math.floor(y) - row, math.floor(x) - column
        if not _covers(truth.crop, i, j) and _distance_mm(edge(), (i, j), spacing_mm) > tolerance_mm:
            return None
        across, down = centre()
        return -float(np.hypot((x - across) * spacing_mm[1], (y - down) * spacing_mm[0]))

    return affinity


def _edge(mask: BoolArray) -> BoolArray:
    """Return the pixels of a mask beside which, in its row or column, one is not of it."""
    padded = np.pad(mask, 1)
    inner: BoolArray = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def _covers(mask: BoolArray, row: int, column: int) -> bool:
    return 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1] and bool(mask[row, column])


def _distance_mm(edge: NDArray[np.int64], pixel: tuple[int, int], spacing_mm: tuple[float, float]) -> float:
    """Return the distance from a pixel to the nearest of those in ``edge`` (n, 2); infinite where there are none."""
    down, across = (edge[:, 0] - pixel[0]) * spacing_mm[0], (edge[:, 1] - pixel[1]) * spacing_mm[1]
    return math.sqrt((down * down + across * across).min()) if len(edge) else math.inf
