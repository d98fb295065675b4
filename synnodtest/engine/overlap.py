"""Two stages at a time: the next batch is made while the last one is looked at."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_END = object()
_POLL_S = 0.2
"""Seconds within which a producer whose results nobody wants any more sees it."""
_MAKING = threading.local()


class _UnwantedError(Exception):
    """Ends the making of an item that nobody wants any more."""


def give_up_if_unwanted() -> None:
    """Leave the item that this thread makes ahead, if its consumer has stopped; called before each long step of it."""
    unwanted: threading.Event | None = getattr(_MAKING, "unwanted", None)
    if unwanted is not None and unwanted.is_set():
        raise _UnwantedError


def ahead(items: Iterable[T], depth: int = 1) -> Iterator[T]:
    """Yield the items in order while a thread makes up to ``depth`` further ones.

    What making an item raises is raised here, after the items before it. When the consumer stops, the thread ends after
    the item in work, or before its next step (:func:`give_up_if_unwanted`), and is waited for, so that it never works
    on unseen.

    Args:
        items: Made on the thread; nothing else may use what making them uses.
        depth: Finished items that may wait; one more is in work.
    """
    waiting: queue.Queue[tuple[object, BaseException | None]] = queue.Queue(maxsize=max(depth, 1))
    unwanted = threading.Event()

    def put(item: object, error: BaseException | None = None) -> bool:
        while not unwanted.is_set():
            try:
                waiting.put((item, error), timeout=_POLL_S)
                return True
            except queue.Full:
                continue
        return False

    def produce() -> None:
        _MAKING.unwanted = unwanted
        try:
            for item in items:
                if not put(item):
                    return
            put(_END)
        except BaseException as error:
            put(_END, error)

    thread = threading.Thread(target=produce, name="making scenes ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item  # type: ignore[misc]
    finally:
        unwanted.set()
        thread.join()
