"""``size_at_sensitivity``: the diameter from which nodules are found (d50, d80)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.fewest import rate_units
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import Asked, Complaint, Selection, number, option
from synnodtest.expectations.rates import by_diameter, diameter_at, where_phrase
from synnodtest.expectations.rule import hold, no_data, rule, selected
from synnodtest.expectations.worst import missed, with_worst_case
from synnodtest.statistics import Estimate


@dataclass(frozen=True)
class SizeAtSensitivity(Selection):
    """Parameters of ``size_at_sensitivity``."""

    level: float = option(
        "Sensitivity level: 0.5 for d50, 0.8 for d80 (default).", number(above=0, below=1), 0.8, stated=True
    )
    at_most: float = option("That diameter in mm must stay below this.", number(None, 100, above=0))


@with_worst_case(missed)
def size_at_sensitivity(parameters: SizeAtSensitivity, evidence: Evidence) -> Ruling:
    """Diameter in mm at which sensitivity reaches a level, by logistic regression on log diameter."""
    level, most = float(parameters.level), float(parameters.at_most)
    criterion = (
        f"the diameter at which sensitivity reaches {level:g} at operating point {evidence.operating_point:g} "
        f"stays below {most:g} mm{where_phrase(parameters)}"
    )
    pairs = selected(parameters, evidence)
    if not pairs:
        return no_data(criterion, "nodule", evidence)

    def estimator(alpha: float) -> Estimate:
        return diameter_at(pairs, evidence, level, alpha, guarded=True)

    label = f"diameter at which sensitivity reaches {level:g}, in mm"  # the value follows
    return rule(
        [hold("size_at_sensitivity", label, estimator, evidence.alpha, most, "below", unit="mm")],
        evidence,
        criterion,
        [t for t, _ in pairs],
        figure={"kind": "rate"},
        details={"by requested diameter": by_diameter(pairs, evidence)},
    )


def _asks(parameters: SizeAtSensitivity, asked: Asked) -> Iterator[Complaint]:
    if asked.has_scenes and "diameter_mm" not in asked.varied:
        yield Complaint("diameter_mm", "needs nodules of different 'diameter_mm', and it is fixed")


KIND = Kind(
    name="size_at_sensitivity",
    about="Diameter in mm at which sensitivity reaches a level (d50, d80).",
    parameters=SizeAtSensitivity,
    ruling=size_at_sensitivity,
    title="Size at sensitivity",
    rules={"required": ["at_most"]},
    hits_alone=lambda p: True,
    asks=_asks,
    fewest=lambda p, alpha, per_background: rate_units(float(p.level), alpha),
)
