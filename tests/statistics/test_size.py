"""The diameter of a given sensitivity, against statsmodels and the curve that made the data."""

import math

import numpy as np
import pytest

from synnodtest.statistics import size_at_sensitivity

DIAMETERS = np.array([4.0, 6, 8, 10, 14, 20, 28, 40])


def trials(backgrounds, *, d50=10.0, slope=3.0, ceiling=1.0, spread=0.5, seed=0):
    """Hits of one nodule per size and background; sensitivity rises logistically in log diameter to a ceiling."""
    rng = np.random.default_rng(seed)
    size, cluster = np.tile(DIAMETERS, backgrounds), np.repeat(np.arange(backgrounds), len(DIAMETERS))
    eta = slope * np.log(size / d50) + np.repeat(rng.normal(0, spread, backgrounds), len(DIAMETERS))
    return size, (rng.random(len(size)) < ceiling / (1 + np.exp(-eta))).astype(float), cluster


def test_independent_nodules_give_statsmodels_logistic_regression():
    from statsmodels.discrete.discrete_model import Logit

    size, hit, _ = trials(40, spread=0)
    fit = Logit(hit, np.column_stack([np.ones(len(size)), np.log(size)])).fit(disp=False).params
    for level in (0.5, 0.8):
        got = size_at_sensitivity(size, hit, np.arange(len(size)), level)
        assert got.value == pytest.approx(math.exp((math.log(level / (1 - level)) - fit[0]) / fit[1]), rel=1e-4)


@pytest.mark.parametrize("first", [1, 5])
def test_fiellers_bounds_are_where_the_fitted_line_may_cross_the_level(first):
    """``first``: of how many of the 25 backgrounds the first patient is; his many nodules tell no more."""
    from scipy import stats
    from statsmodels.genmod import families
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.generalized_estimating_equations import GEE

    size, hit, cluster = trials(25)
    cluster = np.maximum(cluster, first - 1)
    degrees = 25**2 / (first**2 + 25 - first) - 2
    design = np.column_stack([np.ones(len(size)), np.log(size)])
    fit = GEE(hit, design, groups=cluster, family=families.Binomial(), cov_struct=Exchangeable()).fit(
        cov_type="bias_reduced"
    )
    got, q = size_at_sensitivity(size, hit, cluster, 0.5), stats.t.isf(0.05, degrees)
    for bound in (got.lower, got.upper):
        row = np.array([1, math.log(bound)])
        assert abs(row @ fit.params) / math.sqrt(row @ fit.cov_params() @ row) == pytest.approx(q, rel=1e-4)
    assert got.lower < got.value < got.upper


def test_the_bounds_cover_the_diameter_that_made_the_data():
    covered = 0
    for seed in range(12):
        got = size_at_sensitivity(*trials(30, spread=0, seed=seed), 0.8, alpha=0.005)
        covered += got.lower <= 10 * math.exp(math.log(4) / 3) <= got.upper
    assert covered >= 11


@pytest.mark.parametrize(
    ("data", "level", "reason"),
    [
        (([], [], []), 0.5, "fewer than 3 clusters"),
        ((DIAMETERS, [0, 0, 1, 0, 1, 1, 1, 1], [0] * 8), 0.5, "fewer than 3 clusters"),
        ((DIAMETERS, [1] * 8, range(8)), 0.5, "all nodules were found"),
        ((DIAMETERS, [0] * 8, range(8)), 0.5, "no nodule was found"),
        ((DIAMETERS, [0, 0, 0, 0, 1, 1, 1, 1], range(8)), 0.5, "hits and misses are separated by size"),
        (
            (np.r_[DIAMETERS[1:], math.inf], [0, 0, 1, 0, 1, 1, 1, 1], range(8)),
            0.5,
            "diameters are missing or infinite",
        ),
        (trials(40, ceiling=0.7, slope=6.0, d50=7.0, spread=0), 0.8, None),
        (trials(40, d50=200.0, spread=0), 0.8, None),
        (trials(40, slope=-3.0, spread=0), 0.5, "sensitivity is not sure to rise with size"),
        (trials(40, slope=0.0, spread=0), 0.5, "sensitivity is not sure to rise with size"),
    ],
)
def test_data_that_cannot_say_give_no_bounds(data, level, reason):
    got = size_at_sensitivity(*data, level)
    assert (got.lower, got.upper) == (0.0, math.inf)
    assert got.reason
    assert reason is None or got.reason == reason


def test_a_plateau_below_the_level_is_named():
    size = np.tile(DIAMETERS, 40)
    rng = np.random.default_rng(1)
    hit = np.where(size >= 8, rng.random(len(size)) < 0.72, rng.random(len(size)) < 0.02).astype(float)
    got = size_at_sensitivity(size, hit, np.repeat(np.arange(40), 8), 0.8)
    assert "plateau" in got.reason


def test_bounds_beyond_the_diameters_tried_are_not_extrapolated():
    got = size_at_sensitivity(*trials(6, d50=25.0, slope=1.6, spread=0, seed=3), 0.5)
    assert got.upper == math.inf or got.upper <= 40
    assert got.lower == 0 or got.lower >= 4


def test_order_does_not_matter():
    size, hit, cluster = trials(15)
    order = np.random.default_rng(0).permutation(len(size))
    first = size_at_sensitivity(size, hit, cluster, 0.5)
    second = size_at_sensitivity(size[order], hit[order], cluster[order], 0.5)
    assert (second.value, second.lower, second.upper) == pytest.approx(
        (first.value, first.lower, first.upper), rel=1e-6
    )
    assert not first.flags


@pytest.mark.parametrize(
    ("size", "hit", "level"),
    [([0.0, 4], [0, 1], 0.5), ([4, 5], [0, 2], 0.5), ([4, 5], [0, 1], 1.0), ([4], [0, 1], 0.5)],
)
def test_arguments_that_make_no_sense_are_refused(size, hit, level):
    with pytest.raises(ValueError):
        size_at_sensitivity(size, hit, [0, 1], level)


def test_a_plateau_at_the_level_is_rarely_taken_for_a_curve_that_rises_on():
    """Of nodules of 8 mm and more just the level is found: the level is exceeded at no diameter."""
    runs = 60
    passed = 0
    for run in range(runs):
        rng = np.random.default_rng([2026, run])
        size = rng.uniform(4, 30, 120)
        found = rng.random(120) < 0.8 / (1 + (7 / size) ** 8)
        passed += size_at_sensitivity(size, found, np.arange(120) // 2, 0.8, guarded=True).upper < 25
    assert passed / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize(("films", "level", "runs"), [(60, 0.5, 10), (20, 0.8, 40)])
def test_films_on_which_all_is_lost_rarely_pass_a_detector_at_the_bound(films, level, runs):
    """Ten nodules on each film; on one film in ten none is found, on the others they are by a logistic curve."""
    found = level / 0.9
    bound = 8.0 * (found / (1 - found)) ** (1 / 4)
    passed = 0
    for run in range(runs):
        rng = np.random.default_rng([2026, run])
        size, film = rng.uniform(4, 30, 10 * films), np.repeat(np.arange(films), 10)
        lost = (rng.random(films) < 0.1)[film]
        hit = ~lost & (rng.random(len(size)) < 1 / (1 + (8.0 / size) ** 4))
        passed += size_at_sensitivity(size, hit, film, level, guarded=True).upper < bound
    assert passed / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_films_unlike_all_seen_are_allowed_for():
    """Of 20 films none was lost; 1 - 0.05**(1/20) of all may be, and the others must reach the level for them, too."""
    rng, film = np.random.default_rng(0), np.repeat(np.arange(20), 20)
    size = np.exp(rng.uniform(np.log(3), np.log(40), len(film)))
    hit = rng.random(len(size)) < 1 / (1 + (6 / size) ** 3)
    plain, guarded = (size_at_sensitivity(size, hit, film, 0.8, guarded=which) for which in (False, True))
    needed = 0.8 * 0.05 ** (-1 / 20)
    log = (math.log(needed / (1 - needed)) - plain.extra["intercept"]) / plain.extra["slope"]
    assert plain.upper < math.exp(log) <= guarded.upper < 1.05 * math.exp(log)
    assert guarded.value == plain.value


def test_one_lost_film_leaves_an_upper_bound_where_correlated_hits_have_no_fit():
    """Of 60 films of 10 nodules one lost all; on the others, nodules of more than some 10 mm are found."""
    rng = np.random.default_rng(2026)
    size, film = rng.uniform(4, 30, 600), np.repeat(np.arange(60), 10)
    hit = (film > 0) & (rng.random(600) < 1 / (1 + (8.0 / size) ** 10))
    assert size_at_sensitivity(size, hit, film, 0.8).reason == "the regression does not converge"
    made = size_at_sensitivity(size, hit, film, 0.8, guarded=True)
    assert 8.0 * 4 ** (1 / 10) < made.upper < 16.0
    assert (made.lower, made.reason) == (0.0, "")


def test_a_curve_that_rises_on_has_a_finite_upper_bound():
    rng = np.random.default_rng(2026)
    size = rng.uniform(4, 30, 120)
    found = rng.random(120) < 1 / (1 + (7 / size) ** 8)
    made = size_at_sensitivity(size, found, np.arange(120) // 2, 0.8, guarded=True)
    assert 7 < made.upper < 14
    assert not made.flags


@pytest.mark.parametrize("lost", [12.0, 16.0])
def test_a_size_that_is_lost_above_the_estimate_leaves_no_upper_bound(lost):
    """Of 16 mm nothing is found, or of 12 mm; from the estimate on most are all the same."""
    size, cluster = np.tile([3.0, 4, 5, 6, 8, 10, 12, 16], 24), np.repeat(np.arange(24), 8)
    hit = (size > 6) | ((size == 5) & (cluster % 4 == 0)) | ((size == 6) & (cluster % 4 > 0))
    assert size_at_sensitivity(size, hit, cluster, 0.5, guarded=True).upper < 8
    got = size_at_sensitivity(size, hit & (size != lost), cluster, 0.5, guarded=True)
    assert got.upper == math.inf
    assert got.flags == (f"nodules above the estimate are found less often than 0.5 again, at {lost:g} mm",)


def test_a_band_of_drawn_diameters_that_is_lost_above_the_estimate_leaves_no_upper_bound():
    """Each nodule has a diameter of its own; of the 41 of 12 to 15 mm none is found, of the others as before."""
    rng = np.random.default_rng(5)
    size = rng.uniform(4, 24, 240)
    hit = rng.random(240) < 1 / (1 + (7.0 / size) ** 4)
    assert size_at_sensitivity(size, hit, np.arange(240), 0.5, guarded=True).upper < 9
    lost = size_at_sensitivity(size, hit & ~((size > 12) & (size < 15)), np.arange(240), 0.5, guarded=True)
    assert lost.upper == math.inf
    assert "less often than 0.5 again, at 1" in lost.flags[0]


@pytest.mark.parametrize(("d50", "seed"), [(30.0, 1), (5.0, 1)])
def test_a_bound_past_the_diameters_tried_is_none_whatever_the_line_says(d50, seed):
    """The line goes on to 48 mm and down to 3 mm; nodules of 4 to 40 mm were tried."""
    size, hit, cluster = trials(12, d50=d50, slope=1.6, spread=0, seed=seed)
    got = size_at_sensitivity(size, hit, cluster, 0.5)
    assert got.reason == ""
    assert (got.upper == math.inf, got.lower == 0.0) == (d50 == 30.0, d50 == 5.0)
    wider = size_at_sensitivity(np.append(size, [100.0, 1.0]), np.append(hit, [1, 0]), np.append(cluster, [0, 0]), 0.5)
    assert 0.0 < wider.lower < wider.upper < math.inf


def test_three_clusters_are_the_fewest():
    size, hit, cluster = trials(3, seed=2)
    assert "clusters" not in size_at_sensitivity(size, hit, cluster, 0.5).reason
    two = size_at_sensitivity(size[:16], hit[:16], cluster[:16], 0.5)
    assert two.reason == "fewer than 3 clusters"


def floor_of_a_tenth(size):
    return 0.1 + 0.9 / (1 + (10.47 / size) ** 5)


def skewed(size):
    return 1 - 0.5 ** ((size / 10) ** 2.2)


@pytest.mark.parametrize("curve", [floor_of_a_tenth, skewed])
def test_a_curve_that_is_not_logistic_seldom_passes_at_its_own_d50(curve):
    """By the straight line alone both pass at the bound in two of five runs of 60 films of eight sizes."""
    sizes, films, passed, good = np.array([4.0, 6, 8, 10, 14, 20, 28, 40]), 60, 0, 0
    rng, at = np.random.default_rng(3), np.geomspace(4, 40, 4000)
    half = at[(curve(at) > 0.5).argmax()]
    size, film = np.tile(sizes, films), np.repeat(np.arange(films), len(sizes))
    for _ in range(40):
        upper = size_at_sensitivity(size, rng.random(len(size)) < curve(size), film, 0.5, guarded=True).upper
        passed, good = passed + (upper < half), good + (upper < 1.41 * half)
    assert passed <= 5
    assert good >= 34


def test_between_two_sizes_a_curve_may_run_as_it_likes():
    size, film = np.tile([6.0, 12.0], 60), np.repeat(np.arange(60), 2)
    for seed in range(8):
        hit = np.random.default_rng(seed).random(120) < np.where(size < 8, 0.2, 0.9)
        found = size_at_sensitivity(size, hit, film, 0.5, guarded=True)
        assert 6 < found.lower < 6.001
        assert 11.998 < found.upper < 12


def test_a_step_between_two_sizes_of_a_sweep_passes_no_bound_below_it():
    """By a straight line a detector that drops what is smaller than 13 mm passed "below 13 mm" in 34 of 40 runs."""
    sizes, films = np.array([4.0, 6, 8, 10, 14, 20, 28, 40]), 60
    size, film, rng = np.tile(sizes, films), np.repeat(np.arange(films), len(sizes)), np.random.default_rng(5)
    for low in (0.0, 0.05, 0.2):
        for _ in range(5):
            hit = rng.random(len(size)) < np.where(size < 13, low, 0.97)
            assert size_at_sensitivity(size, hit, film, 0.5, guarded=True).upper > 13
