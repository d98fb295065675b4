"""Findings in DICOM structured reports: ``--detector findings.dcm``, or a folder of reports.

Chest CAD SR (TID 4100), and Enhanced, Comprehensive and Comprehensive 3D SR with spatial coordinates (TID 1500 among
them). A finding is a content item with coordinates on one image; its box is that of its outlines, else of its centre's
pixel; its score the certainty of the finding in percent, else the probability of cancer, of it or of what holds it,
else 1. Coordinates count from the corner of the first pixel, as everywhere here (PS3.3 C.18.6).

What cannot be read for certain is refused in words: coordinates in mm of a patient's frame of reference, several images
under one outline, frames of a series, coordinates without an image, algorithms that failed, two reports on one image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.detectors.choice import split_choice
from synnodtest.detectors.exchange import LabelRule
from synnodtest.detectors.files import sha256_of_files
from synnodtest.detectors.recorded import RecordedDetector
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.detectors.report_codes import REPORT_CLASSES
from synnodtest.errors import DetectorError, missing_extra
from synnodtest.finding import Finding
from synnodtest.geometry import Box
from synnodtest.identity import Identity, instance_key

__all__ = ["read_reports", "reports_in"]

_SUMMARY, _FAILED = "111017", ("111243", "111244", "111245")
"""Of CID 6047: not all, or no algorithms succeeded, so that silence is no answer."""
_SCORES = ("111012", "111047")
"""Certainty of Finding, Probability of cancer: in percent."""
_RENDERING, _HIDDEN = "111056", "111152"
"""Rendering intent, and not for presentation: what the device itself would not show is no finding."""
_CENTRE = "111010"
_GROUP, _FINDING = "125007", "121071"
_NAME, _VERSION = "111001", "111003"


@dataclass
class _Report:
    """What one file says: findings by SOP Instance UID of the image, also of images without any."""

    path: Path
    root: Any
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    measured: int = 0

    def fail(self, says: str, hint: str = "") -> DetectorError:
        return DetectorError(f"{self.path}: {says}", hint=hint)


def reports_in(folder: Path) -> list[Path]:
    """Return the structured reports of a folder and the folders in it, by name; other files are passed over.

    Raises:
        SynnodError: pydicom is not installed.
        DetectorError: there is none.
    """
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and _class_of(path) in REPORT_CLASSES]
    if not found:
        raise DetectorError(
            f"{folder}: no DICOM structured report with findings is in this folder",
            hint=f"reports are {', '.join(REPORT_CLASSES.values())}",
        )
    return found


def read_reports(path: Path, chosen: Sequence[str] = ()) -> RecordedDetector:
    """Return the detector that answers from the report at ``path``, or from all reports of a folder.

    Args:
        path: A file or a folder.
        chosen: Findings that are nodules, by the meaning of their code; empty: their names decide.

    Raises:
        DetectorError: a report is damaged, of another class, or cannot be read for certain; names the file.
        SynnodError: pydicom is not installed.
    """
    paths = reports_in(path) if path.is_dir() else [path]
    labels = LabelRule(chosen, f"--detector '{path.name}#NAME'")
    findings: dict[str, list[Finding]] = {}
    names = set()
    for one in paths:
        report = _read(one, labels)
        twice = [uid for uid in report.findings if instance_key(uid) in findings]
        if twice:
            raise report.fail("a second report on one image", "keep one report per image in the folder")
        findings |= {instance_key(uid): items for uid, items in report.findings.items()}
        names.add(_algorithm(report.root) or path.name)
    if len(names) > 1:
        raise DetectorError(
            f"{path}: reports of several algorithms: {', '.join(sorted(names))}", hint="one folder per algorithm"
        )
    configuration = {"recorded": True, "reports": len(paths), **({"classes": list(chosen)} if chosen else {})}
    sha256 = sha256_of_files(paths[0], paths[1:])
    return RecordedDetector(findings, Identity(names.pop(), sha256=sha256, configuration=configuration))


def _class_of(path: Path) -> str:
    try:
        import pydicom
        from pydicom.errors import InvalidDicomError
    except ImportError as error:
        raise missing_extra("pydicom", "dicom", f"reading {path}") from error
    try:
        return str(pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID"]).get("SOPClassUID", ""))
    except (InvalidDicomError, OSError, EOFError):
        return ""


def _read(path: Path, labels: LabelRule) -> _Report:
    if not path.is_file():
        raise DetectorError(f"the report {path} is not there")
    kind = _class_of(path)
    if kind not in REPORT_CLASSES:
        raise DetectorError(
            f"{path}: no DICOM structured report with findings{f' (SOP class {kind})' if kind else ''}",
            hint=f"reports are {', '.join(REPORT_CLASSES.values())}",
        )
    import pydicom

    try:
        report = _Report(path, pydicom.dcmread(path))
        _check_success(report)
        for uid in _images(report):
            report.findings.setdefault(uid, [])
        _walk(report, report.root, None, labels)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError, EOFError) as error:
        raise DetectorError(f"{path}: damaged structured report: {error}", hint="export it again") from error
    if report.measured and not any(report.findings.values()):
        raise report.fail(
            "its coordinates belong to measurements alone, and no finding has any of its own",
            "export findings with an outline, a region or a centre",
        )
    return report


def _children(item: Any) -> list[Any]:
    return list(item.get("ContentSequence") or ())


def _code(item: Any, sequence: str = "ConceptNameCodeSequence") -> str:
    codes = item.get(sequence)
    return str(codes[0].get("CodeValue", "")) if codes else ""


def _meaning(item: Any) -> str:
    codes = item.get("ConceptCodeSequence")
    return str(codes[0].get("CodeMeaning", "")) if codes else ""


def _items(item: Any) -> Iterator[Any]:
    yield item
    for child in _children(item):
        yield from _items(child)


def _check_success(report: _Report) -> None:
    for item in _items(report.root):
        if _code(item) == _SUMMARY and _code(item, "ConceptCodeSequence") in _FAILED:
            raise report.fail(
                f"it says {_meaning(item)!r}: its silence is no answer", "leave it out, or run the algorithm again"
            )


def _algorithm(root: Any) -> str:
    texts: dict[str, str] = {}
    for item in _items(root):
        if _code(item) in (_NAME, _VERSION) and "TextValue" in item:
            texts.setdefault(_code(item), str(item.TextValue).strip())
    return " ".join(texts[code] for code in (_NAME, _VERSION) if texts.get(code))


def _images(report: _Report) -> Iterator[str]:
    """Yield the UID of every image that the content names."""
    for item in _items(report.root):
        if item.get("ValueType") == "IMAGE":
            yield str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)


def _walk(report: _Report, item: Any, score: float | None, labels: LabelRule) -> None:
    """Take the findings at and below a content item."""
    children = _children(item)
    if any(_code(c) == _RENDERING and _code(c, "ConceptCodeSequence") == _HIDDEN for c in children):
        return
    scores = [_percent(report, c) for wanted in _SCORES for c in children if _code(c) == wanted]
    score = scores[0] if scores else score
    placed = [c for c in children if c.get("ValueType") in ("SCOORD", "SCOORD3D")]
    if item.get("ValueType") == "NUM":
        report.measured += len(placed)
    elif placed and labels.keeps({"label": _label(item)} if _label(item) else {}):
        _take(report, item, placed, 1.0 if score is None else score)
    for child in children:
        _walk(report, child, score, labels)


def _label(item: Any) -> str:
    """Return the meaning of what was found: of the item's own code, else of its finding."""
    if item.get("ValueType") == "CODE":
        return _meaning(item)
    return next((_meaning(c) for c in _children(item) if _code(c) == _FINDING), "")


def _percent(report: _Report, item: Any) -> float:
    measured = item.MeasuredValueSequence[0]
    value, unit = float(measured.NumericValue), str(measured.MeasurementUnitsCodeSequence[0].CodeValue)
    share = value / 100 if unit == "%" else value
    if unit not in ("%", "1", "{0:1}") or not 0 <= share <= 1:
        raise report.fail(f"a certainty of {value:g} {unit} is no share of 0 to 1 nor percent")
    return share


def _take(report: _Report, item: Any, placed: Sequence[Any], score: float) -> None:
    """Take one finding per image of an item that is one; of any other, one per coordinates."""
    one = item.get("ValueType") == "CODE" or _code(item) == _GROUP
    parts: dict[str, list[Any]] = {}
    for number, part in enumerate(placed):
        uid = _image_of(report, part)
        parts.setdefault(uid if one else f"{uid} {number}", []).append(part)
    for key, members in parts.items():
        outlines = [part for part in members if _code(part) != _CENTRE] or members
        boxes = np.array([_box(report, part) for part in outlines])
        x, y = boxes.min(axis=0)[:2]
        right, bottom = boxes.max(axis=0)[2:]
        box = (float(x), float(y), float(right), float(bottom))
        report.findings.setdefault(key.split()[0], []).append(Finding(box, score))


def _image_of(report: _Report, part: Any) -> str:
    """Return the UID of the one image that coordinates lie on."""
    if part.ValueType == "SCOORD3D":
        raise report.fail(
            "coordinates in mm of the patient's frame of reference, which a radiograph has not",
            "export coordinates in pixels of the image (SCOORD)",
        )
    images = [c if "ReferencedContentItemIdentifier" not in c else _referenced(report, c) for c in _children(part)]
    images = [image for image in images if image.get("ValueType") == "IMAGE"]
    uids = {str(image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID) for image in images}
    if len(uids) != 1:
        raise report.fail(
            f"coordinates on {len(uids) or 'no'} images: it cannot be told which pixels they mean",
            "export coordinates that are selected from one image",
        )
    frames = images[0].ReferencedSOPSequence[0].get("ReferencedFrameNumber")
    if frames not in (None, "", 1, [1]):
        raise report.fail(f"coordinates on frame {frames} of a series of frames: a radiograph has one")
    return uids.pop()


def _referenced(report: _Report, item: Any) -> Any:
    """Return the content item that a reference points to: positions from the root on, counted from 1."""
    path = item.ReferencedContentItemIdentifier
    target = report.root
    for position in () if isinstance(path, int) else list(path)[1:]:
        target = _children(target)[int(position) - 1]
    return target


def _box(report: _Report, part: Any) -> Box:
    """Return the box around graphic data ``column, row, column, row``."""
    points = np.array([float(v) for v in part.GraphicData]).reshape(-1, 2)
    kind = str(part.GraphicType)
    if kind == "CIRCLE":
        centre, radius = points[0], float(np.hypot(*(points[1] - points[0])))
        low, high = centre - radius, centre + radius
    elif kind == "ELLIPSE":
        low, high = _ellipse(points)
    elif kind in ("POLYLINE", "MULTIPOINT"):
        low, high = points.min(axis=0), points.max(axis=0)
    elif kind == "POINT":
        low, high = points[0] - 0.5, points[0] + 0.5
    else:
        raise report.fail(f"graphic type {kind!r} is not known")
    if not (high > low).all():
        low, high = np.minimum(low, (low + high) / 2 - 0.5), np.maximum(high, (low + high) / 2 + 0.5)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _ellipse(points: np.ndarray[Any, Any]) -> tuple[Any, Any]:
    """Return the corners around an ellipse given by the ends of its major and of its minor axis."""
    centre = (points[0] + points[1]) / 2
    reach = np.hypot((points[1] - points[0]) / 2, (points[3] - points[2]) / 2)
    return centre - reach, centre + reach


@register_detector("dicom-sr")
def _reports(argument: str, options: Options) -> RecordedDetector:
    text, chosen = split_choice(argument, options.base)
    return read_reports(options.path(text), chosen)
