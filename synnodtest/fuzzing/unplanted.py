"""Parts of a space of which no example could be planted: of those a search that found nothing has seen nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from synnodtest.fuzzing.coverage import bin_of, bin_words
from synnodtest.planning.difficulty import Difficulties, Space

__all__ = ["never_planted"]

LEAST_TRIED = 2
"""One example may find no place by accident; another of the same part stands on other backgrounds."""


def never_planted(space: Space, judged: Mapping[Difficulties, Any]) -> Iterator[str]:
    """Yield each level of a parameter, or third of its range, of which every example that was tried had no place.

    Args:
        space: The space of the search.
        judged: What came of each point; None where it could not be planted.
    """
    for at, dimension in enumerate(space):
        planted: defaultdict[int, list[bool]] = defaultdict(list)
        for point, found in judged.items():
            planted[bin_of(dimension, point[at])].append(found is not None)
        for part, those in sorted(planted.items()):
            if len(those) >= LEAST_TRIED and not any(those):
                yield f"none of {len(those)} examples with {bin_words(dimension, part)} could be planted"
