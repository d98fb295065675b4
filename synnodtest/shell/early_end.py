"""A process that is ended from within: a detector, or a library that it loads, which calls ``os._exit(0)``.

Nothing is judged and nothing is written then, and the status says that all is well.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_CALLS = ("_exit", "execv", "execve")
"""Calls that end a process without its word; the other forms of ``os.exec`` call the last two."""


@contextmanager
def early_end_fails(tell: Callable[[str], None], status: int) -> Iterator[None]:
    """While this lasts, have the process end with ``status`` where it is told to end, and say so.

    A status that is not 0 stays. Processes forked from this one end as they like.

    Args:
        tell: Is given the sentence.
        status: In place of 0.
    """
    mine, before = os.getpid(), {name: getattr(os, name) for name in _CALLS}

    def instead(name: str) -> Callable[..., Any]:
        def end(*words: Any) -> Any:
            if os.getpid() != mine:
                return before[name](*words)
            asked = words[0] if name == "_exit" and words[0] else 0
            tell(
                f"os.{name} was called before all was done, by the detector, the synthesizer, a check or what they "
                f"load: this ends at once, with the status {asked or status}, and nothing is said of what was judged"
            )
            return before["_exit"](asked or status)

        return end

    for name in _CALLS:
        setattr(os, name, instead(name))
    try:
        yield
    finally:
        for name, call in before.items():
            setattr(os, name, call)


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """While this lasts, end where SIGTERM asks for it (a time limit, a cancelled job) as Ctrl-C ends: with a report.

    A second one ends the process at once, as the first ends those forked from it. Where somebody else listens,
    or on another thread, nothing is changed.
    """
    mine, before = os.getpid(), signal.getsignal(signal.SIGTERM)
    if before is not signal.SIG_DFL or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, before)
        if os.getpid() != mine:
            signal.raise_signal(signal.SIGTERM)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
