"""Shares of variance of crossed factors, against ANOVA on balanced tables and statsmodels on tables with holes."""

import numpy as np
import pytest
import scipy

from synnodtest.statistics import crossed_shares


def table(rows, columns, sd_row, sd_column, sd_rest, seed):
    rng = np.random.default_rng(seed)
    values = (
        rng.normal(0, sd_row, rows)[:, None]
        + rng.normal(0, sd_column, columns)[None, :]
        + rng.normal(0, sd_rest, (rows, columns))
        + 0.4
    )
    r, c = np.indices(values.shape)
    return values, [f"r{i}" for i in r.ravel()], [f"c{j}" for j in c.ravel()]


def test_a_balanced_table_gives_the_components_of_analysis_of_variance():
    values, rows, columns = table(12, 9, 0.5, 0.8, 0.6, seed=3)
    a, b = values.shape
    mean = values.mean()
    ms_row = b * ((values.mean(axis=1) - mean) ** 2).sum() / (a - 1)
    ms_column = a * ((values.mean(axis=0) - mean) ** 2).sum() / (b - 1)
    rest = values - values.mean(axis=1)[:, None] - values.mean(axis=0) + mean
    ms_rest = (rest**2).sum() / ((a - 1) * (b - 1))
    expected = np.array([(ms_row - ms_rest) / b, (ms_column - ms_rest) / a, ms_rest])
    assert (expected > 0).all()
    found = crossed_shares(values.ravel(), rows, columns)
    assert [found.row, found.column, found.rest] == pytest.approx(expected / expected.sum(), abs=2e-4)
    assert found.variance == pytest.approx(expected.sum(), rel=1e-3)


def test_a_table_with_holes_gives_what_statsmodels_gives():
    formula = pytest.importorskip("statsmodels.formula.api", reason="statsmodels is not installed")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    values, rows, columns = table(14, 10, 0.7, 0.4, 0.5, seed=8)
    kept = np.random.default_rng(0).random(values.size) < 0.5
    frame = pandas.DataFrame({"y": values.ravel(), "r": rows, "c": columns, "all": 1})[kept]
    parts = {"r": "0 + C(r)", "c": "0 + C(c)"}
    fit = formula.mixedlm("y ~ 1", frame, groups="all", vc_formula=parts, re_formula="0").fit(reml=True)
    named = dict(zip(fit.model.exog_vc.names, fit.vcomp, strict=True))
    expected = np.array([named["r"], named["c"], fit.scale])
    found = crossed_shares(frame.y, list(frame.r), list(frame.c))
    assert [found.row, found.column, found.rest] == pytest.approx(expected / expected.sum(), abs=0.01)


def test_a_factor_without_effect_has_no_share():
    values, rows, columns = table(30, 30, 1.0, 0.0, 0.2, seed=1)
    found = crossed_shares(values.ravel(), rows, columns)
    assert found.row > 0.9
    assert found.column < 0.02
    assert found.row + found.column + found.rest == pytest.approx(1)


@pytest.mark.parametrize(
    ("values", "rows", "columns", "reason"),
    [
        ([0.1, 0.2, 0.3], ["a", "b", "c"], ["x", "y", "z"], "repeated"),
        ([0.1, 0.2, 0.4], ["a", "b", "c"], ["x", "x", "y"], "repeated"),
        ([0.1, 0.2, 0.4], ["x", "x", "y"], ["a", "b", "c"], "repeated"),
        ([0.1, 0.2, float("nan"), 0.3], ["a", "a", "b", "b"], ["x", "y", "x", "y"], "missing"),
        ([0.1, 0.2, 0.3], ["a", "a", "a"], ["x", "y", "z"], "one level"),
        ([0.5, 0.5, 0.5, 0.5], ["a", "a", "b", "b"], ["x", "y", "x", "y"], "agree"),
        ([0.1, 0.2, 0.3], ["x", "y", "z"], ["a", "a", "a"], "one level"),
        ([0.1, 0.2], ["a", "a"], ["x", "y"], "fewer than three"),
        ([], [], [], "fewer than three"),
    ],
)
def test_data_that_define_no_shares_say_why(values, rows, columns, reason):
    found = crossed_shares(values, rows, columns)
    assert reason in found.reason
    assert np.isnan(found.row)


def restricted_deviance(logs, y, factors):
    """Minus twice the restricted log-likelihood of Patterson and Thompson, by the whole covariance matrix."""
    covariance = np.eye(len(y))
    for log, levels in zip(logs, factors, strict=True):
        covariance += np.exp(log) * (np.array(levels)[:, None] == np.array(levels)[None, :])
    inverse, ones = np.linalg.inv(covariance), np.ones(len(y))
    mean = ones @ inverse @ y / (ones @ inverse @ ones)
    rest = (y - mean) @ inverse @ (y - mean)
    return (len(y) - 1) * np.log(rest) + np.linalg.slogdet(covariance)[1] + np.log(ones @ inverse @ ones)


@pytest.mark.parametrize("mean", [0.0, 0.4, -3.0])
def test_a_table_with_holes_gives_the_top_of_the_restricted_likelihood(mean):
    values, rows, columns = table(9, 6, 0.7, 0.5, 0.5, seed=11)
    kept = np.flatnonzero(np.random.default_rng(3).random(values.size) < 0.5)
    y, factors = values.ravel()[kept] - 0.4 + mean, ([rows[k] for k in kept], [columns[k] for k in kept])
    top = scipy.optimize.minimize(
        restricted_deviance, (0.0, 0.0), (y, factors), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-11}
    )
    parts = np.append(np.exp(top.x), 1.0)
    found = crossed_shares(y, *factors)
    assert [found.row, found.column, found.rest] == pytest.approx(parts / parts.sum(), abs=1e-4)


def test_a_factor_whose_levels_agree_in_their_means_has_no_share_at_all():
    values, rows, columns = table(8, 5, 0.6, 0.0, 1.0, seed=2)
    found = crossed_shares((values - values.mean(axis=0)).ravel(), rows, columns)
    assert found.column == pytest.approx(0.0, abs=1e-6)
    assert found.row > 0.05
