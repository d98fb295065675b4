"""The windows a synthesizer is trained on: backgrounds, the brightness nodules add to them, masks and features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synnodtest.geometry import Array, BoolArray, FloatArray
from synnodtest.training.arrays import Arrays

if TYPE_CHECKING:
    import torch

COMPOSED = 0
"""``base`` is free of nodules and ``delta`` is what one adds: the window serves with and without it."""
NODULE = 1
"""``base`` shows a nodule that cannot be taken away; ``delta`` is 0."""
PLAIN = 2
"""``base`` is free of nodules and there is no ``delta``; the mask says where to redraw."""


@dataclass(frozen=True, eq=False)
class TrainingWindows(Arrays):
    """Composed windows, nodule at the centre.

    Args:
        base: float16 (n, size, size) radiograph without the nodule, in lung ranges.
        delta: float16 (n, size, size) brightness that the nodule adds, in lung ranges.
        mask: bool (n, size, size) the nodule.
        features: float64 (n, 69) diameter in mm, contrast, and the 67 radiomics features.
        source: int (n, 2) background and CT nodule; -1 for no CT nodule.
        kind: int8 (n,) one of :data:`COMPOSED`, :data:`NODULE`, :data:`PLAIN`.
    """

    base: NDArray[np.float16]
    delta: NDArray[np.float16]
    mask: NDArray[np.bool_]
    features: Array
    source: NDArray[np.int64]
    kind: NDArray[np.int8]

    @classmethod
    def one(
        cls, base: FloatArray, delta: FloatArray, mask: BoolArray, features: Array, source: tuple[int, int], kind: int
    ) -> TrainingWindows:
        """Return a single window."""
        halves = base[None].astype(np.float16), delta[None].astype(np.float16)
        return cls(*halves, mask[None], features[None], np.array([source]), np.array([kind], dtype=np.int8))


class Batch(NamedTuple):
    """Input of one step of the denoiser; tensors (batch, 1, size, size) and (batch, features)."""

    windows: torch.Tensor
    target: torch.Tensor
    boxes: torch.Tensor
    weight: torch.Tensor
    values: torch.Tensor
    named: torch.Tensor
    present: torch.Tensor


def mean_outside(windows: FloatArray, regions: FloatArray) -> FloatArray:
    """Return the mean (n, 1, 1) of each window outside its region, from which its brightness counts."""
    outside = 1 - regions
    return np.asarray(((windows * outside).sum(axis=(1, 2)) / outside.sum(axis=(1, 2)))[:, None, None])
