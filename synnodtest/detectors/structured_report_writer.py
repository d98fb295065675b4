"""Writing findings on one image as a DICOM structured report: Chest CAD SR, or measurement groups with regions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synnodtest.detectors import dicom_objects as dicom
from synnodtest.detectors.dicom_objects import ReportedImage, coded, dataset
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.identity import Identity

FORMS = ("chest-cad", "coordinates")
_CHEST_CAD, _COMPREHENSIVE = "1.2.840.10008.5.1.4.1.1.88.65", "1.2.840.10008.5.1.4.1.1.88.33"
_IN_LIBRARY = [1, 2, 1]
"""Place of the image in the content: the first entry of the second child, which is the image library."""


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
    chest_cad = form == "chest-cad"
    data = dicom.new_object(path, _CHEST_CAD if chest_cad else _COMPREHENSIVE, "SR", image)
    data.CompletionFlag, data.VerificationFlag, data.PerformedProcedureCodeSequence = "COMPLETE", "UNVERIFIED", []
    data.ReferencedPerformedProcedureStepSequence = []
    series = dicom.series_reference(image, data, "ReferencedSOPSequence")
    data.CurrentRequestedProcedureEvidenceSequence = [
        dataset(ReferencedSeriesSequence=[series], StudyInstanceUID=data.StudyInstanceUID)
    ]
    root = _chest_cad(findings, image, identity) if chest_cad else _coordinates(findings, image, identity)
    root.pop("RelationshipType", None)
    data.update(root)
    dicom.save(data, path)


def _item(relation: str, kind: str, name: str = "", children: Sequence[Any] = (), **elements: Any) -> Any:
    item = dataset(RelationshipType=relation, ValueType=kind, **elements)
    if name:
        item.ConceptNameCodeSequence = coded(name)
    if children:
        item.ContentSequence = list(children)
    return item


def _container(relation: str, name: str, children: Sequence[Any], template: str = "") -> Any:
    item = _item(relation, "CONTAINER", name, children, ContinuityOfContent="SEPARATE")
    if template:
        item.ContentTemplateSequence = [dataset(MappingResource="DCMR", TemplateIdentifier=template)]
    return item


def _word(relation: str, name: str, value: str, children: Sequence[Any] = ()) -> Any:
    return _item(relation, "CODE", name, children, ConceptCodeSequence=coded(value))


def _certainty(relation: str, score: float) -> Any:
    measured = dataset(NumericValue=f"{100 * score:.12g}", MeasurementUnitsCodeSequence=coded("UCUM.Percent"))
    return _item(relation, "NUM", "CertaintyOfFinding", MeasuredValueSequence=[measured])


def _placed(relation: str, name: str, points: Sequence[float], image: Any) -> Any:
    kind = "POINT" if len(points) == 2 else "POLYLINE"
    return _item(relation, "SCOORD", name, [image], GraphicType=kind, GraphicData=list(points))


def _library(image: ReportedImage) -> Any:
    image_item = _item("CONTAINS", "IMAGE", ReferencedSOPSequence=[dicom.reference_to(image)])
    return _container("CONTAINS", "ImageLibrary", [image_item])


def _algorithm(identity: Identity) -> list[Any]:
    named = [("AlgorithmName", identity.name), ("AlgorithmVersion", identity.version)]
    return [_item("HAS OBS CONTEXT", "TEXT", name, TextValue=text) for name, text in named if text]


def _chest_cad(findings: Sequence[Finding], image: ReportedImage, identity: Identity) -> Any:
    by_reference = dataset(RelationshipType="SELECTED FROM", ReferencedContentItemIdentifier=_IN_LIBRARY)
    rendering = _word("HAS CONCEPT MOD", "RenderingIntent", "PresentationRequiredRenderingDeviceIsExpectedToPresent")

    def single(finding: Finding) -> Any:
        certainty = _certainty("HAS PROPERTIES", finding.score)
        centre = _placed("HAS PROPERTIES", "Center", [float(v) for v in finding.centre], by_reference)
        outline = _placed("HAS PROPERTIES", "Outline", dicom.outline_of(finding), by_reference)
        properties = [rendering, *_algorithm(identity), certainty, centre, outline]
        return _word("CONTAINS", "SingleImageFinding", "SCT.Nodule", properties)

    singles = list(map(single, findings))
    impressions = [_container("INFERRED FROM", "Impression", [rendering, *singles])] if singles else []
    outcome = f"AllAlgorithmsSucceededWith{'' if singles else 'out'}Findings"
    summary = _word("CONTAINS", "CADProcessingAndFindingsSummary", outcome, impressions)
    content = [
        _word("HAS CONCEPT MOD", "LanguageOfContentItemAndDescendants", "English"),
        _library(image),
        summary,
        _word("CONTAINS", "SummaryOfDetections", "Succeeded", [] if singles else _algorithm(identity)),
        _word("CONTAINS", "SummaryOfAnalyses", "NotAttempted"),
    ]
    return _container("", "ChestCADReport", content, "4100")


def _coordinates(findings: Sequence[Finding], image: ReportedImage, identity: Identity) -> Any:
    image_item = _item("SELECTED FROM", "IMAGE", ReferencedSOPSequence=[dicom.reference_to(image)])

    def group(finding: Finding) -> Any:
        nodule = _word("CONTAINS", "Finding", "SCT.Nodule")
        region = _placed("CONTAINS", "ImageRegion", dicom.outline_of(finding), image_item)
        certainty = _certainty("CONTAINS", finding.score)
        return _container("CONTAINS", "MeasurementGroup", [*_algorithm(identity), nodule, region, certainty], "1410")

    measured = _container("CONTAINS", "ImagingMeasurements", list(map(group, findings)))
    language = _word("HAS CONCEPT MOD", "LanguageOfContentItemAndDescendants", "English")
    content = [language, *_algorithm(identity), _library(image), measured]
    return _container("", "ImagingMeasurementReport", content, "1500")
