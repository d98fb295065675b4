"""Calibration, against scikit-learn and statsmodels."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synnodtest.statistics import brier, calibration_line, expected_calibration_error

modest = settings(max_examples=40, deadline=None, derandomize=True)
RNG = np.random.default_rng(0)
P = RNG.random(400)
Y = (RNG.random(400) < P**2).astype(int)


@pytest.mark.parametrize(("bins", "strategy"), [(10, "quantile"), (np.linspace(0, 1, 6), "uniform")])
def test_the_error_is_that_of_scikit_learns_reliability_curve(bins, strategy):
    calibration = pytest.importorskip("sklearn.calibration")
    count = 10 if strategy == "quantile" else 5
    true, predicted = calibration.calibration_curve(Y, P, n_bins=count, strategy=strategy)
    edges = np.quantile(P, np.linspace(0, 1, 11)) if strategy == "quantile" else bins
    weights = np.histogram(P, edges)[0] / len(P)
    assert expected_calibration_error(P, Y, bins=bins) == pytest.approx(float(weights @ abs(true - predicted)))


def test_bins_of_equal_mass_by_hand():
    assert expected_calibration_error([0.1, 0.3, 0.6, 0.8], [0, 1, 0, 1], bins=2) == pytest.approx(
        0.5 * abs(0.5 - 0.2) + 0.5 * abs(0.5 - 0.7)
    )


def test_one_bin_compares_the_means_and_the_ends_belong_to_the_outer_bins():
    assert expected_calibration_error(P, Y, bins=1) == pytest.approx(abs(P.mean() - Y.mean()))
    assert expected_calibration_error(P, Y, bins=[0, 1]) == pytest.approx(abs(P.mean() - Y.mean()))
    assert expected_calibration_error(P, Y) == expected_calibration_error(P, Y, bins=10)
    ends = [0, 0, 0.4, 0.6, 1, 1], [0, 1, 1, 0, 1, 0]
    assert expected_calibration_error(*ends, bins=[0, 0.5, 1]) == pytest.approx((abs(2 - 0.4) + abs(1 - 2.6)) / 6)
    assert expected_calibration_error(*ends, bins=[-1, 0.5, 2]) == pytest.approx((abs(2 - 0.4) + abs(1 - 2.6)) / 6)


def test_brier_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    assert brier(P, Y) == pytest.approx(metrics.brier_score_loss(Y, P))


def test_the_line_is_statsmodels_logistic_regression():
    from statsmodels.discrete.discrete_model import Logit

    fit = Logit(Y, np.column_stack([np.log(P / (1 - P)), np.ones(400)])).fit(disp=False)
    assert calibration_line(P, Y) == pytest.approx(tuple(fit.params), abs=1e-5)


def test_certain_probabilities_count_as_all_but_certain():
    from statsmodels.discrete.discrete_model import Logit

    p, y = np.array([0.0, 0.0, 0.2, 0.5, 0.8, 1.0, 1.0]), np.array([0, 1, 0, 1, 0, 1, 0])
    kept_off = np.clip(p, 1e-6, 1 - 1e-6)
    fit = Logit(y, np.column_stack([np.log(kept_off / (1 - kept_off)), np.ones(7)])).fit(disp=False)
    assert calibration_line(p, y) == pytest.approx(tuple(fit.params), abs=1e-5)


def test_nothing_to_calibrate_is_not_a_number():
    assert math.isnan(expected_calibration_error([], []))
    assert math.isnan(brier([], []))
    assert all(math.isnan(v) for v in calibration_line([], []))


@pytest.mark.parametrize(
    ("p", "y"),
    [([0.2, 0.8], [1, 1]), ([0.5, 0.5], [0, 1]), ([0.1, 0.2, 0.8], [0, 0, 1]), ([0.9, 0.1], [0, 1]),
     ([0.1, 0.5, 0.5, 0.9], [0, 0, 1, 1]), ([0.1, 0.5, 0.5, 0.9], [1, 0, 1, 0])],
)  # fmt: skip
def test_a_line_that_does_not_exist_is_not_a_number(p, y):
    assert all(math.isnan(v) for v in calibration_line(p, y))


@pytest.mark.parametrize(
    ("p", "y", "bins"),
    [
        ([1.2], [1], 10),
        ([math.nan], [1], 10),
        ([0.5], [0.5], 10),
        ([0.5], [1, 0], 10),
        ([0.5], [1], 0),
        ([0.5], [1], [0.2, 0.9]),
        ([0.5], [1], [0.0, 0.9]),
        ([0.5], [1], [0.1, 1.0]),
        ([0.5], [1], [0.0]),
        ([0.5], [1], [0, 0.5, 0.5, 1]),
    ],
)
def test_arguments_that_make_no_sense_are_refused(p, y, bins):
    with pytest.raises(ValueError):
        expected_calibration_error(p, y, bins=bins)


@modest
@given(
    st.lists(st.tuples(st.integers(0, 10), st.booleans()), min_size=1, max_size=40), st.randoms(use_true_random=False)
)
def test_order_does_not_matter_and_errors_lie_in_the_range(pairs, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)
    first, second = (([p / 10 for p, _ in part], [int(y) for _, y in part]) for part in (pairs, shuffled))
    assert expected_calibration_error(*first) == pytest.approx(expected_calibration_error(*second))
    assert 0 <= expected_calibration_error(*first) <= 1
    assert 0 <= brier(*first) <= 1


def test_perfect_confidence_has_no_error():
    assert expected_calibration_error([0, 0, 1, 1], [0, 0, 1, 1]) == 0 == brier([0, 1], [0, 1])
