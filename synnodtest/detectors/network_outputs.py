"""Raw outputs of detection networks -> boxes and scores, with a form that does not fit refused.

Shapes: a *grid* is (4 + classes, places) with boxes ``cx, cy, w, h``; *rows* are (n, 6) of four edges or centre and
size, score, class. All in numpy, so that every backend decodes alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.errors import DetectorError
from synnodtest.geometry import Array, Indices

SCORE_SLACK = 1e-6
"""A softmax of float32 may sum to this much above 1; a sigmoid never passes it."""
COARSEST = 0.02
"""Scores that differ by less are told apart, in 50 steps."""
ENOUGH_NUMBERS = 600
"""So many numbers of an output that is not of 8 bits have more than 256 values."""
SURE = 0.2
"""A class that was never a target stays below this: FCOS, which begins at 0.01, has the root of that."""
SHARE_LIMIT = 2.0
"""No box in shares of the input has an edge beyond this: RT-DETR's stay within -0.5 and 1.5."""
MOST_INVERTED = 0.5
"""Networks without suppression give a few inverted boxes; more than this share means that edges are read wrongly."""

ENOUGH_INNER = 10
"""Of so many boxes away from the upper left corner some are smaller than their distance from it."""

MOST_ROWS = 300
"""Suppression keeps no more by default, and of a network of several classes rows beyond are not all of one."""

SAY_WHICH = "'output: {classes: [2], class_count: 3}' in the YAML beside it says which of how many classes are nodules"

Decoded = tuple[Array, Array, Indices]
"""Boxes (n, 4) as given, scores (n,), class indices (n,)."""


def check_scores(scores: NDArray[Any]) -> None:
    """Refuse scores that are no probabilities: then something else stands where they are read.

    Raises:
        DetectorError: they leave 0..1 or are not finite.
    """
    low, high = (float(scores.min()), float(scores.max())) if scores.size else (0.0, 1.0)
    if not (low >= -SCORE_SLACK and high <= 1 + SCORE_SLACK):
        raise DetectorError(
            f"its scores reach from {low:.4g} to {high:.4g}, not 0 to 1",
            hint="the outputs are read in a way that the network does not mean, or an activation is missing; "
            "docs/detectors.md names the forms that are read",
        )


def refuse_coarse(raw: NDArray[Any]) -> None:
    """Refuse an output of 8 bits that boxes and scores share: at a step of 2.5 pixels every score becomes 0.

    Args:
        raw: (N, 4 + classes, places) or (N, n, 6).

    Raises:
        DetectorError: many numbers take at most 256 values, all multiples of a step above :data:`COARSEST`.
    """
    sample = raw[:1, :, :1024]
    levels = np.unique(sample)
    if np.count_nonzero(sample) < ENOUGH_NUMBERS or not 1 < len(levels) <= 256:
        return
    step = float(np.diff(levels).min())
    if step > COARSEST and np.allclose(levels / step, np.rint(levels / step), atol=0.01):
        raise DetectorError(
            f"its boxes and scores take {len(levels)} values with steps of {step:.3g}: an output of 8 bits, in which "
            "scores of 0 to 1 are lost",
            hint="leave what puts boxes and scores together, at the end of the network, out of the quantisation",
        )


def refuse_background(labels: NDArray[Any], scores: NDArray[Any], nodules: Sequence[int], hint: str) -> None:
    """Refuse a network that reports label 0: torchvision keeps it for the background, so that its labels begin there.

    Raises:
        DetectorError: it does, with a score of :data:`SURE`, and 0 is no nodule.
    """
    loud = scores[labels == 0]
    if 0 not in nodules and len(loud) and loud.max() >= SURE:
        raise DetectorError(
            f"it reports label 0 with a score of {loud.max():.3g}, and labels {list(nodules)} are taken for nodules",
            hint=hint,
        )


def of_grid(grid: NDArray[Any], classes: Sequence[int], count: int | None = None) -> Decoded:
    """Decode one image's grid: each place counts for its best class only, as ultralytics has it.

    Args:
        grid: (4 + classes, places), scores in 0..1.
        classes: Which classes are nodules.
        count: How many classes there are, where it is known.

    Raises:
        DetectorError: another shape, or scores outside 0..1.
    """
    places = grid.shape[0] - 4
    wrong = places != count if count is not None else grid.shape[0] >= grid.shape[1]
    if wrong or places < max(classes) + 1:
        expected = f"{count} classes" if count is not None else f"class {max(classes)} and more places than classes"
        raise DetectorError(
            f"the output of one image is {grid.shape}, not (4 + classes, places) with {expected}", hint=SAY_WHICH
        )
    scores = np.asarray(grid[4:], dtype=float)
    check_scores(scores)
    best = scores.argmax(axis=0)
    kept = np.isin(best, classes)
    return np.asarray(grid[:4].T[kept], dtype=float), scores.max(axis=0)[kept], best[kept]


def of_rows(rows: NDArray[Any], classes: Sequence[int], count: int | None = None) -> Decoded:
    """Decode one image's rows (n, 6); rows of score 0 are padding.

    Raises:
        DetectorError: another shape, scores outside 0..1, or a last column that is no class, or perhaps none.
    """
    if rows.ndim != 2 or rows.shape[1] != 6:
        raise DetectorError(f"the output of one image is {rows.shape}, not rows (n, 6) of box, score and class")
    rows = np.asarray(rows, dtype=float)
    check_scores(rows[:, 4])
    kinds, shown = rows[:, 5], rows[:, 4] > 0
    whole = bool((kinds == kinds.round()).all())  # YOLOv5 of one class gives a share of 0.99998 there
    if not whole or not ((kinds[shown] >= 0) & (kinds[shown] < (count or np.inf))).all():
        raise DetectorError(
            f"the last column of its rows holds {kinds.min():g} to {kinds.max():g}, which are no classes"
            + (f" of {count}" if count else "")
            + ("" if whole else ": do score and class stand the other way round, or is it a grid of YOLOv5's?"),
            hint=SAY_WHICH,
        )
    classes_of_rows = kinds.astype(np.intp)
    kept = shown & np.isin(classes_of_rows, classes)
    if count is None and not kept.any() and shown.sum() > MOST_ROWS and np.ptp(kinds[shown]) == 0:
        raise DetectorError(
            f"the last column of {shown.sum()} rows is {kinds[shown][0]:g}, and nodules are {list(classes)}: that of a "
            "grid of YOLOv5's, a share and no class, is 1 in half precision",
            hint=SAY_WHICH,
        )
    return rows[kept, :4], rows[kept, 4], classes_of_rows[kept]


def edges_of(boxes: NDArray[Any], box: str, unit: str, size: tuple[int, int], *, sure: bool = False) -> Array:
    """Return boxes (n, 4) as ``x_min, y_min, x_max, y_max`` in pixels of the input.

    Args:
        boxes: As the network gives them.
        box: ``xyxy``, ``yxyx`` or ``cxcywh``.
        unit: ``pixels`` or ``share``.
        size: Height and width of the input.
        sure: The network's own metadata say which numbers they are, however large the boxes.

    Raises:
        DetectorError: they cannot be in that unit or order, or are not finite.
    """
    edges = np.asarray(boxes, dtype=float).reshape(-1, 4)
    broken = int((~np.isfinite(edges)).any(axis=1).sum())
    if broken:
        raise DetectorError(
            f"{broken} of its {len(edges)} boxes hold NaN or infinite numbers",
            hint="half precision ends at 65504: run or export the network in float32",
        )
    _check_unit(edges, unit, size)
    if box == "yxyx":
        edges = edges[:, [1, 0, 3, 2]]
    if box == "cxcywh":
        if not sure:
            _refuse_corners(edges, np.array([1, 1] if unit == "share" else size[::-1]))
        centre, half = edges[:, :2], edges[:, 2:] / 2
        edges = np.concatenate([centre - half, centre + half], axis=1)
    inverted = (edges[:, 2] < edges[:, 0]) | (edges[:, 3] < edges[:, 1])
    if len(edges) and inverted.mean() > MOST_INVERTED:
        raise DetectorError(
            f"{int(inverted.sum())} of its {len(edges)} boxes are inverted when read as {box}",
            hint="'box: xyxy' or 'box: cxcywh' in the YAML beside it says which four numbers they are",
        )
    return edges * np.array([size[1], size[0], size[1], size[0]], dtype=float) if unit == "share" else edges


def _refuse_corners(boxes: Array, sides: Indices) -> None:
    """Refuse boxes whose second pair of numbers is always the larger, as size is of a box by the corner alone.

    Raises:
        DetectorError: they are corners.
    """
    inner = boxes[(boxes[:, :2] > sides / 4).all(axis=1)]
    ends = inner[:, 2:]
    if len(inner) >= ENOUGH_INNER and ((ends > inner[:, :2]) & (ends <= 1.1 * sides)).all():
        raise DetectorError(
            f"all of its {len(inner)} boxes away from the corner are larger than a quarter of the input when read as "
            "cxcywh: they look like corners",
            hint="'box: xyxy' in the YAML beside it reads them so",
        )


def _check_unit(boxes: Array, unit: str, size: tuple[int, int]) -> None:
    if not len(boxes):
        return
    most = float(np.abs(boxes).max())
    if unit == "share" and most > SHARE_LIMIT:
        raise DetectorError(
            f"its boxes reach {most:.4g}, which are no shares of the input",
            hint="'unit: pixels' in the YAML beside it reads them as pixels",
        )
    if unit == "pixels" and most <= SHARE_LIMIT < min(size) / 8:
        raise DetectorError(
            f"no edge of its {len(boxes)} boxes is beyond {most:.4g} pixels of an input of {size[1]} x {size[0]}: "
            "they look like shares of it",
            hint="'unit: share' in the YAML beside it reads them so",
        )
