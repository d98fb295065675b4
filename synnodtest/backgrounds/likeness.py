"""Copies of a film that were saved smaller, with loss or through another window: one picture, unequal pixels.

A film is averaged to 96 x 96 cells, of which what is left beside a blurred picture is kept: edges of ribs, vessels and
heart. Two films are compared block by block, and the median block counts, so that an outline which all films of a set
share makes no copies of them. Of 346 films of NIH ChestX-ray14 and the Hannover set no two reach more than 0.13, of 24
phantoms 0.42; a film and its copies (224 pixels wide, JPEG of quality 30, gamma 0.6 and 1.6, equalised, half the
window, noise) 0.65.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.geometry import FloatArray

SIDE, RIM, BLUR, BLOCK = 96, 4, 1.0, 8
"""Cells a side, cells cut off at the rim, blur in cells and cells a side of a block; set by hand: they tell copies from
other films as measured above, from 224 pixels on."""
COPY, WORTH_A_LOOK = 0.6, 0.35
"""Median correlation of the blocks from which two films are copies of one; their mean from which it is computed."""
_STEPS = 42
"""Of a standard deviation, in which a likeness is kept; three of them either way fill a byte."""
_ROWS = 512
"""Films compared with all others in one product; nothing depends on it but memory."""
MOST = 6000
"""Films that are compared with each other; more would take minutes and gigabytes."""


def likeness(pixels: FloatArray) -> bytes:
    """Return what is kept of a film (H x W)."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
    cells = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float64)
    edges = (cells - scipy.ndimage.gaussian_filter(cells, BLUR))[RIM:-RIM, RIM:-RIM]
    scale = 1.4826 * float(np.median(np.abs(edges))) or 1.0
    return np.rint(np.clip(edges / scale, -3, 3) * _STEPS).astype(np.int8).tobytes()


def copies(likenesses: Mapping[str, bytes]) -> dict[str, str]:
    """Return the films that are copies of an earlier one, and the first of which each is one.

    Mirrored and inverted copies too. Nothing where there are more than :data:`MOST` films.
    """
    names = list(likenesses)
    if not 2 <= len(names) <= MOST:
        return {}
    cells = np.frombuffer(b"".join(likenesses.values()), dtype=np.int8).reshape(-1, SIDE - 2 * RIM, SIDE - 2 * RIM)
    blocks = _blocks(cells)
    first: dict[str, str] = {}
    for film, earlier in sorted({*_alike(blocks, blocks), *_alike(blocks, _blocks(cells[:, :, ::-1]))}):
        first.setdefault(names[film], first.get(names[earlier], names[earlier]))
    return first


def _alike(films: NDArray[np.float32], others: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of a film and an earlier one among the others, both as blocks, that are copies."""
    flat, flat_others = films.reshape(len(films), -1), others.reshape(len(others), -1)
    for start in range(0, len(films), _ROWS):
        near = np.abs(flat[start : start + _ROWS] @ flat_others.T) >= WORTH_A_LOOK * films.shape[1]
        for row, earlier in zip(*np.nonzero(near), strict=True):
            film = start + int(row)
            if earlier < film and abs(np.median((films[film] * others[earlier]).sum(axis=1))) >= COPY:
                yield film, int(earlier)


def _blocks(cells: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return the blocks of each film (film, block, cell), each of mean 0 and length 1: products are correlations."""
    wide = (SIDE - 2 * RIM) // BLOCK
    cut = cells.reshape(-1, wide, BLOCK, wide, BLOCK).swapaxes(2, 3)
    values = cut.reshape(len(cut), wide * wide, BLOCK * BLOCK).astype(np.float32)
    values -= values.mean(axis=2, keepdims=True)
    length = np.linalg.norm(values, axis=2, keepdims=True)
    return np.asarray(values / np.maximum(length, np.float32(1e-6)), dtype=np.float32)
