"""Shrinking against trying every easier value: what is left cannot be eased alone, in any order of parameters."""

import random

import pytest

from synnodtest.fuzzing.shrink import shrink
from synnodtest.planning.difficulty import Dimension, Space, ranged

LOCATED_TO = 4
"""Of 1000 steps: a boundary is found to 0.4% of its range."""
LEVELS = Dimension("margin", levels=("smooth", "lobulated", "spiculated", "corona"))
SPACE = Space((ranged("contrast", 0, 1), ranged("perturbations.rotate_deg", -10, 10), LEVELS, ranged("size", 4, 40)))


def holes(rng):
    """Yield holes from which no harder point escapes: corners of the space, two of them, and slopes across it."""
    corners = [(rng.randint(0, 900), rng.randint(0, 900), rng.randint(0, 3), rng.randint(0, 900)) for _ in range(2)]
    yield lambda p: all(abs(k) >= c for k, c in zip(p, corners[0], strict=True))
    yield lambda p: any(all(abs(k) >= c for k, c in zip(p, corner, strict=True)) for corner in corners)
    slope = [rng.random() for _ in SPACE]
    most = (1000, 1000, 3, 1000)
    yield lambda p: sum(abs(k) * s / m for k, s, m in zip(p, slope, most, strict=True)) >= 0.4 * sum(slope)


def easier(point):
    """Yield every point that is easier in one parameter alone, by more than a boundary is located to."""
    for index, (k, dimension) in enumerate(zip(point, SPACE, strict=True)):
        for other in range(0, abs(k) - (0 if dimension.levels else LOCATED_TO)):
            yield (*point[:index], other if k > 0 else -other, *point[index + 1 :])


@pytest.mark.parametrize("seed", range(8))
def test_no_parameter_of_what_is_left_can_be_eased_alone(seed):
    rng = random.Random(seed)
    for fails in holes(rng):
        start = (1000, rng.choice([-1000, 1000]), 3, 1000)
        assert fails(start)
        seen = []
        left = shrink(SPACE, start, lambda p, fails=fails, seen=seen: seen.append(p) or fails(p), lambda: False)
        assert fails(left)
        assert left == start or left in seen
        assert not any(fails(point) for point in easier(left))
        assert len(seen) < 100


def test_time_that_is_up_leaves_the_best_point_so_far():
    seen = []
    left = shrink(SPACE, (1000, 1000, 3, 1000), lambda p: seen.append(p) or p[0] >= 300, lambda: len(seen) > 3)
    assert left in seen
    assert 300 <= left[0] < 1000
    assert len(seen) <= 5
    assert shrink(SPACE, (1000, 1000, 3, 1000), lambda p: True, lambda: True) == (1000, 1000, 3, 1000)


def test_a_parameter_is_eased_again_once_another_is_easier():
    """A faint nodule escapes while it is large; made small, it may be as bright as one likes: a second pass sees it."""
    left = shrink(SPACE, (1000, 1000, 3, 1000), lambda p: p[0] >= 500 or p[3] < 300, lambda: False)
    assert left == (0, 0, 0, 0)
