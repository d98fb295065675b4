"""What searches cost besides what a test is about."""

import pytest

from synnodtest.fuzzing import investigation, places
from tests.fuzzing.parts import SIZE, Held


@pytest.fixture(autouse=True)
def searched_without_looking(not_looked_at):
    """No search asks how visible a nodule is."""


MAPPED = {}


@pytest.fixture(autouse=True)
def squares_mapped_once(monkeypatch):
    """Map a region once for all squares of the same lungs: a search maps dozens, which takes a tenth of it."""
    for name in ("_Map", "_borders"):
        monkeypatch.setattr(places, name, _once_for_the_same_lungs(getattr(places, name)))


def _once_for_the_same_lungs(made):
    def known(radiograph, *location):
        if radiograph.shape != (SIZE, SIZE):
            return made(radiograph, *location)
        regions = tuple((name, mask.tobytes()) for name, mask in sorted(radiograph.regions.items()))
        asked = made.__name__, regions, radiograph.spacing_mm, *location
        if asked not in MAPPED:
            MAPPED[asked] = made(radiograph, *location)
        return MAPPED[asked]

    return known


@pytest.fixture(autouse=True)
def nothing_held_any_longer():
    """Let go of what stores in memory held for a test."""
    yield
    Held.ENTRIES.clear()


def describe_briefly(patch):
    """Let a search that confirms a counterexample look little around it.

    Local rate, rule and region take more scenes than search and confirmation together; ``test_hole.py`` is about them.
    """
    patch.setattr("synnodtest.fuzzing.investigation.DESCRIBED", 10)
    patch.setattr("synnodtest.fuzzing.investigation.MOST_WALKED", 8)


@pytest.fixture
def little_around(monkeypatch):
    """Let a search try ten examples around a counterexample, for tests of its region alone, which is walked as ever."""
    made = investigation.neighbourhood

    def brief(stage, space, example, points, *more):
        return made(stage, space, example, points // 10, *more)

    monkeypatch.setattr(investigation, "neighbourhood", brief)


@pytest.fixture
def briefly_described(monkeypatch):
    """See :func:`describe_briefly`."""
    describe_briefly(monkeypatch)
