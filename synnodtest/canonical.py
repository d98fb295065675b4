"""Canonical JSON and the sha256 keys and seeds made from it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


_ENCODER = json.JSONEncoder(default=_plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> str:
    """Return ``value`` as JSON with sorted keys, no white space and no NaN.

    Dataclasses become objects, tuples arrays, sets sorted arrays. Equal values give equal text
    on every platform, which is what keys and digests stand on. Bytes of a file's name that are no text stay escaped.

    Raises:
        ValueError: a number is NaN or infinite.
        TypeError: a value has no JSON form.
    """
    text = _ENCODER.encode(value)
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def sha256_of(value: Any) -> str:
    """Return the hex sha256 of bytes, or of the canonical JSON of anything else."""
    data = value if isinstance(value, bytes) else canonical_json(value).encode()
    return hashlib.sha256(data).hexdigest()


def sha256_of_array(array: NDArray[Any]) -> str:
    """Return the hex sha256 of an array's shape, type and content (C order)."""
    contiguous = np.ascontiguousarray(array)
    digest = _begun(contiguous)
    digest.update(contiguous.data)
    return digest.hexdigest()


class DigestedArray:
    """An array digested band by band: of arrays that begin as it does only the rest need be digested.

    Args:
        array: Not changed any more.
    """

    BAND = 32
    """Rows."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array
        self._states = [_begun(array)]

    def sha256_of(self, array: NDArray[Any], same_rows: int) -> str:
        """Return :func:`sha256_of_array` of an array whose first rows are, bit by bit, those of this one."""
        if (array.dtype, array.shape) != (self._array.dtype, self._array.shape):
            return sha256_of_array(array)
        bands = same_rows // self.BAND
        digest = self._after(bands).copy()
        digest.update(np.ascontiguousarray(array[bands * self.BAND :]).data)
        return digest.hexdigest()

    def _after(self, bands: int) -> hashlib._Hash:
        """Return the digest of so many bands; those that nobody asked for yet are digested now."""
        states = self._states
        if bands >= len(states):
            states = [*states]  # threads that meet here each finish a list of their own
            for start in range((len(states) - 1) * self.BAND, bands * self.BAND, self.BAND):
                state = states[-1].copy()
                state.update(np.ascontiguousarray(self._array[start : start + self.BAND]).data)
                states.append(state)
            self._states = states
        return states[bands]


def _begun(array: NDArray[Any]) -> hashlib._Hash:
    return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())


def seed_sequence(*parts: Any) -> np.random.SeedSequence:
    """Return the seed sequence that belongs to ``parts`` (any canonical values).

    Independent of Python's ``hash``, of worker order and of batch order.
    """
    return np.random.SeedSequence(int(sha256_of(list(parts)), 16))


def seed_of(*parts: Any) -> int:
    """Return a seed of fifteen hexadecimal digits that belongs to ``parts``, short enough for a scene's recipe."""
    return int(sha256_of(parts)[:15], 16)


AS_THEY_ARE = frozenset({str, int, bool, type(None)})
"""Types of plain JSON values. Their subclasses, such as enumerations, are not, and a float may be NaN."""


def plain(value: Any) -> Any:
    """Return ``value`` in plain JSON values: dataclasses and mappings as dict, tuples as list, NaN as None.

    Raises:
        TypeError: a value has no JSON form.
    """
    kind = type(value)
    if kind in AS_THEY_ARE:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is tuple or kind is list:  # asked before mappings, since each box of a finding is one
        return [item if type(item) in AS_THEY_ARE else plain(item) for item in value]
    if kind is dict or isinstance(value, Mapping):
        return {str(key): item if type(item) in AS_THEY_ARE else plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return plain(tuple(value))
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value.as_posix() if isinstance(value, Path) else plain(_plain(value))
