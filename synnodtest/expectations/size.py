"""Check of ``size_at_sensitivity``: the diameter from which nodules are found (d50, d80)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.common import hold, no_data, rule, selected
from synnodtest.expectations.rates import Pairs, by_diameter, where_phrase
from synnodtest.expectations.registry import check
from synnodtest.expectations.worst import missed, with_worst_case
from synnodtest.statistics import Estimate
from synnodtest.statistics import size_at_sensitivity as estimate_size

__all__ = ["diameter_at", "size_at_sensitivity"]


@check("size_at_sensitivity")
@with_worst_case(missed)
def size_at_sensitivity(parameters: Mapping[str, Any], evidence: Evidence) -> Ruling:
    """Diameter in mm at which sensitivity reaches a level, by logistic regression on log diameter."""
    level, most = float(parameters.get("level", 0.8)), float(parameters["at_most"])
    criterion = (
        f"the diameter at which sensitivity reaches {level:g} at operating point {evidence.operating_point:g} "
        f"stays below {most:g} mm{where_phrase(parameters)}"
    )
    pairs = selected(parameters, evidence)
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    held = hold(
        "size_at_sensitivity",
        f"diameter in mm at which sensitivity reaches {level:g}",
        lambda alpha: diameter_at(pairs, evidence, level, alpha),
        alpha=evidence.alpha,
        bound=most,
        side="below",
        unit="mm",
    )
    return rule(
        [held],
        evidence,
        criterion,
        [t for t, _ in pairs],
        figure={"kind": "rate"},
        details={"by requested diameter": by_diameter(pairs, evidence)},
    )


def diameter_at(pairs: Pairs, evidence: Evidence, level: float, alpha: float) -> Estimate:
    """Estimate the requested diameter at which sensitivity reaches ``level``."""
    return estimate_size(
        [n.requested_mm for _, n in pairs],
        [n.detected(evidence.operating_point) for _, n in pairs],
        [t.cluster for t, _ in pairs],
        level,
        alpha=alpha,
    )
