"""The protocol of a predetermined change control plan (PCCP): what may change in a detector, and what must hold.

Written by ``synnodtest freeze --protocol FILE`` and edited by hand. Freezing notes its sha256 and the time in the spec
lock, so that a plan that was made to fit a version is told from one that came before it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import yaml

from synnodtest.canonical import sha256_of
from synnodtest.decoding import JsonObject
from synnodtest.errors import RecordError
from synnodtest.expectations.metrics import METRICS
from synnodtest.files import write_atomic
from synnodtest.integrity.lock import read_lock, write_lock
from synnodtest.integrity.sources import sources
from synnodtest.spec.model import Spec
from synnodtest.spec.source import YamlFault, parse

GATES = ("integrity", "safety", "performance", "exploratory")
LEAST_PAIRS = 60
"""Pairs of scenes that a comparison of versions rests on at least, unless the protocol says otherwise."""
_KEYS = frozenset({"synnodtest_pccp", "title", "device", "modifications", "specs", "may_change", "must_hold"})
_HOLD = frozenset({"passed", "lost_at_most", "non_inferior", "alpha", "pairs_at_least"})


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
        RecordError: the protocol cannot be read, or a spec that it names is not as it says.
    """
    read = list(specs)
    drafted = not path.is_file()
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
        RecordError: names the file, what is wrong, and what to do.
    """
    hint = "draft one: synnodtest freeze SPECS --protocol FILE"
    try:
        text = path.read_text(encoding="utf-8")
        data, (_, problems) = yaml.safe_load(text), parse(text, path.as_posix())
    except (OSError, yaml.YAMLError, UnicodeDecodeError, RecursionError, YamlFault) as error:
        raise RecordError(f"{path}: cannot be read: {error}", hint=hint) from error
    if not isinstance(data, Mapping) or data.get("synnodtest_pccp") != 1:
        raise RecordError(f"{path}: is no change control protocol: synnodtest_pccp: 1 is missing", hint=hint)
    if twice := [problem for problem in problems if " is given twice" in problem.message]:  # YAML drops the first
        raise RecordError(str(twice[0]), hint="keep one")
    try:
        return _protocol(data)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise RecordError(f"{path}: {error}", hint="see 'Change control' in the documentation") from error


def _protocol(data: Mapping[str, Any]) -> Protocol:
    _known("the protocol", data, _KEYS)
    hold = data.get("must_hold") or {}
    _known("must_hold", hold, _HOLD)
    specs = {str(k): str(v) for k, v in (data.get("specs") or {}).items()}
    if not specs:
        raise ValueError("specs: names no spec, so that nothing would be judged")
    gates = tuple(str(g) for g in hold.get("passed") or ())
    if unknown := [g for g in gates if g not in GATES]:
        raise ValueError(f"must_hold.passed: {unknown[0]!r} is no gate; one of {', '.join(GATES)}")
    margins = tuple(_margin(index, entry) for index, entry in enumerate(hold.get("non_inferior") or ()))
    if not gates and not margins and "lost_at_most" not in hold:
        raise ValueError("must_hold: asks for nothing, so that every version would keep it")
    alpha = float(hold.get("alpha", 0.05))
    if not 0 < alpha < 0.5:
        raise ValueError(f"must_hold.alpha: {alpha:g} is not between 0 and 0.5")
    return Protocol(
        title=str(data.get("title") or "Predetermined change control plan"),
        device=str(data.get("device") or ""),
        modifications=tuple({str(k): str(v) for k, v in m.items()} for m in data.get("modifications") or ()),
        specs=specs,
        may_change=tuple(str(name) for name in data.get("may_change") or ()),
        passed=gates,
        lost_at_most=_count("must_hold.lost_at_most", hold.get("lost_at_most", 0)),
        margins=margins,
        alpha=alpha,
        pairs_at_least=_count("must_hold.pairs_at_least", hold.get("pairs_at_least", LEAST_PAIRS)),
        sha256=sha256_of(json.loads(json.dumps(data, default=str))),
    )


def _known(where: str, data: JsonObject, keys: frozenset[str]) -> None:
    unknown = sorted(str(key) for key in data if key not in keys)
    if unknown:
        raise ValueError(f"{where}: {unknown[0]!r} is not known; there are {', '.join(sorted(keys))}")


def _margin(index: int, entry: Mapping[str, Any]) -> Margin:
    where = f"must_hold.non_inferior[{index}]"
    _known(where, entry, frozenset({"metric", "margin", "behaviour"}))
    metric, margin = str(entry["metric"]), float(entry["margin"])
    if metric not in METRICS:
        raise ValueError(f"{where}.metric: {metric!r} is none of {', '.join(METRICS)}")
    if not (math.isfinite(margin) and margin > 0):
        raise ValueError(f"{where}.margin: {margin:g} is not above 0")
    return Margin(metric, margin, str(entry.get("behaviour") or ""))


def _count(where: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{where}: {value!r} is no whole number of 0 or more")
    return value
