"""What no function of the statistics takes: a two-sided error rate, impossible counts, columns of differing length."""

import numpy as np
import pytest

from synnodtest import statistics as s

HITS, CLUSTERS = [1, 0, 1, 1, 0, 1], [0, 0, 1, 1, 2, 2]
SIZES = [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
OF_ALPHA = {
    "clopper_pearson": lambda a: s.clopper_pearson(3, 9, alpha=a),
    "clustered_rate": lambda a: s.clustered_rate(HITS, CLUSTERS, alpha=a),
    "korn_graubard": lambda a: s.korn_graubard([1, 2], [3, 3], alpha=a),
    "tango": lambda a: s.tango(5, 2, 1, 2, alpha=a),
    "miettinen_nurminen": lambda a: s.miettinen_nurminen(3, 9, 4, 9, alpha=a),
    "newcombe": lambda a: s.newcombe(3, 9, 4, 9, alpha=a),
    "paired_mean": lambda a: s.paired_mean([0.1, 0.2, 0.4], [0, 1, 2], alpha=a),
    "rate_difference_clustered": lambda a: s.rate_difference_clustered(HITS, HITS[::-1], CLUSTERS, alpha=a),
    "size_at_sensitivity": lambda a: s.size_at_sensitivity(SIZES, HITS, CLUSTERS, 0.5, alpha=a),
    "spearman": lambda a: s.spearman(SIZES, HITS, alpha=a),
    "mean_cluster_spearman": lambda a: s.mean_cluster_spearman(SIZES, HITS, CLUSTERS, alpha=a),
    "drawdown": lambda a: s.drawdown([[0.1, 0.2], [0.2, 0.1]], alpha=a, seed=0),
    "delong": lambda a: s.delong([0.5, 0.9], [0.1, 0.6], alpha=a),
    "delong_paired": lambda a: s.delong_paired([0.5, 0.9], [0.1, 0.6], [0.4, 0.9], [0.1, 0.7], alpha=a),
    "hodges_lehmann": lambda a: s.hodges_lehmann(SIZES, SIZES[::-1], alpha=a),
    "count_rate": lambda a: s.count_rate([0, 1, 2], [0, 1, 2], alpha=a, seed=0),
    "cluster_bootstrap": lambda a: s.cluster_bootstrap(np.mean, [0, 1, 2], alpha=a, seed=0),
    "power_rate": lambda a: s.power_rate(30, 0.5, 0.9, alpha=a),
    "smallest_n_rate": lambda a: s.smallest_n_rate(0.5, alpha=a),
    "power_paired": lambda a: s.power_paired(30, 0.1, 0.2, alpha=a),
    "smallest_n_paired": lambda a: s.smallest_n_paired(0.1, alpha=a),
    "power_count": lambda a: s.power_count(30, 1.0, 0.5, alpha=a),
    "power_drop": lambda a: s.power_drop(30, 0.1, 0.3, alpha=a),
    "power_mean": lambda a: s.power_mean(30, 0.5, 0.7, 0.3, alpha=a),
}


@pytest.mark.parametrize("name", OF_ALPHA)
def test_an_error_rate_is_that_of_one_side_and_lies_between_0_and_a_half(name):
    assert getattr(OF_ALPHA[name](0.3), "alpha", 0.3) == 0.3
    for wrong in (0.0, 0.5, 0.95, float("nan")):
        with pytest.raises(ValueError, match="one-sided error rate"):
            OF_ALPHA[name](wrong)


@pytest.mark.parametrize("difference", [s.miettinen_nurminen, s.newcombe])
@pytest.mark.parametrize(
    "counts", [(-1, 9, 4, 9), (10, 9, 4, 9), (3, 9, -1, 9), (3, 9, 10, 9), (3, 9, 4, float("inf"))]
)
def test_successes_lie_between_0_and_the_number_of_units(difference, counts):
    with pytest.raises(ValueError, match=r"successes lie|counts are finite"):
        difference(*counts)


@pytest.mark.parametrize(
    "call",
    [
        lambda: s.paired_mean([0.1, 0.2], [0, 1, 2]),
        lambda: s.rate_difference_clustered([1, 0], [1, 0, 1], [0, 1]),
        lambda: s.rate_difference_clustered([1, 0], [1, 0], [0, 1, 2]),
        lambda: s.size_at_sensitivity(SIZES, HITS[:5], CLUSTERS, 0.5),
        lambda: s.spearman(SIZES, HITS[:5]),
        lambda: s.mean_cluster_spearman(SIZES, HITS, CLUSTERS[:5]),
        lambda: s.hodges_lehmann(SIZES, SIZES[:1]),
        lambda: s.froc([0.5, 0.4], [1], 2, 2),
        lambda: s.average_precision([0.5], [1, 0], 2),
        lambda: s.brier([0.5, 0.4], [1]),
    ],
)
def test_columns_have_one_length(call):
    with pytest.raises(ValueError, match="differing lengths"):
        call()
