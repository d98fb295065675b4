"""Recipes -> scenes: places drawn once per background, and kept in the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from synnodtest.canonical import canonical_json
from synnodtest.engine.job import Keys, Placed, Unplaced
from synnodtest.planning.place import MissingRegion, NoPlace, Placer
from synnodtest.planning.recipe import Recipe
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Scene
from synnodtest.stages import stage
from synnodtest.store import Store


def by_background(recipes: Iterable[Recipe]) -> Iterator[list[Recipe]]:
    """Yield the recipes of one background after the other."""
    for _, group in groupby(recipes, key=lambda r: r.background.id):
        yield list(group)


@dataclass
class Places:
    """Draws places of all recipes of a background at once.

    Args:
        store: Keeps them.
        load: Reads a background.
    """

    store: Store
    load: Callable[[Background], Radiograph]

    def placed(self, recipes: Iterable[Recipe]) -> Iterator[Placed]:
        """Yield each recipe with its scene, or why it has none, in order."""
        for members in by_background(recipes):
            yield from self.known(members) or self._placed(members)

    def known(self, members: Sequence[Recipe]) -> list[Placed]:
        """Return the recipes of one background as they were placed before; empty if they never were."""
        return self.store.read("placements", Keys.placement(members), partial(_read, members)) or []

    def _placed(self, members: Sequence[Recipe]) -> list[Placed]:
        return _read(members, self.store.put("placements", Keys.placement(members), self._drawn(members)))

    @stage("places")
    def _drawn(self, members: Sequence[Recipe]) -> bytes:
        placer = Placer(self.load(members[0].background), expected=members)
        return canonical_json([_entry(placer, recipe) for recipe in members]).encode()


def _entry(placer: Placer, recipe: Recipe) -> dict[str, object]:
    try:
        return {"scene": placer.place(recipe).as_dict()}
    except MissingRegion as missing:
        return {"reason": str(missing), "missing_region": missing.region}
    except NoPlace as nowhere:
        return {"reason": str(nowhere)}


def _read(members: Sequence[Recipe], data: bytes) -> list[Placed]:
    return [
        (recipe, Scene.from_dict(entry["scene"]))
        if "scene" in entry
        else Unplaced(recipe, entry["reason"], entry.get("missing_region", ""))
        for recipe, entry in zip(members, json.loads(data), strict=True)
    ]
