"""Where a rate crosses: against the planted place, and how often the interval covers it."""

import numpy as np
import pytest

from synnodtest.statistics import crossing


def trials(rng, place, *, width=0.0, low=0.02, high=0.98, n=30):
    x = (np.arange(n) + rng.random(n)) / n
    share = 1 / (1 + np.exp(-(x - place) / width)) if width else (x > place).astype(float)
    return list(x), list(rng.random(n) < low + (high - low) * share)


def test_a_plain_step_lies_between_the_last_failing_and_the_first_holding_scene():
    x = list(np.linspace(0, 1, 21))
    found = crossing(x, [v > 0.52 for v in x], range(21), 0.8, fails_below=True, window=(0, 1))
    assert 0.5 <= found.value <= 0.55
    assert found.lower < 0.52 < found.upper
    assert found.sure


@pytest.mark.parametrize("width", [0.0, 0.06])
def test_the_interval_covers_the_planted_place(width):
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(60):
        place = rng.uniform(0.3, 0.7)
        x, holds = trials(rng, place, width=width)
        level = (0.8 - 0.02) / 0.96
        true = place + width * np.log(level / (1 - level))
        found = crossing(x, holds, range(30), 0.8, fails_below=True, window=(0, 1))
        covered += found.lower <= true <= found.upper
    assert covered >= 54  # 57 expected; 54 or fewer of 60 come with probability 0.08 at 95%


def test_the_side_that_fails_may_be_either():
    rng = np.random.default_rng(4)
    x, holds = trials(rng, 0.4)
    up = crossing(x, holds, range(30), 0.8, fails_below=True, window=(0, 1))
    down = crossing([1 - v for v in x], holds, range(30), 0.8, fails_below=False, window=(0, 1))
    assert (1 - down.value, 1 - down.upper, 1 - down.lower) == pytest.approx((up.value, up.lower, up.upper), abs=0.01)


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.8, 0.98])
def test_one_constant_rate_shows_no_crossing(rate):
    rng = np.random.default_rng(5)
    sure = [
        crossing(
            list(rng.random(30)), list(rng.random(30) < rate), range(30), 0.8, fails_below=True, window=(0, 1)
        ).sure
        for _ in range(20)
    ]
    assert sum(sure) <= 1


def test_scenes_of_one_background_weigh_as_one():
    x = list(np.linspace(0, 1, 24))
    holds = [v > 0.5 for v in x]
    apart = crossing(x, holds, range(24), 0.8, fails_below=True, window=(0, 1))
    together = crossing(x, holds, [k % 4 for k in range(24)], 0.8, fails_below=True, window=(0, 1))
    assert together.upper - together.lower > apart.upper - apart.lower
    assert together.odds < apart.odds
    assert crossing([], [], [], 0.8, fails_below=True, window=(0, 1)) is None
