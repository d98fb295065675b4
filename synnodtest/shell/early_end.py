"""A process that is ended from within: a detector, or a library that it loads, which calls ``os._exit(0)`` or C's exit.

Nothing is judged and nothing is written then, and the status says that all is well.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

_CALLS = ("_exit", "execv", "execve")
"""Calls that end a process without its word; the other forms of ``os.exec`` call the last two."""

_ENDING = [signal.SIGTERM, *filter(None, [getattr(signal, "SIGHUP", None)])]
"""Signals that ask a process to end; Windows has no SIGHUP."""


@contextmanager
def early_end_fails(tell: Callable[[str], None], status: int) -> Iterator[None]:
    """While this lasts, have the process end with ``status`` where it is told to end, and say so.

    A status that is not 0 stays. Processes forked from this one end as they like. Where C's ``exit`` ends it, it
    dies of a signal.

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
        with _native_end_fails():
            yield
    finally:
        for name, call in before.items():
            setattr(os, name, call)


_AT_END: int | None = getattr(signal, "SIGRTMAX", None)
"""A signal that nobody listens to and a process dies of; macOS and Windows have none, and go without."""


@contextmanager
def _native_end_fails() -> Iterator[None]:
    """While this lasts, have the process die of a signal where what is not Python ends it by C's ``exit(0)``.

    That runs no line of Python, and says that all is well.
    """
    if _AT_END is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    _raise_at_end(_AT_END)
    before = signal.signal(_AT_END, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(_AT_END, before)


@cache
def _raise_at_end(number: int) -> None:
    """Have C raise a signal at this process' end, which is ignored until somebody asks, and in forked processes.

    A call of Python could not be taken back, and would crash where Python has ended before.
    """
    libc = ctypes.CDLL(None)
    libc["__cxa_atexit"](ctypes.cast(libc["raise"], ctypes.c_void_p), ctypes.c_void_p(number), None)
    signal.signal(number, signal.SIG_IGN)
    os.register_at_fork(after_in_child=lambda: signal.signal(number, signal.SIG_IGN))


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """While this lasts, end where SIGTERM (a time limit, a cancelled job) or SIGHUP (a closed terminal) asks for it.

    The end is that of Ctrl-C: with a report. A second SIGTERM ends the process at once, as the first ends those forked
    from it; a SIGHUP after either is passed over, for shell and kernel may both send one, and systemd does after
    SIGTERM. Where somebody else listens, where nohup has it ignored, or on another thread, nothing is changed.
    """
    mine, main = os.getpid(), threading.current_thread() is threading.main_thread()
    terminals = {os.fstat(one).st_rdev for one in range(3) if os.isatty(one)}
    heard = [one for one in _ENDING if main and signal.getsignal(one) is signal.SIG_DFL]

    def listen(handler: Any) -> None:
        for one in heard:
            signal.signal(one, handler)

    def end(number: int, _: object) -> None:
        if os.getpid() != mine:
            listen(signal.SIG_DFL)
            signal.raise_signal(number)
        for one in heard:
            signal.signal(one, signal.SIG_DFL if one == signal.SIGTERM else signal.SIG_IGN)
        if number != signal.SIGTERM:
            _write_nowhere(terminals)
        raise KeyboardInterrupt

    listen(end)
    try:
        yield
    finally:
        listen(signal.SIG_DFL)


def _write_nowhere(terminals: Collection[int]) -> None:
    """Lead what is written to closed terminals, known by their devices, nowhere: it would be an error of its own."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for one in map(int, os.listdir("/dev/fd")):
        with suppress(OSError):
            if os.fstat(one).st_rdev in terminals:
                os.dup2(nowhere, one)
