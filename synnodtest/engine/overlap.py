"""Two stages at a time: the next batch is made while the last one is looked at."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
_END = object()
_AHEAD = 2
"""Items made ahead: a finished one that waits, and one in work."""
_MAKING = threading.local()


class _UnwantedError(Exception):
    """Ends the making of an item that nobody wants any more."""


def give_up_if_unwanted() -> None:
    """Leave the item that this thread makes ahead, if its consumer has stopped; called before each long step of it."""
    unwanted: threading.Event | None = getattr(_MAKING, "unwanted", None)
    if unwanted is not None and unwanted.is_set():
        raise _UnwantedError


def ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield the items in order while a thread makes the following ones.

    What making an item raises is raised here, after the items before it. When the consumer stops, the thread ends after
    the item in work, or before its next step (:func:`give_up_if_unwanted`), and is waited for, so that it never works
    on unseen.

    Args:
        items: Made on the thread; nothing else may use what making them uses.
    """
    source, unwanted = iter(items), threading.Event()

    def following() -> object:
        _MAKING.unwanted = unwanted
        try:
            return _END if unwanted.is_set() else next(source, _END)
        except BaseException:
            unwanted.set()
            raise

    maker = ThreadPoolExecutor(1, "making scenes ahead")
    try:
        waiting = deque(maker.submit(following) for _ in range(_AHEAD))
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(maker.submit(following))
            yield item  # type: ignore[misc]
    finally:
        unwanted.set()
        maker.shutdown(cancel_futures=True)
