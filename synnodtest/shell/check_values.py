"""Values that the statistics must give, from print or from a closed form."""

from __future__ import annotations

import math

from synnodtest import statistics

_E_VALUE = (1 - 0.8**39) / (39 * 0.2 * 0.8**38)
"""Integral over (0.8, 1) of (q / 0.8)^38, divided by 0.2: what the mixture of likelihood ratios must come to."""


def check_values() -> list[dict[str, object]]:
    """Return a row per value: what, its source, expected, got, and whether they agree to the digits printed."""
    exact, score = statistics.clopper_pearson(81, 263, alpha=0.025), statistics.wilson(81, 263, alpha=0.025)
    lens, airway = statistics.tango(43, 0, 1, 0), statistics.newcombe_paired(36, 12, 2, 0, alpha=0.025)
    fewest, alike, ranks = (
        statistics.smallest_n_rate(0.05, below=True),
        statistics.tango(40, 0, 0, 0),
        statistics.spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]),
    )
    ten, mcnemar = statistics.poisson_exact(10, 1, alpha=0.025), statistics.mcnemar_exact(1, 7)
    none, bold = statistics.clopper_pearson(0, 59), statistics.e_value_above(38, 0, 0.8)
    rows: list[tuple[str, str, float, float, int]] = [
        ("Clopper-Pearson 81 of 263, lower", "Newcombe 1998 (857), table I", 0.2527, exact.lower, 4),
        ("Clopper-Pearson 81 of 263, upper", "Newcombe 1998 (857), table I", 0.3676, exact.upper, 4),
        ("Wilson 81 of 263, lower", "Newcombe 1998 (857), table I", 0.2553, score.lower, 4),
        ("Wilson 81 of 263, upper", "Newcombe 1998 (857), table I", 0.3662, score.upper, 4),
        ("Clopper-Pearson 0 of 59, upper", "1 - 0.05^(1/59)", 1 - 0.05 ** (1 / 59), none.upper, 9),
        ("fewest units that show a rate below 5%", "log 0.05 / log 0.95, rounded up", 59, fewest, 0),
        ("Tango, contact lenses, lower", "Tango 1998, section 5", -0.096, lens.lower, 3),
        ("Tango, contact lenses, upper", "Tango 1998, section 5", 0.037, lens.upper, 3),
        ("Tango, no discordant pair of 40, upper", "z^2 / (n + z^2)", 2.705543454 / 42.705543454, alike.upper, 8),
        ("Newcombe, airways, lower", "Newcombe 1998 (2635), method 10", 0.0569, airway.lower, 4),
        ("Newcombe, airways, upper", "Newcombe 1998 (2635), method 10", 0.3404, airway.upper, 4),
        ("McNemar exact, 1 against 7", "Fagerland et al. 2013", 0.0703, mcnemar.p_value, 4),
        ("McNemar mid-P, 1 against 7", "Fagerland et al. 2013", 0.0391, mcnemar.mid_p_value, 4),
        ("Poisson, 10 events, lower", "Garwood 1936", 4.795, ten.lower, 3),
        ("Poisson, 10 events, upper", "Garwood 1936", 18.390, ten.upper, 3),
        ("e-value, 38 of 38 against 0.8", "mean likelihood ratio, closed form", _E_VALUE, bold, 6),
        ("AUC, scores 3 2 against 1 2", "3.5 of 4 pairs", 0.875, statistics.auc([3.0, 2.0], [1.0, 2.0]), 9),
        ("Spearman of 1 2 3 4 5 and 2 1 4 3 5", "1 - 6 * 4 / 120", 0.8, ranks.value, 9),
        ("Holm, second of 0.01 0.04 0.03", "2 * 0.03", 0.06, float(statistics.holm([0.01, 0.04, 0.03])[2]), 9),
    ]  # fmt: skip
    return [
        {"what": what, "source": source, "expected": expected, "got": round(float(got), max(digits, 6)), "holds": holds}
        for what, source, expected, got, digits in rows
        for holds in [math.isclose(expected, got, abs_tol=0.51 * 10**-digits, rel_tol=1e-9)]
    ]
