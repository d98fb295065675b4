"""Credibility reports of synthesizers: what ``synnodtest evaluate synthesizer --out FILE`` measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from synnodtest.canonical import sha256_of
from synnodtest.errors import RecordError, SynnodError
from synnodtest.shipped import shipped_model

__all__ = ["FILE_NAME", "beside_models", "differences", "read", "read_all"]

FILE_NAME = "credibility.json"
"""Beside a model's weights; then it is found without being named."""
_LARGEST_BYTES = 4_000_000
_HINT = "written by: synnodtest evaluate synthesizer ... --out FILE"


def beside_models(record: Mapping[str, Any], root: Path, file_name: str = FILE_NAME) -> list[Path]:
    """Return the files of a name, credibility reports by default, that lie beside the models of a run.

    Args:
        record: The record; its options name the folder of a user's model.
        root: What a relative folder is relative to.
        file_name: Of the files.
    """
    named = str((record["run"].get("options") or {}).get("synthesizer", "")).partition(":")[2]
    places = [root / named / file_name] if named else []
    for synthesizer in record["identification"]["synthesizers"] if not named else ():
        if synthesizer.get("demonstration"):
            try:
                places.append(shipped_model(f"{synthesizer['name']}/{file_name}"))
            except SynnodError:
                continue
    return [place for place in places if place.is_file()]


def read(path: Path) -> dict[str, Any]:
    """Return a credibility report: ``file`` and ``sha256``, ``synthesizer`` (its identity) and what was ``measured``.

    Raises:
        RecordError: the file cannot be read or is no such report.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ValueError(f"larger than {_LARGEST_BYTES // 1_000_000} MB")
        content = path.read_bytes()
        found = json.loads(content, parse_constant=lambda word: None)
        if not isinstance(found, dict) or not isinstance(found.get("synthesizer"), dict):
            raise ValueError("it names no synthesizer")
        if not isinstance(found["synthesizer"].get("name"), str):
            raise ValueError("its synthesizer has no name")
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})", hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path}: no credibility report of a synthesizer ({error})", hint=_HINT) from error
    synthesizer = found.pop("synthesizer")
    return {"file": path.name, "sha256": sha256_of(content), "synthesizer": synthesizer, "measured": found}


def read_all(paths: Iterable[Path], synthesizers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the part ``credibility`` of a record: every report, and how its synthesizer differs from the run's.

    Raises:
        RecordError: one of the files cannot be used.
    """
    used = list(synthesizers)
    reports = []
    for path in paths:
        made = read(path)
        against = [differences(made["synthesizer"], one) for one in used]
        closest = min(against, key=lambda d: (d["another"], len(d["what"])), default={"another": True, "what": []})
        reports.append(made | {"of_another_model": closest["another"], "differs": closest["what"]})
    return {"reports": reports} if reports else {}


def differences(measured: Mapping[str, Any], used: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether two identities are of different weights (``another``), and what differs (``what``)."""
    what = [
        f"{key} {str(measured.get(key) or 'unknown')[:12]}, in this run {str(used.get(key) or 'unknown')[:12]}"
        for key in ("name", "version", "sha256")
        if measured.get(key) != used.get(key)
    ]
    if any(measured.get(key) != used.get(key) for key in ("name", "sha256")):
        return {"another": True, "what": what}
    mine, theirs = measured.get("configuration") or {}, used.get("configuration") or {}
    what += [
        f"{key} {mine.get(key, 'not given')}, in this run {theirs.get(key, 'not given')}"
        for key in sorted({*mine, *theirs})
        if mine.get(key) != theirs.get(key)
    ]
    return {"another": False, "what": what}
