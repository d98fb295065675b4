"""Trend tests and the Hodges-Lehmann shift, against textbook examples."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synnodtest.statistics import hodges_lehmann, jonckheere_terpstra, page_trend

modest = settings(max_examples=40, deadline=None, derandomize=True)

# Hollander, Wolfe & Chicken (2014), table 6.6: pieces processed under none, rough and accurate information.
MOTIVATION = ([40, 35, 38, 43, 44, 41], [38, 40, 47, 44, 40, 42], [48, 40, 45, 43, 46, 44])
# Same book, table 3.1: depression scale factor of nine patients, first and second visit.
FIRST = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
SECOND = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]


def test_jonckheere_on_the_motivation_data_of_hollander_and_wolfe():
    got = jonckheere_terpstra(MOTIVATION, alternative="increasing")
    assert (round(got.statistic, 2), round(got.p_value, 4)) == (2.04, 0.0207)


def test_jonckheeres_variance_is_that_of_all_permutations():
    groups = ([1, 2, 2], [2, 3], [4, 4])
    pooled = np.concatenate(groups)

    def score(order):
        a, b, c = order[:3], order[3:5], order[5:]
        return sum((y > x) + (y == x) / 2 for f, s in ((a, b), (a, c), (b, c)) for x in f for y in s)

    scores = np.array([score(order) for order in itertools.permutations(pooled)], dtype=float)
    want = (score(pooled) - scores.mean()) / scores.std()
    assert jonckheere_terpstra(groups).statistic == pytest.approx(want)


def test_jonckheeres_alternatives():
    up, down, both = (
        jonckheere_terpstra(MOTIVATION, alternative=a).p_value for a in ("increasing", "decreasing", "two-sided")
    )
    assert up + down == pytest.approx(1)
    assert both == pytest.approx(2 * up)
    with pytest.raises(ValueError, match="alternative"):
        jonckheere_terpstra(MOTIVATION, alternative="greater")


@pytest.mark.parametrize("groups", [[], [[1, 2]], [[1, 2], []], [[3, 3], [3], [3, 3]]])
def test_jonckheere_without_information_rejects_nothing(groups):
    assert (jonckheere_terpstra(groups).statistic, jonckheere_terpstra(groups).p_value) == (0.0, 1.0)


def test_jonckheere_refuses_missing_and_ranks_infinite_responses():
    with pytest.raises(ValueError, match="missing"):
        jonckheere_terpstra([[1, math.nan], [2]])
    finite, infinite = ([[0, 1], [2, 9]]), ([[-math.inf, 1], [2, math.inf]])
    assert jonckheere_terpstra(finite) == jonckheere_terpstra(infinite)


# SciPy's documented example of page_trend_test: ratings of tutorial, lecture and seminar by ten students.
def test_page_on_the_documented_example():
    ratings = [
        [3, 4, 3],
        [2, 2, 4],
        [3, 3, 5],
        [1, 3, 2],
        [2, 3, 2],
        [2, 4, 5],
        [1, 2, 4],
        [3, 4, 4],
        [2, 4, 5],
        [1, 3, 4],
    ]
    got = page_trend(ratings)
    assert (got.statistic, got.p_value) == (133.5, pytest.approx(0.0018191161948127822))


# Page, J. Am. Stat. Assoc. 58 (1963) 216, table 2: critical values of L at 5% for n = 3 and n = 4 treatments.
@pytest.mark.parametrize(("rows", "levels", "critical"), [(2, 3, 28), (3, 3, 41), (4, 3, 54), (2, 4, 58), (3, 4, 84)])
def test_pages_critical_values_are_significant_and_one_less_is_not(rows, levels, critical):
    tables = itertools.product(itertools.permutations(range(1, levels + 1)), repeat=rows)
    weights = np.arange(1, levels + 1)
    found = {}
    for table in tables:
        found.setdefault(int((np.array(table) @ weights).sum()), table)
        if {critical, critical - 1} <= set(found):
            break
    assert page_trend(found[critical]).p_value <= 0.05 < page_trend(found[critical - 1]).p_value


@pytest.mark.parametrize("table", [np.zeros((0, 4)), np.zeros((5, 4)), [[1, 2, 3, 4]], [[1, 2], [2, 3]]])
def test_page_without_information_rejects_nothing(table):
    assert page_trend(table).p_value == 1.0


def test_page_refuses_missing_values():
    with pytest.raises(ValueError):
        page_trend([[1, 2, math.nan], [1, 2, 3]])


def test_hodges_lehmann_on_the_depression_data_of_hollander_and_wolfe():
    got = hodges_lehmann(SECOND, FIRST, alpha=0.02)
    assert (got.value, got.lower, got.upper) == pytest.approx((-0.46, -0.786, -0.010))


@pytest.mark.parametrize("n", [5, 6, 8, 11])
@pytest.mark.parametrize("alpha", [0.025, 0.05])
def test_hodges_lehmanns_bounds_invert_scipys_exact_signed_rank_test(n, alpha):
    d = np.random.default_rng(n).normal(0.3, 1, n)
    got = hodges_lehmann(d, np.zeros(n), alpha=alpha)
    if math.isinf(got.lower):
        assert 0.5**n > alpha
        return

    def p(shift, side):
        return stats.wilcoxon(d - shift, alternative=side, method="exact").pvalue

    assert p(got.lower - 1e-9, "greater") <= alpha < p(got.lower + 1e-9, "greater")
    assert p(got.upper + 1e-9, "less") <= alpha < p(got.upper - 1e-9, "less")


def test_the_normal_interval_continues_the_exact_one():
    d = np.random.default_rng(0).normal(0.2, 1, 51)
    exact, normal = hodges_lehmann(d[:50], np.zeros(50)), hodges_lehmann(d, np.zeros(51))
    assert (normal.lower, normal.upper) == pytest.approx((exact.lower, exact.upper), abs=0.08)


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([], [], "no pairs"),
        ([1, 2, 3], [0, 0, 0], "too few pairs for this alpha"),
        ([1, 1, 1, 1, 1, 1], [0.5] * 6, "all differences agree"),
        ([1, 2, math.nan, 1, 1, 1], [0.5] * 6, "values are missing or infinite"),
        ([math.inf] * 6, [math.inf] * 6, "values are missing or infinite"),
    ],
)
def test_hodges_lehmann_without_information_has_no_bounds(x, y, reason):
    got = hodges_lehmann(x, y)
    assert (got.lower, got.upper, got.reason) == (-math.inf, math.inf, reason)


@modest
@given(st.lists(st.integers(-20, 20), min_size=5, max_size=15).filter(lambda d: len(set(d)) > 1))
def test_a_shift_of_all_pairs_shifts_the_interval_and_signs_mirror_it(d):
    zero = [0] * len(d)
    got, shifted = hodges_lehmann(d, zero), hodges_lehmann([v + 3 for v in d], zero)
    mirrored = hodges_lehmann(zero, d)
    assert (shifted.lower, shifted.upper) == pytest.approx((got.lower + 3, got.upper + 3))
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-got.upper, -got.lower))
    assert got.lower <= got.value <= got.upper
