"""The spec lock: which specs were fixed when, and what they said.

A run is confirmatory only for specs frozen before it. What was changed after freezing is listed as deviations: place,
planned and actual value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synnodtest.canonical import plain, sha256_of
from synnodtest.errors import RecordError
from synnodtest.files import write_atomic
from synnodtest.spec.model import Spec
from synnodtest.spec.plain import spec_dict

__all__ = ["LOCK", "deviations", "exploratory_reasons", "freeze", "read_lock"]

LOCK = "synnodtest.lock"
LARGEST_BYTES = 64 * 1024 * 1024
_ABSENT = "absent"


def freeze(specs: Iterable[Spec], path: Path) -> Path:
    """Write every spec as resolved, its sha256 and the time; a spec that did not change keeps its earlier time."""
    entries: dict[str, Any] = dict(read_lock(path)) if path.is_file() else {}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for spec in specs:
        name = spec.path.as_posix()
        earlier = entries.get(name, {})
        if earlier.get("sha256") != spec.sha256 or "resolved" not in earlier:
            frozen = earlier["frozen"] if earlier.get("sha256") == spec.sha256 else now
            entries[name] = {"sha256": spec.sha256, "frozen": frozen, "resolved": _resolved(spec)}
    others = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    lock = {**others, "synnodtest_lock": 1, "specs": entries, "sha256": sha256_of(entries)}
    return write_atomic(path, json.dumps(lock, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_lock(path: Path) -> dict[str, dict[str, Any]]:
    """Return the locked specs by file name: ``sha256``, ``frozen`` (ISO) and ``resolved``.

    Raises:
        RecordError: the file is no lock, or was changed by hand.
    """
    hint = "write it again: synnodtest freeze"
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ValueError("too large")
        data = json.loads(path.read_text(encoding="utf-8"))
        specs = data["specs"]
        if data["synnodtest_lock"] != 1 or not all({"sha256", "frozen"} <= set(entry) for entry in specs.values()):
            raise ValueError("another version")
        for entry in specs.values():
            datetime.fromisoformat(entry["frozen"])
        whole = data.get("sha256", "") in ("", sha256_of(specs))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RecordError(f"{path}: is no spec lock: {error}", hint=hint) from error
    if not whole:
        raise RecordError(f"{path}: was changed after it was written", hint="restore it from version control")
    return dict(specs)


def exploratory_reasons(
    specs: Mapping[str, str],
    lock: Mapping[str, Mapping[str, Any]],
    *,
    started: str,
    clean: bool | None,
    limited: bool,
) -> list[str]:
    """Return why a run is exploratory; an empty list means confirmatory.

    Args:
        specs: The sha256 of every spec that ran, by its file.
        lock: What :func:`read_lock` returned; empty without a lock.
        started: When the run started (ISO, UTC).
        clean: Whether the git tree was clean; None outside a checkout.
        limited: Whether the number of backgrounds was limited.
    """
    reasons = []
    for file, sha256 in specs.items():
        entry = lock.get(file)
        if entry is None:
            reasons.append(f"{file} was not frozen before the run")
        elif entry["sha256"] != sha256:
            reasons.append(f"{file} was changed after it was frozen on {entry['frozen']}")
        elif datetime.fromisoformat(entry["frozen"]) > datetime.fromisoformat(started):
            reasons.append(f"{file} was frozen after the run began")
    if clean is None:
        reasons.append("the run was not made in a git checkout")
    elif not clean:
        reasons.append("the git tree held uncommitted changes")
    if limited:
        reasons.append("the number of backgrounds was limited")
    return reasons


def deviations(spec: Spec, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a spec says otherwise than when it was frozen, for the record.

    Args:
        spec: As it ran.
        entry: Its entry in the lock.

    Returns:
        One entry per difference: ``expectation`` (file and behaviour), ``what`` (the place in it), ``planned``,
        ``actual``.
    """
    if entry["sha256"] == spec.sha256:
        return []
    planned, actual, file = entry.get("resolved"), _resolved(spec), spec.path.as_posix()
    if not isinstance(planned, Mapping):
        return [_deviation(file, "specification", entry["sha256"][:12], spec.sha256[:12])]
    before, after = ({b["id"]: b for b in side.get("behaviours") or []} for side in (planned, actual))
    found = [
        deviation
        for id in dict.fromkeys([*before, *after])
        for deviation in _differences(f"{file}::{id}", "", before.get(id, _ABSENT), after.get(id, _ABSENT))
    ]
    for key in ("title", "scope"):
        found += _differences(file, key, planned.get(key), actual.get(key))
    return found


def _resolved(spec: Spec) -> dict[str, Any]:
    made: dict[str, Any] = plain(spec_dict(spec.title, spec.scope, spec.behaviours))
    return made


def _differences(place: str, what: str, planned: Any, actual: Any) -> Iterator[dict[str, Any]]:
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
        yield _deviation(place, what or "behaviour", planned, actual)


def _deviation(place: str, what: str, planned: Any, actual: Any) -> dict[str, Any]:
    shown = ["present" if isinstance(v, Mapping) and what == "behaviour" else v for v in (planned, actual)]
    return {"expectation": place, "what": what, "planned": shown[0], "actual": shown[1]}
