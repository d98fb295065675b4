"""The same picture under another name: a perceptual hash, so that no test image was a training image.

A radiograph is averaged to 33 x 32 cells. Of each pair of neighbours in a row the hash keeps which is brighter, where
the two clearly differ: 1024 signs, 30% of them blank. So rescaling, recompression, another bit depth, gamma or window
change next to nothing; mirroring and inverting are undone by comparing those hashes too. The same is kept of the
picture's middle, without 1.5% and 3% of each side, so that a picture with cropped edges is found. A picture in a border
of one value, as letterboxing adds, has a second such hash, of what lies within.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synnodtest.backgrounds.films import within_border
from synnodtest.errors import SynnodError
from synnodtest.geometry import Array, FloatArray

SIDE = 32
"""Cells along either side; finer ones differ with noise and recompression, coarser ones make chests alike. docs/data.md
has the measurement."""
SIGNS = SIDE * SIDE
MARGINS = (0.0, 0.015, 0.03)
"""Shares cut off each side before hashing; set by hand: edges cropped by up to some 3% are found, and every margin adds
to the time."""
BLANK = 0.3
"""Share of signs left out, the least clear ones, which rounding and noise would turn; set by hand, measured with the
rest."""
DIGITS = len(MARGINS) * 2 * SIGNS // 4
"""Length of a hash: per margin a bit for each sign and a bit for each that is not blank, in hexadecimal."""
NEAR = 0.035
"""Hashes of which at most this share of signs differ are of one picture; docs/data.md has the measurement."""
LEAST = 200
"""Fewer signs than this that neither leaves blank tell nothing."""
_ROWS = 512
"""Hashes compared with all others at once; nothing depends on it but memory."""


@dataclass(frozen=True)
class Twin:
    """Two images that are nearly the same picture, and the share of signs in which they differ."""

    one: str
    other: str
    differing: float


def perceptual_hash(pixels: FloatArray) -> str:
    """Return the hash of a radiograph (H x W) as :data:`DIGITS` hexadecimal digits, twice as many with a border."""
    inner = within_border(pixels)
    return _hash(pixels) + (_hash(inner) if inner.shape != pixels.shape else "")


def _hash(pixels: FloatArray) -> str:
    values = np.asarray(pixels, dtype=np.float64)
    parts = [part for margin in MARGINS for part in _signs(_middle(values, margin))]
    return np.packbits(np.stack(parts)).tobytes().hex()


def _middle(values: Array, margin: float) -> Array:
    rows, columns = (round(margin * n) for n in values.shape)
    return values[rows : values.shape[0] - rows, columns : values.shape[1] - columns]


def _signs(values: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which cells are brighter than their left neighbour, and where that is clear."""
    cells = _averaged(_averaged(values, SIDE, 0), SIDE + 1, 1)
    step = np.diff(cells, axis=1)
    size = np.abs(step)
    return step > 0, size > np.quantile(size, BLANK, method="lower")


def _averaged(values: Array, parts: int, axis: int) -> Array:
    """Return means over ``parts`` equal stretches of an axis, with fractional ends."""
    length = values.shape[axis]
    total = np.concatenate([np.zeros_like(values.take([0], axis)), values.cumsum(axis)], axis)
    place = np.linspace(0, length, parts + 1)
    low = np.minimum(place.astype(np.intp), length - 1)
    share = (place - low).reshape([-1 if k == axis else 1 for k in (0, 1)])
    at = total.take(low, axis) + share * (total.take(low + 1, axis) - total.take(low, axis))
    return np.asarray(np.diff(at, axis=axis) / (length / parts))


def near_duplicates(these: Mapping[str, str], those: Mapping[str, str] | None = None) -> list[Twin]:
    """Return pairs whose hashes differ in at most the share :data:`NEAR` of their signs, the nearest first.

    Args:
        these: Name -> hash.
        those: The other side (training images); None looks for pairs within ``these``.

    Raises:
        SynnodError: one of the texts is no hash of this version.
    """
    other = these if those is None else those
    (ours, mine), (theirs, yours) = _read(these), _read(other)
    names, others = list(these), list(other)
    least: dict[tuple[int, int], float] = {}
    for start in range(0, len(mine), _ROWS):
        differing = _differing(ours[:, start : start + _ROWS], theirs)
        for row, column in zip(*np.nonzero(differing <= NEAR), strict=True):
            pair = mine[start + row], yours[column]
            if those is not None or pair[1] > pair[0]:
                least[pair] = min(least.get(pair, 1.0), float(differing[row, column]))
    twins = [Twin(names[one], others[two], share) for (one, two), share in least.items()]
    return sorted(twins, key=lambda twin: (twin.differing, twin.one, twin.other))


def _read(hashes: Mapping[str, str]) -> tuple[NDArray[np.float32], list[int]]:
    """Return the signs -1, 0 (blank), 1 as (margins, hashes, rows, columns), and which picture each hash is of."""
    wrong = next((name for name, text in hashes.items() if not text or len(text) % DIGITS), "one of them")
    whose = [number for number, text in enumerate(hashes.values()) for _ in range(len(text) // DIGITS)]
    try:
        packed = np.frombuffer(bytes.fromhex("".join(hashes.values())), dtype=np.uint8)
        bits = np.unpackbits(packed).reshape(len(whose), len(MARGINS), 2, SIDE, SIDE).astype(np.float32)
    except ValueError:
        raise SynnodError(f"the perceptual hash of {wrong} is not of this version", hint="make them anew") from None
    return np.ascontiguousarray(((2 * bits[:, :, 0] - 1) * bits[:, :, 1]).swapaxes(0, 1)), whose


def _differing(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the least share of differing signs: as they are, mirrored, inverted or both, whole or one's middle."""
    least = np.ones((ours.shape[1], theirs.shape[1]), dtype=np.float32)
    pairs = [(0, 0), *((k, 0) for k in range(1, len(MARGINS))), *((0, k) for k in range(1, len(MARGINS)))]
    for one, other in pairs:
        for way in (ours[one], -ours[one][:, :, ::-1]):
            mine, yours = way.reshape(len(way), SIGNS), theirs[other].reshape(-1, SIGNS)
            both = np.abs(mine) @ np.abs(yours).T
            alike = np.abs(mine @ yours.T)  # equal less unequal; inverted, the other sign
            share = (1 - alike / np.maximum(both, 1)) / 2
            np.minimum(least, np.where(both >= LEAST, share, 1), out=least)
    return least
