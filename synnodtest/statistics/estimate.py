"""The return type of :mod:`synnodtest.statistics`, and the checks of its arguments.

``alpha`` is always the one-sided error rate of each bound: 0.05 gives the two-sided 90% interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synnodtest.geometry import Array, Indices
from synnodtest.statistics.clusters import codes, unseen_share

HALVINGS = 60
"""Halvings of an interval at most 2 wide that leave 2e-18 of it: less than the last bit of all but the smallest
bounds."""

Mean = TypeVar("Mean", float, Array)


@dataclass(frozen=True)
class Estimate:
    """A value with its two one-sided confidence bounds, each at error rate ``alpha``.

    Attributes:
        value: The point estimate; NaN where the data define none.
        lower: Lower bound; the lower end of the parameter's range where the data cannot say.
        upper: Upper bound; the upper end of the parameter's range where the data cannot say.
        alpha: One-sided error rate of each bound.
        method: Name of the interval.
        n: Units that entered (trials, pairs, images).
        clusters: Independent clusters that entered.
        reason: Why no decision may rest on this estimate ("one cluster"), empty if one may.
        flags: Reservations to print beside it ("fewer than 30 clusters").
        extra: Further figures by name (design effect, bounds of a second method).
    """

    value: float
    lower: float
    upper: float
    alpha: float = 0.05
    method: str = ""
    n: int = 0
    clusters: int = 0
    reason: str = ""
    flags: tuple[str, ...] = ()
    extra: Mapping[str, float] = field(default_factory=dict, hash=False)

    @property
    def usable(self) -> bool:
        """True where a decision may rest on it."""
        return not self.reason


@dataclass(frozen=True)
class TestResult:
    """A test's statistic and p-value (two-sided unless the function says otherwise)."""

    statistic: float
    p_value: float

    __test__: ClassVar[bool] = False


def check_alpha(alpha: float) -> float:
    """Return ``alpha``, which must lie in (0, 0.5)."""
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"alpha is the one-sided error rate of a bound and lies between 0 and 0.5, not {alpha}")
    return float(alpha)


def check_counts(successes: float, n: float) -> None:
    """Raise ValueError unless ``0 <= successes <= n``, both finite."""
    if not (math.isfinite(successes) and math.isfinite(n)):
        raise ValueError(f"counts are finite, not {successes} of {n}")
    if not 0 <= successes <= n:
        raise ValueError(f"successes lie between 0 and n, not {successes} of {n}")


def vector(values: ArrayLike, name: str) -> Array:
    """Return ``values`` as a one-dimensional float array.

    Raises:
        ValueError: ``values`` has another number of dimensions.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} has one dimension, not {array.ndim}")
    return array


def vectors(**values: ArrayLike) -> list[Array]:
    """Return named values as one-dimensional float arrays of one length.

    Raises:
        ValueError: one has another number of dimensions, or the lengths differ.
    """
    arrays = {name: vector(given, name) for name, given in values.items()}
    same_length(**arrays)
    return list(arrays.values())


def by_cluster(cluster: ArrayLike, **values: ArrayLike) -> tuple[Indices, int, list[Array]]:
    """Return the cluster of each row as a number from 0, how many clusters there are, and :func:`vectors`.

    Raises:
        ValueError: as for :func:`vectors`, the clusters counting as one of them.
    """
    arrays = vectors(**values)
    index, count = codes(cluster)
    same_length(**dict(zip(values, arrays, strict=True)), cluster=index)
    return index, count, arrays


def halved(low: float, high: float, is_low: Callable[[float], bool], times: int = HALVINGS) -> tuple[float, float]:
    """Return the ends between which an answer changes, ever nearer to each other: ``is_low`` holds at the first alone.

    The first may be the larger number; neither end is asked about.
    """
    for _ in range(times):
        middle = (low + high) / 2
        low, high = (middle, high) if is_low(middle) else (low, middle)
    return low, high


def yes_or_no(values: NDArray[Any]) -> bool:
    """Return whether all values are 0 or 1."""
    return bool(((values == 0) | (values == 1)).all())


def same_length(**arrays: NDArray[np.generic]) -> None:
    """Raise ValueError unless all named arrays have one length."""
    if len({len(array) for array in arrays.values()}) > 1:
        raise ValueError("differing lengths: " + ", ".join(f"{name} {len(a)}" for name, a in arrays.items()))


def agreeing_bounds(value: Mean, units: float, alpha: float, low: float, high: float) -> tuple[Mean, Mean]:
    """Return the bounds of a mean, or of many, when all ``units`` gave ``value``: unseen units lie at the limits.

    So agreement of few units never makes an interval of zero width.
    """
    share = unseen_share(units, alpha)
    return value + share * (low - value), value + share * (high - value)
