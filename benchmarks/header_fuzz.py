"""One random header field of a radiograph's file changed: is it read right, refused, noted, or silently different?

    python benchmarks/header_fuzz.py --count 2000 --seed 0

writes ``count`` DICOM, MHA, PNG and manifest files of one phantom, each with one field changed, reads each and prints a
count per format. *Right* is within 1/255 of the unchanged file, with the spacing and the patient that the changed file
states; *noted* is another picture that the reader's notes announce. Exits with 1 where anything was silently different.
"""

from __future__ import annotations

import argparse
import copy
import struct
import sys
import tempfile
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synnodtest.backgrounds import open_backgrounds, read_radiograph
from synnodtest.errors import SynnodError
from synnodtest.radiograph import Radiograph

ROWS, COLUMNS, SPACING = 256, 240, (1.5, 1.6)
OUTCOMES = ("right", "refused", "noted", "SILENT")
TOLERANCE = 1 / 255
_Rng = np.random.Generator


@dataclass
class Changed:
    """A file with one field changed, and what it states.

    Args:
        path: The file to read.
        what: The field and its new value.
        spacing_mm: What the changed file states, ``(row, column)``.
        options: For :func:`read_radiograph`.
        folder: Read as a background set instead.
    """

    path: Path
    what: str
    spacing_mm: tuple[float, float] = SPACING
    options: dict[str, Any] = field(default_factory=dict)
    folder: bool = False
    patient: str = ""


def picture() -> NDArray[np.uint16]:
    """Return a phantom of 12 bits, ROWS x COLUMNS."""
    served = open_backgrounds(None, "normal", 1)
    pixels = served.load(served.backgrounds[0]).pixels
    small = Image.fromarray(pixels).resize((COLUMNS, ROWS), Image.Resampling.BOX)
    return np.rint(np.clip(np.asarray(small), 0, 1) * 4095).astype(np.uint16)


def number(rng: _Rng) -> Any:
    """Return a number of some size, mostly not what a field wants."""
    return rng.choice(
        [0, 1, -1, 2, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 100, 255, 256, 1000, 2048, 4095, 65535]
    ).item()


def length(rng: _Rng) -> float:
    """Return a spacing in mm: some plausible, some not."""
    return float(rng.choice([0.0, -1.0, 0.01, 0.1, 0.143, 0.5, 1.0, 1.2, 1.4, 1.55, 1.7, 3.0, 15.0, 1000.0]))


def word(rng: _Rng, *words: str) -> str:
    """Return one of the words."""
    return str(rng.choice(words))


# --- DICOM --------------------------------------------------------------------------------------------------------


def dicom_fields(rng: _Rng) -> dict[str, Callable[[], Any]]:
    """Return fields and makers of values."""

    def pair() -> list[Any]:
        return [length(rng)] * 2 if rng.random() < 0.7 else [length(rng), length(rng)]

    return {
        **{name: lambda: number(rng) for name in (
            "Rows", "Columns", "BitsStored", "HighBit", "SamplesPerPixel", "NumberOfFrames", "WindowCenter",
            "WindowWidth",
            "RescaleSlope", "RescaleIntercept", "PixelPaddingValue", "PixelPaddingRangeLimit", "LargestImagePixelValue",
            "SmallestImagePixelValue", "FieldOfViewRotation", "PlanarConfiguration", "KVP", "SeriesNumber",
        )},
        "BitsAllocated": lambda: int(rng.choice([1, 8, 12, 16, 32, 64])),
        "PixelRepresentation": lambda: int(rng.choice([0, 1])),
        "ImagerPixelSpacing": pair, "PixelSpacing": pair, "NominalScannedPixelSpacing": pair,
        "PixelSpacingCalibrationType": lambda: word(rng, "GEOMETRY", "FIDUCIAL", "OTHER"),
        "EstimatedRadiographicMagnificationFactor": lambda: float(rng.choice([0.0, 1.0, 1.1, 2.0])),
        "PhotometricInterpretation": lambda: word(rng, "MONOCHROME1", "MONOCHROME2", "RGB", "PALETTE COLOR", ""),
        "PresentationLUTShape": lambda: word(rng, "IDENTITY", "INVERSE", "LIN OD"),
        "PresentationIntentType": lambda: word(rng, "FOR PRESENTATION", "FOR PROCESSING", "OTHER"),
        "PixelIntensityRelationship": lambda: word(rng, "LIN", "LOG", "DISP"),
        "VOILUTFunction": lambda: word(rng, "LINEAR", "LINEAR_EXACT", "SIGMOID", "CUBIC"),
        "Modality": lambda: word(rng, "DX", "CR", "RG", "OT", "MG", "CT", "PX", "US", ""),
        "SOPClassUID": lambda: word(rng, "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.3"),
        "BodyPartExamined": lambda: word(rng, "CHEST", "THORAX", "HAND", "ABDOMEN", "SKULL", ""),
        "ViewPosition": lambda: word(rng, "PA", "AP", "LL", "RL", "LATERAL", "XX", ""),
        "SeriesDescription": lambda: word(rng, "Chest", "Chest lat", "PA", "LATERAL", "portable"),
        "PatientOrientation": lambda: [word(rng, "L", "R", "A", "P", "H"), word(rng, "F", "H", "L")],
        "FieldOfViewHorizontalFlip": lambda: word(rng, "YES", "NO"),
        "ImageType": lambda: [word(rng, "ORIGINAL", "DERIVED"), word(rng, "PRIMARY", "SECONDARY")],
        "LossyImageCompression": lambda: word(rng, "00", "01"),
        "PatientSex": lambda: word(rng, "M", "F", "O", "X"),
        "PatientAge": lambda: word(rng, "040Y", "012M", "old"),
        "TransferSyntaxUID": lambda: word(rng, "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"),
        "PixelData": lambda: int(rng.choice([-200, -2, -1, 1, 2, 480, 122880])),
        "VOILUTSequence": lambda: (int(rng.choice([0, 8, 10, 12, 14, 16])), int(rng.choice([255, 1023, 4095, 65535]))),
    }  # fmt: skip


def dicom(folder: Path, pixels: NDArray[np.uint16], rng: _Rng, index: int) -> Changed:
    """Write a DICOM file with one field changed, or taken away."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = (
        DigitalXRayImageStorageForPresentation,
        ExplicitVRLittleEndian,
    )
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(index)])
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID, data.ViewPosition, data.BodyPartExamined = "DX", "P1", "PA", "CHEST"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = ROWS, COLUMNS, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PresentationIntentType, data.ImagerPixelSpacing = "FOR PRESENTATION", list(SPACING)
    if index % 2:
        data.WindowCenter, data.WindowWidth = 2048, 4096
    data.PixelData = pixels.astype("<u2").tobytes()
    path = folder / f"{index}.dcm"
    name, value = _written(data, path, rng)
    if name == "TransferSyntaxUID":
        path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", value.encode().ljust(20, b"\0"), 1))
    stated = (float(value[0]), float(value[1])) if name == "ImagerPixelSpacing" else SPACING
    return Changed(path, f"{name} {value}", stated)


def _written(data: Any, path: Path, rng: _Rng) -> tuple[str, Any]:
    """Write the file with one field changed; a value that the field cannot hold in a file is drawn again."""
    while True:
        changed = copy.deepcopy(data)
        name, value = _change_dicom(changed, rng)
        try:
            changed.save_as(path, enforce_file_format=True)
        except (OSError, ValueError, OverflowError):
            continue
        return name, value


def _change_dicom(data: Any, rng: _Rng) -> tuple[str, Any]:
    """Change one field; return it and its new value."""
    if rng.random() < 0.1:
        present = [e.keyword for e in data if e.keyword not in ("SOPClassUID", "SOPInstanceUID")]
        name = word(rng, *present)
        delattr(data, name)
        return "without", name
    fields = dicom_fields(rng)
    name = word(rng, *fields)
    value = fields[name]()
    if name == "PixelData":
        data.PixelData = data.PixelData + b"\x07" * value if value > 0 else data.PixelData[:value]
    elif name == "VOILUTSequence":
        data.VOILUTSequence = [_table(*value)]
    elif name != "TransferSyntaxUID":
        setattr(data, name, value)
    return name, value


def _table(bits: int, top: int) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.LUTDescriptor, item.LUTData = [4096, 0, bits], np.rint(np.linspace(0, top, 4096)).astype("<u2").tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    return item


# --- MHA ----------------------------------------------------------------------------------------------------------


def mha(folder: Path, pixels: NDArray[np.uint16], rng: _Rng, index: int) -> Changed:
    """Write a MetaImage with one line of its header changed, added or taken away."""
    compressed = bool(index % 2)
    stored = pixels.astype("<u2") if index % 3 else (pixels / np.float32(4095)).astype("<f4")
    kind = "MET_USHORT" if index % 3 else "MET_FLOAT"
    header = {
        "ObjectType": "Image", "NDims": "2", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
        "CompressedData": str(compressed), "TransformMatrix": "1 0 0 1", "Offset": "0 0",
        "ElementSpacing": f"{SPACING[1]} {SPACING[0]}", "DimSize": f"{COLUMNS} {ROWS}", "ElementType": kind,
    }  # fmt: skip
    values: dict[str, Callable[[], str]] = {
        "NDims": lambda: word(rng, "1", "2", "3"),
        "BinaryData": lambda: word(rng, "True", "False"),
        "BinaryDataByteOrderMSB": lambda: word(rng, "True", "False", "maybe"),
        "ElementByteOrderMSB": lambda: word(rng, "True", "False"),
        "CompressedData": lambda: word(rng, "True", "False"),
        "TransformMatrix": lambda: word(rng, "-1 0 0 1", "0 1 1 0", "1 0 0 -1", "x"),
        "Offset": lambda: word(rng, "5 5", "-100 3"),
        "ElementSpacing": lambda: f"{length(rng)} {length(rng)}" if rng.random() < 0.5 else f"{length(rng)}",
        "ElementSize": lambda: f"{length(rng)} {length(rng)}",
        "DimSize": lambda: word(
            rng, f"{ROWS} {COLUMNS}", f"{COLUMNS} {ROWS - 8}", f"{COLUMNS + 8} {ROWS}", "240", "240 256 1"
        ),
        "ElementType": lambda: word(rng, "MET_SHORT", "MET_UCHAR", "MET_UINT", "MET_INT", "MET_FLOAT", "MET_DOUBLE"),
        "ElementNumberOfChannels": lambda: word(rng, "1", "2", "3"),
        "ElementToIntensityFunctionSlope": lambda: word(rng, "1", "2", "0.5"),
        "ElementToIntensityFunctionOffset": lambda: word(rng, "0", "-1000"),
        "Modality": lambda: word(rng, "MET_MOD_CT", "MET_MOD_OTHER", "MET_MOD_US"),
        "DistanceUnits": lambda: word(rng, "mm", "um", "cm"),
        "HeaderSize": lambda: word(rng, "0", "-1", "100"),
        "AnatomicalOrientation": lambda: word(rng, "RAI", "ASL"),
        "Comment": lambda: "anything",
    }
    name = word(rng, *values, *(["without"] if rng.random() < 0.3 else []))
    gone = word(rng, *header) if name == "without" else ""
    value = gone or values[name]()
    header = {key: text for key, text in header.items() if key != gone} | ({} if gone else {name: value})
    parts = [float(part) for part in value.split()] if name == "ElementSpacing" else []
    spacing = (parts[1], parts[0]) if len(parts) == 2 else SPACING
    text = "".join(f"{key} = {line}\n" for key, line in header.items()) + "ElementDataFile = LOCAL\n"
    path = folder / f"{index}.mha"
    path.write_bytes(text.encode() + (zlib.compress(stored.tobytes()) if compressed else stored.tobytes()))
    return Changed(path, f"{name} = {value}", spacing)


# --- PNG ----------------------------------------------------------------------------------------------------------


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _exif(turn: int) -> bytes:
    return _chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 0x0112, 3, 1, turn, 0) + b"\0\0\0\0")


def png(folder: Path, pixels: NDArray[np.uint16], rng: _Rng, index: int) -> Changed:
    """Write a PNG with one field of its header changed, or with one chunk more."""
    deep = bool(index % 2)
    stored = pixels.astype(">u2") if deep else np.rint(pixels / 4095 * 255).astype(np.uint8)
    fields = {
        "width": COLUMNS,
        "height": ROWS,
        "depth": 16 if deep else 8,
        "colour": 0,
        "method": 0,
        "filter": 0,
        "lace": 0,
    }
    choices: dict[str, Callable[[], int]] = {
        "width": lambda: int(rng.choice([0, 1, COLUMNS - 1, COLUMNS // 2, COLUMNS + 1, 2 * COLUMNS, ROWS, 2**31])),
        "height": lambda: int(rng.choice([0, 1, ROWS - 1, ROWS // 2, ROWS + 1, COLUMNS, 2**31])),
        "depth": lambda: int(rng.choice([1, 2, 4, 8, 16, 3])),
        "colour": lambda: int(rng.choice([0, 2, 3, 4, 6, 1])),
        "lace": lambda: int(rng.choice([0, 1, 2])),
        "method": lambda: int(rng.choice([0, 1])),
        "filter": lambda: int(rng.choice([0, 1])),
    }
    chunks: dict[str, Callable[[], bytes]] = {
        "eXIf": lambda: _exif(int(rng.integers(0, 10))),
        "gAMA": lambda: _chunk(b"gAMA", struct.pack(">I", int(rng.integers(1, 200000)))),
        "sBIT": lambda: _chunk(b"sBIT", bytes([int(rng.integers(1, 17))])),
        "pHYs": lambda: _chunk(b"pHYs", struct.pack(">IIB", int(rng.integers(1, 9999)), 2000, 1)),
        "tRNS": lambda: _chunk(b"tRNS", struct.pack(">H", int(rng.integers(0, 4096)))),
        "PLTE": lambda: _chunk(b"PLTE", bytes(range(255, -1, -1)) * 3),
        "bKGD": lambda: _chunk(b"bKGD", b"\0\x07"),
        "crc": lambda: b"",
    }
    name = word(rng, *choices, *chunks)
    extra = b""
    if name in choices:
        fields[name] = choices[name]()
    elif name != "crc":
        extra = chunks[name]()
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", *fields.values()))
    if name == "crc":
        header = header[:-1] + bytes([header[-1] ^ 1])
    raw = b"".join(b"\0" + row.tobytes() for row in stored)
    path = folder / f"{index}.png"
    body = header + extra + _chunk(b"IDAT", zlib.compress(raw, 1)) + _chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    what = f"{name} {fields.get(name, extra[8:20])!r}"
    return Changed(path, what, options={"spacing_mm": SPACING})


# --- manifest -----------------------------------------------------------------------------------------------------

_HEADER = ["file", "patient", "view", "sex", "age", "mm_per_px_x", "mm_per_px_y", "bits"]
_ROW = ["a.png", "P7", "PA", "F", "50", str(SPACING[1]), str(SPACING[0]), "12"]


def manifest(folder: Path, pixels: NDArray[np.uint16], rng: _Rng, index: int) -> Changed:
    """Write a set of one PNG whose manifest has one column or one cell changed."""
    here = folder / str(index)
    here.mkdir()
    Image.fromarray(pixels).save(here / "a.png", compress_level=1)
    header, row = list(_HEADER), list(_ROW)
    place, spacing, patient = int(rng.integers(len(header))), SPACING, _ROW[1]
    before = header[place], row[place]
    change = word(rng, "name", "slip", "cell", "text")
    separator, encoding = ",", "utf-8"
    if change == "name":
        ways = (str.upper, str.title, lambda t: t.replace("_", " "), lambda t: t.replace("_", "-"), lambda t: f" {t} ")
        header[place] = ways[int(rng.integers(len(ways)))](header[place])
    elif change == "slip":
        header[place] = _slip(header[place], rng)
    elif change == "cell":
        row[place] = _cell(header[place], rng)
        spacing = _stated(row) if header[place].startswith("mm") else SPACING
        patient = row[1]
    else:
        separator = word(rng, ",", ";", "\t")
        encoding = word(rng, "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1")
    text = "\n".join(separator.join(cells) for cells in (header, row)) + "\n"
    (here / word(rng, "manifest.csv", "Manifest.CSV")).write_bytes(text.encode(encoding))
    what = f"{change} {before} -> {header[place]!r}: {row[place]!r} {separator!r} {encoding}"
    return Changed(here, what, spacing, folder=True, patient=patient)


def _slip(text: str, rng: _Rng) -> str:
    at, letter = int(rng.integers(len(text))), word(rng, *"aeinrstz")
    return word(rng, text[:at] + text[at + 1 :], text[:at] + letter + text[at:], text[:at] + letter + text[at + 1 :])


def _cell(column: str, rng: _Rng) -> str:
    if column.startswith("mm"):
        return str(length(rng))
    wanted = {
        "file": ("b.png", "A.PNG", ""), "patient": ("P8", "7", ""), "view": ("AP", "lateral", ""),
        "sex": ("M", ""), "age": ("x", ""), "bits": ("8", "10", "11", "12", "13", "14", "16", "99", "x", ""),
    }  # fmt: skip
    return word(rng, *wanted[column])


def _stated(row: list[str]) -> tuple[float, float]:
    return float(row[6]), float(row[5])


# --- the outcome --------------------------------------------------------------------------------------------------

FORMATS: dict[str, Callable[[Path, NDArray[np.uint16], _Rng, int], Changed]] = {
    "DICOM": dicom,
    "MHA": mha,
    "PNG": png,
    "manifest": manifest,
}


def outcome(changed: Changed, truth: NDArray[np.float64]) -> str:
    """Return one of :data:`OUTCOMES`."""
    try:
        radiograph, notes = _read(changed)
    except SynnodError:
        return "refused"
    same = radiograph.pixels.shape == truth.shape and float(np.abs(radiograph.pixels - truth).max()) <= TOLERANCE
    if same and np.allclose(radiograph.spacing_mm, changed.spacing_mm) and radiograph.patient == changed.patient:
        return "right"
    return "noted" if notes else "SILENT"


def _read(changed: Changed) -> tuple[Radiograph, tuple[str, ...]]:
    if not changed.folder:
        radiograph = read_radiograph(changed.path, **changed.options)
        return radiograph, radiograph.notes
    served = open_backgrounds(changed.path, "normal")
    radiograph = served.load(served.backgrounds[0])
    return radiograph, radiograph.notes


def fuzz(count: int, seed: int) -> tuple[dict[str, Counter[str]], list[str]]:
    """Return the outcomes by format, and what was silently different."""
    pixels = picture()
    truth = pixels / 4095
    found = {name: Counter[str]() for name in FORMATS}
    silent = []
    with tempfile.TemporaryDirectory() as scratch:
        for index in range(count):
            name = list(FORMATS)[index % len(FORMATS)]
            rng = np.random.default_rng([seed, index])
            changed = FORMATS[name](Path(scratch), pixels, rng, index // len(FORMATS) + 10**6 * (index % len(FORMATS)))
            result = outcome(changed, truth)
            found[name][result] += 1
            if result == "SILENT":
                silent.append(f"{name} {index}: {changed.what}")
    return found, silent


def main() -> int:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # pydicom warns of the values that are to be wrong
    found, silent = fuzz(options.count, options.seed)
    print(f"{'format':<10}" + "".join(f"{name:>9}" for name in OUTCOMES))
    for name, counts in found.items():
        print(f"{name:<10}" + "".join(f"{counts[one]:>9}" for one in OUTCOMES))
    print(*silent, sep="\n")
    return int(bool(silent))


if __name__ == "__main__":
    sys.exit(main())
