"""Limits on how far a metric may move from one record to another: ``--compare-fail``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from synnodtest.counted import counted
from synnodtest.errors import SynnodError
from synnodtest.expectations.metrics import LOWER_IS_BETTER, METRICS, RATES
from synnodtest.expectations.sentences import decimals_beside, signed
from synnodtest.record.model.compared import DifferenceEntry, LimitEntry


@dataclass(frozen=True)
class Limit:
    """Limit on a metric's move: a negative bound limits a fall, a positive one a rise, 0 any step for the worse.

    Args:
        metric: One of :data:`~synnodtest.expectations.metrics.METRICS`; the record's value minus the earlier one's.
        bound: As a difference: -0.03 are three percentage points.
    """

    metric: str
    bound: float

    @property
    def of_a_fall(self) -> bool:
        """True where it is a fall that is limited."""
        return self.bound < 0 or (self.bound == 0 and self.metric not in LOWER_IS_BETTER)

    def verdict(self, differences: Iterable[DifferenceEntry], alone: str = "") -> LimitEntry:
        """Return whether the limit is kept, and the sentence.

        It is not without scenes of two backgrounds in common, nor where no fall could exceed it: of a silent baseline.
        Of several operating points the first that does not keep it is told.

        Args:
            differences: Of the two records.
            alone: Why those scenes do not speak for the others, or there are none, if that is known.
        """
        rows = [d for d in differences if d.metric == self.metric and not d.behaviour]
        ruled = [self._of(row, alone) for row in rows] or [self._ruled(False, alone or "no scene could be compared")]
        return next((one for one in ruled if not one.kept), ruled[0])

    def _of(self, row: DifferenceEntry, alone: str) -> LimitEntry:
        if row.value is None:
            return self._ruled(False, "no scene could be compared")
        if row.clusters < 2:
            return self._ruled(False, "scenes of a single background prove nothing")
        if self.of_a_fall and row.before <= -self.bound:
            sentence = f"{row.before:.{decimals_beside(row.before, self.bound, 3)}f}"
            return self._ruled(False, f"the baseline's {sentence}{row.at} leaves no room for such a fall")
        if alone:
            return self._ruled(False, alone)
        holds = row.value >= self.bound if self.of_a_fall else row.value <= self.bound
        words = "keeps" if holds else "exceeds"
        sentence = f"difference{row.at} {signed(row.value, self.bound)} {_interval(row, self.bound)}"
        return self._ruled(holds, f"{sentence} {words} the limit")

    def _ruled(self, kept: bool, why: str) -> LimitEntry:
        return LimitEntry(str(self), kept, f"--compare-fail {self}: {why}")

    def __str__(self) -> str:
        return f"{self.metric}:{self.bound:g}"


def parse_limit(text: str) -> Limit:
    """Read ``sensitivity:-0.03``.

    Raises:
        SynnodError: it is not ``metric:number``, the metric is none that can be compared, or no loss would exceed it.
    """
    metric, _, number = text.partition(":")
    try:
        bound = float(number)
    except ValueError:
        bound = math.nan
    if metric not in METRICS or not math.isfinite(bound):
        raise SynnodError(
            f"--compare-fail {text!r} is not metric:difference",
            hint=f"such as sensitivity:-0.03; metrics are {', '.join(METRICS)}",
        )
    if metric in RATES and abs(bound) >= 1:
        raise SynnodError(
            f"--compare-fail {text!r}: no {metric} moves by as much as {abs(bound):g}",
            hint=f"three percentage points are written {metric}:-0.03",
        )
    if (metric in RATES and bound > 0) or (metric in LOWER_IS_BETTER and bound < 0):
        raise SynnodError(
            f"--compare-fail {text!r} limits an improvement and bears any loss",
            hint=f"to limit the loss write {metric}:{-bound:g}",
        )
    return Limit(metric, bound)


def _interval(row: DifferenceEntry, bound: float) -> str:
    if row.lower is None:
        return "(no interval)"
    ends = f"{signed(row.lower, bound)} to {signed(row.upper, bound)}"
    return f"({row.level} interval {ends}, {counted(row.n, 'pair')})"
