"""Recorded findings: ``--detector findings.json`` or ``findings.csv``.

A record answers for exactly the radiographs it was made for; one that it does not hold is an error, not a miss.

JSON::

    {"synnodtest_findings": 1,
     "identity": {"name": "vendor 3.2"},
     "radiographs": {"<key>": [{"box": [x_min, y_min, x_max, y_max], "score": 0.9}]}}

CSV: the columns ``radiograph, x_min, y_min, x_max, y_max, score``; a radiograph without findings has one row whose
other cells are empty. A key is the radiograph's content sha256 or, for a radiograph as it came from its file, the
file's name, its stem, the SOP Instance UID of a DICOM file, or the background's id.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synnodtest.canonical import sha256_of_array
from synnodtest.counted import counted
from synnodtest.csv_rows import checked_rows, rows_of
from synnodtest.decoding import no_twins
from synnodtest.detectors import answer_faults
from synnodtest.detectors.exchange import finding_of
from synnodtest.detectors.guard import unguarded
from synnodtest.detectors.label_rule import LabelRule
from synnodtest.detectors.pairs import ask
from synnodtest.detectors.registry import register_detector
from synnodtest.errors import DetectorError
from synnodtest.files import sha256_of_file, write_atomic
from synnodtest.finding import Finding
from synnodtest.identity import WRITTEN_BITS, Identity, instance_key, planted_uid
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph
from synnodtest.text_files import decoded

FORMAT = 1
"""Version of the JSON form, the only one so far; a file of another is refused rather than read by guess."""
MAX_BYTES = 1024 * 1024 * 1024
"""Size of a record, in bytes, which is read as a whole: at 30 kB for 300 findings it holds over 30,000 radiographs."""

_UID = re.compile(r"\d+(\.\d+){3,}")
"""A DICOM file is known by what stands for its UID, which a record may name it by."""
Findings = dict[str, list[Finding]]
Entry = tuple[str, list[tuple[str, Mapping[str, Any]]]]
"""Key of a radiograph and what is found on it, each with its place in the file."""
_EDGES = ("x_min", "y_min", "x_max", "y_max")


@dataclass(frozen=True)
class Origin:
    """Source of the findings of one radiograph.

    Args:
        path: The file.
        shape: Rows and columns of the grid that it draws on; None where it has none of its own.
    """

    path: Path
    shape: tuple[int, int] | None = None


class RecordedDetector:
    """Answers from a record.

    Args:
        findings: Key -> findings, see the module.
        identity: Who made the findings.
        origins: Key -> where they come from, where that is known of each.
    """

    hands_on_priors = True

    def __init__(
        self, findings: Mapping[str, list[Finding]], identity: Identity, origins: Mapping[str, Origin] | None = None
    ) -> None:
        self._findings = findings
        self.identity = identity
        self._origins = origins or {}
        self._answered: dict[str, str] = {}
        self._uids = {instance_key(key): key for key in findings if _UID.fullmatch(key)}

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return the recorded findings of each radiograph.

        Raises:
            DetectorError: one of them is not in the record.
        """
        return [self._of(radiograph) for radiograph in radiographs]

    def reported(self, operating_point: float) -> tuple[int, int]:
        """Return how many radiographs the record holds, and on how many a finding reaches the operating point."""
        loud = sum(any(finding.score >= operating_point for finding in items) for items in self._findings.values())
        return len(self._findings), loud

    def scores(self) -> list[float]:
        """Return the scores of all findings."""
        return [finding.score for items in self._findings.values() for finding in items]

    def holds(self, radiograph: Radiograph) -> bool:
        """Return whether the record answers for a radiograph."""
        return bool(self._names(radiograph))

    def names(self, background: str) -> bool:
        """Return whether the record calls a film by the id of its background, its file name or its stem."""
        name = Path(background).name
        return any(key in self._findings for key in (background, name, _stem(name)))

    def refusal(self, radiograph: Radiograph) -> DetectorError:
        """Return the error of a radiograph that the record does not hold."""
        folders = sorted({str(origin.path.parent) for origin in self._origins.values()})
        says = f"the record of {self.identity.name!r} holds no findings for this radiograph"
        if folders:
            images = counted(len(self._findings), "image")
            says += f": {', '.join(folders)} names {images}, not {_named(radiograph)}"
        return DetectorError(says, hint=self._remedy(radiograph))

    def _of(self, radiograph: Radiograph) -> list[Finding]:
        keys = self._names(radiograph)
        if not keys:
            raise self.refusal(radiograph)
        key, *others = keys
        if any(self._findings[other] != self._findings[key] for other in others):
            raise DetectorError(
                f"the record of {self.identity.name!r} names this radiograph by {' and by '.join(map(repr, keys))}, "
                "with other findings each",
                hint="give all findings of a radiograph one name",
            )
        self._refuse_namesake(key, radiograph)
        self._check_shape(self._origins.get(key), radiograph)
        return list(self._findings[key])

    def _names(self, radiograph: Radiograph) -> list[str]:
        """Return the keys by which the record holds a radiograph."""
        content = radiograph.content_sha256()
        keys = [content, *(instance_key(planted_uid(content, bits)) for bits in WRITTEN_BITS)]
        if not (radiograph.nodules or radiograph.altered):
            name = Path(radiograph.source).name
            keys += [key for key in (radiograph.instance, name, _stem(name), radiograph.background) if key]
        keys = [self._uids.get(key, key) for key in keys]
        return [key for key in dict.fromkeys(keys) if key in self._findings]

    def _refuse_namesake(self, key: str, radiograph: Radiograph) -> None:
        """Refuse to answer for two films by one name, as of two folders that are numbered alike."""
        pixels = sha256_of_array(radiograph.pixels)
        if self._answered.setdefault(key, pixels) != pixels:
            raise DetectorError(
                f"the record of {self.identity.name!r} names {key!r} once, and two different radiographs are called so",
                hint="give every radiograph a name of its own, or run each set with a record of its own",
            )

    def _remedy(self, radiograph: Radiograph) -> str:
        bare = replace(radiograph, regions={})
        if bare.content_sha256() in self._findings:
            return (
                "it holds the same pixels without region masks, and content is pixels, spacing, masks and truth: "
                "record with the masks (read_radiograph(..., regions=True)), or name the entry by the file"
            )
        return f"its content sha256 is {radiograph.content_sha256()}; record the detector on these very scenes"

    def _check_shape(self, origin: Origin | None, radiograph: Radiograph) -> None:
        if origin is not None and origin.shape is not None and origin.shape != radiograph.shape:
            raise DetectorError(
                f"{origin.path}: {origin.shape[1]} x {origin.shape[0]} pixels, but {_named(radiograph)} has "
                f"{radiograph.shape[1]} x {radiograph.shape[0]}",
                hint="export it on the radiograph's own pixel grid",
            )


def recorded_in(detector: Detector) -> RecordedDetector | None:
    """Return the record of findings that a detector is, within its guard; None where it can be asked about any film."""
    inner = unguarded(detector)
    return inner if isinstance(inner, RecordedDetector) else None


def _named(radiograph: Radiograph) -> str:
    return Path(radiograph.source).name or radiograph.background or "this radiograph"


def _stem(name: str) -> str:
    """Return a file's name without its suffix, which the last part of a UID is not."""
    return name if Path(name).suffix[1:].isdecimal() else Path(name).stem


class Recorder:
    """Wraps a detector and keeps what it answers; :func:`write_findings` makes a record of it."""

    hands_on_priors = True

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.identity = detector.identity
        self.findings: Findings = {}

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Ask the wrapped detector and keep the answer by content sha256."""
        answer = ask(self._detector, radiographs)
        for radiograph, findings in zip(radiographs, answer, strict=True):
            self.findings[radiograph.content_sha256()] = list(findings)
        return answer


def write_findings(path: Path, findings: Mapping[str, list[Finding]], identity: Identity) -> None:
    """Write a JSON record that ``--detector path`` answers from.

    Raises:
        DetectorError: there is nothing to write.
    """
    if not findings:
        raise DetectorError(
            f"{path}: no radiograph was shown to the detector, so that nothing is there to record",
            hint="what the store holds is not asked again: record with a --synnod-cache of its own",
        )
    radiographs = {
        key: [{"box": [float(edge) for edge in finding.box], "score": float(finding.score)} for finding in items]
        for key, items in findings.items()
    }
    content = {"synnodtest_findings": FORMAT, "identity": identity.as_dict(), "radiographs": radiographs}
    write_atomic(path, json.dumps(content))


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
            shapes = (answer_faults.stated_shape(item, where) for where, item in items)
            origins.update((key, Origin(path, shape)) for shape in shapes if shape)
            kept = [_finding(item, where) for where, item in items if labels.keeps(item)]
            findings.setdefault(key, []).extend(kept)
        labels.refuse_unseen()
    except DetectorError as error:
        raise DetectorError(f"{path}: {error.message}", hint=error.hint) from error
    except (KeyError, TypeError, ValueError, AttributeError, csv.Error) as error:
        raise DetectorError(f"{path} is not a record of findings: {error}", hint=_SHAPE) from error
    answer_faults.refuse_shares(findings.values(), str(path))
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
        answer_faults.refuse_form(key, value, "the record", "")
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
