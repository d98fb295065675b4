"""Parts of a space of which no example was tried, or could be planted: of those a search has seen nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from synnodtest.counted import counted
from synnodtest.fuzzing.coverage import bin_of, bin_words, bins_of
from synnodtest.planning.difficulty import Difficulties, Dimension, Space

LEAST_TRIED = 2
"""Of a part of a range: one example may find no place by accident, and others lie beside it. Of a level one is enough:
a small space has no second."""
MOST_NAMED = 3
"""Parts that a sentence names; the others it counts."""


def never_tried(space: Space, judged: Mapping[Difficulties, Any]) -> Iterator[str]:
    """Yield, in one sentence, the levels of parameters and the ends of their ranges of which no example was tried."""
    parts = [
        bin_words(dimension, part)
        for at, dimension in enumerate(space)
        for part in sorted(_wanted(dimension) - {bin_of(dimension, point[at]) for point in judged})
    ]
    if parts:
        more = f" and {len(parts) - MOST_NAMED} more" if len(parts) > MOST_NAMED else ""
        yield f"too few examples: none with {', '.join(parts[:MOST_NAMED])}{more} was tried"


def _wanted(dimension: Dimension) -> set[int]:
    """Return the bins that a search must have seen: all levels; of a range, where it ends."""
    return set(range(bins_of(dimension))) if dimension.levels else {0, bins_of(dimension) - 1}


def never_planted(space: Space, judged: Mapping[Difficulties, Any]) -> Iterator[str]:
    """Yield each level of a parameter, or third of its range, of which every example that was tried had no place.

    Args:
        space: The space of the search.
        judged: What came of each point; None where it could not be planted.
    """
    for at, dimension in enumerate(space):
        planted: defaultdict[int, list[bool]] = defaultdict(list)
        for point, judgement in judged.items():
            planted[bin_of(dimension, point[at])].append(judgement is not None)
        for part, those in sorted(planted.items()):
            if len(those) >= (1 if dimension.levels else LEAST_TRIED) and not any(those):
                yield f"none of {counted(len(those), 'example')} with {bin_words(dimension, part)} could be planted"
