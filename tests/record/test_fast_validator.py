"""The validator's quick yes is never wrong: random spoilings against its own slow walk, which jsonschema is held to."""

from __future__ import annotations

import copy
import random
from typing import Any

from synnodtest.integrity.shape import _Quick, _Walk
from synnodtest.record import results as record

SPOILT = [None, True, -1, 0.5, "", "x" * 70000, [], {}, ["a"], {"id": 3}]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a record."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


def spoil(value: Any, path: tuple[Any, ...], rng: random.Random) -> None:
    """Replace, remove or double the value at a path."""
    for key in path[:-1]:
        value = value[key]
    if isinstance(value, dict) and rng.random() < 0.3:
        del value[path[-1]]
    else:
        value[path[-1]] = rng.choice(SPOILT)


def test_the_quick_yes_is_the_walks(made):
    whole, rng, schema = record.plain(made), random.Random(5), record.schema()
    quick, walk = _Quick(schema).of(schema), _Walk(schema)
    assert quick(whole)
    everywhere = places(whole)[1:]
    judged = set()
    for _ in range(40):
        broken, path = copy.deepcopy(whole), rng.choice(everywhere)
        spoil(broken, path, rng)
        fits = next(walk.walk(broken, schema, ""), None) is None
        assert quick(broken) == fits, path
        judged.add(fits)
    assert judged == {True, False}
