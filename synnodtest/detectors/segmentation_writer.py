"""Writing findings on one image as a DICOM segmentation: a binary segment per finding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest import __version__
from synnodtest.detectors import dicom_objects as dicom
from synnodtest.detectors.dicom_objects import ReportedImage, coded, dataset
from synnodtest.detectors.segmentation import SEGMENTATION
from synnodtest.detectors.stated_certainty import words_of
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.geometry import BoolArray, Box
from synnodtest.identity import Identity


def write_segmentation(path: Path, findings: Sequence[Finding], image: ReportedImage, identity: Identity) -> None:
    """Write the findings on one image: each box as a mask of whole pixels, its score in the segment's description.

    Args:
        path: The file; replaced.
        findings: Boxes in pixels of the image as stored, scores 0 to 1. Without any, one empty segment is written.
        image: What they are on; its shape must be known.
        identity: The algorithm.

    Raises:
        DetectorError: the size of the image is not known, or a box lies outside it.
        SynnodError: pydicom is not installed.
    """
    rows, columns = dicom.size_of(image, path)
    masks = [_mask(finding.box, (rows, columns)) for finding in findings] or [np.zeros((rows, columns), dtype=np.bool_)]
    data = dicom.new_object(path, SEGMENTATION, "SEG", image)
    _describe(data, image, len(masks))
    texts = [words_of(finding.score) for finding in findings] or ["nothing was found"]
    data.SegmentSequence = [_segment(n, text, bool(findings), identity) for n, text in enumerate(texts, start=1)]
    data.PerFrameFunctionalGroupsSequence = [_frame(number, image) for number in range(1, len(masks) + 1)]
    bits = np.packbits(np.stack(masks).ravel(), bitorder="little").tobytes()
    data.PixelData = bits + b"\0" * (len(bits) % 2)
    dicom.save(data, path)


def _mask(box: Box, shape: tuple[int, int]) -> BoolArray:
    """Return the pixels whose centre lies in a box; of one that holds no centre, the pixel of its middle.

    Raises:
        DetectorError: it lies outside the image.
    """
    x_min, y_min, x_max, y_max = box
    inside = np.outer(_within(y_min, y_max, shape[0]), _within(x_min, x_max, shape[1]))
    if not inside.any():
        raise DetectorError(
            f"the box {box} lies outside an image of {shape[1]} x {shape[0]} pixels", hint="give boxes in its pixels"
        )
    return inside


def _within(low: float, high: float, size: int) -> BoolArray:
    centres = np.arange(size) + 0.5
    inside = (centres >= low) & (centres < high)
    return inside if inside.any() else np.abs(centres - (low + high) / 2) <= 0.5


def _describe(data: Any, image: ReportedImage, frames: int) -> None:
    """Add what all frames have in common."""
    data.PatientOrientation = ""
    data.ImageType = ["DERIVED", "PRIMARY"]
    data.ManufacturerModelName, data.DeviceSerialNumber, data.SoftwareVersions = "synnodtest", "0", __version__
    data.ContentLabel, data.ContentDescription, data.ContentCreatorName = "FINDINGS", "Findings of a detector", ""
    data.Rows, data.Columns = image.shape
    data.NumberOfFrames, data.SamplesPerPixel, data.PhotometricInterpretation = frames, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 1, 1, 0, 0
    data.LossyImageCompression, data.SegmentationType, data.SegmentsOverlap = "00", "BINARY", "UNDEFINED"
    data.ReferencedSeriesSequence = [dicom.series_reference(image, data, "ReferencedInstanceSequence")]
    data.SharedFunctionalGroupsSequence = [dataset()]
    data.DimensionOrganizationSequence = [dataset(DimensionOrganizationUID=data.SOPInstanceUID)]
    data.DimensionIndexSequence = [
        dataset(
            DimensionIndexPointer=0x0062000B,
            FunctionalGroupPointer=0x0062000A,
            DimensionOrganizationUID=data.SOPInstanceUID,
            DimensionDescriptionLabel="Segment",
        )
    ]


def _segment(number: int, text: str, found: bool, identity: Identity) -> Any:
    from pydicom.uid import generate_uid

    algorithm = dataset(
        AlgorithmFamilyCodeSequence=coded("ArtificialIntelligence"),
        AlgorithmName=identity.name or "unnamed",
        AlgorithmVersion=identity.version or "unknown",
    )
    segment = dataset(
        SegmentNumber=number,
        SegmentLabel=f"Nodule {number}",
        SegmentDescription=text,
        SegmentAlgorithmType="AUTOMATIC",
        SegmentAlgorithmName=algorithm.AlgorithmName,
        SegmentationAlgorithmIdentificationSequence=[algorithm],
        SegmentedPropertyCategoryCodeSequence=coded("SCT.MorphologicallyAbnormalStructure"),
        SegmentedPropertyTypeCodeSequence=coded("SCT.Nodule"),
    )
    if found:
        segment.TrackingID, segment.TrackingUID = f"nodule {number}", generate_uid()
    return segment


def _frame(number: int, image: ReportedImage) -> Any:
    source = dicom.reference_to(image)
    source.PurposeOfReferenceCodeSequence = coded("SourceImageForImageProcessingOperation")
    source.SpatialLocationsPreserved = "YES"
    return dataset(
        SegmentIdentificationSequence=[dataset(ReferencedSegmentNumber=number)],
        FrameContentSequence=[dataset(DimensionIndexValues=[number])],
        DerivationImageSequence=[
            dataset(SourceImageSequence=[source], DerivationCodeSequence=coded("SegmentationImageDerivation"))
        ],
    )
