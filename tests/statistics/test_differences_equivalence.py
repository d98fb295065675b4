"""Equivalence of two clustered rates, against statsmodels' score test, brute force, and repeated experiments."""

import numpy as np
import pytest
from scipy import optimize, stats

from synnodtest.statistics import clustered_rate, equivalent_rates


def hits(successes, trials):
    return np.repeat([1, 0], [successes, trials - successes])


def single(count):
    return [[f"c{i}" for i in range(count)]]


def score_z(x1, n1, x2, n2, delta):
    """Miettinen and Nurminen's statistic with the restricted likelihood climbed numerically, not by their cubic."""

    def minus(p2):
        p1 = p2 + delta
        return -(
            x1 * np.log(max(p1, 1e-12))
            + (n1 - x1) * np.log(max(1 - p1, 1e-12))
            + x2 * np.log(max(p2, 1e-12))
            + (n2 - x2) * np.log(max(1 - p2, 1e-12))
        )

    low, high = max(0.0, -delta), min(1.0, 1 - delta)
    p2 = optimize.minimize_scalar(minus, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    p1 = p2 + delta
    variance = (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * (n1 + n2) / (n1 + n2 - 1)
    return (x1 / n1 - x2 / n2 - delta) / np.sqrt(variance)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize(("x1", "n1", "x2", "n2"), [(60, 150, 62, 140), (30, 70, 45, 68), (5, 40, 3, 90)])
def test_without_repeats_it_is_two_one_sided_score_tests(x1, n1, x2, n2, alpha):
    found = equivalent_rates(hits(x1, n1), single(n1), hits(x2, n2), single(n2), margin=0.1, alpha=alpha)
    sides = stats.norm.sf(score_z(x1, n1, x2, n2, -0.1)), stats.norm.cdf(score_z(x1, n1, x2, n2, 0.1))
    assert found.p_value == pytest.approx(max(sides), rel=1e-4, abs=1e-7)
    assert found.difference.value == pytest.approx(x1 / n1 - x2 / n2)
    assert found.difference.extra == {"effective_n_arm": n1, "effective_n_reference": n2}
    assert found.equivalent == (max(sides) < alpha)
    for bound, target in (
        (found.difference.lower, stats.norm.isf(alpha)),
        (found.difference.upper, stats.norm.ppf(alpha)),
    ):
        assert score_z(x1, n1, x2, n2, bound) == pytest.approx(target, abs=1e-3)


def test_repeats_of_one_cluster_widen_the_interval():
    once = equivalent_rates(hits(40, 100), single(100), hits(41, 100), single(100), margin=0.15)
    same = [[f"c{i // 5}" for i in range(100)]]
    often = equivalent_rates(hits(40, 100), same, hits(41, 100), single(100), margin=0.15)
    assert once.difference.value == often.difference.value
    assert often.difference.upper - often.difference.lower > once.difference.upper - once.difference.lower + 0.05
    assert once.equivalent
    assert not often.equivalent


def test_of_two_clusterings_the_one_with_less_information_counts():
    apart, together = [f"c{i}" for i in range(100)], [f"c{i // 10}" for i in range(100)]
    both = equivalent_rates(hits(40, 100), [apart, together], hits(41, 100), single(100), margin=0.15)
    coarse = equivalent_rates(hits(40, 100), [together], hits(41, 100), single(100), margin=0.15)
    assert both.difference.lower == coarse.difference.lower


def test_a_further_clustering_of_little_information_makes_nothing_surer():
    """Few hosts that agree say little of others, also where donors of the nodules leave fewer independent trials."""
    arm, hosts, donors = np.tile(hits(17, 20), 15), np.repeat(np.arange(15), 20), np.arange(300) * 7 % 200
    alone, both = (
        equivalent_rates(arm, of, hits(288, 300), single(300), margin=0.24) for of in ([hosts], [hosts, donors])
    )
    assert both.difference.extra["effective_n_arm"] < alone.difference.extra["effective_n_arm"]
    assert both.difference.lower <= alone.difference.lower < -0.24
    assert both.p_value >= alone.p_value > 0.05
    assert (alone.equivalent, both.equivalent) == (False, False)


def test_rates_that_differ_by_the_margin_are_seldom_called_equivalent():
    rng = np.random.default_rng(5)
    called = 0
    for _ in range(300):
        host = rng.beta(4, 4, 40) + 0.1
        planted = (rng.random((40, 3)) < np.clip(host, 0, 1)[:, None]).ravel()
        real = rng.random(120) < 0.5
        found = equivalent_rates(planted, [np.repeat(np.arange(40), 3)], real, single(120), margin=0.1)
        called += found.equivalent
    assert called <= stats.binom.ppf(0.999, 300, 0.05)


def test_hosts_on_which_nothing_is_found_do_not_make_rates_equivalent_though_none_of_them_was_seen():
    """On one host in ten nothing of what is planted is found; on the others as much as on real films."""
    called, single_films, hosts = 0, single(300), np.repeat(np.arange(15), 20)
    for run in range(60):
        rng = np.random.default_rng(run)
        lost = (rng.random(15) < 0.1)[hosts]
        planted, real = (rng.random(300) < 0.9) & ~lost, rng.random(300) < 0.9
        found = equivalent_rates(planted, [hosts], real, single_films, margin=0.09)
        assert found.equivalent == (found.p_value < 0.05)
        called += found.equivalent
    assert called <= stats.binom.ppf(0.999, 60, 0.05)


def test_where_clusters_repeat_bounds_are_no_surer_than_the_hybrid_of_the_rates_own():
    arm, reference, twos = hits(90, 100), hits(80, 100), [[f"c{i // 2}" for i in range(100)]]
    found = equivalent_rates(arm, twos, reference, single(100), margin=0.3)
    one, other = clustered_rate(arm, twos[0]), clustered_rate(reference, range(100))
    lower = 0.1 - np.hypot(one.value - one.lower, other.upper - other.value)
    upper = 0.1 + np.hypot(one.upper - one.value, other.value - other.lower)
    assert found.difference.lower == pytest.approx(lower)
    assert found.difference.upper == pytest.approx(upper)
    assert not equivalent_rates(arm, twos, reference, single(100), margin=0.3, alpha=0.999 * found.p_value).equivalent
    assert equivalent_rates(arm, twos, reference, single(100), margin=0.3, alpha=1.001 * found.p_value).equivalent


def test_trials_and_clusters_of_both_groups_are_counted_and_one_unit_proves_nothing():
    pairs = [f"c{i // 2}" for i in range(12)]
    found = equivalent_rates(hits(6, 12), [range(12), pairs], hits(3, 8), single(8), margin=1)
    assert (found.difference.n, found.difference.clusters, found.equivalent) == (20, 6 + 8, True)
    assert not equivalent_rates([1, 0], single(2), [1, 0], single(2), margin=0.9).difference.reason
    alone = equivalent_rates([1, 1, 0, 1], [["c"] * 4], hits(3, 8), single(8), margin=1)
    assert (alone.equivalent, alone.p_value) == (False, 1.0)
    assert alone.difference.value == 3 / 4 - 3 / 8
    assert alone.difference.reason == "fewer than two independent units in a group"


@pytest.mark.parametrize(("arm", "reference"), [([], [1, 0]), ([1, 0], [])])
def test_an_empty_group_proves_nothing(arm, reference):
    found = equivalent_rates(arm, [range(len(arm))], reference, [range(len(reference))], margin=0.1)
    assert not found.equivalent
    assert (found.difference.lower, found.difference.upper) == (-1, 1)
    assert found.difference.reason


def test_two_rates_of_nought_on_few_films_are_not_equivalent():
    found = equivalent_rates([0] * 8, single(8), [0] * 8, single(8), margin=0.1)
    assert not found.equivalent


@pytest.mark.parametrize("margin", [0, -0.1, 1.5, float("nan")])
def test_a_margin_that_is_none_is_refused(margin):
    with pytest.raises(ValueError, match="margin"):
        equivalent_rates([1, 0], single(2), [1, 0], single(2), margin=margin)
