"""Small DICOM films as objects of findings refer to them, and what a recorded detector says of one."""

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from synnodtest import Radiograph
from synnodtest.detectors.dicom_findings import read_objects
from synnodtest.identity import instance_key

PA, LATERAL = "1.2.3.4.1", "1.2.3.4.2"
STUDY, SERIES = generate_uid(), generate_uid()
ROWS, COLUMNS = 120, 90
COMPUTED_RADIOGRAPHY = "1.2.840.10008.5.1.4.1.1.1"


def film(uid=PA, shape=(ROWS, COLUMNS)):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = COMPUTED_RADIOGRAPHY
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid
    data.StudyInstanceUID, data.SeriesInstanceUID = STUDY, SERIES
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "A^B", "17", "", ""
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "", "", "", ""
    data.ReferringPhysicianName, data.Modality, data.SeriesNumber, data.InstanceNumber = "", "CR", "1", "1"
    data.Rows, data.Columns = shape
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelData = np.zeros(shape, "<u2").tobytes()
    return data


def answers(path, uid=PA, shape=(ROWS, COLUMNS), chosen=()):
    radiograph = Radiograph(np.zeros(shape, np.float32), (1, 1), instance=instance_key(uid), source="film.dcm")
    return read_objects(path, chosen).detect([radiograph])[0]


def boxes(findings):
    return [found.box for found in findings]
