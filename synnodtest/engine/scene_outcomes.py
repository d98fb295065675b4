"""Scenes shown to the detector: the outcomes of each group of a behaviour, every background run once per campaign."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from synnodtest.engine.executor import Executor, SceneSource
from synnodtest.engine.job import Unplaced
from synnodtest.engine.judgement import Providers
from synnodtest.engine.outcome import Outcome
from synnodtest.engine.parts import Parts
from synnodtest.planning.groups import Group
from synnodtest.planning.item import scenes_of
from synnodtest.planning.recipe import Recipe
from synnodtest.ports import Background
from synnodtest.spec.model import Behaviour, Scenes
from synnodtest.store import Store

Key = tuple[str, Scenes, SceneSource, Group]
"""Behaviour, its scenes, their source and group: what tells scenes that are made together from all others; another
spec's behaviour of the same name may have the same scenes and test other regions."""
WORDS = {
    "own": "",
    "untouched": "untouched radiographs",
    "under": "perturbed",
    "outside": "control",
    "sham": "sham edits",
}
"""Names of scenes in the progress, by the word of their arm; the behaviour's own have no other name than its."""


class Progress(Protocol):
    """Tells how far a run is."""

    def __call__(self, items: Iterable[Any], total: int, label: str) -> Iterable[Any]:
        """Return the stream of outcomes, watched."""
        ...

    def tell(self, label: str, count: int, total: int, unit: str) -> None:
        """Say how much of something is done that is no stream; a total of 0 is not known."""
        ...


class Silent:
    """Shows no progress."""

    def __call__(self, items: Iterable[Any], total: int, label: str) -> Iterable[Any]:
        """Return the stream as it is."""
        return items

    def tell(self, label: str, count: int, total: int, unit: str) -> None:
        """Say nothing."""


silent = Silent()


class SceneOutcomes(Parts):
    """The parts of a campaign with the outcomes of its scenes, group by group.

    Args:
        providers: Detector, synthesizers and backgrounds.
        store: Where finished work goes and comes from.
        seed: The master seed.
        progress: Tells how far the run is.
        executor: Brings scenes into the store before they are read; None: the engine makes them itself.
    """

    def __init__(
        self,
        providers: Providers,
        store: Store,
        *,
        seed: int = 0,
        progress: Progress = silent,
        executor: Executor | None = None,
    ) -> None:
        super().__init__(providers, store)
        self.seed, self.progress, self._executor = seed, progress, executor
        self._outcomes: dict[Key, dict[str, list[Outcome | Unplaced]]] = {}
        self._costs: dict[Key, tuple[int, int]] = {}

    def outcomes(
        self, behaviour: Behaviour, synthesizer: str, group: Group, backgrounds: Sequence[Background]
    ) -> list[Outcome | Unplaced]:
        """Return the outcomes of one group of scenes; those of backgrounds that were not shown yet are made."""
        by_background = self._outcomes.setdefault(self._key(behaviour, synthesizer, group), {})
        missing = [b for b in backgrounds if b.id not in by_background]
        if missing:
            self._costs.clear()
            recipes = list(group.recipes(behaviour, missing, self.seed))
            made = list(self._made(behaviour, synthesizer, recipes, _label(behaviour, group)))
            by_background.update({background.id: [] for background in missing})
            for item in made:
                by_background[item.background.id].append(item)
        return [item for b in backgrounds for item in by_background[b.id]]

    def _made(
        self, behaviour: Behaviour, synthesizer: str, recipes: list[Recipe], label: str
    ) -> Iterator[Outcome | Unplaced]:
        engine, total = self.engine(behaviour, synthesizer), len(recipes)
        if self._executor is None:
            yield from self.progress(engine.run(_let_go(recipes)), total, label)
            return
        source, stored = self.source(behaviour, synthesizer), engine.tally.from_cache + engine.finished(recipes)[1]
        finished = (None for count in self._executor.finish(source, recipes) for _ in range(count))
        deque(self.progress(finished, total, label), maxlen=0)
        yield from engine.run(_let_go(recipes))
        engine.tally.from_cache = stored  # what workers of this run have made was in no cache before it

    def cost_of(self, behaviour: Behaviour, synthesizer: str, group: Group) -> tuple[int, int]:
        """Return how many scenes a group has, and how many of them are finished; counted once until something runs."""
        key = self._key(behaviour, synthesizer, group)
        if key not in self._costs:
            self._costs[key] = self.engine(behaviour, synthesizer).finished(self.recipes(behaviour, group))
        return self._costs[key]

    def _key(self, behaviour: Behaviour, synthesizer: str, group: Group) -> Key:
        return behaviour.id, scenes_of(behaviour), self.source(behaviour, synthesizer), group

    def recipes(self, behaviour: Behaviour, group: Group) -> Iterator[Recipe]:
        """Return the recipes of a group on all backgrounds of its behaviour."""
        return group.recipes(behaviour, self.backgrounds(behaviour), self.seed)


def _let_go(recipes: list[Recipe]) -> Iterator[Recipe]:
    """Yield recipes in order, none of which stays in the list."""
    recipes.reverse()
    while recipes:
        yield recipes.pop()


def _label(behaviour: Behaviour, group: Group) -> str:
    words = WORDS.get(group.kind.word, group.kind.word)
    return f"{behaviour.id}, {words}" if words else behaviour.id
