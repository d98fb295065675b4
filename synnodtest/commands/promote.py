"""``synnodtest promote``: a confirmed counterexample becomes an explicit example of its spec.

With ``--region`` the region that fails becomes a behaviour of its own. What is added is put into the file; every other
byte of it, comments and layout too, stays as it is.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from synnodtest.commands.recorded_run import run_with
from synnodtest.commands.replayed_failures import Failure, find_failure, in_words
from synnodtest.decoding import decode
from synnodtest.errors import SpecError, SynnodError
from synnodtest.files import replacing
from synnodtest.record.model.searched import RegionEntry
from synnodtest.shell.baseline import kept_record
from synnodtest.spec.loader import load_spec
from synnodtest.spec.model import Behaviour, Fuzz, Spec
from synnodtest.spec.plain import flow, nested

COUNT = 60
"""Backgrounds of the behaviour: as many as a confirmation has trials."""
_SEARCHED_ALONE = ("companion.", "view", "mimic")
"""Quantities that scenes of one nodule cannot say."""
SIDES = {"lung": ("right_lung", "left_lung")}
"""Regions that parts 0 and 1 of another are."""
_INSIDE = "in the region "


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    add = parser.add_argument
    add("failure", help="id of the counterexample as the report prints it: fuzz-...")
    add("--report", type=Path, help="folder of the run (default: the newest under reports/ that knows it)")
    add("--reports", type=Path, default=Path("reports"), help="parent folder of runs")
    add(
        "--region", action="store_true",
        help="write the region that fails as a behaviour of its own, in place of the example alone",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    record = kept_record(str(options.report or run_with(options.reports, options.failure)))
    failure = find_failure(record, options.failure)
    if failure["status"] not in ("FAILED", "ERROR"):
        raise SynnodError(
            f"{failure['id']} is {failure['status'] or 'no failure'}: only confirmed ones are promoted",
            hint="search again with more examples or backgrounds, or write the example into 'explicit' by hand",
        )
    named = [b.file for b in record.behaviours if b.id == failure["behaviour"]]
    own = str(failure.get("expectation_id") or "").partition("::")[0]  # of two specs with a behaviour of that name
    path = Path(own if own in named else named[0])
    before = load_spec(path)
    if failure["behaviour"] not in {b.id for b in before.behaviours}:
        raise SynnodError(
            f"{path}: there is no behaviour {failure['behaviour']!r} any more",
            hint="run the specs again, or add the example by hand: " + flow(failure["example"]),
        )
    if options.region:
        return _region(path, before.behaviour(failure["behaviour"]), failure)
    known = _explicit(before, failure["behaviour"])
    if failure["example"] in known:
        print(f"{path}: nothing to add: {failure['behaviour']} always tries {in_words(failure)} already")
        return 0
    text = with_explicit(_text(path), failure["behaviour"], failure["example"])
    more = "add the example by hand"
    _put(path, text, lambda spec: len(_explicit(spec, failure["behaviour"])) == len(known) + 1, more)
    print(f"{path}: {failure['behaviour']} now always tries {in_words(failure)}")
    print(f"  {flow(failure['example'])}")
    region = failure.get("region") or {}
    if region.get("shown"):
        print(f"the region that fails as a behaviour: synnodtest promote {failure['id']} --region")
        print(f"  {region['sentence']}")
    return 0


def _region(path: Path, behaviour: Behaviour, failure: Failure) -> int:
    """Add the region of a search as a behaviour of its spec."""
    promoted = region_behaviour(failure, behaviour)
    if any(b.id == promoted["id"] for b in load_spec(path).behaviours):
        raise SynnodError(f"{path}: there is a behaviour {promoted['id']!r} already", hint="rename or remove it")
    text = with_behaviour(_text(path), promoted)
    _put(path, text, lambda spec: any(b.id == promoted["id"] for b in spec.behaviours), "add the behaviour by hand")
    print(f"{path}: {promoted['id']}: {promoted['statement']}")
    return 0


def _explicit(spec: Spec, behaviour: str) -> list[dict[str, object]]:
    """Return the explicit examples of a behaviour, nested as specs write them."""
    fuzz = spec.behaviour(behaviour).fuzz
    return [] if fuzz is None else [nested(example) for example in fuzz.explicit]


def _text(path: Path) -> str:
    """Return the text of a spec, its line ends as they are."""
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise SynnodError(f"{path}: is not UTF-8", hint="save it as UTF-8, or add the example by hand") from None


def _put(path: Path, text: str, holds: Callable[[Spec], bool], hint: str) -> None:
    """Put the new text in place of the file, once it has been read and holds what was added."""
    with replacing(path.resolve()) as temporary:  # a link stays one
        temporary.write_text(text, encoding="utf-8", newline="")
        try:
            there = holds(load_spec(temporary))
        except SpecError as error:
            raise SynnodError(f"{path}: cannot take it: {error.problems[0].message}", hint=hint) from error
        if not there:
            raise SynnodError(f"{path}: the behaviour takes its examples from elsewhere", hint=hint)


def with_explicit(text: str, behaviour: str, example: Mapping[str, object]) -> str:
    """Return the text of a spec with one more explicit example, everything else byte by byte as it was.

    Args:
        text: The spec.
        behaviour: Identifier; one made by ``matrix`` stands under its id without the brackets.
        example: Plain values, nested as specs write them.

    Raises:
        SynnodError: the behaviour or its ``fuzz`` is not written in this file.
    """
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    entries = _child(root, "behaviours")
    names = (behaviour, behaviour.partition("[")[0])
    node = next((n for n in (entries.value if entries else []) if _word(n, "id") in names), None)
    fuzz = _child(node, "fuzz") if node is not None else None
    if fuzz is None or not fuzz.value:
        raise SynnodError(
            f"behaviour {behaviour!r} has no 'fuzz' of its own in this file",
            hint=f"add it by hand: explicit: [{flow(example)}]",
        )
    at, added = _insertion(text, fuzz, flow(example))
    return text[:at] + added + text[at:]


def _insertion(text: str, fuzz: Any, item: str) -> tuple[int, str]:
    explicit = _child(fuzz, "explicit")
    end = "\r\n" if "\r\n" in text else "\n"
    if explicit is not None and explicit.flow_style:
        return explicit.start_mark.index + 1, f"{item}, " if explicit.value else item
    if explicit is not None and explicit.value:
        dash = text.rindex("-", 0, explicit.value[0].start_mark.index)
        return dash, f"- {item}{end}{' ' * (dash - text.rfind(chr(10), 0, dash) - 1)}"
    first = fuzz.value[0][0].start_mark
    if fuzz.flow_style:
        return fuzz.start_mark.index + 1, f"explicit: [{item}], "
    return first.index, f"explicit:{end}{' ' * (first.column + 2)}- {item}{end}{' ' * first.column}"


def _child(node: Any, name: str) -> Any:
    if node is None or not isinstance(node.value, list):
        return None
    pairs = (pair for pair in node.value if isinstance(pair, tuple))
    return next((value for key, value in pairs if key.value == name), None)


def _word(node: Any, name: str) -> str | None:
    node_found = _child(node, name)
    return None if node_found is None else str(node_found.value)


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
    entries = _child(root, "behaviours")
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
