"""The region that fails, as a behaviour of its own for the spec of the search."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import yaml

from synnodtest.commands.replay_failure import Failure
from synnodtest.decoding import decode
from synnodtest.errors import SynnodError
from synnodtest.record.model.searched import RegionEntry
from synnodtest.spec.model import Behaviour, Fuzz
from synnodtest.spec.plain import nested

COUNT = 60
"""Backgrounds of the behaviour: as many as a confirmation has trials."""
_SEARCHED_ALONE = ("companion.", "view", "mimic")
"""Quantities that scenes of one nodule cannot say."""
SIDES = {"lung": ("right_lung", "left_lung")}
"""Regions that parts 0 and 1 of another are."""
_INSIDE = "in the region "


def region_behaviour(entry: Failure, behaviour: Behaviour) -> dict[str, object]:
    """Return the behaviour that holds a detector to its claim within the region of a search.

    What is searched for ``detected`` becomes a sensitivity over the region; other claims become a search within it.

    Args:
        entry: Of the record's ``fuzzing`` list, plain JSON values.
        behaviour: The search, as its spec says it now.

    Raises:
        SynnodError: no region was shown to fail, or the spec language cannot say it.
    """
    region = decode(RegionEntry, entry.get("region") or {})
    if not region.shown:
        raise SynnodError(f"{entry['id']}: no region was shown to fail", hint="promote the example alone")
    fuzz = behaviour.fuzz
    if fuzz is None or behaviour.id.endswith("]"):
        raise SynnodError(f"{behaviour.id!r} is no search of its own in this file", hint="promote the example alone")
    values = _values(region)
    location = _location(region, fuzz)
    identity = f"{behaviour.id}-region"
    head = {"id": identity, "extends": behaviour.id, "statement": f"Within a region that once failed: {_said(region)}."}
    if entry["kind"] == "detected" and not any(n.startswith(_SEARCHED_ALONE) for n in values):
        return {**head, **_sensitivity(entry, fuzz, values, location)}
    values = {name: value for name, value in values.items() if name != "companion.present"}
    stays = {name: value for name, value in values.items() if not isinstance(value, list)}
    vary = nested({name: None if name in stays else value for name, value in values.items()})
    search = {"vary": {**vary, "location": {"region": location}}, "explicit": []}
    return {**head, "fuzz": {**search, **({"fixed": nested(stays)} if stays else {})}}


def _said(region: RegionEntry) -> str:
    return region.sentence.partition(";")[0]


def _sensitivity(entry: Failure, fuzz: Fuzz, values: Mapping[str, object], location: Any) -> dict[str, object]:
    """Return scenes over the region and the rate that was asked for."""
    every = {**{k: v for k, v in fuzz.fixed.items() if not k.startswith("place")}, **values}
    changes = {k.partition(".")[2]: v for k, v in every.items() if k.startswith("perturbations.")}
    own = nested({k: _drawn(v) for k, v in every.items() if not k.startswith("perturbations.")})
    scenes: dict[str, object] = {
        "backgrounds": {"set": fuzz.set, "count": COUNT},
        "nodules": [{"diameter_mm": 20.0, **own, "location": {"region": location}}],
    }
    if changes:
        scenes["perturbations"] = [{name: _drawn(value)} for name, value in changes.items()]
    bound = {"at_least": entry["parameters"].get("rate_at_least", 0.8)}
    return {"fuzz": None, "scenes": scenes, "expect": [{"sensitivity": bound}]}


def _drawn(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(v, (int, float)) for v in value):
        return {"uniform": value}
    return {"choice": value} if isinstance(value, list) else value


def _values(region: RegionEntry) -> dict[str, object]:
    """Return what each varied parameter may be within the region: ``[low, high]``, or a list of levels."""
    values: dict[str, object] = {}
    for row in region.parameters:
        if row.name.startswith("place."):
            continue
        term = region.term(row.name)
        if row.levels:
            levels = [level for level in (term.levels or () if term else row.levels) if level != "left out"]
            values[row.name] = levels if levels[1:] else (levels or [None])[0]
        else:
            part = max(term.parts, key=lambda p: p.end - p.start) if term else None
            values[row.name] = [part.start, part.end] if part else list(row.range or ())
    return {name: value for name, value in values.items() if value is not None}


def _location(region: RegionEntry, fuzz: Fuzz) -> Any:
    """Return the region expression of the place.

    Raises:
        SynnodError: the place is told by a distance or by heights, for which the language has no word.
    """
    place: Any = fuzz.location.region if isinstance(fuzz.location.region, str) else None
    unsaid = SynnodError(
        f"the spec language cannot say where that is: {_said(region)}", hint="promote the example alone, or draw a mask"
    )
    if place is None or (region.rule is not None and not region.rule.name.startswith(_INSIDE)):
        raise unsaid
    for term in region.terms:
        if term.name == "place.part" and place in SIDES and len(term.levels or ()) == 1:
            place = SIDES[place][int((term.levels or ())[0])]
        elif term.name.startswith("place."):
            raise unsaid
    if region.rule is None:
        return place
    other = region.rule.name.removeprefix(_INSIDE)
    return {"all": [place, {"not": other} if region.rule.below else other]}


def with_behaviour(text: str, behaviour: Mapping[str, object]) -> str:
    """Return the text of a spec with one more behaviour at the end of its list, all else byte by byte as it was.

    Raises:
        SynnodError: the behaviours are not written as a block list.
    """
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    entries = next((v for k, v in root.value if k.value == "behaviours"), None)
    if entries is None or entries.flow_style or not entries.value:
        raise SynnodError("the behaviours of this file are not a block list", hint="add the behaviour by hand")
    first = entries.value[0].start_mark.index
    dash = text.rindex("-", 0, first)
    column = dash - text.rfind("\n", 0, dash) - 1
    end = len(text[: entries.value[-1].end_mark.index].rstrip())
    break_ = "\r\n" if "\r\n" in text else "\n"
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in behaviour.items()]
    block = break_.join([f"{' ' * column}- {lines[0]}", *(f"{' ' * (column + 2)}{line}" for line in lines[1:])])
    rest = text[end:]
    return f"{text[:end]}{break_}{break_}{block}{rest if rest.strip() or rest else break_}"
