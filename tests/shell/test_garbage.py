"""How often Python searches for cycles in a run: less often than by itself, unless somebody has chosen."""

import gc

import pytest

from synnodtest.shell.session import YOUNG_OBJECTS, _collect_seldom


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
    _collect_seldom()
    assert gc.get_threshold() == after
