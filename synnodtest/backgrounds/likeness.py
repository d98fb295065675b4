"""Copies of a film that were saved smaller, with loss or through another window: one picture, unequal pixels.

A film is averaged to 96 x 96 cells, of which what is left beside a blurred picture is kept: edges of ribs, vessels and
heart. Of 173 films of NIH ChestX-ray14 and the Hannover set no two correlate by more than 0.30 in it; a film and its
copies (half the size, JPEG of quality 30, gamma 0.6 and 1.6, a narrower window, noise) by 0.93 and more.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.geometry import FloatArray

__all__ = ["COPY", "copies", "likeness"]

SIDE, RIM, BLUR = 96, 4, 2.0
COPY = 0.93
"""Correlation from which two films are copies of one."""
_STEPS = 42
"""Of a standard deviation, in which a likeness is kept; three of them either way fill a byte."""
_ROWS = 512


def likeness(pixels: FloatArray) -> bytes:
    """Return what is kept of a film (H x W)."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
    cells = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float64)
    edges = (cells - scipy.ndimage.gaussian_filter(cells, BLUR))[RIM:-RIM, RIM:-RIM]
    scale = 1.4826 * float(np.median(np.abs(edges))) or 1.0
    return np.rint(np.clip(edges / scale, -3, 3) * _STEPS).astype(np.int8).tobytes()


def copies(likenesses: Mapping[str, bytes]) -> dict[str, str]:
    """Return the films that are copies of an earlier one, inverted ones too, and the first of which each is one."""
    names = list(likenesses)
    if len(names) < 2:
        return {}
    kept = _standardised(np.frombuffer(b"".join(likenesses.values()), dtype=np.int8).reshape(len(names), -1))
    first: dict[str, str] = {}
    for start in range(0, len(names), _ROWS):
        alike = np.abs(kept[start : start + _ROWS] @ kept.T) >= COPY
        for row, column in zip(*np.nonzero(alike), strict=True):
            if column < start + row:
                earlier = names[column]
                first.setdefault(names[start + row], first.get(earlier, earlier))
    return first


def _standardised(rows: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return rows of mean 0 and length 1, whose products are correlations."""
    values = rows.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(length, np.float32(1e-6)), dtype=np.float32)
