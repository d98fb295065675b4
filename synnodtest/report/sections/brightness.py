"""Behaviours that planted nodules brighter than real ones, for verdict and credibility."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from synnodtest.grouping import grouped
from synnodtest.record.model import Record, SceneEntry
from synnodtest.record.words import joined, number
from synnodtest.reference import Brightness, brightness, real_nodules
from synnodtest.report.model import Table


def bright_behaviours(record: Record) -> list[tuple[str, Brightness]]:
    """Return the behaviours most of whose nodules are brighter than 95% of real ones of their size."""
    return [(name, brightness_of) for name, brightness_of in _by_behaviour(record) if brightness_of.unlike_real]


def beside_real(record: Record) -> dict[str, object]:
    """Return sentences and a table of how bright the nodules of each behaviour are beside real ones."""
    behaviours = _by_behaviour(record)
    if not behaviours:
        return {"bright": [], "beside_real": None, "reference": ""}
    source = real_nodules().source
    shares = source["nodule_over_box"]
    lists = joined(list(shares)) if isinstance(shares, Mapping) else source["data"]
    described = f"{source['nodules']} annotated nodules of {source['films']} films ({lists})"
    return {
        "bright": [f"{name}: {one.sentence()}." for name, one in behaviours if one.unlike_real],
        "beside_real": _table(behaviours),
        "reference": f"Compared with the contrast in place of {described}, which ships as synnodtest.reference.",
    }


def _table(found: list[tuple[str, Brightness]]) -> Table:
    rows = [
        [
            name,
            number(one.count),
            f"{one.bright / one.count:.0%}",
            f"{number(one.contrast)} at {number(one.diameter_mm)} mm",
            one.middle.sentence(),
        ]
        for name, one in found
    ]
    columns = ["Behaviour", "Nodules", "Brighter than 95% of real ones", "Median nodule", "Among annotated ones it is"]
    return Table("Planted nodules among annotated ones of their size", columns, rows, numeric=["Nodules"])


def _by_behaviour(record: Record) -> list[tuple[str, Brightness]]:
    scenes = grouped((scene.behaviour, scene) for scene in record.scenes.values())
    rows = ((name, brightness(_seen(some))) for name, some in scenes.items())
    return [(name, one) for name, one in rows if one is not None]


def _seen(scenes: Iterable[SceneEntry]) -> Iterator[tuple[float, float]]:
    """Yield contrast and diameter of the nodules of accepted scenes, by what was added to the radiographs."""
    for nodule in (n for s in scenes if s.accepted for n in s.nodules):
        if nodule.contrast is not None and nodule.diameter_mm is not None:
            yield float(nodule.contrast), float(nodule.diameter_mm)
