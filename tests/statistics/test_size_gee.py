"""The logistic estimating equations, against statsmodels and against one another's limits."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.genmod import families
from statsmodels.genmod.cov_struct import Exchangeable, Independence
from statsmodels.genmod.generalized_estimating_equations import GEE

from synnodtest.statistics.size import fit_logistic


def made(seed: int, clusters: int, most: int, pull: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    index = np.repeat(np.arange(clusters), rng.integers(1, most + 1, clusters))
    index = rng.permutation(index)
    size = rng.uniform(4, 40, len(index))
    slope = -6 + 2.5 * np.log(size) + pull * rng.normal(size=clusters)[index]
    hit = (rng.random(len(index)) < 1 / (1 + np.exp(-slope))).astype(float)
    return np.column_stack([np.ones(len(index)), np.log(size)]), hit, index


@pytest.mark.parametrize(("seed", "clusters", "most", "pull"), [(1, 30, 8, 1.0), (2, 80, 5, 0.0), (3, 12, 20, 2.0)])
def test_statsmodels_finds_the_same(seed: int, clusters: int, most: int, pull: float) -> None:
    design, hit, index = made(seed, clusters, most, pull)
    order = np.argsort(index, kind="stable")
    structure = Exchangeable()
    model = GEE(hit[order], design[order], groups=index[order], family=families.Binomial(), cov_struct=structure)
    expected = model.fit(maxiter=500, ctol=1e-11, cov_type="bias_reduced")
    found = fit_logistic(design, hit, index)
    assert found.beta == pytest.approx(expected.params, rel=1e-8)
    assert found.correlation == pytest.approx(structure.dep_params, rel=1e-7)
    assert found.covariance == pytest.approx(np.asarray(expected.cov_params()), rel=1e-7)


def test_clusters_of_one_are_plain_logistic_regression() -> None:
    design, hit, _ = made(4, 60, 1, 0.0)
    model = GEE(hit, design, groups=np.arange(len(hit)), family=families.Binomial(), cov_struct=Independence())
    expected = model.fit(maxiter=500, ctol=1e-11, cov_type="bias_reduced")
    found = fit_logistic(design, hit, np.arange(len(hit)))
    assert found.correlation == 0.0
    assert found.beta == pytest.approx(expected.params, rel=1e-8)
    assert found.covariance == pytest.approx(np.asarray(expected.cov_params()), rel=1e-7)


def test_hits_without_a_finite_answer_are_refused() -> None:
    design = np.column_stack([np.ones(6), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
    with np.errstate(all="raise"), pytest.raises((ValueError, FloatingPointError, np.linalg.LinAlgError)):
        fit_logistic(design, np.array([0.0, 0, 0, 1, 1, 1]), np.arange(6))


def test_hits_that_are_weighed_alike_are_the_equations_of_independent_hits() -> None:
    design, hit, index = made(5, 30, 8, 1.5)
    order = np.argsort(index, kind="stable")
    model = GEE(hit[order], design[order], groups=index[order], family=families.Binomial(), cov_struct=Independence())
    expected = model.fit(maxiter=500, ctol=1e-11, cov_type="bias_reduced")
    found = fit_logistic(design, hit, index, independent=True)
    assert found.beta == pytest.approx(expected.params, rel=1e-8)
    assert found.covariance == pytest.approx(np.asarray(expected.cov_params()), rel=1e-7)
