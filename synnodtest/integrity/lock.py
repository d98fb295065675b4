"""The spec lock: which specs were fixed when, and what they said.

A run is confirmatory only for specs frozen before it. What was changed after freezing is listed as deviations: place,
planned and actual value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from synnodtest.canonical import plain, sha256_of
from synnodtest.counted import joined
from synnodtest.decoding import JsonObject, Member, decode
from synnodtest.errors import RecordError, SynnodError
from synnodtest.files import write_atomic
from synnodtest.integrity.sources import sources
from synnodtest.spec.model import Spec
from synnodtest.spec.plain import spec_dict

LOCK = "synnodtest.lock"
LARGEST_BYTES = 64 * 1024 * 1024
"""Size of a lock, in bytes, that is read as a whole: far above the specs that it holds, each at most 1 MB."""
_ABSENT = "absent"
_NAMED = 3
"""Files that a reason names; more are counted."""


@dataclass(frozen=True)
class Frozen:
    """A spec, or a change control plan, in the lock.

    Args:
        sha256: Of the resolved spec, or of all that the plan says.
        frozen: ISO time.
        resolved: What the spec said, in the language of specs; None in locks of the first releases.
        sources: sha256 of the code that it names, see ``sources.py``; None in earlier locks.
        raw: As it stands in the file.
    """

    sha256: str
    frozen: str
    resolved: JsonObject | None = None
    sources: Mapping[str, str] | None = None
    raw: Annotated[JsonObject, Member(whole=True)] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Lock:
    """All that is frozen.

    Args:
        synnodtest_lock: Its version.
        specs: Specs by file.
        protocols: Change control plans by file.
        raw: As it stands in the file.
    """

    synnodtest_lock: int
    specs: Mapping[str, Frozen]
    protocols: Mapping[str, Frozen] = field(default_factory=dict)
    raw: Annotated[JsonObject, Member(whole=True)] = field(default_factory=dict, repr=False, compare=False)

    def is_whole(self) -> bool:
        """Return whether specs and plans are as they were written."""
        specs, protocols = self.raw["specs"], self.raw.get("protocols", {})
        of_first_releases = "sha256" not in self.raw and all(entry.resolved is None for entry in self.specs.values())
        if not of_first_releases and self.raw.get("sha256") != sha256_of(specs):
            return False
        told = self.raw.get("protocols_sha256")
        untold_is_fine = of_first_releases or not protocols
        return told == sha256_of(protocols) or (told is None and untold_is_fine)


_EMPTY = Lock(1, {})


def freeze(specs: Iterable[Spec], path: Path) -> Path:
    """Write every spec as resolved, its sha256 and the time; a spec that did not change keeps its earlier time.

    Raises:
        RecordError: the lock that is there cannot be read, or code that a spec names cannot be: nothing is written.
    """
    lock = read_lock(path) if path.is_file() else _EMPTY
    entries = {name: entry.raw for name, entry in lock.specs.items()}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for spec in specs:
        name = spec.path.as_posix()
        earlier = lock.specs.get(name)
        code = _code_of(spec)
        same = earlier is not None and earlier.sha256 == spec.sha256 and (earlier.sources or {}) == code
        if not same or earlier is None or earlier.resolved is None:
            frozen = earlier.frozen if same and earlier is not None else now
            entry = {"sha256": spec.sha256, "frozen": frozen, "resolved": _resolved(spec)}
            entries[name] = entry | ({"sources": code} if code else {})
    return write_lock(path, {**lock.raw, "synnodtest_lock": 1, "specs": entries, "sha256": sha256_of(entries)})


def _code_of(spec: Spec) -> dict[str, str]:
    try:
        return sources(spec, whole=True)
    except SynnodError as error:
        raise RecordError(f"{spec.path.as_posix()}: cannot be frozen: {error.message}", hint=error.hint) from error


def write_lock(path: Path, content: JsonObject) -> Path:
    """Write a lock so that a version control shows what changed in it."""
    return write_atomic(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def locked(path: Path) -> Mapping[str, Frozen]:
    """Return the specs of :func:`read_lock`; none where there is no lock."""
    return read_lock(path).specs if path.is_file() else {}


def read_lock(path: Path) -> Lock:
    """Return what is frozen.

    Raises:
        RecordError: the file is no lock, or was changed by hand.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ValueError("too large")
        lock = decode(Lock, json.loads(path.read_text(encoding="utf-8")))
        if lock.synnodtest_lock != 1:
            raise ValueError("another version")
        for entry in (*lock.specs.values(), *lock.protocols.values()):
            moment(entry.frozen)
        whole = lock.is_whole()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(f"{path}: is no spec lock: {error}", hint="write it again: synnodtest freeze") from error
    if not whole:
        raise RecordError(f"{path}: was changed after it was written", hint="restore it from version control")
    return lock


def moment(text: str) -> datetime:
    """Return an ISO time.

    Raises:
        ValueError: it is none, or does not say of which zone.
    """
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"{text!r} names no time zone")
    return when


def exploratory_reasons(
    specs: Mapping[str, str],
    lock: Mapping[str, Frozen],
    *,
    started: str,
    clean: bool | None,
    limited: bool,
    code: Mapping[str, Mapping[str, str]] | None = None,
    checkout: str = "",
) -> list[str]:
    """Return why a run is exploratory; an empty list means confirmatory.

    Args:
        specs: The sha256 of every spec that ran, by its file.
        lock: What :func:`read_lock` returned; empty without a lock.
        started: When the run started (ISO, UTC).
        clean: Whether the git tree was clean; None outside a checkout.
        limited: Whether the number of backgrounds was limited.
        code: sha256 of the code that each spec names, by its file.
        checkout: What is changed in the checkout, or why it could not be read, where there is one.
    """
    unfrozen = [file for file in specs if file not in lock]
    named = unfrozen if len(unfrozen) <= _NAMED else [f"{len(unfrozen)} of {len(specs)} specifications"]
    told = f"{joined(named)} {'was' if len(unfrozen) == 1 else 'were'} not frozen before the run"
    reasons = [told] * bool(unfrozen)
    for file, sha256 in specs.items():
        entry = lock.get(file)
        if entry is None:
            continue
        if entry.sha256 != sha256:
            reasons.append(f"{file} was changed after it was frozen on {entry.frozen}")
        elif moment(entry.frozen) > moment(started):
            reasons.append(f"{file} was frozen after the run began")
        else:
            moved = moved_sources(entry, (code or {}).get(file, {}))
            reasons += [f"the code of {name}, which {file} names, is not what was frozen with it" for name in moved]
    if clean is None:
        reasons.append(checkout or "the run was not made in a git checkout")
    elif not clean:
        reasons.append("the git tree held uncommitted changes" + (f" ({checkout})" if checkout else ""))
    if limited:
        reasons.append("the number of backgrounds was limited")
    return reasons


def moved_sources(entry: Frozen, code: Mapping[str, str]) -> list[str]:
    """Return what a spec names whose code is not what was frozen; earlier locks do not tell."""
    known = entry.sources
    return [] if known is None else [name for name, sha256 in code.items() if known.get(name) != sha256]


def deviations(spec: Spec, entry: Frozen) -> list[JsonObject]:
    """Return what a spec says otherwise than when it was frozen, for the record.

    Args:
        spec: As it ran.
        entry: Its entry in the lock.

    Returns:
        One entry per difference: ``expectation`` (file and behaviour), ``what`` (the place in it), ``planned``,
        ``actual``.
    """
    if entry.sha256 == spec.sha256:
        return []
    planned, actual, file = entry.resolved, _resolved(spec), spec.path.as_posix()
    if planned is None:
        return [deviation(file, "specification", entry.sha256[:12], spec.sha256[:12])]
    before, after = (_behaviours(side) for side in (planned, actual))
    entries: list[JsonObject] = []
    for id in dict.fromkeys([*before, *after]):
        entries += _differences(f"{file}::{id}", "", before.get(id, _ABSENT), after.get(id, _ABSENT))
    for key in ("title", "scope"):
        entries += _differences(file, key, planned.get(key), actual.get(key))
    return entries


def _resolved(spec: Spec) -> JsonObject:
    content: JsonObject = plain(spec_dict(spec.title, spec.scope, spec.behaviours))
    return content


def _behaviours(side: JsonObject) -> dict[str, JsonObject]:
    listed = side.get("behaviours")
    return {str(b["id"]): b for b in listed} if isinstance(listed, list) else {}


def _differences(place: str, what: str, planned: Any, actual: Any) -> Iterator[JsonObject]:
    if planned == actual:
        return
    if isinstance(planned, Mapping) and isinstance(actual, Mapping):
        for key in dict.fromkeys([*planned, *actual]):
            inner = f"{what}.{key}" if what else str(key)
            yield from _differences(place, inner, planned.get(key, _ABSENT), actual.get(key, _ABSENT))
    elif isinstance(planned, list) and isinstance(actual, list) and len(planned) == len(actual):
        for index, pair in enumerate(zip(planned, actual, strict=True)):
            yield from _differences(place, f"{what}[{index}]", *pair)
    else:
        yield deviation(place, what or "behaviour", planned, actual)


def deviation(place: str, what: str, planned: Any, actual: Any) -> JsonObject:
    """Return a deviation as the record keeps it; a whole behaviour is only said to be present."""
    values = ["present" if isinstance(v, Mapping) and what == "behaviour" else v for v in (planned, actual)]
    return {"expectation": place, "what": what, "planned": values[0], "actual": values[1]}
