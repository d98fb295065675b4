"""How often Python searches for cycles in a run: less often than by itself, and not once the run has ended."""

import gc
import subprocess
import sys

import pytest

from synnodtest.shell.garbage import YOUNG_OBJECTS, collect_seldom


@pytest.fixture(autouse=True)
def restored():
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(
    ("before", "after"), [((700, 10, 10), (YOUNG_OBJECTS, 10, 10)), ((0, 5, 5), (0, 5, 5)), ((90_000, 9, 9),) * 2]
)
def test_only_a_shorter_interval_is_lengthened(before, after):
    gc.set_threshold(*before)
    collect_seldom()
    assert gc.get_threshold() == after


ENDING = """
import gc, sys
from synnodtest.shell.garbage import end_at_once

class Ring:
    def __init__(self): self.self = self
    def __del__(self): print("found", self.name, flush=True)

if sys.argv[1] == "ours":
    end_at_once(); end_at_once()
early, late = Ring(), Ring()
early.name, late.name = "before", "after"
del early; gc.collect(); del late
"""


@pytest.mark.parametrize(("whose", "seen"), [("ours", ["found before"]), ("else", ["found before", "found after"])])
def test_what_a_run_leaves_is_searched_while_it_runs_and_not_once_it_has_ended(whose, seen):
    """A process that ends by itself searches at its end: that is the reference."""
    done = subprocess.run([sys.executable, "-c", ENDING, whose], capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if line.startswith("found")] == seen
