"""One expectation -> its items: one per stratum of ``by`` and per operating point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synnodtest.expectations import kind_of
from synnodtest.spec.model import Behaviour, Expectation
from synnodtest.spec.nodes import listed
from synnodtest.spec.quantities import Stratum


@dataclass(frozen=True)
class Variant:
    """One item of an expectation.

    Args:
        id: The expectation's id, with the stratum and operating point in brackets where there are several:
            ``sensitivity[sex=F,0.15]``.
        expectation: What it stems from.
        parameters: The expectation's parameters with one operating point, and the stratum within ``where``.
    """

    id: str
    expectation: Expectation
    parameters: Mapping[str, Any]

    @property
    def operating_point(self) -> float:
        """A finding with a score of at least this counts as a detection."""
        return float(self.parameters["operating_point"])


def variants(behaviour: Behaviour, expectation: Expectation) -> list[Variant]:
    """Return the items of an expectation, in the order of the spec: strata outermost, then operating points.

    ``by`` makes an item of each stratum. The groups of ``across`` stay together: they are compared with each other.
    An expectation that looks at raw scores alone is one item however many operating points there are.
    """
    parameters = expectation.parameters
    points = list(map(float, listed(parameters.get("operating_point", behaviour.operating_point))))
    if _ignores_points(expectation):
        points = points[:1]
    compiled = []
    for stratum in _strata(parameters):
        for point in points:
            marks = [stratum.label] if stratum.label else []
            marks += [f"{point:g}"] if len(points) > 1 else []
            own = {**parameters, "operating_point": point, "where": dict(stratum.where)}
            suffix = f"[{','.join(marks)}]" if marks else ""
            compiled.append(Variant(expectation.id + suffix, expectation, own))
    return compiled


def _strata(parameters: Mapping[str, Any]) -> tuple[Stratum, ...]:
    if "by" in parameters and parameters.get("strata"):
        return tuple(parameters["strata"])
    return (Stratum("", parameters.get("where") or {}),)


def _ignores_points(expectation: Expectation) -> bool:
    kind = kind_of(expectation.kind)
    return kind.threshold_free(kind.read(expectation.parameters))
