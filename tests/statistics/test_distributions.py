"""What stands in for scipy.stats is scipy.stats, bit for bit, and loading a run's statistics does not load it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synnodtest.statistics import distributions as ours
from tests.loaded import loaded_after

RNG = np.random.default_rng(8)
SHARES = [0.0, 0.005, 0.025, 0.05, 0.1, 0.5, 0.9, 0.95, 0.975, 1.0, *RNG.random(200).tolist()]
POINTS = [-np.inf, -9.0, 0.0, 9.0, np.inf, *RNG.normal(0, 3, 200).tolist()]


@pytest.mark.parametrize(
    ("function", "reference", "at"),
    [
        (ours.normal_ppf, stats.norm.ppf, SHARES),
        (ours.normal_isf, stats.norm.isf, SHARES),
        (ours.normal_cdf, stats.norm.cdf, POINTS),
        (ours.normal_sf, stats.norm.sf, POINTS),
    ],
)
def test_the_normal_distribution(function: object, reference: object, at: list[float]) -> None:
    assert [function(x) for x in at] == [float(reference(x)) for x in at]


@pytest.mark.parametrize("degrees", [1, 2, 29, 400.5])
def test_students_t_and_chi_squared(degrees: float) -> None:
    inner = [share for share in SHARES if 0 < share < 1]
    assert [ours.t_ppf(q, degrees) for q in inner] == [float(stats.t.ppf(q, degrees)) for q in inner]
    assert [ours.t_isf(q, degrees) for q in inner] == [float(stats.t.isf(q, degrees)) for q in inner]
    assert [ours.chi2_ppf(q, degrees) for q in inner] == [float(stats.chi2.ppf(q, degrees)) for q in inner]
    assert [ours.chi2_isf(q, degrees) for q in inner] == [float(stats.chi2.isf(q, degrees)) for q in inner]


@pytest.mark.parametrize(("a", "b"), [(1.0, 30.0), (0.5, 12.5), (119.0, 2.0), (7.25, 0.75)])
def test_the_beta_distribution(a: float, b: float) -> None:
    inner = [share for share in SHARES if 0 < share < 1]
    assert [float(ours.beta_ppf(q, a, b)) for q in inner] == [float(stats.beta.ppf(q, a, b)) for q in inner]
    assert [ours.beta_isf(q, a, b) for q in inner] == [float(stats.beta.isf(q, a, b)) for q in inner]
    assert [ours.beta_sf(q, a, b) for q in inner] == [float(stats.beta.sf(q, a, b)) for q in inner]


def test_noncentral_t() -> None:
    for degrees, shift, x in zip(RNG.integers(1, 400, 300), RNG.normal(0, 4, 300), RNG.normal(2, 1, 300), strict=True):
        expected = float(stats.nct.sf(x, float(degrees), shift))
        assert ours.noncentral_t_sf(x, float(degrees), shift) == pytest.approx(expected, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("n", [1, 2, 17, 240, 3000])
def test_fair_coins(n: int) -> None:
    for count in sorted({0, 1, n // 3, n // 2, n - 1, n}):
        assert ours.binom_half_cdf(count, n) == pytest.approx(stats.binom.cdf(count, n, 0.5), rel=1e-12, abs=1e-300)
        assert ours.binom_half_pmf(count, n) == pytest.approx(stats.binom.pmf(count, n, 0.5), rel=1e-11, abs=1e-300)


@pytest.mark.parametrize("rate", [0.0, 1e-6, 0.05, 0.2, 0.5, 0.7, 0.99, 1.0])
@pytest.mark.parametrize("n", [0, 1, 2, 7, 100, 299, 20_000])
def test_binomial_distributions(n: int, rate: float) -> None:
    for tail in (1e-9, 0.025, 0.05, 0.5, 1 - 1e-9):
        assert ours.binom_isf(tail, n, rate) == max(0, int(stats.binom.isf(tail, n, rate)))
        assert int(ours.binom_ppf(tail, n, rate)) == max(0, int(stats.binom.ppf(tail, n, rate)))
    counts = np.unique(np.linspace(0, n, 40).astype(int))
    assert [ours.binom_sf(int(k), n, rate) for k in counts] == [float(stats.binom.sf(k, n, rate)) for k in counts]
    below = [ours.binom_cdf(int(k), n, rate) for k in counts]
    assert below == pytest.approx(stats.binom.cdf(counts, n, rate), rel=1e-12, abs=1e-300)
    assert ours.binom_pmf(counts, n, rate) == pytest.approx(stats.binom.pmf(counts, n, rate), rel=1e-10, abs=1e-300)


@pytest.mark.parametrize(("one", "of"), [(9, 9), (7, 30), (0, 5), (3, 4)])
@pytest.mark.parametrize(("other", "of_those"), [(0, 9), (3, 20), (5, 5)])
def test_the_hypergeometric_distribution_is_that_of_fishers_exact_test(
    one: int, of: int, other: int, of_those: int
) -> None:
    wanted = stats.fisher_exact([[one, of - one], [other, of_those - other]], alternative="greater").pvalue
    assert ours.hypergeom_cdf(other, of_those, one + other, of + of_those) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 0.95])
@pytest.mark.parametrize("n", [1, 7, 40, 299])
def test_a_binomial_tail_that_a_count_reaches_exactly_is_that_counts(n: int, rate: float) -> None:
    tails = stats.binom.sf(np.arange(n + 1), n, rate)
    for tail in tails[(tails > 0) & (tails < 1)]:
        assert ours.binom_isf(float(tail), n, rate) == np.flatnonzero(tails <= tail)[0]


@pytest.mark.parametrize("size", [0, 1, 2, 50, 301])
def test_midranks(size: int) -> None:
    for values in (RNG.random(size), RNG.integers(0, 7, size), np.full(size, np.inf)):
        assert ours.midranks(values).tolist() == stats.rankdata(values).tolist()


def test_judging_a_run_does_not_load_what_takes_long_nor_does_a_closer_look_of_a_search() -> None:
    """scipy.stats takes most of a second: more than a run whose scenes are all stored needs for its verdicts."""
    code = (
        "import synnodtest.shell.items; from synnodtest.statistics import power_paired, power_rate; "
        "power_rate(30, 0.5, 0.9); power_paired(30, 0.2, 0.1); "
        "from synnodtest.fuzzing import judged, sweep; judged.surely(7, 9, 0.8); sweep._falls_short({0: (1, 9)}, 0.8)"
    )
    assert loaded_after(code, "scipy.stats", "scipy.spatial", "scipy.interpolate", "torch", "pandas") == []
