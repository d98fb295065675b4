"""Writing findings on one image as a DICOM grayscale softcopy presentation state: an outline and a text per finding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synnodtest.detectors import dicom_objects as dicom
from synnodtest.detectors.dicom_objects import ReportedImage, dataset
from synnodtest.detectors.stated_certainty import words_of
from synnodtest.finding import Finding
from synnodtest.identity import Identity

_GRAYSCALE = "1.2.840.10008.5.1.4.1.1.11.1"
LAYER = "NODULES"
_POINTS = 5
"""Of the closed outline of a box."""


def write_presentation_state(path: Path, findings: Sequence[Finding], image: ReportedImage, identity: Identity) -> None:
    """Write the findings on one image: boxes as closed polylines in pixels, each with its certainty as text.

    Args:
        path: The file; replaced.
        findings: Boxes in pixels of the image as stored, scores 0 to 1. Without any, the layer is empty.
        image: What they are on; its shape must be known.
        identity: The algorithm, which stands as the equipment: a state has no other attribute for it.

    Raises:
        DetectorError: the size of the image is not known.
        SynnodError: pydicom is not installed.
    """
    rows, columns = dicom.size_of(image, path)
    data = dicom.new_object(path, _GRAYSCALE, "PR", image)
    data.PresentationCreationDate, data.PresentationCreationTime = data.ContentDate, data.ContentTime
    del data.ContentDate, data.ContentTime
    data.Laterality = ""
    data.ManufacturerModelName, data.SoftwareVersions = identity.name or "unnamed", identity.version
    data.ContentLabel, data.ContentCreatorName = "FINDINGS", ""
    data.ContentDescription = f"{identity.name} {identity.version}".strip()[:64]
    data.ReferencedSeriesSequence = [dicom.series_reference(image, data, "ReferencedImageSequence")]
    data.DisplayedAreaSelectionSequence = [
        dataset(
            DisplayedAreaTopLeftHandCorner=[1, 1],
            DisplayedAreaBottomRightHandCorner=[columns, rows],
            PresentationSizeMode="SCALE TO FIT",
            PresentationPixelAspectRatio=[1, 1],
        )
    ]
    data.GraphicLayerSequence = [dataset(GraphicLayer=LAYER, GraphicLayerOrder=1)]
    data.PresentationLUTShape = "IDENTITY"
    if findings:
        data.GraphicAnnotationSequence = [_annotation(finding, image) for finding in findings]
    dicom.save(data, path)


def _annotation(found: Finding, image: ReportedImage) -> Any:
    outline = dataset(
        GraphicAnnotationUnits="PIXEL",
        GraphicDimensions=2,
        NumberOfGraphicPoints=_POINTS,
        GraphicData=dicom.outline_of(found),
        GraphicType="POLYLINE",
        GraphicFilled="N",
    )
    text = dataset(
        AnchorPointAnnotationUnits="PIXEL",
        UnformattedTextValue=f"nodule, {words_of(found.score)}",
        AnchorPoint=[float(found.box[2]), float(found.box[1])],
        AnchorPointVisibility="N",
    )
    return dataset(
        ReferencedImageSequence=[dicom.reference_to(image)],
        GraphicLayer=LAYER,
        TextObjectSequence=[text],
        GraphicObjectSequence=[outline],
    )
