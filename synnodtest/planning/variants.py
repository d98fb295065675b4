"""One expectation -> its items: one per stratum of ``by`` and per operating point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from synnodtest.spec.model import Behaviour, Expectation

__all__ = ["Variant", "variants"]


@dataclass(frozen=True)
class Variant:
    """One item of an expectation.

    Args:
        id: The expectation's id, with the stratum and operating point in brackets where there are several.
        expectation: What it stems from.
        parameters: The expectation's parameters with one operating point and the stratum added to ``where``.
        stratum: The stratum's values by name.
    """

    id: str
    expectation: Expectation
    parameters: Mapping[str, Any]
    stratum: Mapping[str, Any]

    @property
    def operating_point(self) -> float:
        """A finding with a score of at least this counts as a detection."""
        return float(self.parameters["operating_point"])


def variants(behaviour: Behaviour, expectation: Expectation) -> list[Variant]:
    """Return the items of an expectation, in the order of the spec."""
    parameters = expectation.parameters
    points = _points(parameters.get("operating_point", behaviour.operating_point))
    by: Mapping[str, Any] = parameters.get("by") or {}
    made = []
    for levels in product(*by.values()):
        stratum = dict(zip(by, levels, strict=True))
        for point in points:
            marks = [f"{name}={value}" for name, value in stratum.items()]
            marks += [f"{point:g}"] if len(points) > 1 else []
            where = dict(parameters.get("where") or {}) | {name: {"equals": value} for name, value in stratum.items()}
            own = {**parameters, "operating_point": point, "where": where}
            suffix = f"[{','.join(marks)}]" if marks else ""
            made.append(Variant(expectation.id + suffix, expectation, own, stratum))
    return made


def _points(value: Any) -> list[float]:
    return [float(v) for v in value] if isinstance(value, (list, tuple)) else [float(value)]
