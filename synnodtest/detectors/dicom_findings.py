"""Findings that DICOM objects hold: ``--detector findings.dcm``, or a folder of them.

Each kind of object (structured report, segmentation, presentation state) is one file that registers an
:class:`ObjectKind`. An object answers for the images whose SOP Instance UIDs it names; what it says of one image may
stand in one object alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synnodtest.class_names import Meaning, meaning
from synnodtest.detectors.files import sha256_of_files
from synnodtest.detectors.label_rule import LabelRule
from synnodtest.detectors.recorded import Origin, RecordedDetector
from synnodtest.detectors.registry import load_all, register_detector
from synnodtest.detectors.stated_certainty import stated_certainty
from synnodtest.errors import DetectorError, require
from synnodtest.finding import Finding
from synnodtest.identity import Identity, instance_key


@dataclass
class Reading:
    """Findings of one file.

    Args:
        path: The file.
        data: Its dataset.
        labels: Which names mean a nodule.
        findings: By SOP Instance UID of the image; an image without findings has an empty list.
        shapes: Rows and columns of an image, where the object draws on a grid of its own.
        algorithm: Name and version of what made it; empty where it does not say.
        left_out: Names of what was left out because it is no nodule.
        told: Whether something was a nodule by its name.
    """

    path: Path
    data: Any
    labels: LabelRule
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)
    algorithm: str = ""
    left_out: set[str] = field(default_factory=set)
    told: bool = False

    def fail(self, says: str, hint: str = "") -> DetectorError:
        """Return the error that names the file."""
        return DetectorError(f"{self.path}: {says}", hint=hint)

    def keeps(self, names: Sequence[str]) -> bool:
        """Return whether something is a nodule by its names, of which one that means so decides, else the first.

        What is none is noted.

        Raises:
            DetectorError: they do not tell.
        """
        names = sorted(names, key=lambda name: meaning(name) is not Meaning.NODULE)
        asked = names if self.labels.chosen else names[:1]
        kept = any(self.labels.keeps({"label": name}) for name in asked)
        self.told |= kept
        if not kept:
            self.left_out.add(names[0])
        return kept

    def certainty(self, text: str, where: str = "") -> float | None:
        """Return the certainty that a text states; None where it states none.

        Raises:
            DetectorError: it cannot be read.
        """
        try:
            return stated_certainty(text)
        except ValueError as error:
            raise self.fail(f"{where}{error}") from error

    def check_frame(self, reference: Any, what: str) -> None:
        """Refuse what refers to a frame of several.

        Raises:
            DetectorError: it does; a radiograph has one frame.
        """
        frames = reference.get("ReferencedFrameNumber")
        if frames not in (None, "", 1, [1]):
            raise self.fail(f"{what} on frame {frames} of a series of frames: a radiograph has one")


@dataclass(frozen=True)
class ObjectKind:
    """A kind of DICOM object that holds findings.

    Args:
        name: As users name it in ``NAME:PATH``.
        title: In words.
        classes: SOP classes by UID.
        read: Takes the findings of one dataset; may raise any error of a damaged one.
    """

    name: str
    title: str
    classes: Mapping[str, str]
    read: Callable[[Reading], None]


_KINDS: dict[str, ObjectKind] = {}


def register_kind(kind: ObjectKind) -> None:
    """Make a kind known, and with it the detector ``NAME:PATH`` that reads it and passes over every other."""
    _KINDS[kind.name] = kind
    register_detector(kind.name)(lambda argument, options: read_objects(*options.file(argument), [kind.name]))


register_detector("dicom-findings")(lambda argument, options: read_objects(*options.file(argument)))


def check_folder(folder: Path, kinds: Sequence[str] = ()) -> None:
    """Refuse a folder without any object with findings; no more is read than shows that there is one.

    Raises:
        SynnodError: pydicom is not installed.
        DetectorError: there is none.
    """
    if next(_found_in(folder, kinds), None) is None:
        runs = "; a run is named by its own folder" if any(folder.glob("*/results.json")) else ""
        reason = f"{folder}: no DICOM {_titles(kinds)} with findings is in this folder"
        raise DetectorError(reason, hint=_hint(kinds) + runs)


def _found_in(folder: Path, kinds: Sequence[str]) -> Iterator[Path]:
    """Yield the objects with findings of a folder and the folders in it, by name; other files are passed over."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    yield from (path for path in files if _kind_of(_class_of(path), kinds))


def read_objects(path: Path, chosen: Sequence[str] = (), kinds: Sequence[str] = ()) -> RecordedDetector:
    """Return the detector that answers from the object at ``path``, or from all objects of a folder.

    Args:
        path: A file or a folder.
        chosen: Findings that are nodules, by name; empty: their names decide.
        kinds: Names of the kinds that are read; empty: all.

    Raises:
        DetectorError: an object is damaged, of another class, or cannot be read for certain; names the file.
        SynnodError: pydicom is not installed.
    """
    if path.is_dir():
        check_folder(path, kinds)
    paths = list(_found_in(path, kinds)) if path.is_dir() else [path]
    labels = LabelRule(chosen, f"--detector '{path.name}#NAME'")
    readings = [_read(one, labels, kinds) for one in paths]
    labels.refuse_unseen()
    _check_names(path, readings, chosen)
    names = {reading.algorithm or path.name for reading in readings}
    if len(names) > 1:
        raise DetectorError(
            f"{path}: reports of several algorithms: {', '.join(sorted(names))}", hint="one folder per algorithm"
        )
    configuration = {"recorded": True, "reports": len(paths), **({"classes": list(chosen)} if chosen else {})}
    identity = Identity(names.pop(), sha256=sha256_of_files(paths[0], paths[1:]), configuration=configuration)
    findings: dict[str, list[Finding]] = {}
    origins: dict[str, Origin] = {}
    for reading in readings:
        for uid, items in reading.findings.items():
            key = instance_key(uid)
            if key in findings:
                raise reading.fail(
                    f"a second report on one image, beside {origins[key].path}",
                    "keep one report per image in the folder, or read one kind alone: "
                    + ", ".join(f"{name}:{reading.path.parent}" for name in _KINDS),
                )
            findings[key], origins[key] = items, Origin(reading.path, reading.shapes.get(uid))
    return RecordedDetector(findings, identity, origins)


def _check_names(path: Path, readings: Sequence[Reading], chosen: Sequence[str]) -> None:
    """Refuse objects of which something was left out for its name, and nothing taken for its own."""
    names = sorted({name for reading in readings for name in reading.left_out})
    if not names or chosen or any(reading.told or any(reading.findings.values()) for reading in readings):
        return
    raise DetectorError(
        f"{path}: nothing in it is a nodule by its name: {', '.join(names)}",
        hint=f"say what counts: --detector '{path.name}#{names[0]}'; where nothing does, '{path.name}#nodule'",
    )


def _read(path: Path, labels: LabelRule, kinds: Sequence[str]) -> Reading:
    if not path.is_file():
        raise DetectorError(f"the report {path} is not there")
    sop_class = _class_of(path)
    kind = _kind_of(sop_class, kinds)
    if kind is None:
        raise DetectorError(
            f"{path}: no DICOM {_titles(kinds)} with findings{f' (SOP class {sop_class})' if sop_class else ''}",
            hint=_hint(kinds),
        )
    import pydicom

    try:
        reading = Reading(path, pydicom.dcmread(path), labels)
        kind.read(reading)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, EOFError, NotImplementedError) as error:
        raise DetectorError(f"{path}: damaged {kind.title}: {error}", hint="export it again") from error
    return reading


def named(*parts: object) -> str:
    """Return name and version as one text, without what is empty."""
    return " ".join(filter(None, (str(part).strip() for part in parts)))


def code_of(item: Any, sequence: str, part: str = "CodeValue") -> str:
    """Return a part of the code that an item has under a name; empty where it has none."""
    codes = item.get(sequence)
    return str(codes[0].get(part, "")) if codes else ""


def referenced_uids(data: Any) -> Iterator[str]:
    """Yield the SOP Instance UID of every image that the header of an object names, its own study and others."""
    studies = data.get("StudiesContainingOtherReferencedInstancesSequence") or ()
    for holder in (data, *studies):
        for series in holder.get("ReferencedSeriesSequence") or ():
            for name in ("ReferencedInstanceSequence", "ReferencedImageSequence"):
                yield from (str(item.ReferencedSOPInstanceUID) for item in series.get(name) or ())


def _kind_of(sop_class: str, kinds: Sequence[str]) -> ObjectKind | None:
    return next((kind for kind in _wanted(kinds) if sop_class in kind.classes), None)


def _wanted(kinds: Sequence[str]) -> list[ObjectKind]:
    load_all()
    return [kind for name, kind in _KINDS.items() if not kinds or name in kinds]


def _titles(kinds: Sequence[str]) -> str:
    return " or ".join(kind.title for kind in _wanted(kinds))


def _hint(kinds: Sequence[str]) -> str:
    return "read are " + ", ".join(title for kind in _wanted(kinds) for title in kind.classes.values())


def _class_of(path: Path) -> str:
    require("pydicom", "dicom", f"reading {path}")
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        return str(pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID"]).get("SOPClassUID", ""))
    except (InvalidDicomError, OSError, EOFError):
        return ""
