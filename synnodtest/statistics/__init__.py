"""Estimates with honest bounds, and tests, for detectors tried on clustered trials."""

from synnodtest.statistics.bootstrap import FEW_CLUSTERS, cluster_bootstrap
from synnodtest.statistics.clustered import clustered_rate, icc, korn_graubard
from synnodtest.statistics.clusters import cluster_index
from synnodtest.statistics.counts import count_rate, poisson_exact
from synnodtest.statistics.estimate import Estimate, TestResult
from synnodtest.statistics.paired import McNemarResult, mcnemar_exact, newcombe_paired, tango
from synnodtest.statistics.ranks import (
    IsotonicViolation,
    drawdown,
    isotonic_violation,
    mean_cluster_spearman,
    spearman,
)
from synnodtest.statistics.rates import clopper_pearson, jeffreys, wilson
from synnodtest.statistics.shifts import paired_mean, rate_difference_clustered

__all__ = [
    "FEW_CLUSTERS",
    "Estimate",
    "IsotonicViolation",
    "McNemarResult",
    "TestResult",
    "clopper_pearson",
    "cluster_bootstrap",
    "cluster_index",
    "clustered_rate",
    "count_rate",
    "drawdown",
    "icc",
    "isotonic_violation",
    "jeffreys",
    "korn_graubard",
    "mcnemar_exact",
    "mean_cluster_spearman",
    "newcombe_paired",
    "paired_mean",
    "poisson_exact",
    "rate_difference_clustered",
    "spearman",
    "tango",
    "wilson",
]
