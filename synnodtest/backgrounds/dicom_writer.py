"""DICOM secondary captures: one grey image, said to be derived and synthetic, with no patient in it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.backgrounds.dicom_header import WITHOUT_PATIENT
from synnodtest.errors import missing_extra

MOST_COMMENT = 10240
"""Characters of an LT attribute (PS3.5 6.2)."""


def write_dicom(
    path: Path,
    pixels: NDArray[np.uint16],
    spacing_mm: tuple[float, float],
    bits: int,
    note: str,
    truth: str,
    uid: str = "",
) -> None:
    """Write a Secondary Capture Image (PS3.3 A.8.1), MONOCHROME2, explicit VR little endian.

    Args:
        path: The file; replaced.
        pixels: (height, width), below ``2**bits``.
        spacing_mm: ``(row, column)``.
        bits: Bits stored.
        note: Said in series and derivation description and comments; empty where nothing was planted.
        truth: Planted nodules as JSON, for the comments.
        uid: SOP Instance UID; a new one if empty.

    Raises:
        SynnodError: pydicom is not installed.
    """
    try:
        from pydicom.dataset import Dataset, FileMetaDataset
        from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid
    except ImportError:
        raise missing_extra("pydicom", "dicom", f"writing {path.name}") from None
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID(uid) if uid else generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = Dataset()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = SecondaryCaptureImageStorage, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    _describe(data, note, truth)
    _image(data, pixels, spacing_mm, bits)
    data.save_as(path, enforce_file_format=True)


def _describe(data: Any, note: str, truth: str) -> None:
    now = datetime.now()
    word = "SYNTHETIC" if note else WITHOUT_PATIENT
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = word, word, "", ""
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = now.strftime("%Y%m%d"), "", "", ""
    data.ReferringPhysicianName = ""
    data.Modality, data.ConversionType = "OT", "WSD"
    data.Manufacturer, data.SeriesNumber, data.InstanceNumber = "synnodtest", "1", "1"
    data.PatientOrientation, data.Laterality = "", ""
    data.ImageType = ["DERIVED", "SECONDARY"]
    data.BurnedInAnnotation = "NO"
    if note:
        data.SeriesDescription = "SYNTHETIC nodules"
        data.DerivationDescription = note
        data.ImageComments = f"{note} {truth}"[:MOST_COMMENT]


def _image(data: Any, pixels: NDArray[np.uint16], spacing_mm: tuple[float, float], bits: int) -> None:
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = (int(n) for n in pixels.shape)
    data.PixelSpacing = [f"{spacing_mm[0]:.8g}", f"{spacing_mm[1]:.8g}"]
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, bits, bits - 1, 0
    data.PixelData = np.ascontiguousarray(pixels.astype("<u2")).tobytes()
