"""Quantiles of sorted float32 values, to the last bit those of ``np.percentile``, after some have changed too."""

from __future__ import annotations

import bisect
import math

import numpy as np

from synnodtest.geometry import FloatArray

NEAR = 8
"""Values looked through before one that may be anywhere is sought among all."""


def quantile_in(ordered: FloatArray, share: float) -> float:
    """Return ``np.percentile(ordered, [100 * share])[0]`` of sorted values, NaN of none; NaN comes last."""
    if not ordered.size or np.isnan(ordered[-1]):
        return math.nan
    place = (ordered.size - 1) * share
    return _between(ordered[int(place)], ordered[min(int(place) + 1, ordered.size - 1)], place)


def quantile_after(ordered: FloatArray, gone: FloatArray, come: FloatArray, share: float) -> float:
    """Return :func:`quantile_in` sorted values of which some were replaced, without sorting the rest again.

    Args:
        ordered: All values before, sorted; a NaN among them comes last.
        gone: Sorted; those of them that were replaced.
        come: Sorted, as many; what stands in their place.
        share: From 0 to 1.
    """
    if not ordered.size or any(np.isnan(values[-1:]).any() for values in (ordered, come)):
        return math.nan
    place = (ordered.size - 1) * share
    before = int(place)
    after = min(before + 1, ordered.size - 1)
    lower, first = _nth_after(ordered, gone, come, before, max(before - come.size, 0))
    upper, _ = _nth_after(ordered, gone, come, after, first)
    return _between(lower, upper, place)


def _nth_after(ordered: FloatArray, gone: FloatArray, come: FloatArray, nth: int, first: int) -> tuple[np.float32, int]:
    """Return the value at a place, from 0, of the values sorted after the change: the least with enough up to it.

    Args:
        ordered: As for :func:`quantile_after`.
        gone: Likewise.
        come: Likewise.
        nth: The place.
        first: No value of ``ordered`` before this place has enough up to it.

    Returns:
        The value, and where in ``ordered`` the first that has enough up to it stands.
    """

    def up_to(value: np.float32) -> int:
        counts = [array.searchsorted(value, "right") for array in (ordered, gone, come)]
        return int(counts[0] - counts[1] + counts[2])

    last = min(nth + gone.size + 1, ordered.size)
    if first + NEAR < last:  # the next value is rarely far
        first, last = (first, first + NEAR) if up_to(ordered[first + NEAR - 1]) > nth else (first + NEAR, last)
    old = bisect.bisect_left(ordered, nth + 1, first, last, key=up_to)
    begin = come.searchsorted(ordered[old - 1], "right") if old else 0  # what comes no later has too few up to it
    end = come.searchsorted(ordered[old]) if old < last else come.size
    new = bisect.bisect_left(come, nth + 1, int(begin), int(end), key=up_to)
    return min([array[k] for array, k, end in ((ordered, old, last), (come, new, come.size)) if k < end]), old


def _between(lower: np.float32, upper: np.float32, place: float) -> float:
    """Return what lies between two neighbours at a place that need not be whole, rounded as NumPy rounds it."""
    step, part = float(upper - lower), place - int(place)
    return float(lower) + step * part if part < 0.5 else float(upper) - step * (1 - part)
