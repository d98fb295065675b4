"""The windows a synthesizer is trained on: backgrounds, the brightness nodules add to them, masks and features."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["COMPOSED", "NODULE", "PLAIN", "TrainingWindows"]

COMPOSED = 0
"""``base`` is free of nodules and ``delta`` is what one adds: the window serves with and without it."""
NODULE = 1
"""``base`` shows a nodule that cannot be taken away; ``delta`` is 0."""
PLAIN = 2
"""``base`` is free of nodules and there is no ``delta``; the mask says where to redraw."""


@dataclass(frozen=True, eq=False)
class TrainingWindows:
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
    features: NDArray[np.float64]
    source: NDArray[np.int64]
    kind: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.base)

    def save(self, path: Path) -> None:
        """Write an ``.npz``, whole or not at all."""
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, **{field.name: getattr(self, field.name) for field in fields(self)})
        os.replace(temporary, path)

    @classmethod
    def load(cls, paths: Sequence[Path]) -> TrainingWindows:
        """Read and join ``.npz`` files."""
        parts = []
        for path in paths:
            with np.load(path) as stored:
                parts.append(cls(**{field.name: stored[field.name] for field in fields(cls)}))
        return cls.join(parts)

    @classmethod
    def join(cls, parts: Sequence[TrainingWindows]) -> TrainingWindows:
        """Return several sets as one."""
        return cls(
            **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)}
        )
