"""Time left to a search, and time that its scenes take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence


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


class Pace:
    """Seconds of scenes: of the first one on a background, which has to be read, and of every further one."""

    def __init__(self) -> None:
        self.opened: set[str] = set()
        self._opening_s = self._seconds = 0.0
        self._replicates = 0

    def note(self, backgrounds: Sequence[str], seconds: float) -> None:
        """Note that replicates on these backgrounds took so long together."""
        new = set(backgrounds) - self.opened
        if new:
            self._opening_s += seconds
            self.opened |= new
        else:
            self._seconds += seconds
            self._replicates += len(backgrounds)

    @property
    def per_background_s(self) -> float:
        """Seconds of the first replicate on a background."""
        return self._opening_s / len(self.opened) if self.opened else 0.0

    @property
    def per_replicate_s(self) -> float:
        """Seconds of a further one."""
        return self._seconds / self._replicates if self._replicates else self.per_background_s
