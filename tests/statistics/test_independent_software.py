"""Intervals against what other people's software printed, to the printed digits; each case says which."""

import pytest

from synnodtest.statistics import delong, delong_paired, korn_graubard, newcombe_paired, spearman, tango


# R 4.2.2, survey 4.1-1: svyciprop(~hit, svydesign(ids = ~cluster, weights = ~1, data), method = "beta", level = 0.95).
@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        ([8, 10, 3, 9, 7, 10, 10, 2], [10, 10, 10, 10, 8, 10, 12, 9], 0.4283864, 0.9424414),
        (
            [10, 9, 10, 8, 10, 10, 10, 7, 10, 9, 10, 10, 6, 10, 10, 9, 10, 10, 10, 10],
            [10] * 20,
            0.8612679,
            0.9814113,
        ),
    ],
)
def test_korn_graubard_is_svyciprop_of_rs_survey(successes, trials, low, high):
    got = korn_graubard(successes, trials, alpha=0.025)
    assert (got.lower, got.upper) == pytest.approx((low, high), abs=5.1e-8)


# R, PropCIs 0.3-0: scoreci.mp(25, 28, 618, conf.level = 0.90) is the difference of the second rate and the first.
def test_tango_is_scoreci_mp_of_rs_propcis():
    got = tango(565, 28, 25, 0, alpha=0.05)
    assert (round(got.lower, 4), round(got.upper, 4)) == (-0.0148, 0.0247)


# Fagerland, Lydersen & Laake, Statist. Med. 33 (2014) 2850: airway hyper-responsiveness before and after stem cell
# transplantation (also chapter 8 of R's contingencytables), 95% intervals.
@pytest.mark.parametrize(("interval", "low", "high"), [(tango, -0.517, -0.026), (newcombe_paired, -0.507, -0.026)])
def test_paired_intervals_of_fagerlands_tutorial(interval, low, high):
    got = interval(1, 1, 7, 12, alpha=0.025)
    assert (round(got.lower, 3), round(got.upper, 3)) == (low, high)


# R, statpsych: the documented example of ci.spear(.05, y, x), by the author of the interval.
def test_spearmans_interval_is_ci_spear_of_bonetts_statpsych():
    y = [21, 4, 9, 12, 35, 18, 10, 22, 24, 1, 6, 8, 13, 16, 19]
    x = [67, 28, 30, 28, 52, 40, 25, 37, 44, 10, 14, 20, 28, 40, 51]
    got = spearman(x, y, alpha=0.025)
    assert (got.value, got.lower, got.upper) == pytest.approx((0.8699639, 0.5840951, 0.9638297), abs=5.1e-8)


FIRST = (
    [0.9, 0.8, 0.75, 0.7, 0.62, 0.55, 0.5, 0.42, 0.3, 0.95],
    [*(0.6, 0.5, 0.45, 0.4, 0.35, 0.3, 0.3, 0.2, 0.15, 0.1, 0.72, 0.05)],
)
SECOND = (
    [0.7, 0.9, 0.55, 0.8, 0.42, 0.65, 0.35, 0.5, 0.2, 0.85],
    [*(0.55, 0.6, 0.5, 0.3, 0.45, 0.25, 0.4, 0.1, 0.2, 0.15, 0.65, 0.35)],
)


# R 4.2.2, pROC 1.18.0: ci.auc(roc(...), method = "delong") and roc.test(..., method = "delong", conf.level = 0.90).
def test_delong_is_ci_auc_and_roc_test_of_rs_proc():
    got = delong(*FIRST, alpha=0.05)
    assert (got.lower, got.value, got.upper) == pytest.approx((0.720847099, 0.854166667, 0.987486235), abs=5.1e-10)
    got = delong(*FIRST, alpha=0.025)
    assert (got.lower, got.upper) == pytest.approx((0.695306603, 1.0), abs=5.1e-10)
    got = delong_paired(*FIRST, *SECOND, alpha=0.05)
    assert (got.lower, got.upper) == pytest.approx((-0.0162370084, 0.1829036750), abs=5.1e-11)
    assert got.value / got.extra["standard_error"] == pytest.approx(1.37662614, abs=5.1e-9)
