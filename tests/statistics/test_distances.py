"""Distances of samples, against closed forms, SciPy and brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, stats

from synnodtest.statistics import energy_distance, frechet_distance, holm, kernel_distance

modest = settings(max_examples=30, deadline=None, derandomize=True)
RNG = np.random.default_rng(0)
X, Y = RNG.normal(0, 1, (12, 3)), RNG.normal(0.5, 1.3, (15, 3))


def test_kernel_distance_is_the_double_sum():
    def k(a, b):
        return (a @ b / 3 + 1) ** 3

    xx = sum(k(X[i], X[j]) for i in range(12) for j in range(12) if i != j) / (12 * 11)
    yy = sum(k(Y[i], Y[j]) for i in range(15) for j in range(15) if i != j) / (15 * 14)
    xy = sum(k(a, b) for a in X for b in Y) / (12 * 15)
    assert kernel_distance(X, Y) == pytest.approx(xx + yy - 2 * xy)


def test_kernel_distance_is_unbiased_between_samples_of_one_distribution():
    rng = np.random.default_rng(1)
    values = [kernel_distance(rng.normal(size=(20, 4)), rng.normal(size=(20, 4))) for _ in range(400)]
    assert abs(np.mean(values)) < 3.5 * np.std(values) / 20
    assert min(values) < 0


def test_frechet_distance_of_one_dimension_is_dowson_and_landaus():
    assert frechet_distance([1.0], [[4.0]], [3.0], [[9.0]]) == pytest.approx((1 - 3) ** 2 + (2 - 3) ** 2)


def test_frechet_distance_is_the_matrix_square_root_formula():
    c1, c2 = np.cov(X.T), np.cov(Y.T)
    root = linalg.sqrtm(c1 @ c2).real
    want = ((X.mean(0) - Y.mean(0)) ** 2).sum() + np.trace(c1 + c2 - 2 * root)
    assert frechet_distance(X.mean(0), c1, Y.mean(0), c2) == pytest.approx(want)


def test_frechet_distance_of_a_singular_covariance_to_itself_is_zero():
    c = np.outer([1.0, 2, 3], [1.0, 2, 3])
    assert frechet_distance([0, 0, 0], c, [0, 0, 0], c) == pytest.approx(0, abs=1e-7)
    assert math.isnan(frechet_distance([math.nan], [[1]], [0], [[1]]))


def test_energy_distance_of_one_dimension_is_scipys():
    assert energy_distance(X[:, 0], Y[:, 0]) == pytest.approx(stats.energy_distance(X[:, 0], Y[:, 0]))


def test_energy_distance_of_several_features_is_the_double_sum():
    def mean(a, b):
        return np.mean([np.linalg.norm(u - v) for u in a for v in b])

    assert energy_distance(X, Y) == pytest.approx(math.sqrt(2 * mean(X, Y) - mean(X, X) - mean(Y, Y)))


def test_too_few_rows_are_not_a_number():
    assert math.isnan(kernel_distance(X[:1], Y))
    assert math.isnan(energy_distance(X[:0], Y))
    assert energy_distance(X[:1], X[:1]) == 0


def test_two_rows_are_enough_for_a_distance():
    def kernel(a, b):
        return (float(a @ b) / len(a) + 1) ** 3

    (a, b), (c, d) = X[:2], Y[:2]
    across = np.mean([kernel(one, other) for one in (a, b) for other in (c, d)])
    assert kernel_distance(X[:2], Y[:2]) == pytest.approx(kernel(a, b) + kernel(c, d) - 2 * across)
    within = np.linalg.norm(c - d) / 2
    between = np.mean([np.linalg.norm(a - c), np.linalg.norm(a - d)])
    assert energy_distance(X[:1], Y[:2]) == pytest.approx(math.sqrt(2 * between - within))


@pytest.mark.parametrize("distance", [kernel_distance, energy_distance])
def test_samples_of_different_features_are_refused(distance):
    with pytest.raises(ValueError, match="shape"):
        distance(X, Y[:, :2])


def test_moments_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        frechet_distance([0, 0], np.eye(2), [0], [[1]])


@modest
@given(st.permutations(range(12)))
def test_order_does_not_matter_and_distances_are_symmetric(order):
    for distance in (kernel_distance, energy_distance):
        assert distance(X[list(order)], Y) == pytest.approx(distance(X, Y))
        assert distance(Y, X) == pytest.approx(distance(X, Y))


# Holm, Scand. J. Stat. 6 (1979) 65: the smallest p times m, the next times m - 1, never falling.
@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_holm_is_that_of_statsmodels(count):
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    rng = np.random.default_rng(count)
    raw = np.round(rng.random(count) ** 3, 2)  # with ties, zeros and ones among them
    assert holm(raw).tolist() == multitest.multipletests(raw, method="holm")[1].tolist()


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]).tolist() == []
    assert holm([0.6, 0.9]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("pvalues", [[0.5, math.nan], [1.2], [-0.1]])
def test_holm_refuses_what_is_no_p_value(pvalues):
    with pytest.raises(ValueError):
        holm(pvalues)
