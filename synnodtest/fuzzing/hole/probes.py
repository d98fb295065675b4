"""Fresh scenes around a counterexample, on held-out backgrounds, at a stated cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from synnodtest.canonical import seed_of
from synnodtest.fuzzing.failure_rule import FROM, INSIDE, Rule
from synnodtest.fuzzing.hole.box import Box, Stretch
from synnodtest.fuzzing.judged import Placement, Replicate, rather, surely
from synnodtest.fuzzing.places import Places
from synnodtest.fuzzing.recipes import DEFAULT_DIAMETER_MM
from synnodtest.fuzzing.stage import Stage
from synnodtest.planning.difficulty import Difficulties, Space
from synnodtest.planning.example import Example
from synnodtest.planning.place import MissingRegion, NoPlace
from synnodtest.ports import Background

FEW, MOST = 2, 12
"""Scenes of one probe at once, and at most: two failures of two settle a rate of 0.8, six of six hold it."""
TRIES = 80
"""Places drawn at most for one scene that a rule on the place restricts."""
Accept = Callable[[Example, Background], bool]
PLACED = ("place.part", "place.height", "place.across")


@dataclass(frozen=True)
class Seen:
    """One scene and the point of the space that it was made of."""

    point: Difficulties
    replicate: Replicate

    @property
    def holds(self) -> bool:
        """True where the claim holds there."""
        return self.replicate.holds


@dataclass(eq=False)
class Probes:
    """Tries points of the space on held-out backgrounds in turn, until the scenes are spent.

    Args:
        stage: With held-out backgrounds and the synthesizer under test.
        space: The space of the search.
        example: From a point to its example.
        places: Where nodules lie.
        seed: Of every draw.
        most: Scenes at most.
        enough: Whether time is up.
    """

    stage: Stage
    space: Space
    example: Callable[[Difficulties], Example]
    places: Places
    seed: int
    most: int
    enough: Callable[[], bool]

    def __post_init__(self) -> None:
        self.seen: list[Seen] = []
        self._known: dict[Difficulties, bool | None] = {}
        self.tried = self.reserved = self._draws = self._turns = 0

    @property
    def left(self) -> int:
        """Scenes that may still be tried."""
        return 0 if self.enough() else max(0, self.most - self.reserved - self.tried)

    def rng(self, *about: object) -> np.random.Generator:
        """Return a generator of its own for every purpose."""
        self._draws += 1
        return np.random.default_rng(seed_of("hole", self.seed, self._draws, *map(str, about)))

    # --- one point ----------------------------------------------------------------------------------------------

    def fails(self, point: Difficulties) -> bool | None:
        """Return whether a point fails; None where it cannot be planted or the scenes are spent."""
        if point not in self._known:
            self._known[point] = self._settled(lambda count: [point] * count)
        return self._known[point]

    def fails_within(self, box: Box, pinned: Mapping[int, Stretch]) -> bool | None:
        """Return whether points of a box fail where some dimensions are pinned."""
        rng = self.rng("within", sorted(pinned.items()))
        return self._settled(lambda count: box.drawn(count, rng, pinned), box)

    def _settled(self, points: Callable[[int], Iterable[Difficulties]], box: Box | None = None) -> bool | None:
        rate, holding, n, asked = self.stage.claim.rate, 0, 0, 0
        while asked < MOST and self.left:
            done = self.look(points(FEW), box)
            asked += FEW
            n, holding = n + len(done), holding + sum(s.holds for s in done)
            sure = surely(holding, n, rate)
            if sure is not None:
                return sure
        return rather(holding, n, rate) if n >= MOST // 2 else None

    # --- many ---------------------------------------------------------------------------------------------------

    def look(self, points: Iterable[Difficulties], box: Box | None = None, accept: Accept | None = None) -> list[Seen]:
        """Try points, each on the next background.

        Args:
            points: What to try.
            box: Where it has a rule, or where ``accept`` is given, places are drawn anew until one is accepted.
            accept: Of an example on a background; default: that it keeps the rule of the box.
        """
        if accept is None and box is not None and box.rule is not None:
            accept = partial(self.keeps, box.rule)
        placements: list[tuple[Difficulties, Placement]] = []
        for point in points:
            if self.left <= len(placements):
                break
            placement = self._placement(point, box, accept)
            if placement is not None:
                placements.append(placement)
        self.tried += len(placements)
        placements.sort(key=lambda pair: (pair[1][1].id, pair[1][2]))
        by_placement = {(example.key(), background.id, number): p for p, (example, background, number) in placements}
        done = []
        for r in self.stage.run_all(iter(placement for _, placement in placements)):
            number = next(iter(r.trials.values())).replicate
            done.append(Seen(by_placement[r.example.key(), r.background.id, number], r))
        self.seen += done
        return done

    def _placement(
        self, point: Difficulties, box: Box | None, accept: Accept | None
    ) -> tuple[Difficulties, Placement] | None:
        """Return a point with the background it is tried on; None where there is no such place."""
        for at in self._places(point, box if accept else None):
            example = self.example(at)
            pool = self.stage.pool(example)
            if not pool:
                return None
            turn, index = divmod(self._turns, len(pool))
            if accept is None or accept(example, pool[index]):
                self._turns += 1
                return at, (example, pool[index], turn)
        return None

    def _places(self, point: Difficulties, box: Box | None) -> Iterator[Difficulties]:
        """Yield the point, then the point at other places of the box."""
        yield point
        if box is None:
            return
        rng = self.rng("place", point)
        for _ in range(TRIES):
            (drawn,) = box.drawn(1, rng)
            yield tuple(
                d if dimension.name in PLACED else k for dimension, k, d in zip(self.space, point, drawn, strict=True)
            )

    def keeps(self, rule: Rule, example: Example, background: Background) -> bool:
        """Return whether a nodule of an example lies where a rule says."""
        value = self.measured(rule.name, example, background)
        return value is not None and rule.tells_failing(value)

    def measured(self, name: str, example: Example, background: Background) -> float | None:
        """Return what a rule of this name measures of an example on a background, without planting it."""
        radius = float(example.get("diameter_mm", DEFAULT_DIAMETER_MM)) / 2
        try:
            centre = self.places.at(background, example.group("place"), radius)
        except (MissingRegion, NoPlace):
            return None
        if name.startswith(FROM):
            return self.places.surroundings(background, centre).get(name.removeprefix(FROM))
        return float(self.places.inside(background, name.removeprefix(INSIDE), centre))
