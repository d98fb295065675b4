"""Figures of rulings, by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pkgutil import resolve_name
from typing import Annotated

from synnodtest.decoding import JsonObject, Member, decode
from synnodtest.expectations import kind_of
from synnodtest.record.model import ComponentEntry, ExpectationEntry, RulingEntry, SceneEntry
from synnodtest.report.figures import curves, pairs, places, trend
from synnodtest.report.model import Figure

_SETTLED = ("PASSED", "FAILED")
Drawn = Callable[[ExpectationEntry, str, Mapping[str, SceneEntry]], Figure | None]
_KINDS: dict[str, Callable[[JsonObject, str], Figure]] = {
    "monotone": trend.monotone,
    "region": places.region,
    "paired": pairs.paired,
    "froc": curves.froc,
    "calibration": curves.calibration,
}


def figure_of(expectation: ExpectationEntry, name: str, scenes: Mapping[str, SceneEntry]) -> Figure | None:
    """Return the figure of an expectation's ruling; None where the interval strip says all.

    A payload that cannot be drawn gives a figure without a drawing that says so, and the report goes on.

    Args:
        expectation: Of the record, with a ruling.
        name: Of the figure in the document.
        scenes: Of the record, by id.
    """
    ruling, of_kind = expectation.ruling, kind_of(expectation.kind)
    if ruling is None:
        return None
    kind = ruling.figure_kind or "rate"
    try:
        if of_kind.draw:
            draw: Drawn = resolve_name(of_kind.draw)
            return draw(expectation, name, scenes)
        if kind == "equivalence" and ruling.components:
            return pairs.equivalence(name, _settling_difference(ruling))
        if kind == "sequential":
            return curves.sequential(ruling.figure, name, ruling.n_clusters if ruling.status in _SETTLED else None)
        if kind == "rate" or kind not in _KINDS:
            return _by_diameter(ruling, name)
        return _KINDS[kind](ruling.figure, name)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        return Figure(
            f"Figure {kind}", f"The data of this figure cannot be drawn ({type(error).__name__}: {error}).", None
        )


def _settling_difference(ruling: RulingEntry) -> ComponentEntry:
    """Return the first difference that has the status of its ruling, else the first: groups have one per pair."""
    first = ruling.components[0]
    alike = (part for part in ruling.components if (part.side, part.role) == (first.side, first.role))
    return next((part for part in alike if part.status == ruling.status), first)


_BY_DIAMETER = "by requested diameter"


@dataclass(frozen=True)
class _Bands:
    """The table of a ruling's details that is drawn."""

    by_diameter: Annotated[tuple[curves.Rate, ...], Member(key=_BY_DIAMETER)] = ()


_SEVERAL = " Each nodule by itself; the bound is one on scenes of several and not drawn."


def _by_diameter(ruling: RulingEntry, name: str) -> Figure | None:
    bands = decode(_Bands, ruling.details).by_diameter
    if not bands:
        return None
    bound = ruling.components[0].rate_bound if ruling.components else None
    alone = ruling.n_nodules == sum(row.nodules for row in bands)  # else a scene of several is one unit
    note = "" if alone or bound is None else _SEVERAL
    return replace(curves.rates_by_diameter(bands, name, bound if alone else None, note), tells=_BY_DIAMETER)
