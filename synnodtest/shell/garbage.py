"""Python's search for cycles among objects: less often in a run, and hardly once it has ended."""

from __future__ import annotations

import atexit
import gc

YOUNG_OBJECTS = 10_000
"""New objects after which Python looks for cycles among them. After 700, as it does by itself, a third of the time of
a run whose scenes are all stored goes there; more than this many gain nothing."""


def collect_seldom() -> None:
    """Have findings by the hundred thousand searched for cycles less often, unless somebody has chosen already."""
    least, *older = gc.get_threshold()
    if 0 < least < YOUNG_OBJECTS:
        gc.set_threshold(YOUNG_OBJECTS, *older)


def end_at_once() -> None:
    """Have this process end without a last search: its memory goes back whole.

    In a process that has loaded torch, Python searches a million objects several times while it ends, which takes half
    a second of each worker. Called as the process exits, after all tests and what pytest collects after them.
    """
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def spare_the_last_search() -> None:
    """Leave nothing to search to pytest, which looks twice, as its last act, for what tests have left behind.

    In a process that has loaded torch that takes a third of a second. For sessions in which specs alone ran; other
    tests may have left something of which pytest is to warn.
    """
    gc.freeze()
