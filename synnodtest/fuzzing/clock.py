"""How long a search may still go on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

__all__ = ["Clock"]


class Clock:
    """Counts down a time budget.

    Args:
        budget_s: Seconds in all; None: no limit.
        now: Reads the time, in seconds.
    """

    def __init__(self, budget_s: float | None, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._started = now()
        self.budget_s = budget_s

    @property
    def elapsed_s(self) -> float:
        """Seconds since the clock was made."""
        return self._now() - self._started

    @property
    def left_s(self) -> float:
        """Seconds left; infinite without a budget."""
        return math.inf if self.budget_s is None else self.budget_s - self.elapsed_s
