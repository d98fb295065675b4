"""A detector that is a record of findings, and what makes such a record of another one.

A record answers for exactly the radiographs it was made for; one that it does not hold is an error, not a miss. A key
is the radiograph's content sha256 or, for a radiograph as it came from its file, the file's name, its stem, the SOP
Instance UID of a DICOM file, or the background's id. The file is read in ``findings_file.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from synnodtest.canonical import sha256_of_array
from synnodtest.counted import counted
from synnodtest.detectors.guard import unguarded
from synnodtest.detectors.pairs import ask
from synnodtest.errors import DetectorError
from synnodtest.files import write_atomic
from synnodtest.finding import Finding
from synnodtest.identity import WRITTEN_BITS, Identity, instance_key, planted_uid
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph

FORMAT = 1
"""Version of the JSON form, the only one so far; a file of another is refused rather than read by guess."""

_UID = re.compile(r"\d+(\.\d+){3,}")
"""A DICOM file is known by what stands for its UID, which a record may name it by."""
Findings = dict[str, list[Finding]]


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
        name = "" if radiograph.nodules or radiograph.altered else Path(radiograph.source).name
        if near := next((key for key in self._findings if name and _bare(key) == _bare(name)), ""):
            return f"it calls one {near!r}: write {name!r} there, as the file is called here"
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


def _bare(name: str) -> str:
    """Return a name without folders, suffix, case, blanks and leading zeros, as two of one film may differ in."""
    return _stem(name.replace("\\", "/").rpartition("/")[2].strip()).casefold().lstrip("0")


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
