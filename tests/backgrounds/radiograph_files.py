"""Files that the tests of the readers read: written here, byte by byte, independently of the package."""

import struct
import zlib
from functools import cache
from pathlib import Path

import numpy as np


def chest(height=128, width=160, bits=8, seed=0):
    """A picture with a gradient, two dark ovals and noise: nothing medical, but not constant either."""
    return (_picture(height, width, seed) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)


@cache
def _picture(height, width, seed):
    y, x = np.mgrid[:height, :width] / [[[height]], [[width]]]
    ovals = sum(np.exp(-((((x - c) / 0.13) ** 2 + ((y - 0.45) / 0.28) ** 2) ** 2)) for c in (0.3, 0.7))
    noise = np.random.default_rng(seed).normal(0, 0.01, (height, width))
    return np.clip(0.75 - 0.1 * y - 0.55 * ovals + noise, 0, 1)


def png_bytes(array, colour_type=0):
    """A PNG file by the specification: 8 or 16 bit, grey (0), RGB (2) or grey with alpha (4)."""
    depth = array.dtype.itemsize * 8
    height, width = array.shape[:2]

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = array.astype(array.dtype.newbyteorder(">")).reshape(height, -1)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def write_png(path, array, colour_type=0):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(png_bytes(array, colour_type))
    return Path(path)


def write_mha(
    path, array, spacing=(1.3, 1.4), *, compressed=True, big=False, element=None, data_file="LOCAL", **fields
):
    """A MetaImage file; ``spacing`` in the order of the header (x, y, z)."""
    names = {"u1": "UCHAR", "i2": "SHORT", "u2": "USHORT", "i4": "INT", "f4": "FLOAT", "f8": "DOUBLE"}
    data = array.astype(array.dtype.newbyteorder(">" if big else "<")).tobytes()
    payload = zlib.compress(data) if compressed else data
    header = {
        "ObjectType": "Image",
        "NDims": array.ndim,
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": big,
        "CompressedData": compressed,
        "ElementSpacing": " ".join(str(s) for s in spacing) if spacing else None,
        "DimSize": " ".join(str(n) for n in reversed(array.shape)),
        "ElementType": f"MET_{names[array.dtype.str[1:]]}",
        **fields,
        "ElementDataFile": data_file,
    }
    text = "".join(f"{key} = {value}\n" for key, value in header.items() if value is not None)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if data_file == "LOCAL":
        Path(path).write_bytes(text.encode() + payload)
    else:
        Path(path).write_text(text)
        (Path(path).parent / data_file).write_bytes(payload)
    return Path(path)


def write_dicom(path, array, *, photometric="MONOCHROME2", bits=12, **fields):
    """A DICOM file with pydicom's own writer; fields as keyword arguments, None removes one."""
    import pydicom
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = pydicom.uid.DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(path)])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID, data.PatientSex, data.PatientAge, data.ViewPosition = "DX", "A1", "F", "061Y", "PA"
    data.Rows, data.Columns = array.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, photometric
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, bits, bits - 1
    data.PixelRepresentation = int(array.dtype.kind == "i")
    data.ImagerPixelSpacing = ["1.2", "1.25"]
    data.PixelData = array.tobytes()
    for name, value in fields.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    data.save_as(str(path), enforce_file_format=True)
    return Path(path)
