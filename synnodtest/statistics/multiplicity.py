"""Families of failure alarms."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from synnodtest.geometry import Array
from synnodtest.statistics.estimate import vector


def holm(pvalues: ArrayLike) -> Array:
    """Return p-values adjusted by Holm's step-down method, in the order given.

    Args:
        pvalues: Raw p-values of the family; shape (m,). May be empty.

    Raises:
        ValueError: a p-value is NaN or leaves [0, 1].

    Source: Holm, Scand. J. Stat. 6 (1979) 65.
    """
    raw = vector(pvalues, "pvalues")
    if not ((raw >= 0) & (raw <= 1)).all():
        raise ValueError("p-values lie in [0, 1]")
    if len(raw) == 0:
        return raw
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
