"""The run ledger: every run of a spec, aborted ones too, so that nobody shops for a seed.

One JSON object per line, appended when a run begins and when it ends; each line carries the sha256 of the line before
it, so that a line cannot be taken out or changed without a trace.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synnodtest.canonical import canonical_json, sha256_of
from synnodtest.errors import RecordError
from synnodtest.files import lock

FILE_NAME = "synnodtest-ledger.jsonl"
CHOSEN = ("synthesizer", "backgrounds", "limit")
"""Options of a run that are entered beside seed and detector; lines of earlier releases say nothing of it."""

_KINDS = (("run", str), ("specs", list), ("files", dict), ("contents", dict))


def begin(
    path: Path,
    run_id: str,
    *,
    specs: Iterable[str],
    seed: int,
    detector: str = "",
    chosen: Mapping[str, str] = {},
    files: Mapping[str, str] = {},
) -> None:
    """Enter a run before its first scene.

    Args:
        path: The ledger.
        run_id: Identifier of the run.
        specs: sha256 of each resolved spec.
        seed: Master seed.
        detector: sha256 or name of the detector.
        chosen: Words of :data:`CHOSEN` that the run was begun with.
        files: sha256 of each resolved spec by its file.
    """
    entry = {"event": "begin", "run": run_id, "specs": sorted(specs), "seed": seed, "detector": detector}
    _append(path, {**chosen, **entry, "files": files})


def end(path: Path, run_id: str, status: str, contents: Mapping[str, str] = {}) -> None:
    """Enter how a run ended: ``finished`` or ``interrupted``. A run without this line was aborted.

    Args:
        path: The ledger.
        run_id: Identifier of the run.
        status: How it ended.
        contents: sha256 over the radiographs of each set by its name.
    """
    _append(path, {"event": "end", "run": run_id, "status": status, **({"contents": contents} if contents else {})})


def runs_of(path: Path, specs: Iterable[str] = (), files: Iterable[str] = ()) -> list[dict[str, object]]:
    """Return the runs of these resolved specs (of all, if none is named), oldest first, for the record.

    Those of other versions of the spec ``files`` are among them.

    Each has ``run``, ``started``, ``status``, ``seed``, ``detector`` and ``spec_sha256``, and :data:`CHOSEN` where the
    ledger tells. An unreadable line is left out here; :func:`faults` tells of it.
    """
    ids, named, runs = set(specs), set(files), {}
    for line in _lines(path):
        entry = _entry(line)
        if entry.get("event") == "begin":
            runs[entry.get("run")] = entry | {"status": "aborted"}
        elif entry.get("event") == "end" and entry.get("run") in runs:
            contents = {name: str(sha256) for name, sha256 in entry.get("contents", {}).items()}
            runs[entry["run"]] |= {"status": entry.get("status", ""), "contents": contents}
    return [
        {
            "run": str(e.get("run", "")),
            "started": str(e.get("when", "")),
            "status": str(e["status"]),
            "seed": e.get("seed"),
            "detector": str(e.get("detector", "")),
            "spec_sha256": spec,
            **{name: str(e[name]) for name in CHOSEN if name in e},
            **({"contents": e["contents"]} if e.get("contents") else {}),
        }
        for e in runs.values()
        for spec in e.get("specs", ())
        if not ids or spec in ids or any(e["files"][file] == spec for file in named & {*e.get("files", ())})
    ]


def breaks(path: Path) -> list[int]:
    """Return the numbers of lines that do not follow on the line before them, the first being 1."""
    return [number for number, is_entry in _breaches(path) if is_entry]


def faults(path: Path) -> list[str]:
    """Return where the chain of lines is broken, a sentence each."""
    words = {True: "does not follow on the line before it", False: "not a ledger entry"}
    return [f"{path}:{number}: {words[is_entry]}" for number, is_entry in _breaches(path)]


def _breaches(path: Path) -> Iterator[tuple[int, bool]]:
    """Yield the number of each line that breaks the chain, and whether it is an entry."""
    before = ""
    for number, line in enumerate(_lines(path), 1):
        entry = _entry(line)
        if not entry or entry.get("before") != before:
            yield number, bool(entry)
        before = sha256_of(line.encode())


def _append(path: Path, entry: dict[str, object]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            lock(file)  # two runs that end at once write one after the other
            file.seek(0)
            text = file.read()
            lines = _split(text)
            when = datetime.now(UTC).isoformat(timespec="seconds")
            before = sha256_of(lines[-1].encode()) if lines else ""
            file.seek(0, os.SEEK_END)
            torn = "\n" * bool(text and not text.endswith(b"\n"))  # by a full disk or a sudden death
            file.write((torn + canonical_json({**entry, "when": when, "before": before}) + "\n").encode())
    except OSError as error:
        raise RecordError(
            f"{path}: the run cannot be entered ({error.strerror})", hint="--synnod-ledger FILE names another place"
        ) from error


def _lines(path: Path) -> list[str]:
    return _split(path.read_bytes()) if path.is_file() else []


def _split(content: bytes) -> list[str]:
    """Return the lines as they were written, whatever ends git gave them in a checkout on Windows."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n")
    return text.split("\n") if text else []


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    sound = isinstance(entry, dict) and all(isinstance(entry.get(name, kind()), kind) for name, kind in _KINDS)
    return entry if sound and all(isinstance(spec, str) for spec in entry.get("specs", ())) else {}
