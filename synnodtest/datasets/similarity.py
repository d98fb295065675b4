"""The same picture under another name: a perceptual hash, so that no test image was a training image.

A radiograph is averaged to 33 x 32 cells; each of the 1024 bits says whether a cell is brighter than its neighbour
("dhash"). Rescaling, recompression, another bit depth, gamma or window change few bits; mirroring and inverting are
undone by comparing those hashes too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synnodtest.geometry import FloatArray

__all__ = ["BITS", "NEAR", "Twin", "near_duplicates", "perceptual_hash"]

SIDE = 32
BITS = SIDE * SIDE
NEAR = 75
"""Hashes that differ in at most so many of the 1024 bits are those of one picture; docs/data.md has the measurement."""


@dataclass(frozen=True)
class Twin:
    """Two images that are nearly the same picture."""

    one: str
    other: str
    bits: int


def perceptual_hash(pixels: FloatArray) -> str:
    """Return the hash of a radiograph (H x W) as 256 hexadecimal digits."""
    rows = _averaged(np.asarray(pixels, dtype=np.float64), SIDE, 0)
    cells = _averaged(rows, SIDE + 1, 1)
    return np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes().hex()


def _averaged(values: NDArray[np.float64], parts: int, axis: int) -> NDArray[np.float64]:
    """Return means over ``parts`` equal stretches of an axis, with fractional ends."""
    length = values.shape[axis]
    total = np.concatenate([np.zeros_like(values.take([0], axis)), values.cumsum(axis)], axis)
    place = np.linspace(0, length, parts + 1)
    low = np.minimum(place.astype(np.intp), length - 1)
    share = (place - low).reshape([-1 if k == axis else 1 for k in (0, 1)])
    at = total.take(low, axis) + share * (total.take(low + 1, axis) - total.take(low, axis))
    return np.asarray(np.diff(at, axis=axis) / (length / parts))


def near_duplicates(these: Mapping[str, str], those: Mapping[str, str] | None = None, near: int = NEAR) -> list[Twin]:
    """Return pairs whose hashes differ in at most ``near`` bits, the nearest first.

    Args:
        these: Name -> hash.
        those: The other side (training images); None looks for pairs within ``these``.
        near: In bits of 1024.
    """
    names, others = list(these), list(these if those is None else those)
    ours, theirs = (
        _bits([these[name] for name in names]),
        _bits([(these if those is None else those)[n] for n in others]),
    )
    found = []
    for row, name in enumerate(names):
        first = row + 1 if those is None else 0
        distances = _distances(ours[row], theirs[first:])
        found += [Twin(name, others[first + k], int(distances[k])) for k in np.flatnonzero(distances <= near)]
    return sorted(found, key=lambda twin: (twin.bits, twin.one, twin.other))


def _bits(hashes: Sequence[str]) -> NDArray[np.bool_]:
    packed = np.frombuffer(bytes.fromhex("".join(hashes)), dtype=np.uint8).reshape(len(hashes), BITS // 8)
    return np.unpackbits(packed, axis=1).astype(np.bool_).reshape(-1, SIDE, SIDE)


def _distances(one: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the least number of differing bits to each other hash: as it is, mirrored, inverted, or both."""
    mirrored = ~one[:, ::-1]
    ways = [(others != variant).sum(axis=(1, 2)) for variant in (one, mirrored, ~one, ~mirrored)]
    return np.asarray(np.min(ways, axis=0))
