"""Orientation and polarity: the segmenter looks at a small picture, turned and inverted if in doubt.

Left and right cannot be told this way: a mirrored radiograph is read as any other is.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import NamedTuple

import numpy as np
from PIL import Image

from synnodtest.backgrounds.segmenter import segment, shipped_weights
from synnodtest.geometry import BoolArray, FloatArray, bits_of, mask_of

SIDE_PX = 256
"""Longer side, in pixels, of the picture that is turned; the segmenter sees 160 of them, so more would only take
time."""
CLEAR = 1.02
"""A score above this is upright, and air is dark: no wrong pose of 60 films exceeds 1.01, most upright films do."""
LEAST_SCORE = 0.95
"""Below it a pose shows no chest; the least score of an upright film is 0.99."""
MARGIN = 0.03
"""By which the right pose must beat the picture as it is. It does by 0.03 or more on every film tried, turned by 90,
180 or 270 degrees or inverted; upright films never lose to another pose."""

MOST_REMEMBERED = 1024
"""Small pictures that are remembered, five for a film that shows no lungs: 8 MB."""
LOST_CERTAINTY = 0.01
"""The right pose is no less certain than the wrong one but for this much. A large effusion may hide heart and
clavicles, and then the sum alone misleads."""


@dataclass(frozen=True)
class Score:
    """Likeness of a picture to an upright chest.

    Args:
        certainty: The segmenter's.
        total: That, raised where it sees a heart and clavicles: upside down it misses them. The ceilings, 0.3 and 0.1
            of the lungs' area, are what half of all upright films reach; the weights part upright and upside-down
            films best (the least difference of 99 pairs is 0.07).
    """

    certainty: float
    total: float


@dataclass(frozen=True, eq=False)
class LookedAt:
    """A small picture of a radiograph and the lungs in it.

    Args:
        pixels: Float, at most :data:`SIDE_PX` a side.
        spacing_mm: Of the small picture, ``(row, column)``.
        lungs: Their mask, or None where no two lungs are seen.
        score: How much it looks like an upright chest.
    """

    pixels: FloatArray
    spacing_mm: tuple[float, float]
    lungs: BoolArray | None
    score: Score

    def within(self) -> FloatArray:
        """Return the pixels within the lungs; where none are seen, those of the middle half."""
        if self.lungs is not None:
            return self.pixels[self.lungs]
        height, width = self.pixels.shape
        return self.pixels[height // 4 : -(height // 4), width // 4 : -(width // 4)].ravel()

    @property
    def lungs_mm(self) -> float:
        """Width of both lungs together; 0 where none are seen."""
        columns = np.flatnonzero(self.lungs.any(axis=0)) if self.lungs is not None else np.array([], dtype=int)
        return float((columns[-1] - columns[0] + 1) * self.spacing_mm[1]) if columns.size else 0.0


def look(pixels: FloatArray, spacing_mm: tuple[float, float]) -> LookedAt:
    """Look for the lungs in a radiograph (H x W, 0..1)."""
    scale = min(1.0, SIDE_PX / max(pixels.shape))
    height, width = (max(round(side * scale), 8) for side in pixels.shape)
    small = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX), dtype=np.float32)
    spacing = (spacing_mm[0] * pixels.shape[0] / height, spacing_mm[1] * pixels.shape[1] / width)
    view = _seen(small, spacing)
    lungs = None if view.lungs is None else mask_of(view.lungs, (height, width))
    return LookedAt(small, spacing, lungs, view.score)


def best_turn(seen: LookedAt, *, turned: bool, inverted: bool) -> str:
    """Return what would make it an upright chest: degrees clockwise, ``inverted``, or "" if nothing does better.

    Args:
        seen: As :func:`look` gave it.
        turned: Whether turns by 90, 180 and 270 degrees are tried.
        inverted: Whether the negative is.
    """
    if seen.score.total >= CLEAR:
        return ""
    scores: dict[str, Score] = {}
    for quarters in (1, 2, 3) if turned else ():
        spacing = seen.spacing_mm[::-1] if quarters % 2 else seen.spacing_mm
        picture = np.ascontiguousarray(np.rot90(seen.pixels, -quarters))
        scores[str(90 * quarters)] = _seen(picture, (spacing[0], spacing[1])).score
    if inverted:
        scores["inverted"] = _seen((1 - seen.pixels).astype(np.float32), seen.spacing_mm).score
    best = max(scores, key=lambda name: scores[name].total, default="")
    if not best or scores[best].total < max(LEAST_SCORE, seen.score.total + MARGIN):
        return ""
    return best if scores[best].certainty >= seen.score.certainty - LOST_CERTAINTY else ""


class _Seen(NamedTuple):
    """Score of a small picture, and the mask of its lungs as bits, which take 8 KB; None where none are seen."""

    score: Score
    lungs: bytes | None


_REMEMBERED: OrderedDict[bytes, _Seen] = OrderedDict()
_LOCK = Lock()


def _seen(pixels: FloatArray, spacing_mm: tuple[float, float]) -> _Seen:
    """Look at a small picture once, however often it is read; the one asked for longest ago is forgotten."""
    small = np.ascontiguousarray(pixels, dtype=np.float32)
    key = sha256(repr((small.shape, spacing_mm)).encode() + small.tobytes()).digest()
    known = _REMEMBERED.get(key) or _segmented(small, spacing_mm)
    with _LOCK:
        _REMEMBERED[key] = known
        _REMEMBERED.move_to_end(key)
        if len(_REMEMBERED) > MOST_REMEMBERED:
            _REMEMBERED.popitem(last=False)
    return known


def _segmented(small: FloatArray, spacing_mm: tuple[float, float]) -> _Seen:
    weights = shipped_weights()
    structures = None if weights is None else segment(small, spacing_mm, weights)
    if structures is None:
        return _Seen(Score(0.0, 0.0), None)
    left, right, heart, clavicle = (structures.masks[name] for name in ("left_lung", "right_lung", "heart", "clavicle"))
    lungs = left | right
    of_heart, of_clavicle = (int(mask.sum()) / max(int(lungs.sum()), 1) for mask in (heart, clavicle))
    total = structures.certainty + 0.3 * min(of_heart, 0.3) + min(of_clavicle, 0.1)
    return _Seen(Score(structures.certainty, total), bits_of(lungs))
