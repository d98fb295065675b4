"""Progress of a run: a bar on a terminal; elsewhere a line per group of scenes, at most one every ten seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TextIO

__all__ = ["EVERY_S", "Progress", "left"]

EVERY_S = 10.0
"""Seconds between two lines: a log of an hour stays readable, and no CI system takes the job for dead."""


class Progress:
    """Wraps streams of outcomes: ``progress(stream, total, label) -> stream``.

    Args:
        uncaptured: Returns the context in which standard error is the user's; pytest's capture otherwise keeps it.
        worker: Name of the process among several, put before its lines; these never draw a bar.
        out: Where it goes; None is standard error as it was when Python started.
        clock: Seconds.
    """

    def __init__(
        self,
        uncaptured: Callable[[], AbstractContextManager[Any]] = nullcontext,
        worker: str = "",
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._uncaptured, self._worker, self._clock = uncaptured, worker, clock
        self._out = out if out is not None else sys.__stderr__
        self._said = clock()

    def __call__(self, items: Iterable[Any], total: int, label: str) -> Iterable[Any]:
        """Return the stream, watched."""
        if self._out is None:
            return items
        if self._out.isatty() and not self._worker:
            return self._bar(items, total, label)
        return self._lines(items, total, label)

    def _bar(self, items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
        from tqdm import tqdm

        with self._uncaptured(), tqdm(total=total, desc=label, unit="scene", leave=False, file=self._out) as bar:
            for item in items:
                bar.update()
                yield item

    def _lines(self, items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
        started, spoke, count = self._clock(), False, 0
        for count, item in enumerate(items, 1):
            if self._clock() - self._said >= EVERY_S and count < total:
                self._say(label, count, total, self._clock() - started)
                spoke = True
            yield item
        if count and (spoke or self._clock() - started >= EVERY_S):
            self._say(label, count, total, self._clock() - started)

    def _say(self, label: str, count: int, total: int, seconds: float) -> None:
        self._said = self._clock()
        who = f"{self._worker}: " if self._worker else ""
        rate = count / max(seconds, 1e-9)
        rest = f"about {left((total - count) / rate)} left" if count < total else f"done in {left(seconds)}"
        with self._uncaptured():
            assert self._out is not None
            print(f"{who}{label}: {count} of {total} scenes, {rate:.1f} a second, {rest}", file=self._out, flush=True)


def left(seconds: float) -> str:
    """Return a time as people say it: ``40 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
