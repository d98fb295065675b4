"""The scheduler against simulated workers: order of work, deaths, blame, bounded queues, a million scenes."""

import heapq
import random
import tracemalloc
from collections import Counter

import pytest

from synnodtest.engine.schedule import GivenUp, Lost, Stage, drive


class World:
    """Workers with a clock of their own; a batch is a tuple of scenes."""

    def __init__(self, workers=(2, 3), seconds=(1.0, 2.0), poison=None, accidents=0.0, seed=0):
        self.now, self.events, self.done = 0.0, [], {}
        self.free = [[0.0] * count for count in workers]
        self.seconds, self.poison, self.accidents = seconds, poison or {}, accidents
        self.rng, self.tasks = random.Random(seed), 0
        self.runs, self.held, self.most_held = Counter(), Counter(), Counter()
        self.stages = [
            Stage(f"stage {at}", range(count), lambda worker, batch, at=at: self.submit(at, worker, batch))
            for at, count in enumerate(workers)
        ]

    def submit(self, at, worker, batch):
        self.tasks += 1
        self.held[at, worker] += 1
        self.most_held[at, worker] = max(self.most_held[at, worker], self.held[at, worker])
        start = max(self.now, self.free[at][worker])
        self.free[at][worker] = end = start + self.seconds[at] * len(batch)
        lost = any(self.poison.get(scene) == at for scene in batch) or self.rng.random() < self.accidents
        if lost:  # whatever else the worker held dies with it
            for other, (other_at, other_worker, *_) in list(self.done.items()):
                if (other_at, other_worker) == (at, worker):
                    self.done[other] = (other_at, other_worker, self.done[other][2], True)
        self.done[self.tasks] = (at, worker, batch, lost)
        heapq.heappush(self.events, (end, self.tasks))
        return self.tasks

    def wait(self, running):
        self.now, reference = heapq.heappop(self.events)
        return reference

    def result(self, reference):
        at, worker, batch, lost = self.done.pop(reference)
        self.held[at, worker] -= 1
        if lost:
            raise Lost
        self.runs.update((at, scene) for scene in batch)

    def drive(self, batches, **options):
        return drive(batches, self.stages, self.wait, self.result, halves, **options)


def halves(batch):
    return [batch[: len(batch) // 2], batch[len(batch) // 2 :]] if len(batch) > 1 else []


def batches(count, size=4):
    return (tuple(range(start, min(start + size, count))) for start in range(0, count, size))


def test_every_scene_passes_every_stage_once():
    world = World()
    finished = [scene for batch in world.drive(batches(203)) for scene in batch]
    assert sorted(finished) == list(range(203))
    assert set(world.runs.values()) == {1}
    assert len(world.runs) == 2 * 203


def test_no_worker_holds_more_than_two_batches_and_none_idles_while_there_is_work():
    world = World(workers=(2, 4), seconds=(0.5, 2.0))
    list(world.drive(batches(4000)))
    assert max(world.most_held.values()) == 2
    assert world.now == pytest.approx(4000 * 2.0 / 4, rel=0.02)  # what the slower stage takes alone


@pytest.mark.parametrize("at", [0, 1])
def test_a_scene_that_kills_its_workers_is_given_up_alone(at):
    world = World(poison={37: at})
    given_up = [one for one in world.drive(batches(100)) if isinstance(one, GivenUp)]
    assert [(one.batch, one.stage, one.deaths) for one in given_up] == [((37,), f"stage {at}", 3)]
    assert {scene for stage, scene in world.runs if stage == 1} == set(range(100)) - {37}


@pytest.mark.parametrize("seed", range(5))
def test_accidents_cost_no_scene_and_blame_none(seed):
    world = World(accidents=0.05, seed=seed)
    done = list(world.drive(batches(400)))
    assert not any(isinstance(one, GivenUp) for one in done)
    assert sorted(scene for batch in done for scene in batch) == list(range(400))


def test_workers_that_always_die_end_in_errors_and_never_in_a_hang():
    world = World(accidents=1.0)
    done = list(world.drive(batches(8)))
    assert sorted(one.batch for one in done if isinstance(one, GivenUp)) == [(scene,) for scene in range(8)]
    assert world.tasks <= 2 * 3 * (1 + 2 + 4)


def test_what_the_work_raises_ends_the_drive():
    world = World()

    def broken(reference):
        raise ValueError("a bad scene")

    with pytest.raises(ValueError, match="a bad scene"):
        list(drive(batches(8), world.stages, world.wait, broken, halves))


def test_the_plan_is_read_as_there_is_room_and_memory_does_not_grow_with_it():
    def peak(count):
        world, taken = World(workers=(2, 3), seconds=(1e-3, 2e-3)), 0
        world.runs = Counter()
        world.result = lambda reference: world.done.pop(reference) and world.held.clear()
        tracemalloc.start()
        for _ in world.drive(batches(count, size=50)):
            taken += 1
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert taken == count // 50
        return most

    assert peak(200_000) < 1.5 * peak(5_000)
