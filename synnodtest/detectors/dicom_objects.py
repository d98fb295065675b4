"""Common parts of the DICOM objects of findings that are written: the image it is on, header, codes, outlines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

from synnodtest.errors import DetectorError, require
from synnodtest.files import replacing
from synnodtest.finding import Finding

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

_OWN_CODES = {
    "English": ("en-US", "RFC5646", "English (United States)"),
    "Impression": ("111034", "DCM", "Individual Impression/Recommendation"),
}
"""Value, scheme and meaning of codes that pydicom has not, or with a letter beyond ASCII."""


@dataclass(frozen=True)
class ReportedImage:
    """The image that findings are on, as its header names it.

    Args:
        sop_instance_uid, sop_class_uid: Of the image.
        study_uid, series_uid: Of its study and series; new ones if empty.
        patient: Name and id of the patient as the image has them.
        shape: Rows and columns; (0, 0) where they are not known.
    """

    sop_instance_uid: str
    sop_class_uid: str = _SECONDARY_CAPTURE
    study_uid: str = ""
    series_uid: str = ""
    patient: tuple[str, str] = ("SYNTHETIC", "SYNTHETIC")
    shape: tuple[int, int] = (0, 0)


def image_of_file(path: Path) -> ReportedImage:
    """Return how a DICOM image is named in a report.

    Raises:
        DetectorError: the file is no DICOM image.
        SynnodError: pydicom is not installed.
    """
    require("pydicom", "dicom", f"reading {path}")
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        data = pydicom.dcmread(path, stop_before_pixels=True)
        uids = (data.SOPInstanceUID, data.SOPClassUID, data.StudyInstanceUID, data.SeriesInstanceUID)
        instance, kind, study, series = map(str, uids)
        patient = (str(data.get("PatientName", "")), str(data.get("PatientID", "")))
        shape = (int(data.get("Rows") or 0), int(data.get("Columns") or 0))
        return ReportedImage(instance, kind, study, series, patient, shape)
    except (InvalidDicomError, AttributeError, OSError) as error:
        raise DetectorError(
            f"{path}: no DICOM image: {error}", hint="name the file that the findings are on"
        ) from error


def size_of(image: ReportedImage, path: Path) -> tuple[int, int]:
    """Return rows and columns of an image, which an object of its own grid or area needs.

    Raises:
        DetectorError: they are not known.
    """
    if not all(image.shape):
        raise DetectorError(
            f"{path.name} cannot be written: the size of its image is not known",
            hint="ReportedImage(uid, shape=(rows, columns)), or image_of_file(path)",
        )
    return image.shape


def dataset(**elements: Any) -> Any:
    """Return a dataset of these elements."""
    from pydicom.dataset import Dataset

    data = Dataset()
    for name, value in elements.items():
        setattr(data, name, value)
    return data


def new_object(path: Path, sop_class: str, modality: str, image: ReportedImage) -> Any:
    """Return a dataset with patient, study, series and equipment, in the study of the image.

    Raises:
        SynnodError: pydicom is not installed.
    """
    require("pydicom", "dicom", f"writing {path.name}")
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    data = dataset(SOPClassUID=sop_class, SOPInstanceUID=generate_uid())
    data.ensure_file_meta()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.PatientName, data.PatientID = image.patient
    data.PatientBirthDate, data.PatientSex, data.ReferringPhysicianName = "", "", ""
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "", "", "", ""
    data.StudyInstanceUID, data.SeriesInstanceUID = image.study_uid or generate_uid(), generate_uid()
    data.Modality, data.Manufacturer, data.SeriesNumber, data.InstanceNumber = modality, "synnodtest", "1", "1"
    now = datetime.now()
    data.ContentDate, data.ContentTime = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
    return data


def save(data: Any, path: Path) -> None:
    """Write an object; an older one of that name is replaced once it is whole."""
    with replacing(path) as temporary:
        data.save_as(temporary, enforce_file_format=True)


def reference_to(image: ReportedImage) -> Any:
    """Return a reference to the image."""
    return dataset(ReferencedSOPClassUID=image.sop_class_uid, ReferencedSOPInstanceUID=image.sop_instance_uid)


def series_reference(image: ReportedImage, data: Any, name: str) -> Any:
    """Return the series of the image with a reference to it under ``name``, for the object ``data``."""
    return dataset(SeriesInstanceUID=image.series_uid or data.SeriesInstanceUID, **{name: [reference_to(image)]})


def coded(name: str) -> list[Any]:
    """Return a code as a sequence, by its name in pydicom's dictionary: ``SCT.Nodule``, ``Outline`` of DICOM's own."""
    from pydicom.sr.codedict import codes

    value, scheme, meaning = _OWN_CODES.get(name) or attrgetter(name if "." in name else f"DCM.{name}")(codes)[:3]
    return [dataset(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]


def outline_of(finding: Finding) -> list[float]:
    """Return the closed outline of a box: x, y of five points."""
    x_min, y_min, x_max, y_max = (float(edge) for edge in finding.box)
    return [x_min, y_min, x_max, y_min, x_max, y_max, x_min, y_max, x_min, y_min]
