"""The coverage phase: boundary values and pairwise combinations, before anything is drawn at random; what it missed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from synnodtest.counted import counted
from synnodtest.planning.difficulty import STEPS, Difficulties, Dimension, Space

CANDIDATES = 24
"""Random rows of which the one with the most new pairs is kept; set by hand: more save few rows and take time."""
BINS = 3
"""Of a continuous parameter."""
LEAST_TRIED = 2
"""Of a part of a range: one example may find no place by accident, and others lie beside it. Of a level one is enough:
a small space has no second."""
MOST_NAMED = 3
"""Parts that a sentence names; the others it counts."""
Pair = tuple[int, int, int, int]


def coverage_points(space: Space, most: int, seed: int) -> list[Difficulties]:
    """Return points that visit every boundary value, then every pair of landmarks of two parameters.

    Boundaries one at a time come first (all others easy), easiest point before all; then rows of a greedy covering
    array.

    Args:
        space: The space.
        most: Never return more points.
        seed: Of the greedy choice.
    """
    points: list[Difficulties] = [space.easiest]
    for index, dimension in enumerate(space):
        for landmark in (dimension.landmarks[-1], *dimension.bounds):
            point = list(space.easiest)
            point[index] = landmark
            if index in space.hosts:
                point[space.hosts[index]] = 1
            points.append(tuple(point))
    points = list(dict.fromkeys(points))
    rows = _rows(space, max(0, most - len(points)), seed, points)
    return [*points, *rows][:most]


def _rows(space: Space, most: int, seed: int, done: Sequence[Difficulties]) -> list[Difficulties]:
    rng = np.random.default_rng(seed)
    marks = [d.landmarks for d in space]
    pairs = combinations(range(len(space)), 2)
    open_pairs = {
        (i, a, j, b)
        for i, j in pairs
        for a in marks[i]
        for b in marks[j]
        if (a or space.hosts.get(j) != i) and (b or space.hosts.get(i) != j)
    }
    for point in done:
        open_pairs -= set(_pairs(space, point))
    rows: list[Difficulties] = []
    while open_pairs and len(rows) < most:
        drawn = (_candidate(space, marks, open_pairs, rng) for _ in range(CANDIDATES))
        best = max(drawn, key=lambda point: len(open_pairs.intersection(_pairs(space, point))))
        rows.append(best)
        open_pairs -= set(_pairs(space, best))
    return rows


def _candidate(
    space: Space, marks: Sequence[Sequence[int]], wanted: set[Pair], rng: np.random.Generator
) -> Difficulties:
    """Return a random row that holds at least one pair that is still wanted."""
    row = [int(options[int(rng.integers(len(options)))]) for options in marks]
    pairs = sorted(wanted)
    i, a, j, b = pairs[int(rng.integers(len(pairs)))]
    row[i], row[j] = a, b
    for host in {space.hosts[k] for k in (i, j) if k in space.hosts}:
        row[host] = row[host] or int(rng.integers(1, len(marks[host])))
    return space.plain(row)


def _pairs(space: Space, point: Difficulties) -> list[Pair]:
    moot = space.moot(point)
    return [(i, point[i], j, point[j]) for i, j in combinations([k for k in range(len(point)) if k not in moot], 2)]


def coverage(space: Space, points: Iterable[Difficulties]) -> tuple[float, int, int]:
    """Return the share of pairs of bins of two parameters that points fall in, how many, and of how many.

    A continuous parameter has three bins of equal width, one where its range is a single value, others one per level.
    """
    sizes = [bins_of(d) for d in space]
    cells = sum(a * b for a, b in combinations(sizes, 2)) or (sizes[0] if sizes else 1)
    cells -= sum(sizes[at] for at in space.hosts)  # nothing is so far away where it is left out
    combinations_seen: set[tuple[int, ...]] = set()
    for point in points:
        bins = [bin_of(d, k) for d, k in zip(space, point, strict=True)]
        if len(bins) == 1:
            combinations_seen.add((0, bins[0]))
        combinations_seen.update(_pairs(space, tuple(bins)))
    return len(combinations_seen) / cells, len(combinations_seen), cells


def bins_of(dimension: Dimension) -> int:
    """Return in how many bins a parameter falls: its levels, or three; one where its range is a single value."""
    if dimension.levels:
        return len(dimension.levels)
    low, high = dimension.range
    return BINS if low < high else 1


def bin_of(dimension: Dimension, difficulty: int) -> int:
    """Return the number of the bin that a difficulty falls in: its level, or one of three of equal width."""
    if dimension.levels:
        return difficulty
    if bins_of(dimension) == 1:
        return 0
    low, _ = dimension.bounds
    width = STEPS - low
    return min(int(BINS * (difficulty - low) / width), BINS - 1)


def bin_words(dimension: Dimension, number: int) -> str:
    """Return a bin in words: ``margin spiculated``, ``diameter_mm 12 to 21.3``."""
    if dimension.levels:
        return f"{dimension.name} {dimension.value(number)}"
    low, high = dimension.bounds
    ends = [dimension.value(round(low + (high - low) * k / BINS)) for k in (number, number + 1)]
    return f"{dimension.name} {min(ends):.3g} to {max(ends):.3g}"


def never_tried(space: Space, judged: Mapping[Difficulties, Any]) -> Iterator[str]:
    """Yield, in one sentence, the levels of parameters and the ends of their ranges of which no example was tried."""
    parts = [
        bin_words(dimension, part)
        for at, dimension in enumerate(space)
        for part in sorted(_wanted(dimension) - {bin_of(dimension, p[at]) for p in judged if at not in space.moot(p)})
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
            if at not in space.moot(point):
                planted[bin_of(dimension, point[at])].append(judgement is not None)
        for part, those in sorted(planted.items()):
            if len(those) >= (1 if dimension.levels else LEAST_TRIED) and not any(those):
                yield f"none of {counted(len(those), 'example')} with {bin_words(dimension, part)} could be planted"
