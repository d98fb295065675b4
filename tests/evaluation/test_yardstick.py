"""What a second sample of patients would say, against the binomial that it must follow."""

import math

import numpy as np
import pytest

from synnodtest.evaluation.transfer.compare import yardstick
from synnodtest.evaluation.transfer.gather import Found, Gathered


def done(scores, hosts=None):
    """One detector whose three thresholds are all 0.5: two negative films with findings of 0.5."""
    names = hosts or [f"p{k}" for k in range(len(scores))]
    real = tuple(
        Found(f"n{k}", host, 20.0, s, 0.05, 2.0) for k, (host, s) in enumerate(zip(names, scores, strict=True))
    )
    return Gathered(real, (), (), (), ((0.5,) * 5, (0.5,) * 5), ("a", "b"), (), 0)


def hits(count, n):
    return [0.9] * count + [0.1] * (n - count)


def test_the_difference_is_that_of_a_binomial():
    n, found = 400, 160
    told = yardstick([done(hits(found, n)), done(hits(found, n))])
    p = found / n
    expected = math.sqrt(p * (1 - p) / n) * 0.6745  # median of a half normal
    assert told["mean_absolute_difference"]["median"] == pytest.approx(expected, rel=0.12)


def test_nodules_of_one_patient_are_drawn_together():
    n = 400
    alone = yardstick([done(hits(160, n))] * 2)["mean_absolute_difference"]["median"]
    fours = yardstick([done(hits(160, n), [f"p{k // 4}" for k in range(n)])] * 2)
    assert fours["mean_absolute_difference"]["median"] == pytest.approx(2 * alone, rel=0.15)


def test_detectors_far_apart_keep_their_order_and_alike_ones_do_not():
    rng = np.random.default_rng(0)
    apart = [done(hits(count, 300)) for count in (30, 90, 150, 210, 270)]
    alike = [done(np.where(rng.random(300) < 0.5, 0.9, 0.1).tolist()) for _ in range(5)]
    assert yardstick(apart)["spearman"]["p5"] == 1.0
    assert yardstick(alike)["spearman"]["median"] < 0.9


@pytest.mark.parametrize("alone", [[done(hits(3, 9))], [done(hits(1, 3), ["p"] * 3)] * 2])
def test_one_detector_or_one_patient_say_nothing(alone):
    assert yardstick(alone) is None
