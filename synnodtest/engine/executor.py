"""The executor port: who brings the scenes of a plan into the store. Without one, the engine does it as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from synnodtest.engine.places import by_background
from synnodtest.evidence.regions import RegionExpression
from synnodtest.planning.recipe import Recipe

BATCH = 32
"""Recipes of a batch, or those of one background if these are more."""


@dataclass(frozen=True)
class SceneSource:
    """Backgrounds and synthesizer of some recipes: enough for a worker to open the same.

    Args:
        set_name: The background set.
        count: How many of its backgrounds.
        synthesizer: Text that names the synthesizer.
        controls: Regions whose area-matched control is wanted.
    """

    set_name: str
    count: int
    synthesizer: str
    controls: tuple[RegionExpression, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Work for one worker at a time; doing it again changes nothing, for all results are stored under their keys.

    Args:
        source: What the recipes stand on.
        recipes: All recipes of some backgrounds, since places are drawn per background.
        wanted: Positions of those that are to be finished.
    """

    source: SceneSource
    recipes: tuple[Recipe, ...]
    wanted: tuple[int, ...]


class Executor(Protocol):
    """Finishes scenes elsewhere: afterwards all of their radiographs and findings are in the store."""

    def finish(self, source: SceneSource, recipes: Sequence[Recipe]) -> Iterator[int]:
        """Yield how many recipes were finished, as they are.

        Raises:
            SynnodError: something is broken; a scene that keeps killing workers is a DetectorError or SynthesizerError.
        """
        ...

    def close(self) -> None:
        """Let go of all workers."""
        ...


def batches_of(source: SceneSource, recipes: Iterable[Recipe], size: int = BATCH) -> Iterator[Batch]:
    """Yield the recipes in batches of about ``size``; those of one background stay together."""
    held: list[Recipe] = []
    for members in by_background(recipes):
        if held and len(held) + len(members) > size:
            yield Batch(source, tuple(held), tuple(range(len(held))))
            held = []
        held += members
    if held:
        yield Batch(source, tuple(held), tuple(range(len(held))))


def halves(batch: Batch) -> list[Batch]:
    """Return the two halves of a batch, nothing if it is one scene."""
    middle = len(batch.wanted) // 2
    parts = (batch.wanted[:middle], batch.wanted[middle:]) if middle else ()
    return [replace(batch, wanted=part) for part in parts]
