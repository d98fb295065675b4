"""Arrays that belong together: fields of a dataclass, kept in one ``.npz``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from synnodtest.files import replacing


@dataclass(frozen=True, eq=False)
class Arrays:
    """Base of dataclasses whose fields are arrays; the first one says how many entries there are."""

    def __len__(self) -> int:
        return len(next(iter(vars(self).values())))

    def save(self, path: Path) -> None:
        """Write an ``.npz``, whole or not at all."""
        with replacing(path) as temporary, temporary.open("wb") as file:  # a path would be given a suffix
            np.savez(file, **vars(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote."""
        with np.load(path) as stored:
            return cls(**stored)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return several sets as one."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})
