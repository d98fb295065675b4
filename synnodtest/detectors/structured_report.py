"""Findings in DICOM structured reports: ``--detector dicom-sr:PATH``, a file or a folder of reports.

Chest CAD SR (TID 4100), and Enhanced, Comprehensive and Comprehensive 3D SR with spatial coordinates (TID 1500 among
them). A finding is a content item with coordinates on one image; its box is that of its outlines, else of its centre's
pixel; its score the certainty of the finding in percent, else the probability of cancer, of it or of what holds it,
else 1. Coordinates count from the corner of the first pixel, as everywhere here (PS3.3 C.18.6).

What cannot be read for certain is refused in words: coordinates in mm of a patient's frame of reference, several images
under one outline, frames of a series, coordinates without an image, algorithms that failed, two reports on one image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from synnodtest.detectors.dicom_findings import ObjectKind, Reading, code_of, named, register_kind
from synnodtest.detectors.dicom_graphics import box_around, points_of, union
from synnodtest.finding import Finding

REPORT_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.88.65": "Chest CAD SR",
    "1.2.840.10008.5.1.4.1.1.88.22": "Enhanced SR",
    "1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR",
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
}
"""SOP classes that hold findings with coordinates."""

_FAILED = {"111017": ("111243", "111244", "111245"), "111064": ("111223", "111224", "111225")}
"""Summaries of all (CID 6047) and of detections (CID 6042) by which not all of it, or nothing, was done: their silence
is no answer."""
_SCORES = ("111012", "111047")
"""Certainty of Finding, Probability of cancer: in percent."""
_RENDERING, _HIDDEN = "111056", "111152"
"""Rendering intent, and not for presentation: what the device itself would not show is no finding."""
_CENTRE = "111010"
_GROUP, _FINDING = "125007", "121071"
_NAME, _VERSION = "111001", "111003"


def _read(report: Reading) -> None:
    """Take the findings of one structured report."""
    for item in _items(report.data):
        if _chosen(item) in _FAILED.get(_name(item), ()):
            says = f"it says {_chosen(item, 'CodeMeaning')!r}: its silence is no answer"
            raise report.fail(says, "leave it out, or run the algorithm again")
        if item.get("ValueType") == "IMAGE":
            report.findings.setdefault(_uid_of(item), [])
    report.algorithm = _algorithm(report.data)
    measured = _walk(report, report.data, None)
    if measured and not any(report.findings.values()):
        raise report.fail(
            "its coordinates belong to measurements alone, and no finding has any of its own",
            "export findings with an outline, a region or a centre",
        )


def _children(item: Any) -> list[Any]:
    return list(item.get("ContentSequence") or ())


def _name(item: Any) -> str:
    return code_of(item, "ConceptNameCodeSequence")


def _chosen(item: Any, part: str = "CodeValue") -> str:
    return code_of(item, "ConceptCodeSequence", part)


def _uid_of(image: Any) -> str:
    return str(image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)


def _items(item: Any) -> Iterator[Any]:
    yield item
    for child in _children(item):
        yield from _items(child)


def _algorithm(root: Any) -> str:
    texts: dict[str, str] = {}
    for item in _items(root):
        if _name(item) in (_NAME, _VERSION) and "TextValue" in item:
            texts.setdefault(_name(item), str(item.TextValue))
    return named(texts.get(_NAME, ""), texts.get(_VERSION, ""))


def _walk(report: Reading, item: Any, score: float | None) -> int:
    """Take the findings at and below a content item; return how many coordinates belong to measurements alone."""
    children = _children(item)
    if any(_name(c) == _RENDERING and _chosen(c) == _HIDDEN for c in children):
        return 0
    scores = [_percent(report, c) for code in _SCORES for c in children if _name(c) == code]
    score = scores[0] if scores else score
    placed = [c for c in children if c.get("ValueType") in ("SCOORD", "SCOORD3D")]
    measured = len(placed) if item.get("ValueType") == "NUM" else 0
    if placed and not measured and report.labels.keeps({"label": _label(item)} if _label(item) else {}):
        _take(report, item, placed, 1.0 if score is None else score)
    return measured + sum(_walk(report, child, score) for child in children)


def _label(item: Any) -> str:
    """Return the meaning of what was found: of the item's own code, else of its finding."""
    if item.get("ValueType") == "CODE":
        return _chosen(item, "CodeMeaning")
    return next((_chosen(c, "CodeMeaning") for c in _children(item) if _name(c) == _FINDING), "")


def _percent(report: Reading, item: Any) -> float:
    measured = item.MeasuredValueSequence[0]
    value, unit = float(measured.NumericValue), str(measured.MeasurementUnitsCodeSequence[0].CodeValue)
    share = value / 100 if unit == "%" else value
    if unit not in ("%", "1", "{0:1}") or not 0 <= share <= 1:
        raise report.fail(f"a certainty of {value:g} {unit} is no share of 0 to 1 nor percent")
    return share


def _take(report: Reading, item: Any, placed: Sequence[Any], score: float) -> None:
    """Take one finding per image of an item that is one; of any other, one per coordinates."""
    one = item.get("ValueType") == "CODE" or _name(item) == _GROUP
    parts: dict[str, list[Any]] = {}
    for number, part in enumerate(placed):
        uid = _image_of(report, part)
        parts.setdefault(uid if one else f"{uid} {number}", []).append(part)
    for key, members in parts.items():
        outlines = [part for part in members if _name(part) != _CENTRE] or members
        box = union([box_around(str(part.GraphicType), points_of(part.GraphicData)) for part in outlines])
        report.findings.setdefault(key.split()[0], []).append(Finding(box, score))


def _image_of(report: Reading, part: Any) -> str:
    """Return the UID of the one image that coordinates lie on."""
    if part.ValueType == "SCOORD3D":
        raise report.fail(
            "coordinates in mm of the patient's frame of reference, which a radiograph has not",
            "export coordinates in pixels of the image (SCOORD)",
        )
    images = [c if "ReferencedContentItemIdentifier" not in c else _referenced(report, c) for c in _children(part)]
    images = [image for image in images if image.get("ValueType") == "IMAGE"]
    uids = set(map(_uid_of, images))
    if len(uids) != 1:
        raise report.fail(
            f"coordinates on {len(uids) or 'no'} images: it cannot be told which pixels they mean",
            "export coordinates that are selected from one image",
        )
    report.check_frame(images[0].ReferencedSOPSequence[0], "coordinates")
    return uids.pop()


def _referenced(report: Reading, item: Any) -> Any:
    """Return the content item that a reference points to: positions from the root on, counted from 1."""
    path = item.ReferencedContentItemIdentifier
    target = report.data
    for position in () if isinstance(path, int) else list(path)[1:]:
        target = _children(target)[int(position) - 1]
    return target


register_kind(ObjectKind("dicom-sr", "structured report", REPORT_CLASSES, _read))
