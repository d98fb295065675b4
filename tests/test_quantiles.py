"""Quantiles against NumPy's, and after a change of some values against those of all values."""

import numpy as np
import pytest

from synnodtest.quantiles import quantile_after, quantile_in

KINDS = ["even", "few values", "constant"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 2, 3, 10, 777, 41_000])
def test_a_quantile_after_a_change_is_that_of_all_values(size, kind):
    rng = np.random.default_rng(size)
    draw = {
        "even": lambda n: rng.random(n, dtype=np.float32),
        "few values": lambda n: (rng.integers(0, 6, n) / 5).astype(np.float32),
        "constant": lambda n: np.full(n, 0.3, np.float32),
    }[kind]
    for changed in {0, 1, size // 3, size}:
        for shift in (-0.4, 0.0, 0.05, 2.0):
            before = draw(size)
            where = rng.permutation(size)[:changed]
            after = before.copy()
            after[where] = draw(changed) + np.float32(shift)
            gone, come = np.sort(before[where]), np.sort(after[where])
            for share in (0.0, 0.05, 0.5, 0.95, 1.0):
                assert quantile_after(np.sort(before), gone, come, share) == np.quantile(after, [share])[0]


def test_a_value_that_is_no_number_leaves_no_quantile():
    values, none = np.zeros(9, np.float32), np.array([np.nan], np.float32)
    assert np.isnan(quantile_after(values, values[:1], none, 0.5))
    assert np.isnan(quantile_after(np.append(values, none), none[:0], none[:0], 0.5))
    assert np.isnan(quantile_after(none[:0], none[:0], none[:0], 0.5))


@pytest.mark.parametrize("kind", [*KINDS, "steep"])
@pytest.mark.parametrize("size", [1, 2, 3, 10, 777, 40_960, 41_000])
def test_a_quantile_of_sorted_values_is_numpys_to_the_last_bit(size, kind):
    rng = np.random.default_rng(size)
    values = {
        "even": rng.random(size, dtype=np.float32),
        "few values": (rng.integers(0, 6, size) / 5).astype(np.float32),
        "constant": np.full(size, 0.3, np.float32),
        "steep": np.exp(8 * np.arange(size) / size).astype(np.float32),
    }[kind]
    for percent in (0, 5, 12, 50, 95, 100):
        assert quantile_in(np.sort(values), percent / 100) == np.percentile(values, [percent])[0]
    nothing, torn = values[:0], np.append(values, np.float32(np.nan))
    assert all(np.isnan(quantile_in(np.sort(one), 0.5)) for one in (nothing, torn))
