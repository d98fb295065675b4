"""What others rely on: names, arguments, shapes of answers, and what is loaded."""

import dataclasses
import inspect

import pytest

from synnodtest import statistics
from tests.loaded import loaded_after

ARGUMENTS = {
    "clopper_pearson": ("successes", "n"),
    "wilson": ("successes", "n"),
    "jeffreys": ("successes", "n"),
    "korn_graubard": ("successes_by_cluster", "trials_by_cluster"),
    "poisson_exact": ("events", "exposure"),
    "tango": ("n11", "n10", "n01", "n00"),
    "newcombe_paired": ("n11", "n10", "n01", "n00"),
    "mcnemar_exact": ("n10", "n01"),
    "miettinen_nurminen": ("x1", "n1", "x2", "n2"),
    "newcombe": ("x1", "n1", "x2", "n2"),
    "spearman": ("x", "y"),
    "mean_cluster_spearman": ("x", "y", "cluster"),
    "isotonic_violation": ("y",),
    "page_trend": ("table",),
    "jonckheere_terpstra": ("groups",),
    "size_at_sensitivity": ("diameter_mm", "hit", "cluster", "level"),
    "hodges_lehmann": ("x", "y"),
    "paired_mean": ("differences", "cluster"),
    "delong": ("positives", "negatives"),
    "froc": ("scores", "is_hit", "n_nodules", "n_images"),
    "sensitivity_at_fppi": ("curve", "fppi"),
    "afroc": ("normal_maxima", "nodule_scores"),
    "node21_score": ("auc", "sensitivity_at_quarter_fp"),
    "average_precision": ("scores", "is_hit", "n_nodules"),
    "expected_calibration_error": ("p", "y"),
    "brier": ("p", "y"),
    "e_value_above": ("successes", "failures", "bound"),
    "e_value_below": ("successes", "failures", "bound"),
    "confidence_sequence": ("successes", "failures"),
    "kernel_distance": ("x", "y"),
    "frechet_distance": ("mu1", "cov1", "mu2", "cov2"),
    "energy_distance": ("x", "y"),
    "holm": ("pvalues",),
    "sample_size_rate": ("p0", "p1"),
    "sample_size_paired": ("discordant", "margin"),
    "cluster_bootstrap": ("statistic", "clusters"),
}


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_positional_arguments_are_as_documented(name):
    parameters = inspect.signature(getattr(statistics, name)).parameters.values()
    assert tuple(p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD) == ARGUMENTS[name]


def test_alpha_is_keyword_only_and_five_percent_everywhere():
    for name in statistics.__all__:
        member = getattr(statistics, name)
        if inspect.isfunction(member) and "alpha" in inspect.signature(member).parameters:
            alpha = inspect.signature(member).parameters["alpha"]
            assert (alpha.kind, alpha.default) == (alpha.KEYWORD_ONLY, 0.05), name


def test_all_names_exist_and_are_documented():
    assert len(set(statistics.__all__)) == len(statistics.__all__)
    for name in statistics.__all__:
        member = getattr(statistics, name)
        assert isinstance(member, (int, float)) or member.__doc__, name


def test_an_estimate_cannot_be_changed():
    got = statistics.clopper_pearson(8, 10)
    with pytest.raises(dataclasses.FrozenInstanceError):
        got.value = 1.0
    assert {"value", "lower", "upper"} <= {f.name for f in dataclasses.fields(got)}


def test_importing_the_statistics_loads_nothing_heavy():
    heavy = ("statsmodels", "sklearn", "pandas", "torch", "matplotlib")
    assert loaded_after("import synnodtest.statistics", *heavy) == []
