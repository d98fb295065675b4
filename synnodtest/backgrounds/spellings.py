"""Values of strata that mean one thing and are spelt in several ways: each spelling would be a group of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

_SEXES = {"female": "f", "woman": "f", "w": "f", "male": "m", "man": "m"}
MOST_VALUES = 50
"""A column of more values tells films apart, not groups."""


def spelt_otherwise(strata: Iterable[Mapping[str, str]]) -> list[str]:
    """Return a note for each stratum of which two values differ in case or blanks alone, or mean one sex."""
    values: dict[str, set[str]] = defaultdict(set)
    for one in strata:
        for name, text in one.items():
            values[name].add(text)
    return [
        f"{name}: {' and '.join(map(repr, sorted(same)))} count as different; write them alike in the manifest"
        for name, texts in sorted(values.items())
        if len(texts) <= MOST_VALUES
        for same in _alike(name, texts)
    ]


def _alike(name: str, texts: Iterable[str]) -> list[set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        plain = " ".join(text.casefold().split())
        groups[_SEXES.get(plain, plain) if name == "sex" else plain].add(text)
    return [same for same in groups.values() if len(same) > 1]
