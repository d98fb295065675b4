"""A plan of many scenes reads no radiograph and holds no more than the scenes of one background."""

import tracemalloc

import pytest

from synnodtest.engine import Engine
from synnodtest.planning.draw import own_recipes
from synnodtest.ports import Background
from synnodtest.spec.model import Behaviour, NoduleSpec, Scenes
from synnodtest.spec.values import Sweep
from synnodtest.store import Store
from tests.engine.parts import Bright, Counting

MOST_BYTES = 400_000
"""Half of what 800 recipes take."""
LEVELS = (4.0, 6.0, 8.0, 10.0, 14.0, 20.0, 28.0, 40.0)


class Unread:
    """Backgrounds that nobody may open."""

    name = "unread"
    backgrounds = ()

    def load(self, background):
        raise AssertionError(f"{background.id} was opened")


@pytest.fixture
def planned(tmp_path):
    """Count the scenes of a sweep on so many backgrounds; return (scenes, finished), peak bytes."""
    engine = Engine(Unread(), Counting(), Bright(), Store(tmp_path))
    nodule = NoduleSpec("nodule", Sweep(LEVELS), hold=frozenset({"location", "seed"}))

    def plan(count):
        behaviour = Behaviour("b", "s", scenes=Scenes("unread", count, nodules=(nodule,)))
        backgrounds = [Background(f"b{i}", content=f"{i:064x}") for i in range(count)]
        tracemalloc.start()
        try:
            counted = engine.finished(own_recipes(behaviour, backgrounds, 0))
            return counted, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return plan


def test_a_plan_opens_no_radiograph_and_its_memory_does_not_grow_with_it(planned):
    few, small = planned(10)
    many, large = planned(100)
    if large >= MOST_BYTES:
        many, large = planned(100)  # Python's table of interned texts may have grown meanwhile, which it does once
    assert (few, many) == ((80, 0), (800, 0))
    assert max(small, large) < MOST_BYTES
