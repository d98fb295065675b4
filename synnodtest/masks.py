"""Named masks of a radiograph: what is asked of all of them, and a form in which most need never be unpacked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.canonical import sha256_of_array
from synnodtest.geometry import BoolArray, Indices, mask_of

Masks = Mapping[str, BoolArray]


class _ReadMasks(Masks):
    """Masks of which each is made when it is first read, and is an array like any other from then on."""

    def __init__(self, names: Mapping[str, object]) -> None:
        self._names = names
        self._read: dict[str, BoolArray] = {}

    def _made(self, name: str) -> BoolArray:
        raise NotImplementedError

    def __getitem__(self, name: str) -> BoolArray:
        if name not in self._read:
            self._read[name] = self._made(name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


class PackedMasks(_ReadMasks):
    """Masks as one bit a pixel, each unpacked when it is first read: of a background most are only looked up.

    What is written into one that was read counts from then on.

    Args:
        bits: By name, as :func:`synnodtest.geometry.bits_of` gives them.
        shape: Height and width of all.
        digests: The sha256 of each, as far as they are known; see :func:`digests_of`.
    """

    def __init__(
        self, bits: Mapping[str, bytes], shape: tuple[int, int], digests: Mapping[str, str] | None = None
    ) -> None:
        self._packed = {name: np.frombuffer(of, dtype=np.uint8) for name, of in bits.items()}
        super().__init__(self._packed)
        self._shape = shape
        self._digests = dict(digests or {})

    def _made(self, name: str) -> BoolArray:
        return mask_of(self._packed[name].data, self._shape)

    def packed(self, name: str) -> NDArray[np.uint8]:
        """Return a mask as bytes of eight pixels."""
        return np.packbits(self._read[name]) if name in self._read else self._packed[name]

    def digest(self, name: str) -> str:
        """Return the sha256 of a mask's bytes."""
        if name in self._digests and name not in self._read:
            return self._digests[name]
        return sha256_of_array(self.packed(name))

    def held_at(self, rows: Indices, columns: Indices) -> BoolArray:
        """Return per mask which pixels are of it."""
        places = rows * self._shape[1] + columns
        bytes_of, shift = places >> 3, (7 - (places & 7)).astype(np.uint8)
        found = np.array([packed[bytes_of] for packed in self._packed.values()], dtype=np.uint8)
        held = (found.reshape(len(self), len(places)) >> shift & 1).view(np.bool_)
        for row, name in zip(held, self, strict=True):
            if name in self._read:
                row[:] = self._read[name][rows, columns]
        return held


class OwnMasks(_ReadMasks):
    """Masks that somebody else goes on using, each copied when it is first read: what is written stays here.

    Args:
        masks: By name.
    """

    def __init__(self, masks: Masks) -> None:
        super().__init__(masks)
        self._masks = masks

    def _made(self, name: str) -> BoolArray:
        return self._masks[name].copy()

    def digest(self, name: str) -> str:
        """Return the sha256 of a mask's bytes."""
        return digests_of(self._read if name in self._read else self._masks, [name])[name]


def digests_of(masks: Masks, names: Iterable[str]) -> dict[str, str]:
    """Return the sha256 of some masks as bits, in the order of their names."""
    if isinstance(masks, (PackedMasks, OwnMasks)):
        return {name: masks.digest(name) for name in sorted(names)}
    return {name: sha256_of_array(np.packbits(masks[name])) for name in sorted(names)}


def shown_among(masks: Masks) -> frozenset[str]:
    """Return the names of the masks of which any pixel is there."""
    visible: Mapping[str, NDArray[Any]] = masks
    if isinstance(masks, PackedMasks):
        visible = {name: masks.packed(name) for name in masks}
    return frozenset(name for name, mask in visible.items() if mask.any())


def held_at(masks: Masks, rows: Indices, columns: Indices) -> BoolArray:
    """Return which of some pixels are of which mask: (masks, pixels)."""
    if isinstance(masks, PackedMasks):
        return masks.held_at(rows, columns)
    return np.array([mask[rows, columns] for mask in masks.values()], dtype=np.bool_).reshape(len(masks), len(rows))
