"""The record of a run, ``results.json``: writing, reading, validating.

The record is the only thing that a report is drawn from. Its shape are the dataclasses of
:mod:`synnodtest.record.model`; the JSON Schema that is published (``record.schema.json``) is made from them. Promise of
version 1: no key that the schema names changes its meaning or vanishes; keys may be added, and readers ignore those
they do not know. Whatever breaks this promise gets a new number in ``synnodtest_record``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from synnodtest.canonical import canonical_json, plain
from synnodtest.decoding import Schema, no_twins
from synnodtest.errors import RecordError
from synnodtest.files import write_atomic
from synnodtest.integrity.manifest import RECORD
from synnodtest.record.model import Record
from synnodtest.spec.messages import path_text, show

VERSION = 1
"""Version of the record, which its promise stands for; see above when it must be raised."""
LARGEST_BYTES = 512 * 1024 * 1024
"""Largest record that is read unless the caller allows more."""
_MOST_TOLD = 5
"""Faults of a record that are told at once; set by hand: the first explain the rest, and a message is to be read."""
_MOST_DIGITS = 300
"""Of a whole number: more are no number that a drawing or a mean could hold."""
_VALUE = "\N{WHITE SQUARE}"
"""Stand-in for the value in the validator's messages, which may be as large as the record."""


@cache
def schema() -> Schema:
    """Return the JSON Schema (2020-12) of the record."""
    text = resources.files("synnodtest.record").joinpath("record.schema.json").read_text(encoding="utf-8")
    loaded: Schema = json.loads(text)
    return loaded


def validate(record: Any) -> None:
    """Hold a record of plain JSON values against the schema and its own cross references.

    Raises:
        RecordError: names the first few faults by their place in the record.
    """
    _check(record, "the record", "write it with the synnodtest that made the run")


def write(record: Mapping[str, object], folder: Path) -> Path:
    """Write ``results.json`` into ``folder`` as canonical JSON, whole or not at all.

    Dataclasses and NaN are allowed in ``record``; they are written as objects and null.

    Raises:
        RecordError: the record does not follow the schema.
    """
    ready = plain(record)
    validate(ready)
    return write_atomic(Path(folder) / RECORD, canonical_json(ready) + "\n")


def write_and_read(record: Mapping[str, object], folder: Path) -> Record:
    """Write ``results.json`` as :func:`write` does; return what :func:`load` would read from it, keys in their order.

    Raises:
        RecordError: the record does not follow the schema.
    """
    return Record.of(json.loads(write(record, folder).read_bytes()))


def load(path: Path, *, largest_bytes: int = LARGEST_BYTES) -> Record:
    """Read a record as :func:`read` does, into dataclasses."""
    return Record.of(read(path, largest_bytes=largest_bytes))


def runs_in(reports: Path) -> list[Path]:
    """Return the folders of the runs in a folder in the order in which they began, whatever they are called.

    A clock set back misleads only about runs of which no record has the other in its list of earlier runs.
    """
    runs = {path.parent: _told(path.parent) for path in Path(reports).glob(f"*/{RECORD}")}
    ordered: list[Path] = []
    for run in sorted(runs, key=lambda run: (runs[run].began, run.name)):
        later = (place for place, other in enumerate(ordered) if runs[other].follows(runs[run]))
        ordered.insert(next(later, len(ordered)), run)
    return ordered


class _Told(NamedTuple):
    """Words of a record on the order of runs: when its own began, and the runs that the ledger held by its end."""

    began: datetime
    id: str = ""
    known: frozenset[str] = frozenset()

    def follows(self, other: _Told) -> bool:
        """Return whether the other had begun by its end, and it had not by the other's."""
        return other.id in self.known and self.id not in other.known


def _told(run: Path) -> _Told:
    """Return what a record tells, else its folder's name; else that it is the latest there is.

    So a newest run that cannot be read is taken and refused: no older one stands in for it.
    """
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError, OverflowError):
        record = json.loads((run / RECORD).read_bytes())
        began = datetime.fromisoformat(record["run"]["started"]).astimezone(UTC)
        known = frozenset(str(one["run"]) for one in record.get("ledger", ()))
        return _Told(began, str(record["run"].get("id", "")), known)
    with suppress(ValueError):
        return _Told(datetime.strptime(run.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC))
    return _Told(datetime.max.replace(tzinfo=UTC))


def read(path: Path, *, largest_bytes: int = LARGEST_BYTES) -> dict[str, Any]:
    """Read a record from ``results.json`` or from the folder that holds it.

    Raises:
        RecordError: the file is missing, too big, no JSON, of another version or against the schema. Says which file,
            what is wrong and what to do.
    """
    path = Path(path)
    path = path / RECORD if path.is_dir() else path
    loaded = _load(path, largest_bytes)
    redo = "repeat the run, or fetch the file again from where it was filed"
    if not isinstance(loaded, dict) or "synnodtest_record" not in loaded:
        raise RecordError(f"{path}: not a synnodtest record", hint="name the results.json of a run, or its folder")
    version = loaded["synnodtest_record"]
    if version != VERSION or isinstance(version, bool):
        raise RecordError(
            f"{path}: record version {version!r} is not known; this synnodtest reads version {VERSION}",
            hint="use the synnodtest release that wrote it (identification.synnodtest in the file)",
        )
    _check(loaded, str(path), redo)
    return loaded


def _load(path: Path, largest_bytes: int) -> Any:
    try:
        size = path.stat().st_size
        if size > largest_bytes:
            raise RecordError(
                f"{path}: {size / 1e6:.0f} MB is more than the {largest_bytes / 1e6:.0f} MB that a record may have",
                hint="allow more with largest_bytes= if you trust where the file comes from",
            )
        content = path.read_bytes()
        return json.loads(content, parse_int=_whole, parse_constant=_no_constant, object_pairs_hook=no_twins)
    except OSError as error:
        raise RecordError(
            f"{path}: cannot be read ({error.strerror or error})", hint="name the results.json of a run, or its folder"
        ) from error
    except (ValueError, RecursionError) as error:
        what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RecordError(
            f"{path}: no valid JSON: {what}", hint="the file is cut off or was edited; fetch the filed copy again"
        ) from error


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits is not allowed in a record")
    return int(text)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not allowed in a record")


def _check(record: Any, name: str, hint: str) -> None:
    faults = list(islice(_faults(record), _MOST_TOLD)) or list(islice(_dangling(record), _MOST_TOLD))
    if faults:
        raise RecordError(f"{name}: not a valid record:\n" + "\n".join(f"    {fault}" for fault in faults), hint=hint)


@cache
def _validator() -> Any:
    from jsonschema_rs import Draft202012Validator  # jsonschema takes 14 s for 9,600 scenes, this 12 ms

    return Draft202012Validator(schema(), mask=_VALUE)


def _faults(record: Any) -> Iterator[str]:
    """Yield every way in which a record breaks the schema, as ``place: what is wrong``."""
    try:
        for error in _validator().iter_errors(record):
            place = path_text(error.instance_path) or "the record"
            yield f"{place}: {error.message.replace(_VALUE, show(error.instance))}"
    except UnicodeEncodeError as error:
        yield f"the record: a text holds {error.object[error.start]!a}, which is no character"


def _dangling(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield references that lead nowhere, and passes beside a ruling that is none."""
    behaviours = {b["id"] for b in record["behaviours"]}
    scenes, ids = record["scenes"], set()
    for index, expectation in enumerate(record["expectations"]):
        where = f"expectations[{index}]"
        if expectation["id"] in ids:
            yield f"{where}: the id {expectation['id']!r} stands twice"
        ids.add(expectation["id"])
        if expectation["behaviour"] not in behaviours:
            yield f"{where}.behaviour: there is no behaviour {expectation['behaviour']!r}"
        ruling = expectation["ruling"]
        if expectation["status"] == "PASSED" != (ruling or {}).get("status"):
            yield f"{where}.status: PASSED, and its ruling is {ruling['status'] if ruling else 'not there'}"
        for key in ("scenes", "worst", "failing", "passing"):
            missing = next((s for s in expectation[key] if s not in scenes), None)
            if missing is not None:
                yield f"{where}.{key}: there is no scene {missing!r}"
    for index, picture in enumerate(record["gallery"]):
        if picture["scene"] not in scenes:
            yield f"gallery[{index}].scene: there is no scene {picture['scene']!r}"
