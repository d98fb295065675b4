"""Seconds of a run by stage, for ``--synnod-profile``.

A stage inside another is taken out of it, so that the seconds of all stages of one thread add up to its time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Stages:
    """Seconds and calls by stage, of all threads together."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self._totals: dict[str, list[float]] = {}
        self._lock = threading.Lock()
        self._open = threading.local()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time of a block under a name."""
        stack: list[float] = self._open.__dict__.setdefault("inner", [])
        stack.append(0.0)
        before = time.perf_counter()
        try:
            yield
        finally:
            taken = time.perf_counter() - before
            self.add(name, taken - stack.pop())
            if stack:
                stack[-1] += taken

    def add(self, name: str, seconds: float, calls: float = 1) -> None:
        """Add to a stage what was measured elsewhere."""
        with self._lock:
            total = self._totals.setdefault(name, [0.0, 0.0])
            total[0] += seconds
            total[1] += calls

    def as_dict(self) -> dict[str, tuple[float, float]]:
        """Return seconds and calls by stage."""
        with self._lock:
            return {name: (total[0], total[1]) for name, total in self._totals.items()}

    def merge(self, other: Mapping[str, tuple[float, float]]) -> None:
        """Add the stages of another process."""
        for name, (seconds, calls) in other.items():
            self.add(name, seconds, calls)


STAGES = Stages()
"""Those of this process."""
stage = STAGES.stage
