"""Paired rates, against printed examples, a definition-level root search and simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from synnodtest.statistics import mcnemar_exact, newcombe_paired, tango
from synnodtest.statistics.paired import shows_above, tango_bounds

modest = settings(max_examples=60, deadline=None, derandomize=True)
tables = st.tuples(*[st.integers(0, 40)] * 4).filter(lambda t: sum(t) > 0)


def by_definition(n11, n10, n01, n00, alpha):
    """Tango's bounds with p01 found by maximizing the likelihood numerically."""
    n, z = n11 + n10 + n01 + n00, stats.norm.isf(alpha)

    def statistic(delta):
        low, high = max(0.0, -delta), (1 - delta) / 2

        def loss(p01):
            cells = ((n10, p01 + delta), (n01, p01), (n11 + n00, 1 - delta - 2 * p01))
            return -sum(k * math.log(max(p, 1e-300)) for k, p in cells if k)

        p01 = optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
        return (n10 - n01 - n * delta) / math.sqrt(n * (2 * p01 + delta * (1 - delta)))

    value = (n10 - n01) / n
    lower = optimize.brentq(lambda d: statistic(d) - z, -1 + 1e-9, value - 1e-9)
    upper = optimize.brentq(lambda d: statistic(d) + z, value + 1e-9, 1 - 1e-9)
    return lower, upper


# Tango, Statist. Med. 17 (1998) 891, section 5: cross-over trial of two contact lens solutions, 90% interval.
def test_tangos_contact_lens_example():
    got = tango(43, 0, 1, 0, alpha=0.05)
    assert (round(got.lower, 3), round(got.upper, 3)) == (-0.096, 0.037)


# Newcombe, Statist. Med. 17 (1998) 2635: airway hyper-reactivity example, 95% interval by method 10.
def test_newcombes_printed_example():
    got = newcombe_paired(36, 12, 2, 0, alpha=0.025)
    assert (got.lower, got.upper) == pytest.approx((0.0569, 0.3404), abs=5.1e-5)


# Fagerland, Lydersen & Laake (2013): airway hyper-responsiveness before and after transplantation, 1, 1, 7, 12.
def test_mcnemar_on_the_printed_example_of_fagerland():
    got = mcnemar_exact(1, 7)
    assert (round(got.p_value, 4), round(got.mid_p_value, 4)) == (0.0703, 0.0391)


@pytest.mark.parametrize("table", [(20, 5, 2, 3), (8, 1, 1, 10), (3, 9, 4, 0), (50, 12, 30, 8), (0, 2, 5, 1)])
@pytest.mark.parametrize("alpha", [0.025, 0.05])
def test_tango_solves_its_definition(table, alpha):
    got = tango(*table, alpha=alpha)
    assert (got.lower, got.upper) == pytest.approx(by_definition(*table, alpha), abs=1e-5)


def test_many_tables_are_ruled_on_as_each_is_alone():
    rng = np.random.default_rng(5)
    n = 60
    tables = rng.multinomial(n, (0.5, 0.2, 0.1, 0.2), 200)
    for alpha, delta in ((1e-6, -0.3), (0.025, 0.0), (0.4, 0.1)):
        alone = [tango_bounds(n10, n01, n, alpha)[0] > delta for _, n10, n01, _ in tables.tolist()]
        assert 0 < sum(alone) < 200
        assert shows_above(tables[:, 1], tables[:, 2], n, delta, alpha).tolist() == alone


@pytest.mark.parametrize("n", [1, 10, 200])
def test_without_discordant_pairs_tango_is_wilsons_bound_at_zero(n):
    z2 = stats.norm.isf(0.05) ** 2
    got = tango(n, 0, 0, 0)
    assert (got.value, got.lower, got.upper) == pytest.approx((0.0, -z2 / (n + z2), z2 / (n + z2)))


def test_ten_concordant_pairs_do_not_show_a_margin_of_5_percent():
    assert tango(4, 0, 0, 6).lower < -0.05


@pytest.mark.parametrize("n", [1, 6, 90])
def test_where_every_pair_is_discordant_one_way_the_far_bound_is_the_end(n):
    z2 = stats.norm.isf(0.05) ** 2
    got = tango(0, n, 0, 0)
    assert (got.value, got.lower, got.upper) == pytest.approx((1.0, (n - z2) / (n + z2), 1.0))


@pytest.mark.parametrize("interval", [tango, newcombe_paired])
def test_no_pairs_say_nothing(interval):
    got = interval(0, 0, 0, 0)
    assert math.isnan(got.value)
    assert (got.lower, got.upper, got.usable) == (-1.0, 1.0, False)
    assert not interval(0, 1, 0, 0).usable


@pytest.mark.parametrize("interval", [tango, newcombe_paired])
def test_two_pairs_are_the_fewest_that_say_anything(interval):
    assert interval(1, 0, 0, 0).reason == "fewer than 2 pairs"
    assert interval(1, 1, 0, 0).usable


@pytest.mark.parametrize("interval", [tango, newcombe_paired])
def test_a_negative_cell_is_refused(interval):
    with pytest.raises(ValueError):
        interval(3, -1, 0, 0)


def test_no_discordant_pair_is_no_evidence():
    assert mcnemar_exact(0, 0).p_value == mcnemar_exact(0, 0).mid_p_value == 1.0


@pytest.mark.parametrize(("b", "c"), [(1, 1), (4, 4), (0, 3), (7, 1), (2, 9), (30, 30)])
def test_mid_p_counts_half_of_the_outcomes_as_likely_as_the_one_seen(b, c):
    share = stats.binom.pmf(np.arange(b + c + 1), b + c, 0.5)
    farther = np.abs(2 * np.arange(b + c + 1) - b - c) - abs(b - c)
    assert mcnemar_exact(b, c).mid_p_value == pytest.approx(share[farther > 0].sum() + share[farther == 0].sum() / 2)


def test_newcombes_phi_is_corrected_for_continuity_where_it_is_positive():
    """His method 10 on 14, 5, 2, 22 (95%), written out: Wilson's bounds and (ad - bc - n/2) / sqrt of the margins."""
    got = newcombe_paired(14, 5, 2, 22, alpha=0.025)
    one, two = (stats.binomtest(k, 43).proportion_ci(0.95, "wilson") for k in (19, 16))
    phi = (14 * 22 - 5 * 2 - 43 / 2) / math.sqrt(19 * 24 * 16 * 27)
    down, up = ((19 / 43 - one.low, two.high - 16 / 43), (one.high - 19 / 43, 16 / 43 - two.low))
    width = [math.sqrt(a**2 - 2 * phi * a * b + b**2) for a, b in (down, up)]
    assert (got.lower, got.upper) == pytest.approx((3 / 43 - width[0], 3 / 43 + width[1]))
    assert got.extra["discordant"] == 7


def test_mcnemar_equals_scipys_binomial_test_and_statsmodels():
    from statsmodels.stats.contingency_tables import mcnemar

    for b, c in itertools.product([0, 1, 4, 9, 30], repeat=2):
        if b + c:
            assert mcnemar_exact(b, c).p_value == pytest.approx(stats.binomtest(b, b + c).pvalue)
            assert mcnemar_exact(b, c).p_value == pytest.approx(mcnemar([[5, b], [c, 5]]).pvalue)


@pytest.mark.parametrize("interval", [tango, newcombe_paired])
@modest
@given(tables)
def test_exchanging_the_rows_mirrors_the_interval(interval, table):
    n11, n10, n01, n00 = table
    got, mirrored = interval(n11, n10, n01, n00), interval(n11, n01, n10, n00)
    assert -1 <= got.lower <= got.value <= got.upper <= 1
    assert got.lower < got.upper
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-got.upper, -got.lower), abs=1e-9)


@modest
@given(tables.filter(lambda t: t[2] > 0))
def test_a_pair_that_turns_in_favour_of_the_arm_raises_both_bounds(table):
    n11, n10, n01, n00 = table
    before, after = tango(n11, n10, n01, n00), tango(n11, n10 + 1, n01 - 1, n00)
    assert after.lower >= before.lower
    assert after.upper >= before.upper


@pytest.mark.parametrize("n", [30, 60, 100, 200])
@pytest.mark.parametrize("discordant", [0.1, 0.2, 0.5])
def test_a_detector_at_the_margin_passes_at_most_alpha_of_the_time(n, discordant):
    """Exact, not simulated: the mass of all tables that pass when p10 - p01 = -0.1.

    A score interval is approximate: Tango reports its error near the nominal level, seldom above it.
    """
    p10 = (discordant - 0.1) / 2
    b, c = np.meshgrid(np.arange(n + 1), np.arange(n + 1))
    mass = np.exp(stats.binom.logpmf(b + c, n, discordant) + stats.binom.logpmf(b, b + c, p10 / discordant))
    likely = (b + c <= n) & (mass > 1e-9)
    passes = shows_above(b[likely], c[likely], n, -0.1, 0.05)
    assert mass[likely][passes].sum() <= 0.058
