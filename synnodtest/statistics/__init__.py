"""Estimates with honest bounds, and tests, for detectors tried on clustered trials.

``alpha`` is the one-sided error rate of each bound everywhere. An :class:`Estimate` that carries a ``reason`` decides
nothing. Where a function takes ``guarded``, decisions ask for it.
"""

from synnodtest.statistics.bootstrap import cluster_bootstrap
from synnodtest.statistics.calibration import brier, calibration_line, expected_calibration_error
from synnodtest.statistics.clusters import cluster_index
from synnodtest.statistics.counts import count_rate, most_per_image, poisson_exact
from synnodtest.statistics.crossed import crossed_shares
from synnodtest.statistics.crossing import Crossing, crossing
from synnodtest.statistics.curves import (
    afroc,
    auc,
    average_precision,
    delong,
    delong_paired,
    froc,
    node21_score,
    sensitivity_at_fppi,
)
from synnodtest.statistics.differences import Equivalence, equivalent_rates, miettinen_nurminen, newcombe
from synnodtest.statistics.distances import (
    energy_distance,
    frechet_distance,
    kernel_distance,
    precision_recall,
    vendi_score,
)
from synnodtest.statistics.estimate import Estimate, TestResult
from synnodtest.statistics.multiplicity import holm
from synnodtest.statistics.paired import mcnemar_exact, newcombe_paired, tango
from synnodtest.statistics.power import (
    DEFAULT_ICC,
    design_effect,
    power_paired,
    power_rate,
    sample_size_paired,
    sample_size_rate,
    smallest_n_paired,
    smallest_n_rate,
)
from synnodtest.statistics.power_counts import power_count, power_drop, power_mean, sample_size_count
from synnodtest.statistics.ranks import drawdown, isotonic_violation, mean_cluster_spearman, spearman
from synnodtest.statistics.rates import clopper_pearson, clustered_rate, icc, jeffreys, korn_graubard, wilson
from synnodtest.statistics.sequential import (
    confidence_sequence,
    confidence_sequence_paired,
    e_value_above,
    e_value_below,
    e_value_paired_above,
    e_value_paired_below,
)
from synnodtest.statistics.shifts import paired_mean, rate_difference_clustered
from synnodtest.statistics.size import size_at_sensitivity
from synnodtest.statistics.trends import hodges_lehmann, jonckheere_terpstra, page_trend

__all__ = [
    "DEFAULT_ICC",
    "Crossing",
    "Equivalence",
    "Estimate",
    "TestResult",
    "afroc",
    "auc",
    "average_precision",
    "brier",
    "calibration_line",
    "clopper_pearson",
    "cluster_bootstrap",
    "cluster_index",
    "clustered_rate",
    "confidence_sequence",
    "confidence_sequence_paired",
    "count_rate",
    "crossed_shares",
    "crossing",
    "delong",
    "delong_paired",
    "design_effect",
    "drawdown",
    "e_value_above",
    "e_value_below",
    "e_value_paired_above",
    "e_value_paired_below",
    "energy_distance",
    "equivalent_rates",
    "expected_calibration_error",
    "frechet_distance",
    "froc",
    "hodges_lehmann",
    "holm",
    "icc",
    "isotonic_violation",
    "jeffreys",
    "jonckheere_terpstra",
    "kernel_distance",
    "korn_graubard",
    "mcnemar_exact",
    "mean_cluster_spearman",
    "miettinen_nurminen",
    "most_per_image",
    "newcombe",
    "newcombe_paired",
    "node21_score",
    "page_trend",
    "paired_mean",
    "poisson_exact",
    "power_count",
    "power_drop",
    "power_mean",
    "power_paired",
    "power_rate",
    "precision_recall",
    "rate_difference_clustered",
    "sample_size_count",
    "sample_size_paired",
    "sample_size_rate",
    "sensitivity_at_fppi",
    "size_at_sensitivity",
    "smallest_n_paired",
    "smallest_n_rate",
    "spearman",
    "tango",
    "vendi_score",
    "wilson",
]
