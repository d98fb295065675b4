"""The protocol of a predetermined change control plan (PCCP): what may change in a detector, and what must hold.

Written by ``synnodtest freeze --protocol FILE`` and edited by hand. Freezing notes its sha256 and the time in the spec
lock, so that a plan that was made to fit a version is told from one that came before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from string import Template

from synnodtest.canonical import sha256_of
from synnodtest.decoding import Schema
from synnodtest.errors import RecordError
from synnodtest.expectations.metrics import METRICS, RATES
from synnodtest.files import write_atomic
from synnodtest.integrity.forms import read_nodes
from synnodtest.integrity.lock import read_lock, write_lock
from synnodtest.integrity.sources import sources
from synnodtest.spec.messages import unknown
from synnodtest.spec.model import Spec
from synnodtest.spec.nodes import plain

IDENTITY_FIELDS = ("name", "version", "weights", "sha256", "configuration")
"""Fields that ``may_change`` can name; ``configuration.NAME`` is one of its settings, ``weights`` their sha256."""
GATES = ("integrity", "safety", "performance", "exploratory")
LEAST_PAIRS = 60
"""Pairs of scenes that a comparison of versions rests on at least, unless the protocol says otherwise."""
HINT = "draft one: synnodtest freeze SPECS --protocol FILE; see 'Change control' in the documentation"
WHAT = f"a change control plan, with synnodtest_pccp: 1; {HINT}"
_WORD = {"type": ["string", "number", "boolean", "null"]}
_COUNT = {"type": "integer", "minimum": 0}


def _mapping(required: Iterable[str] = (), **properties: object) -> dict[str, object]:
    return {"type": "object", "required": [*required], "additionalProperties": False, "properties": properties}


def _list(items: Mapping[str, object]) -> dict[str, object]:
    return {"type": ["array", "null"], "items": items}


_MARGIN = _mapping(
    ["metric", "margin"],
    metric={"type": "string", "enum": [*METRICS]},
    margin={"type": "number", "exclusiveMinimum": 0},
    behaviour={"type": ["string", "null"]},
)
_HOLD = _mapping(
    passed=_list({"type": "string", "enum": [*GATES]}),
    lost_at_most=_COUNT,
    non_inferior=_list(_MARGIN),
    alpha={"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5},
    pairs_at_least=_COUNT,
)
_FORM: Schema = _mapping(
    ["synnodtest_pccp", "specs", "must_hold"],
    synnodtest_pccp={"const": 1},
    title=_WORD,
    device=_WORD,
    modifications=_list({"type": "object", "additionalProperties": _WORD}),
    specs={"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
    may_change=_list({"type": "string"}),
    must_hold=_HOLD | {"type": ["object", "null"]},
)


@dataclass(frozen=True)
class Margin:
    """Margin by which a new version may be worse than an earlier one.

    Args:
        metric: One of :data:`~synnodtest.expectations.metrics.METRICS`.
        margin: Above 0, in the unit of the metric.
        behaviour: Of one behaviour; empty: over all.
    """

    metric: str
    margin: float
    behaviour: str = ""


@dataclass(frozen=True)
class Protocol:
    """Planned modifications, and conditions that must hold.

    Args:
        title: Of the plan.
        device: Name of the device.
        modifications: What is foreseen, for the reader: ``what``, ``why``, ``impact``.
        specs: sha256 of each spec, by file.
        may_change: Fields of the detector's identity that may differ.
        passed: Gates whose expectations must all pass.
        lost_at_most: How many expectations that an earlier version passed may be lost.
        margins: Non-inferiority against every earlier version.
        alpha: One-sided error rate of each bound.
        pairs_at_least: Pairs of scenes that each margin rests on.
        sha256: Of all that was said.
    """

    title: str
    device: str
    modifications: tuple[Mapping[str, str], ...]
    specs: Mapping[str, str]
    may_change: tuple[str, ...]
    passed: tuple[str, ...]
    lost_at_most: int
    margins: tuple[Margin, ...]
    alpha: float
    pairs_at_least: int
    sha256: str


def draft(specs: Iterable[Spec], name: str) -> str:
    """Return the text of a protocol over these specs, to be edited; ``name`` is that of its file."""
    read = list(specs)
    gates = {b.gate for spec in read for b in spec.behaviours}
    lines = [f"  {json.dumps(spec.path.as_posix())}: {spec.sha256}" for spec in read]
    gates_named = ", ".join(g for g in GATES if g in gates and g != "exploratory")
    text = resources.files("synnodtest.integrity").joinpath("protocol.draft.yaml").read_text(encoding="utf-8")
    return Template(text).substitute(name=name, specs="\n".join(lines), gates=gates_named, pairs=LEAST_PAIRS)


def freeze_protocol(path: Path, specs: Iterable[Spec], lock: Path) -> tuple[bool, Protocol]:
    """Write a draft where there is no protocol, and note in the lock what it says and when; True if it was drafted.

    The code that its specs name is noted too.

    Raises:
        RecordError: the protocol cannot be read, a spec that it names is not as it says, or it names what is not there.
    """
    read = list(specs)
    drafted = not path.exists()
    if drafted:
        write_atomic(path, draft(read, path.name))
    protocol = read_protocol(path)
    now = {spec.path.as_posix(): spec.sha256 for spec in read}
    moved = [name for name, sha in protocol.specs.items() if now.get(name) != sha]
    if moved:
        raise RecordError(
            f"{path}: {moved[0]} is not the spec that the protocol names",
            hint="name it to freeze; a spec that changed asks for a new protocol: delete the file to draft one",
        )
    _refuse_what_nothing_has(path, protocol, [s for s in read if s.path.as_posix() in protocol.specs])
    frozen = read_lock(lock)
    known = {file: entry.raw for file, entry in frozen.protocols.items()}
    before = known.get(path.as_posix(), {})
    code = _code(spec for spec in read if spec.path.as_posix() in protocol.specs)
    if (before.get("sha256"), before.get("sources", {})) != (protocol.sha256, code):
        when = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"sha256": protocol.sha256, "frozen": when}
        known[path.as_posix()] = entry | ({"sources": code} if code else {})
    write_lock(lock, {**frozen.raw, "protocols": known, "protocols_sha256": sha256_of(known)})
    return drafted, protocol


def _refuse_what_nothing_has(path: Path, protocol: Protocol, specs: Iterable[Spec]) -> None:
    """Refuse names that no detector or spec has, and margins of the whole scale: a frozen plan mends nothing later.

    Raises:
        RecordError: there are some; names all.
    """
    ids = [behaviour.id for spec in specs for behaviour in spec.behaviours]
    fields = [one for one in protocol.may_change if one.partition(".")[0] not in IDENTITY_FIELDS]
    faults = [f"may_change: {unknown(one, IDENTITY_FIELDS, 'fields of a detector')}" for one in fields]
    for one in protocol.margins:
        if one.behaviour and one.behaviour not in ids:
            faults.append(f"non_inferior: the behaviour {unknown(one.behaviour, ids, 'those of its specs')}")
        if one.metric in RATES and one.margin >= 1:
            faults.append(f"non_inferior: a margin of {one.margin:g} is all of {one.metric}; 0.05 is five points")
    if faults:
        raise RecordError("\n".join(f"{path}: {fault}" for fault in faults), hint="mend it, then freeze it again")


def _code(specs: Iterable[Spec]) -> dict[str, str]:
    return {name: sha256 for spec in specs for name, sha256 in sources(spec).items()}


def frozen_at(protocol: Protocol, lock: Path) -> tuple[str, Mapping[str, str] | None]:
    """Return when a protocol of this content was frozen (ISO), empty where the lock does not know it, with what code.

    That is the sha256 of the code that its specs name; None where none was noted: they name none, or the lock is of a
    release that noted none.

    Raises:
        RecordError: the lock cannot be read, or was changed by hand; those of earlier releases do not tell.
    """
    entries = read_lock(lock).protocols.values() if lock.is_file() else ()
    return next(((entry.frozen, entry.sources) for entry in entries if entry.sha256 == protocol.sha256), ("", None))


# --- reading --------------------------------------------------------------------------------------------------------


def read_protocol(path: Path) -> Protocol:
    """Read a protocol.

    Raises:
        RecordError: names the file, the line, what is wrong, and what to do.
    """
    root = read_nodes(path, _FORM, WHAT)
    data = plain(root)
    hold = data["must_hold"] or {}
    gates, margins = tuple(hold.get("passed") or ()), tuple(hold.get("non_inferior") or ())
    if not gates and not margins and "lost_at_most" not in hold:
        place, nothing = root.mapping["must_hold"].place, "asks for nothing, so that every version would keep it"
        raise RecordError(f"{place.file}:{place.line}:{place.column}: must_hold: {nothing}", hint=HINT)
    return Protocol(
        title=str(data.get("title") or "Predetermined change control plan"),
        device=str(data.get("device") or ""),
        modifications=tuple({k: str(v) for k, v in m.items()} for m in data.get("modifications") or ()),
        specs=data["specs"],
        may_change=tuple(data.get("may_change") or ()),
        passed=gates,
        lost_at_most=int(hold.get("lost_at_most", 0)),
        margins=tuple(Margin(m["metric"], float(m["margin"]), m.get("behaviour") or "") for m in margins),
        alpha=float(hold.get("alpha", 0.05)),
        pairs_at_least=int(hold.get("pairs_at_least", LEAST_PAIRS)),
        sha256=sha256_of(data),
    )
