"""Recorded findings: ``--detector findings.json`` or ``findings.csv``.

JSON::

    {"synnodtest_findings": 1,
     "identity": {"name": "vendor 3.2"},
     "radiographs": {"<key>": [{"box": [x_min, y_min, x_max, y_max], "score": 0.9}]}}

CSV: the columns ``radiograph, x_min, y_min, x_max, y_max, score``; a radiograph without findings has one row whose
other cells are empty. ``recorded.py`` says what a key is.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from synnodtest.csv_rows import checked_rows, rows_of
from synnodtest.decoding import no_twins
from synnodtest.detectors import answer_faults, answer_forms
from synnodtest.detectors.exchange import finding_of
from synnodtest.detectors.label_rule import LabelRule
from synnodtest.detectors.recorded import FORMAT, Findings, Origin, RecordedDetector
from synnodtest.detectors.registry import register_detector
from synnodtest.errors import DetectorError
from synnodtest.files import sha256_of_file
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.text_files import decoded

MAX_BYTES = 1024 * 1024 * 1024
"""Size of a record, in bytes, which is read as a whole: at 30 kB for 300 findings it holds over 30,000 radiographs."""

Entry = tuple[str, list[tuple[str, Mapping[str, Any]]]]
"""Key of a radiograph and what is found on it, each with its place in the file."""
_EDGES = ("x_min", "y_min", "x_max", "y_max")


def read_findings(path: Path, chosen: Sequence[str] = ()) -> RecordedDetector:
    """Return the detector that answers from the JSON or CSV record at ``path``.

    Args:
        path: The record.
        chosen: Classes that are nodules, where findings name one; empty: their names decide.

    Raises:
        DetectorError: the file is missing, too large, or not a record; names the file and the entry.
    """
    if not path.is_file():
        raise DetectorError(f"the recorded findings {path} are not there")
    if path.stat().st_size > MAX_BYTES:
        raise DetectorError(f"the recorded findings {path} are larger than {MAX_BYTES} bytes")
    configuration = {"recorded": True, **({"classes": list(chosen)} if chosen else {})}
    identity = Identity(path.name, sha256=sha256_of_file(path), configuration=configuration)
    labels = LabelRule(chosen, f"--detector '{path.name}#NAME'")
    try:
        declared, entries = (_rows if path.suffix.lower() == ".csv" else _items)(path.read_bytes())
        findings: Findings = {}
        origins: dict[str, Origin] = {}
        for key, items in entries:
            shapes = (answer_forms.stated_shape(item, where) for where, item in items)
            origins.update((key, Origin(path, shape)) for shape in shapes if shape)
            kept = [_finding(item, where) for where, item in items if labels.keeps(item)]
            findings.setdefault(key, []).extend(kept)
        labels.refuse_unseen()
    except DetectorError as error:
        raise DetectorError(f"{path}: {error.message}", hint=error.hint) from error
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        raise DetectorError(f"{path} is not a record of findings: {error}", hint=_SHAPE) from error
    answer_forms.refuse_shares(findings.values(), str(path))
    return RecordedDetector(findings, replace(identity, name=declared or identity.name), origins)


_SHAPE = (
    '{"synnodtest_findings": 1, "identity": {"name": ...}, "radiographs": {key: [{"box": [...], "score": ...}]}}, '
    "or a CSV with the columns radiograph, x_min, y_min, x_max, y_max, score"
)


def _items(data: bytes) -> tuple[str, Iterator[Entry]]:
    """Return the name that a JSON record declares, and its entries."""
    content: dict[str, Any] = json.loads(decoded(data), object_pairs_hook=no_twins)
    if content.get("synnodtest_findings") != FORMAT:
        raise ValueError(f"'synnodtest_findings' must be {FORMAT}, not {content.get('synnodtest_findings')!r}")
    _refuse_forms(content)
    answer_faults.refuse_failure(content)
    radiographs = content["radiographs"].items()
    odd = next((key for key, items in radiographs if not isinstance(items, list)), None)
    if odd is not None:
        raise ValueError(f"radiographs[{odd!r}] is {content['radiographs'][odd]!r:.80}, not a list of findings")
    entries = (
        (key, [(f"radiographs[{key!r}][{n}]", item) for n, item in enumerate(items)]) for key, items in radiographs
    )
    return str(content.get("identity", {}).get("name", "")), entries


def _refuse_forms(said: Mapping[str, object], where: str = "") -> None:
    for key, value in said.items():
        answer_forms.refuse_form(key, value, "the record", "")
        if where:
            answer_faults.refuse_taken_back(key, value, where)


def _rows(data: bytes) -> tuple[str, Iterator[Entry]]:
    """Return the name of a CSV record, which declares none, and its entries."""
    reader = rows_of(data)
    missing = {"radiograph", *_EDGES, "score"} - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"the column(s) {', '.join(sorted(missing))} are missing")
    return "", (_row(f"line {reader.line_num}", row) for row in checked_rows(reader) if any(row.values()))


def _row(where: str, row: Mapping[str, str]) -> Entry:
    if not row["radiograph"]:
        raise ValueError(f"{where} names no radiograph")
    said = {key: text for key, text in row.items() if text}
    if any(row[name] for name in (*_EDGES, "score")):
        box = [row[name] for name in _EDGES]
        return row["radiograph"], [(where, {**said, "box": box, "score": row["score"]})]
    _refuse_forms(said)
    answer_faults.refuse_failure(said)
    answer_faults.refuse_reasons(said)
    answer_faults.refuse_fewer({key: int(text) for key, text in said.items() if text.isdecimal()}, 0)
    return row["radiograph"], []


def _finding(item: Mapping[str, Any], where: str) -> Finding:
    _refuse_forms(item, where)
    try:
        return finding_of(item["box"], item["score"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from error


register_detector("recorded")(lambda argument, options: read_findings(*options.file(argument)))
