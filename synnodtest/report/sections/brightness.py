"""Which behaviours planted nodules that are brighter than real ones, for verdict and credibility."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.record.words import number
from synnodtest.reference import real_nodules
from synnodtest.reference.brightness import Brightness, planted
from synnodtest.report.model import Cell, Table, table_of

__all__ = ["beside_real", "bright_behaviours"]


def bright_behaviours(record: Mapping[str, Any]) -> list[tuple[str, Brightness]]:
    """Return the behaviours most of whose nodules are brighter than 95% of real ones of their size."""
    return [(name, found) for name, found in _by_behaviour(record) if found.unlike_real]


def beside_real(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return sentences and a table of how bright the nodules of each behaviour are beside real ones."""
    found = _by_behaviour(record)
    if not found:
        return {"bright": [], "beside_real": None, "reference": ""}
    source = real_nodules().source
    told = f"{source['nodules']} annotated nodules of {source['films']} films ({source['data']})"
    return {
        "bright": [f"{name}: {one.sentence()}." for name, one in found if one.unlike_real],
        "beside_real": _table(found),
        "reference": f"Compared with the contrast in place of {told}, which ships as synnodtest.reference.",
    }


def _table(found: list[tuple[str, Brightness]]) -> Table:
    rows: list[list[Cell | str]] = [
        [
            name,
            number(one.count),
            f"{one.bright / one.count:.0%}",
            f"{number(one.contrast)} at {number(one.diameter_mm)} mm",
            one.middle.sentence(),
        ]
        for name, one in found
    ]
    columns = ["Behaviour", "Nodules", "Brighter than 95% of real ones", "A middle one", "It is"]
    return table_of("Planted nodules among annotated ones of their size", columns, rows, numeric=["Nodules"])


def _by_behaviour(record: Mapping[str, Any]) -> list[tuple[str, Brightness]]:
    scenes: dict[str, list[Mapping[str, Any]]] = {}
    for scene in record["scenes"].values():
        scenes.setdefault(str(scene.get("behaviour", "")), []).append(scene)
    found = ((name, planted(some)) for name, some in scenes.items())
    return [(name, one) for name, one in found if one is not None]
