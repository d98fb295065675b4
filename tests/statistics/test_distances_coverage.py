"""Precision, recall and the Vendi score against brute force and cases whose answer is known."""

import numpy as np
import pytest

from synnodtest.statistics import precision_recall, vendi_score


def within(points, centres, k):
    count = 0
    for point in points:
        for centre in centres:
            radius = sorted(float(np.linalg.norm(centre - other)) for other in centres)[k]
            if np.linalg.norm(point - centre) <= radius:
                count += 1
                break
    return count / len(points)


def test_precision_and_recall_against_brute_force():
    rng = np.random.default_rng(0)
    real, synthetic = rng.normal(size=(40, 5)), rng.normal(0.7, 0.6, size=(35, 5))
    precision, recall = precision_recall(real, synthetic)
    assert precision == pytest.approx(within(synthetic, real, 3))
    assert recall == pytest.approx(within(real, synthetic, 3))


def test_a_synthesizer_that_draws_one_nodule_has_precision_and_no_recall():
    rng = np.random.default_rng(1)
    real = rng.normal(size=(200, 4))
    collapsed = real[:1] + 1e-3 * rng.normal(size=(200, 4))
    precision, recall = precision_recall(real, collapsed)
    assert precision == 1.0
    assert recall < 0.02


def test_samples_without_enough_neighbours_are_refused():
    with pytest.raises(ValueError, match="have no 3 neighbours"):
        precision_recall(np.zeros((3, 2)), np.zeros((9, 2)))


def test_vendi_counts_distinct_samples():
    far = 1e3 * np.eye(6)
    assert vendi_score(far, 1.0) == pytest.approx(6)
    assert vendi_score(np.zeros((6, 2)), 1.0) == pytest.approx(1)
    assert vendi_score(np.repeat(far, 5, axis=0), 1.0) == pytest.approx(6)
    weights = np.array([0.75, 0.25])
    uneven = np.concatenate([np.repeat(far[:1], 3, axis=0), far[1:2]])
    assert vendi_score(uneven, 1.0) == pytest.approx(float(np.exp(-(weights * np.log(weights)).sum())))
