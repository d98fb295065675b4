"""Which figure belongs to which ruling."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from synnodtest.expectations import find_check
from synnodtest.report.figures import curves, pairs, places, trend
from synnodtest.report.model import Figure

__all__ = ["figure_of"]

_KINDS: dict[str, Callable[[Mapping[str, Any], str], Figure]] = {
    "monotone": trend.monotone,
    "region": places.region,
    "paired": pairs.paired,
    "sequential": curves.sequential,
    "froc": curves.froc,
    "calibration": curves.calibration,
}


def figure_of(expectation: Mapping[str, Any], name: str, scenes: Mapping[str, Any]) -> Figure | None:
    """Return the figure of an expectation's ruling; None where the interval strip says all.

    A payload that cannot be drawn gives a figure without a drawing that says so, and the report goes on.

    Args:
        expectation: Of the record, with a ruling.
        name: Of the figure in the document.
        scenes: Of the record, by id.
    """
    ruling, of_kind = expectation["ruling"], find_check(expectation["kind"])
    payload = ruling.get("figure") or {}
    kind = payload.get("kind", "rate")
    components = ruling.get("components") or []
    try:
        if of_kind is not None and of_kind.draw:
            return _named(of_kind.draw)(expectation, name, scenes)
        if kind == "equivalence" and components:
            return pairs.equivalence(payload, name, components[0])
        if kind == "rate" or kind not in _KINDS:
            return _by_diameter(ruling, name)
        return _KINDS[kind](payload, name)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        return Figure(
            f"Figure {kind}", f"The data of this figure cannot be drawn ({type(error).__name__}: {error}).", None
        )


def _named(text: str) -> Callable[[Mapping[str, Any], str, Mapping[str, Any]], Figure | None]:
    module, _, function = text.partition(":")
    found: Callable[[Mapping[str, Any], str, Mapping[str, Any]], Figure | None] = getattr(
        import_module(module), function
    )
    return found


def _by_diameter(ruling: Mapping[str, Any], name: str) -> Figure | None:
    rows = (ruling.get("details") or {}).get("by requested diameter")
    if not rows:
        return None
    components = ruling.get("components") or [{}]
    bound = components[0].get("bound") if components[0].get("unit", "rate") == "rate" else None
    groups = [{"group": r["diameter"], "n": r["nodules"], "x": r["detected"]} for r in rows]
    return curves.rates(groups, "requested diameter", name, "Rate by requested diameter", bound)
