"""Progress of a run: a line per group of scenes, at most one every ten seconds, with and without a terminal.

And its end: where the time went (``--synnod-profile``), and the planned time beside the time taken.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TextIO

from synnodtest.counted import counted
from synnodtest.stages import Stages

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


def profile_lines(stages: Stages, elapsed: float, workers: int = 0) -> Iterator[str]:
    """Yield the stages as lines of a table, the longest first.

    Args:
        stages: Of this process; with ``workers``, of all of them together.
        elapsed: Seconds of the run so far.
        workers: Processes that shared the work; 0 for this one alone.
    """
    table = stages.as_dict()
    named = sum(seconds for seconds, _ in table.values())
    yield f"{'seconds':>9} {'share':>6} {'calls':>8}  stage"
    for name, (seconds, calls) in sorted(table.items(), key=lambda one: -one[1][0]):
        yield f"{seconds:>9.2f} {seconds / max(named, elapsed):>6.1%} {calls:>8.0f}  {name}"
    if not workers:
        rest = max(elapsed - named, 0.0)
        yield f"{rest:>9.2f} {rest / max(named, elapsed):>6.1%} {'':>8}  pytest, imports and all else"
    yield (
        f"{elapsed:>9.2f}"
        + f" seconds elapsed; {time.process_time():.2f} of processor time in this process"
        + (f", {workers} workers beside it" if workers else "")
    )


def taken_line(tally: Mapping[str, float], earlier: tuple[float | None, float | None], seconds: float) -> str:
    """Return how much was done in which time, beside what the speed of earlier runs promised; empty if nothing was.

    Args:
        tally: What the engines did.
        earlier: Seconds per synthesized scene and per inferred radiograph, as measured before this run.
        seconds: That the run took.
    """
    synthesized, inferred = tally.get("synthesized", 0), tally.get("inferred", 0)
    if not synthesized and not inferred:
        return ""
    text = f"{counted(round(synthesized), 'scene')} synthesized and {counted(round(inferred), 'radiograph')} inferred"
    text += f" in {left(seconds)}, those of searches and controls included"
    if all(rate is not None for rate, count in zip(earlier, (synthesized, inferred), strict=True) if count):
        planned = sum((rate or 0.0) * count for rate, count in zip(earlier, (synthesized, inferred), strict=True))
        remark = "; at the speed of earlier runs synthesizer and detector alone were planned to take"
        text += f"{remark} {left(planned)}" if planned >= 1 else ""
    return text
