"""Inputs that a run cannot know: ``reports.yaml``, ``requirements.csv`` and ``hazards.csv``.

::

    # reports.yaml, every key optional
    device: {name: NodeFinder, version: "2.1"}
    manufacturer: Example GmbH
    intended_use: Second reader for adult frontal chest radiographs.
    people:
      - {role: author, name: A. Author}
      - {role: reviewer, name: B. Reviewer, organisation: Example GmbH}
      - {role: approver, name: C. Approver}
    anomalies:
      - {id: ANO-12, what: Crashes on images above 4096 px, impact: none in this run}
    deviations:
      - {what: 80 backgrounds instead of 100, planned: 100, actual: 80}
    limitations:
      - Phantoms have no motion blur.
    credibility: [models/mine/credibility.json]   # of synnodtest evaluate synthesizer or transfer --out

The CSV files have the columns ``id``, ``title`` and ``source``; hazards also ``severity``.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synnodtest.csv_rows import checked_rows, rows_of
from synnodtest.decoding import JsonObject, Schema
from synnodtest.errors import RecordError
from synnodtest.integrity.forms import read_nodes
from synnodtest.spec.nodes import plain

_TEXT = {"type": "string", "maxLength": 20_000}
_TEXTS = {"type": "array", "items": _TEXT}
_AMOUNT = {"type": ["string", "number", "boolean"]}
_AMOUNTS = ("planned", "actual")
"""Keys that may hold a number; anywhere else YAML's number is another text: 007 would be 7, and 2.10 be 2.1."""


def _entry(required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, object]:
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": False,
        "properties": {name: _AMOUNT if name in _AMOUNTS else _TEXT for name in (*required, *optional)},
    }


_FORM: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "device": {"type": "object", "additionalProperties": _TEXT},
        "manufacturer": _TEXT,
        "intended_use": _TEXT,
        "notes": _TEXT,
        "people": {"type": "array", "items": _entry(("role", "name"), ("organisation", "meaning", "date"))},
        "anomalies": {"type": "array", "items": _entry(("what",), ("id", "impact"))},
        "deviations": {"type": "array", "items": _entry(("what",), ("expectation", "planned", "actual"))},
        "limitations": _TEXTS,
        "credibility": _TEXTS,
    },
}
_COLUMNS = ("id", "title", "source", "severity")
_MOST_ROWS, _LARGEST_BYTES = 20_000, 10_000_000
"""Rows, and size in bytes, of a table that is read as a whole; set by hand far above any register of requirements or
hazards."""


@dataclass(frozen=True)
class Inputs:
    """The content of the files, ready for the record.

    Args:
        authored: Device, manufacturer, intended use, people, limitations.
        anomalies: Known anomalies.
        deviations: Deviations that people know of.
        requirements: ``id``, ``title``, ``source`` each.
        hazards: ``id``, ``title``, ``source``, ``severity`` each.
        credibility: Credibility reports of synthesizers.
    """

    authored: JsonObject = field(default_factory=dict)
    anomalies: tuple[JsonObject, ...] = ()
    deviations: tuple[JsonObject, ...] = ()
    requirements: tuple[dict[str, str], ...] = ()
    hazards: tuple[dict[str, str], ...] = ()
    credibility: tuple[Path, ...] = ()

    def fill(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record with these inputs in their places."""
        return {
            **record,
            "authored": {**(record.get("authored") or {}), **self.authored},
            "anomalies": [*record["anomalies"], *self.anomalies],
            "deviations": [*record["deviations"], *self.deviations],
            "requirements": [*self.requirements] or record.get("requirements", []),
            "hazards": [*self.hazards] or record.get("hazards", []),
        }


def load(folder: Path) -> Inputs:
    """Read whichever of the three files lie in ``folder``; none is needed.

    Raises:
        RecordError: one of them cannot be used; file and line.
    """
    path, what = folder / "reports.yaml", "about the device and the people behind the report"
    report = plain(read_nodes(path, _FORM, what)) if path.is_file() else {}
    requirements, hazards = (
        tuple(read_titles(file)) if (file := folder / name).is_file() else ()
        for name in ("requirements.csv", "hazards.csv")
    )
    return Inputs(
        authored={k: v for k, v in report.items() if k not in {"anomalies", "deviations", "credibility"}},
        anomalies=tuple(report.get("anomalies", ())),
        deviations=tuple({key: str(value) for key, value in one.items()} for one in report.get("deviations", ())),
        requirements=requirements,
        hazards=hazards,
        credibility=tuple(folder / name for name in report.get("credibility", ())),
    )


def read_titles(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file with the column ``id`` and, if there, ``title``, ``source`` and ``severity``.

    Raises:
        RecordError: no such column, no id, an id twice, too large, or not UTF-8; file and line.
    """
    hint = "the first line names the columns: id,title,source"
    rows: dict[str, dict[str, str]] = {}
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise RecordError(f"{path}: larger than {_LARGEST_BYTES // 1_000_000} MB", hint=hint)
        reader = rows_of(path.read_bytes())
        reader.fieldnames = [name.lower() for name in reader.fieldnames or ()]
        if "id" not in reader.fieldnames:
            raise RecordError(f"{path}:1: there is no column 'id'", hint=hint)
        for row in checked_rows(reader):
            cells = {c: (row.get(c) or "").strip() for c in _COLUMNS if c in reader.fieldnames}
            if not any(cells.values()):
                continue
            if not cells["id"]:
                raise RecordError(f"{path}:{reader.line_num}: a row without an id", hint=hint)
            if cells["id"] in rows:
                raise RecordError(f"{path}:{reader.line_num}: the id {cells['id']!r} stands twice", hint="keep one")
            rows[cells["id"]] = cells
            if len(rows) > _MOST_ROWS:
                raise RecordError(f"{path}: more than {_MOST_ROWS} rows", hint=hint)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})", hint=hint) from error
    except (ValueError, csv.Error) as error:
        raise RecordError(f"{path}: not a CSV file in UTF-8 or UTF-16 ({error})", hint=hint) from error
    return [*rows.values()]


def keep(folder: Path, files: Iterable[Path], *, root: Path) -> list[str]:
    """Copy input files (specs, lock, waivers, these) to ``folder/inputs``, where the manifest covers them.

    Args:
        folder: The run's folder.
        files: What to keep; a missing file is left out.
        root: Copies keep their place relative to it; those of files elsewhere have their name.

    Returns:
        Paths relative to ``folder``.
    """
    copies: dict[Path, Path] = {}
    for path in (path for path in map(Path, files) if path.is_file()):
        whole, top = path.resolve(), root.resolve()
        target = folder / "inputs" / (whole.relative_to(top) if whole.is_relative_to(top) else path.name)
        while copies.setdefault(target, whole) != whole:  # two files of one name that lie outside of root
            target = target.with_name(f"_{target.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return [target.relative_to(folder).as_posix() for target in copies]
