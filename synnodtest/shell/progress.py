"""Progress of a run: a line per group of scenes, at most one every ten seconds, with and without a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TextIO

EVERY_S = 10.0
"""Seconds between two lines: a log of an hour stays readable, and no CI system takes the job for dead."""
FEW = 3
"""Of fewer, no time left is told: the first ones wait for models to load and radiographs to be read."""


class Progress:
    """Watches streams of outcomes: ``progress(stream, total, label) -> stream``.

    Args:
        uncaptured: Returns the context in which standard error is the user's; pytest's capture otherwise keeps it.
        worker: Name of the process among several, put before its lines.
        out: Where it goes; None is standard error as it was when Python started.
        clock: Seconds.
        fresh_line: Called before a line, to end one that somebody else has begun.
    """

    def __init__(
        self,
        uncaptured: Callable[[], AbstractContextManager[Any]] = nullcontext,
        worker: str = "",
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        fresh_line: Callable[[], None] = lambda: None,
    ) -> None:
        self._uncaptured, self._worker, self._clock, self._fresh_line = uncaptured, worker, clock, fresh_line
        self._out = out if out is not None else sys.__stderr__
        self._said = clock()
        self._begun: dict[str, tuple[float, int]] = {}

    def __call__(self, items: Iterable[Any], total: int, label: str) -> Iterable[Any]:
        """Return the stream, watched."""
        return items if self._out is None else self._watched(items, total, label)

    def tell(self, label: str, count: int, total: int, unit: str) -> None:
        """Say how much is done, if the last line is ten seconds old; a total of 0 is not known."""
        began, before = self._begun.setdefault(label, (self._clock(), count))
        if self._out is not None and self._clock() - self._said >= EVERY_S:
            self._say(
                f"{label}: {_how_many(count, total, unit)}{_pace(count - before, total - count, self._clock() - began)}"
            )

    def _watched(self, items: Iterable[Any], total: int, label: str) -> Iterator[Any]:
        started, spoke, count, first = self._clock(), False, 0, 0.0
        for count, item in enumerate(items, 1):
            first = first or self._clock()
            if self._clock() - self._said >= EVERY_S and count < total:
                pace = _pace(count - 1, total - count, self._clock() - first) if count >= FEW else ""
                self._say(f"{label}: {_how_many(count, total, 'scenes')}{pace}")
                spoke = True
            yield item
        if count and (spoke or self._clock() - started >= EVERY_S):
            self._say(f"{label}: {_how_many(count, total, 'scenes')}, done in {left(self._clock() - started)}")

    def _say(self, text: str) -> None:
        self._said = self._clock()
        with self._uncaptured():
            self._fresh_line()
            print(f"{self._worker}: {text}" if self._worker else text, file=self._out, flush=True)


def _how_many(count: int, total: int, unit: str) -> str:
    return f"{count} of {total} {unit}" if total else f"{count} {unit}"


def _pace(count: int, remaining: int, seconds: float) -> str:
    """Return the rate of ``count`` and when the remaining ones will be done, as far as it is known."""
    if count < 1 or seconds <= 0:
        return ""
    rate = count / seconds
    pace = f", {rate:.1f} a second" if rate >= 0.1 else f", {1 / rate:.0f} s each"
    return pace + (f", about {left(remaining / rate)} left" if remaining > 0 else "")


def left(seconds: float) -> str:
    """Return a time as people say it: ``40 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
