"""The spec lock: which specs were fixed when. A run is confirmatory only for specs frozen before it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synnodtest.errors import RecordError
from synnodtest.reporting.files import write_atomic
from synnodtest.spec.model import Spec

__all__ = ["LOCK", "exploratory_reasons", "freeze", "read_lock"]

LOCK = "synnodtest.lock"


def freeze(specs: Iterable[Spec], path: Path) -> Path:
    """Write the resolved sha256 of every spec with the time; a spec that did not change keeps its earlier time."""
    earlier = read_lock(path) if path.is_file() else {}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entries = dict(earlier)
    for spec in specs:
        name = spec.path.as_posix()
        if earlier.get(name, {}).get("sha256") != spec.sha256:
            entries[name] = {"sha256": spec.sha256, "frozen": now}
    return write_atomic(path, json.dumps({"synnodtest_lock": 1, "specs": entries}, indent=1, sort_keys=True) + "\n")


def read_lock(path: Path) -> dict[str, dict[str, str]]:
    """Return the locked specs by file name.

    Raises:
        RecordError: the file is no lock.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        specs = data["specs"]
        if data["synnodtest_lock"] != 1 or not all({"sha256", "frozen"} <= set(entry) for entry in specs.values()):
            raise ValueError("another version")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path}: is no spec lock: {error}", hint="write it again: synnodtest freeze") from error
    return dict(specs)


def exploratory_reasons(
    specs: Iterable[Mapping[str, Any]],
    lock: Mapping[str, Mapping[str, str]],
    *,
    started: str,
    clean: bool | None,
    limited: bool,
) -> list[str]:
    """Return why a run is exploratory; an empty list means confirmatory.

    Args:
        specs: ``file`` and ``sha256`` of every spec that ran.
        lock: What :func:`read_lock` returned; empty without a lock.
        started: When the run started (ISO, UTC).
        clean: Whether the git tree was clean; None outside a checkout.
        limited: Whether the number of backgrounds was limited.
    """
    reasons = []
    for spec in specs:
        entry = lock.get(spec["file"])
        if entry is None:
            reasons.append(f"{spec['file']} was not frozen before the run")
        elif entry["sha256"] != spec["sha256"]:
            reasons.append(f"{spec['file']} was changed after it was frozen on {entry['frozen']}")
        elif datetime.fromisoformat(entry["frozen"]) >= datetime.fromisoformat(started):
            reasons.append(f"{spec['file']} was frozen after the run began")
    if clean is None:
        reasons.append("the run was not made in a git checkout")
    elif not clean:
        reasons.append("the git tree held uncommitted changes")
    if limited:
        reasons.append("the number of backgrounds was limited")
    return reasons
