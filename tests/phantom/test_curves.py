"""Smooth curves of the phantom against SciPy's, which are the reference."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from synnodtest.phantom.curves import through
from tests.loaded import loaded_after


def points(rng, columns):
    x = np.cumsum(rng.uniform(0.01, 2.0, int(rng.integers(3, 15))))
    drawn = rng.choice([-1.0, 0.0, 0.5, 2.0, rng.normal()], size=(len(x), *columns))
    return x, np.sort(drawn, axis=0) if rng.random() < 0.3 else drawn


@pytest.mark.parametrize("columns", [(), (3,)])
def test_curves_are_those_of_scipy_bit_for_bit_within_the_points_and_beyond(columns):
    rng = np.random.default_rng(5)
    for _ in range(300):
        x, y = points(rng, columns)
        at = np.concatenate([x, rng.uniform(x[0] - 1, x[-1] + 1, 40)])
        np.testing.assert_array_equal(through(x, y, at), PchipInterpolator(x, y)(at))


def test_a_curve_through_rising_points_rises():
    curve = through([0.0, 0.1, 1.0, 1.1], [0.0, 0.0, 5.0, 5.01], np.linspace(0, 1.1, 1000))
    assert np.diff(curve).min() >= 0


def test_projecting_a_phantom_loads_no_more_of_scipy_than_it_needs():
    """``scipy.interpolate`` brings ``scipy.optimize``, ``.sparse`` and ``.spatial``, which takes longer."""
    code = "from synnodtest.phantom import project, sample_anatomy\nproject(sample_anatomy(1), 128)"
    assert loaded_after(code, "scipy.interpolate", "scipy.optimize", "scipy.stats", "matplotlib") == []
