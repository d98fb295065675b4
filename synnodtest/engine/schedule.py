"""Schedule of batches through stages of workers that may die. Knows no pixels and no transport.

A batch passes the stages in order. At most :data:`IN_FLIGHT` batches are at a worker, and at most as many finished ones
wait for the next stage as its workers could take, so the memory of the driver does not grow with the plan. A batch
whose worker died is tried again, alone on its worker, so that no innocent batch is blamed for its neighbour; after
:data:`TRIES` deaths it is split, and a single scene that killed so many workers is given up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

IN_FLIGHT = 2
"""Batches at a worker: one in work, one waiting there, so that it never waits for the driver."""
TRIES = 3
"""Workers that a batch may cost before it is split or given up: one death is an accident, three are the batch's."""

B = TypeVar("B")
W = TypeVar("W")
R = TypeVar("R")


class Lost(Exception):
    """The worker of a batch died; what it had stored is kept."""


@dataclass(frozen=True)
class GivenUp(Generic[B]):
    """A batch of one scene that killed its workers."""

    batch: B
    stage: str
    deaths: int


@dataclass
class _Task(Generic[B]):
    batch: B
    deaths: int = 0

    @property
    def room(self) -> int:
        """Batches in whose place it is at a worker: one whose worker died is there alone."""
        return IN_FLIGHT if self.deaths else 1


@dataclass(eq=False)
class Stage(Generic[B, W, R]):
    """Workers that do the same, with what waits for them and what they hold in one drive.

    Args:
        name: For messages.
        workers: Handles.
        submit: Sends a batch to a worker; returns a reference to the result.
    """

    name: str
    workers: Sequence[W]
    submit: Callable[[W, B], R]

    def __post_init__(self) -> None:
        self.waiting: deque[_Task[B]] = deque()
        self.load = [0] * len(self.workers)

    def free(self, room: int) -> int | None:
        """Return the worker with the least to do, if it has so much room."""
        number = min(range(len(self.load)), key=self.load.__getitem__)
        return number if self.load[number] + room <= IN_FLIGHT else None


def drive(
    batches: Iterable[B],
    stages: Sequence[Stage[B, W, R]],
    wait: Callable[[Sequence[R]], R],
    result: Callable[[R], None],
    split: Callable[[B], Sequence[B]],
) -> Iterator[B | GivenUp[B]]:
    """Yield every batch when its last stage is done (in the order of completion), or that it was given up.

    Args:
        batches: Taken as there is room; never all at once.
        stages: In order; made for this drive alone.
        wait: Blocks until one of the references is done, and returns it.
        result: Raises :class:`Lost` if the worker died, or what the work itself raised, which ends the drive.
        split: Halves of a batch; an empty sequence if it is a single scene.
    """
    source = iter(batches)
    running: dict[R, tuple[int, int, _Task[B]]] = {}
    while True:
        _fill(source, stages, running)
        if not running:
            return
        done = wait(list(running))
        at, number, task = running.pop(done)
        stages[at].load[number] -= task.room
        try:
            result(done)
        except Lost:
            task = _Task(task.batch, task.deaths + 1)
            if task.deaths < TRIES:
                stages[at].waiting.appendleft(task)
            elif halves := split(task.batch):
                stages[at].waiting.extendleft(_Task(half) for half in reversed(halves))
            else:
                yield GivenUp(task.batch, stages[at].name, task.deaths)
            continue
        if at + 1 < len(stages):
            stages[at + 1].waiting.append(_Task(task.batch))
        else:
            yield task.batch


def _fill(source: Iterator[B], stages: Sequence[Stage[B, W, R]], running: dict[R, tuple[int, int, _Task[B]]]) -> None:
    """Give every worker with room its next batch, the last stage first, so that what is begun is finished."""
    for at in reversed(range(len(stages))):
        stage = stages[at]
        while (number := stage.free(stage.waiting[0].room if stage.waiting else 1)) is not None:
            if stage.waiting:
                task = stage.waiting.popleft()
            else:
                ahead = len(stages[at + 1].waiting) if at + 1 < len(stages) else 0
                if at > 0 or ahead >= IN_FLIGHT * len(stages[-1].load) or (batch := next(source, None)) is None:
                    break
                task = _Task(batch)
            stage.load[number] += task.room
            running[stage.submit(stage.workers[number], task.batch)] = (at, number, task)
