"""The coverage phase: boundary values and pairwise combinations, before anything is drawn at random."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np

from synnodtest.planning.difficulty import STEPS, Difficulties, Dimension, Space

CANDIDATES = 24
"""Random rows of which the one with the most new pairs is kept; set by hand: more save few rows and take time."""
BINS = 3
"""Of a continuous parameter."""
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
            points.append(tuple(point))
    points = list(dict.fromkeys(points))
    rows = _rows(space, max(0, most - len(points)), seed, points)
    return [*points, *rows][:most]


def _rows(space: Space, most: int, seed: int, done: Sequence[Difficulties]) -> list[Difficulties]:
    rng = np.random.default_rng(seed)
    marks = [d.landmarks for d in space]
    open_pairs = {(i, a, j, b) for i, j in combinations(range(len(space)), 2) for a in marks[i] for b in marks[j]}
    for point in done:
        open_pairs -= set(_pairs(point))
    rows: list[Difficulties] = []
    while open_pairs and len(rows) < most:
        best = max((_candidate(marks, open_pairs, rng) for _ in range(CANDIDATES)), key=lambda p: _gain(p, open_pairs))
        rows.append(best)
        open_pairs -= set(_pairs(best))
    return rows


def _candidate(marks: Sequence[Sequence[int]], wanted: set[Pair], rng: np.random.Generator) -> Difficulties:
    """Return a random row that holds at least one pair that is still wanted."""
    row = [int(options[int(rng.integers(len(options)))]) for options in marks]
    pairs = sorted(wanted)
    i, a, j, b = pairs[int(rng.integers(len(pairs)))]
    row[i], row[j] = a, b
    return tuple(row)


def _pairs(point: Difficulties) -> list[Pair]:
    return [(i, point[i], j, point[j]) for i, j in combinations(range(len(point)), 2)]


def _gain(point: Difficulties, wanted: set[Pair]) -> int:
    return sum(pair in wanted for pair in _pairs(point))


def coverage(space: Space, points: Iterable[Difficulties]) -> tuple[float, int, int]:
    """Return the share of pairs of bins of two parameters that points fall in, how many, and of how many.

    A continuous parameter has three bins of equal width, one where its range is a single value, others one per level.
    """
    sizes = [bins_of(d) for d in space]
    cells = sum(a * b for a, b in combinations(sizes, 2)) or (sizes[0] if sizes else 1)
    combinations_seen: set[tuple[int, ...]] = set()
    for point in points:
        bins = [bin_of(d, k) for d, k in zip(space, point, strict=True)]
        if len(bins) == 1:
            combinations_seen.add((0, bins[0]))
        combinations_seen.update((i, bins[i], j, bins[j]) for i, j in combinations(range(len(bins)), 2))
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
