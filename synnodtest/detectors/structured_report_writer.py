"""Writing findings on one image as a DICOM structured report: Chest CAD SR, or measurement groups with regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from synnodtest.detectors.report_codes import CODES
from synnodtest.errors import DetectorError, missing_extra
from synnodtest.files import replacing
from synnodtest.finding import Finding
from synnodtest.identity import Identity, planted_uid

__all__ = ["ReportedImage", "image_of_file", "planted_image", "write_report"]

FORMS = ("chest-cad", "coordinates")
_CHEST_CAD, _COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.65", "1.2.840.10008.5.1.4.1.1.88.33"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_IN_LIBRARY = [1, 2, 1]
"""Where the image stands in the content: the first entry of the second child, which is the image library."""


@dataclass(frozen=True)
class ReportedImage:
    """The image that findings are on, as its header names it.

    Args:
        sop_instance_uid, sop_class_uid: Of the image.
        study_uid, series_uid: Of its study and series; new ones if empty.
        patient: Name and id of the patient as the image has them.
    """

    sop_instance_uid: str
    sop_class_uid: str = _SECONDARY_CAPTURE
    study_uid: str = ""
    series_uid: str = ""
    patient: tuple[str, str] = ("SYNTHETIC", "SYNTHETIC")


def image_of_file(path: Path) -> ReportedImage:
    """Return how a DICOM image is named in a report.

    Raises:
        DetectorError: the file is no DICOM image.
        SynnodError: pydicom is not installed.
    """
    try:
        import pydicom
        from pydicom.errors import InvalidDicomError
    except ImportError as error:
        raise missing_extra("pydicom", "dicom", f"reading {path}") from error
    try:
        data = pydicom.dcmread(path, stop_before_pixels=True)
        return ReportedImage(
            str(data.SOPInstanceUID),
            str(data.SOPClassUID),
            str(data.StudyInstanceUID),
            str(data.SeriesInstanceUID),
            (str(data.get("PatientName", "")), str(data.get("PatientID", ""))),
        )
    except (InvalidDicomError, AttributeError, OSError) as error:
        raise DetectorError(
            f"{path}: no DICOM image: {error}", hint="name the file that the findings are on"
        ) from error


def planted_image(content_sha256: str, bits: int) -> ReportedImage:
    """Return how a radiograph that ``write_radiograph`` wrote as DICOM with so many bits is named in a report."""
    return ReportedImage(planted_uid(content_sha256, bits))


def write_report(
    path: Path, findings: Sequence[Finding], image: ReportedImage, identity: Identity, *, form: str = "chest-cad"
) -> None:
    """Write the findings on one image.

    Args:
        path: The file; replaced.
        findings: Boxes in pixels of the image as stored, scores 0 to 1.
        image: What they are on.
        identity: The algorithm.
        form: ``chest-cad``: the parts of TID 4100 that carry findings. ``coordinates``: a Comprehensive SR of
            measurement groups with an image region each (TID 1500).

    Raises:
        DetectorError: the form is not known.
        SynnodError: pydicom is not installed.
    """
    if form not in FORMS:
        raise DetectorError(f"there is no form {form!r} of a structured report", hint=f"one of {', '.join(FORMS)}")
    try:
        from pydicom.dataset import FileMetaDataset
        from pydicom.uid import ExplicitVRLittleEndian, generate_uid
    except ImportError as error:
        raise missing_extra("pydicom", "dicom", f"writing {path.name}") from error
    chest_cad = form == "chest-cad"
    data = _dataset()
    data.file_meta = FileMetaDataset()
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = _CHEST_CAD if chest_cad else _COMPREHENSIVE
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    _describe(data, image, generate_uid)
    root = _chest_cad(findings, image, identity) if chest_cad else _coordinates(findings, image, identity)
    root.pop("RelationshipType", None)
    data.update(root)
    with replacing(path) as temporary:
        data.save_as(temporary, enforce_file_format=True)


def _dataset(**elements: Any) -> Any:
    from pydicom.dataset import Dataset

    data = Dataset()
    for name, value in elements.items():
        setattr(data, name, value)
    return data


def _describe(data: Any, image: ReportedImage, new_uid: Any) -> None:
    now = datetime.now()
    date, time = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    data.PatientName, data.PatientID = image.patient
    data.PatientBirthDate, data.PatientSex, data.ReferringPhysicianName = "", "", ""
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "", "", "", ""
    data.StudyInstanceUID, data.SeriesInstanceUID = image.study_uid or new_uid(), new_uid()
    data.Modality, data.Manufacturer, data.SeriesNumber, data.InstanceNumber = "SR", "synnodtest", "1", "1"
    data.ReferencedPerformedProcedureStepSequence = []
    data.ContentDate, data.ContentTime = date, time
    data.CompletionFlag, data.VerificationFlag, data.PerformedProcedureCodeSequence = "COMPLETE", "UNVERIFIED", []
    series = _dataset(
        ReferencedSOPSequence=[_reference(image)], SeriesInstanceUID=image.series_uid or data.SeriesInstanceUID
    )
    data.CurrentRequestedProcedureEvidenceSequence = [
        _dataset(ReferencedSeriesSequence=[series], StudyInstanceUID=data.StudyInstanceUID)
    ]


def _reference(image: ReportedImage) -> Any:
    return _dataset(ReferencedSOPClassUID=image.sop_class_uid, ReferencedSOPInstanceUID=image.sop_instance_uid)


def _coded(name: str) -> list[Any]:
    value, scheme, meaning = CODES[name]
    return [_dataset(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]


def _item(relation: str, kind: str, name: str = "", children: Sequence[Any] = (), **elements: Any) -> Any:
    item = _dataset(RelationshipType=relation, ValueType=kind)
    if name:
        item.ConceptNameCodeSequence = _coded(name)
    for key, value in elements.items():
        setattr(item, key, value)
    if children:
        item.ContentSequence = list(children)
    return item


def _container(relation: str, name: str, children: Sequence[Any], template: str = "") -> Any:
    item = _item(relation, "CONTAINER", name, children, ContinuityOfContent="SEPARATE")
    if template:
        item.ContentTemplateSequence = [_dataset(MappingResource="DCMR", TemplateIdentifier=template)]
    return item


def _word(relation: str, name: str, value: str, children: Sequence[Any] = ()) -> Any:
    return _item(relation, "CODE", name, children, ConceptCodeSequence=_coded(value))


def _certainty(relation: str, score: float) -> Any:
    measured = _dataset(NumericValue=f"{100 * score:.12g}", MeasurementUnitsCodeSequence=_coded("percent"))
    return _item(relation, "NUM", "certainty", MeasuredValueSequence=[measured])


def _placed(relation: str, name: str, points: Sequence[float], image: Any) -> Any:
    kind = "POINT" if len(points) == 2 else "POLYLINE"
    return _item(relation, "SCOORD", name, [image], GraphicType=kind, GraphicData=list(points))


def _around(finding: Finding) -> list[float]:
    """Return the closed outline of a box."""
    x_min, y_min, x_max, y_max = (float(edge) for edge in finding.box)
    return [x_min, y_min, x_max, y_min, x_max, y_max, x_min, y_max, x_min, y_min]


def _algorithm(identity: Identity) -> list[Any]:
    named = [("algorithm", identity.name), ("version", identity.version)]
    return [_item("HAS OBS CONTEXT", "TEXT", name, TextValue=text) for name, text in named if text]


def _chest_cad(findings: Sequence[Finding], image: ReportedImage, identity: Identity) -> Any:
    by_reference = _dataset(RelationshipType="SELECTED FROM", ReferencedContentItemIdentifier=_IN_LIBRARY)
    shown = _word("HAS CONCEPT MOD", "rendering", "to be shown")
    singles = [
        _word(
            "CONTAINS",
            "finding",
            "nodule",
            [
                shown,
                *_algorithm(identity),
                _certainty("HAS PROPERTIES", finding.score),
                _placed("HAS PROPERTIES", "centre", [float(v) for v in finding.centre], by_reference),
                _placed("HAS PROPERTIES", "outline", _around(finding), by_reference),
            ],
        )
        for finding in findings
    ]
    impressions = [_container("INFERRED FROM", "impression", [shown, *singles])] if singles else []
    library = _container(
        "CONTAINS", "image library", [_item("CONTAINS", "IMAGE", ReferencedSOPSequence=[_reference(image)])]
    )
    summary = _word("CONTAINS", "summary", "with findings" if singles else "without findings", impressions)
    return _container(
        "",
        "chest CAD report",
        [
            _word("HAS CONCEPT MOD", "language", "english"),
            library,
            summary,
            _word("CONTAINS", "detections", "succeeded", [] if singles else _algorithm(identity)),
            _word("CONTAINS", "analyses", "not attempted"),
        ],
        "4100",
    )


def _coordinates(findings: Sequence[Finding], image: ReportedImage, identity: Identity) -> Any:
    shown = _item("SELECTED FROM", "IMAGE", ReferencedSOPSequence=[_reference(image)])
    groups = [
        _container(
            "CONTAINS",
            "group",
            [
                *_algorithm(identity),
                _word("CONTAINS", "what was found", "nodule"),
                _placed("CONTAINS", "region", _around(finding), shown),
                _certainty("CONTAINS", finding.score),
            ],
            "1410",
        )
        for finding in findings
    ]
    library = _container(
        "CONTAINS", "image library", [_item("CONTAINS", "IMAGE", ReferencedSOPSequence=[_reference(image)])]
    )
    return _container(
        "",
        "measurement report",
        [
            _word("HAS CONCEPT MOD", "language", "english"),
            *_algorithm(identity),
            library,
            _container("CONTAINS", "measurements", groups),
        ],
        "1500",
    )
