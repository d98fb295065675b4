"""Unpaired differences of rates, against Newcombe's printed table and a numerical likelihood."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from synnodtest.statistics import miettinen_nurminen, newcombe
from synnodtest.statistics.differences import score_z

modest = settings(max_examples=50, deadline=None, derandomize=True)
group = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


# Newcombe, Statist. Med. 17 (1998) 873, table II: 95% intervals by methods 5 (Mee), 6 (Miettinen-Nurminen), 10.
@pytest.mark.parametrize(
    ("table", "mee", "corrected", "hybrid"),
    [
        ((56, 70, 48, 80), (0.0533, 0.3377), (0.0528, 0.3382), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1821, 0.8370), (0.1700, 0.8406), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0544, 0.8478), (0.0342, 0.8534), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0313, 0.1926), (-0.0326, 0.1933), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775), (-0.1658, 0.2844), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775), (-0.2879, 0.2879), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.7225, 1.0000), (0.7156, 1.0000), (0.6791, 1.0000)),
        ((10, 10, 0, 10), (0.6777, 1.0000), (0.6636, 1.0000), (0.6075, 1.0000)),
    ],
)
def test_newcombes_printed_table(table, mee, corrected, hybrid):
    for got, want in (
        (miettinen_nurminen(*table, alpha=0.025, corrected=False), mee),
        (miettinen_nurminen(*table, alpha=0.025), corrected),
        (newcombe(*table, alpha=0.025), hybrid),
    ):
        assert (got.lower, got.upper) == pytest.approx(want, abs=5.1e-5)


def test_statsmodels_agrees_where_it_is_right():
    from statsmodels.stats.proportion import confint_proportions_2indep

    for table in [(56, 70, 48, 80), (1, 12, 7, 30), (0, 9, 3, 14)]:
        got, want = newcombe(*table), confint_proportions_2indep(*table, method="newcomb", alpha=0.1)
        assert (got.lower, got.upper) == pytest.approx(want)


@pytest.mark.parametrize("table", [(12, 30, 4, 25), (1, 40, 3, 11), (17, 18, 20, 60)])
def test_the_bounds_solve_the_score_equation_with_a_numerically_fitted_likelihood(table):
    x1, n1, x2, n2 = table
    got = miettinen_nurminen(*table)

    def statistic(delta):
        def loss(p2):
            return -(stats.binom.logpmf(x1, n1, p2 + delta) + stats.binom.logpmf(x2, n2, p2))

        bounds = (max(0, -delta) + 1e-12, min(1, 1 - delta) - 1e-12)
        p2 = optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        p1, total = p2 + delta, n1 + n2
        variance = (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * total / (total - 1)
        return (x1 / n1 - x2 / n2 - delta) / math.sqrt(variance)

    z = stats.norm.isf(0.05)
    assert (statistic(got.lower), statistic(got.upper)) == pytest.approx((z, -z), abs=1e-4)


@pytest.mark.parametrize("interval", [miettinen_nurminen, newcombe])
def test_an_empty_group_says_nothing(interval):
    got = interval(0, 0, 3, 5)
    assert math.isnan(got.value)
    assert (got.lower, got.upper, got.reason) == (-1.0, 1.0, "an empty group")
    assert not interval(1, 1, 3, 5).usable
    with pytest.raises(ValueError):
        interval(4, 3, 1, 2)


@pytest.mark.parametrize("interval", [miettinen_nurminen, newcombe])
@modest
@given(group, group)
def test_exchanging_groups_or_outcomes_mirrors_the_interval(interval, first, second):
    (x1, n1), (x2, n2) = first, second
    got = interval(x1, n1, x2, n2)
    assert -1 <= got.lower <= got.value + 1e-12
    assert got.value - 1e-12 <= got.upper <= 1
    assert got.lower < got.upper
    for mirrored in (interval(x2, n2, x1, n1), interval(n1 - x1, n1, n2 - x2, n2)):
        assert (mirrored.lower, mirrored.upper) == pytest.approx((-got.upper, -got.lower), abs=1e-7)


@modest
@given(group.filter(lambda g: g[0] < g[1]), group)
def test_one_more_success_of_the_first_group_raises_both_bounds(first, second):
    (x1, n1), (x2, n2) = first, second
    before, after = miettinen_nurminen(x1, n1, x2, n2), miettinen_nurminen(x1 + 1, n1, x2, n2)
    assert after.lower >= before.lower - 1e-12
    assert after.upper >= before.upper - 1e-12


@pytest.mark.parametrize(("p1", "p2", "n1", "n2"), [(0.8, 0.9, 60, 60), (0.3, 0.35, 40, 80), (0.95, 0.95, 100, 50)])
def test_a_bound_at_the_truth_errs_about_alpha_of_the_time(p1, p2, n1, n2):
    """Exact: the mass of all tables whose lower bound exceeds the true difference; the interval is approximate."""
    x1, x2 = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1))
    mass = stats.binom.pmf(x1, n1, p1) * stats.binom.pmf(x2, n2, p2)
    likely = mass > 2e-5
    errs = [miettinen_nurminen(a, n1, b, n2).lower > p1 - p2 for a, b in zip(x1[likely], x2[likely], strict=True)]
    assert 0.03 < mass[likely][errs].sum() < 0.065


def test_the_units_of_both_groups_are_counted_and_opposite_groups_reach_the_end():
    made, plain = miettinen_nurminen(3, 9, 4, 13), miettinen_nurminen(3, 9, 4, 13, corrected=False)
    assert (made.n, made.clusters, made.method, plain.method) == (22, 22, "miettinen-nurminen", "mee")
    assert newcombe(3, 9, 4, 13).n == 22
    assert (miettinen_nurminen(0, 9, 13, 13).lower, miettinen_nurminen(9, 9, 0, 13).upper) == (-1.0, 1.0)


def test_a_difference_that_leaves_no_variance_is_surely_met_or_surely_missed():
    """p1 - p2 = 1 has p1 = 1 and p2 = 0 alone."""
    assert score_z(5, 5, 0, 5, 1.0) == 0.0
    assert score_z(0, 5, 5, 5, 1.0) == score_z(4, 5, 0, 5, 1.0) == -math.inf
    assert score_z(5, 5, 0, 5, -1.0) == math.inf
