"""A radiograph as a file: PNG, MHA or DICOM secondary capture; planted nodules are said in the metadata."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from synnodtest.backgrounds.dicom_header import WITHOUT_PATIENT
from synnodtest.backgrounds.reading import DEPTHS
from synnodtest.canonical import plain
from synnodtest.errors import BackgroundError, require, system_faults
from synnodtest.files import replacing
from synnodtest.geometry import BoolArray, FloatArray, equal_area_diameter_mm, iou
from synnodtest.identity import planted_uid
from synnodtest.phantom.mha_writer import mha_bytes
from synnodtest.radiograph import Radiograph, Truth

OWN_NOTE = "synnodtest"
"""Key of the JSON in a PNG's text that holds spacing, bits and truth."""
SYNTHETIC = "SYNTHETIC: nodules planted by synnodtest; not for diagnosis"
MOST_COMMENT = 10240
"""Characters of an LT attribute (PS3.5 6.2)."""
ON_GRID = 0.5
"""Share of pixels that must lie on a grid of stored integers; planted nodules lie between its steps."""
WRITTEN = {".png": (8, 16), ".mha": tuple(range(8, 17)), ".dcm": tuple(range(8, 17)), ".dicom": tuple(range(8, 17))}


def write(radiograph: Radiograph, path: Path, *, bits: int | None, size: int | None, mark: bool) -> Path:
    """Write a radiograph; see :func:`synnodtest.write_radiograph`."""
    suffix = path.suffix.lower()
    if suffix not in WRITTEN:
        raise BackgroundError(
            f"{path}: radiographs are not written as {suffix or 'a file without suffix'}",
            hint=f"name a file that ends in one of {', '.join(WRITTEN)}",
        )
    depth = bits if bits is not None else 16 if suffix == ".png" else _depth_kept(radiograph.pixels)
    if depth not in WRITTEN[suffix]:
        known = WRITTEN[suffix]
        raise BackgroundError(f"{path}: {depth} bits are not written as {suffix}", hint=f"one of {known}")
    written = radiograph if size is None else resized(radiograph, size)
    written = marked(written) if mark else written
    with system_faults(path, BackgroundError, "written", "name a file in a folder that is there and can be written to"):
        _write(written, path, suffix, depth)
    return path


def says_planted(path: Path) -> bool:
    """Return whether a file says that :func:`write` wrote it with planted nodules; it says so before its pixels."""
    with contextlib.suppress(OSError), path.open("rb") as stream:  # its reader tells what is wrong with a file
        return SYNTHETIC.encode() in stream.read(4096)
    return False


def depth_of(pixels: FloatArray) -> int:
    """Return how many bits the stored integers had that pixels in 0..1 were read from; 16 where none fits."""
    sample = np.asarray(pixels[::3, ::3], dtype=np.float64)
    for depth in DEPTHS[:-1]:
        steps = sample * (2**depth - 1)
        if (np.abs(steps - np.rint(steps)) < 1e-3).mean() >= ON_GRID:
            return depth
    return DEPTHS[-1]


def _depth_kept(pixels: FloatArray) -> int:
    """Return the depth of the source; 16 for 8 bits, whose steps it holds exactly where nodules need finer ones."""
    depth = depth_of(pixels)
    return 16 if depth == 8 else depth


def truth_of(radiograph: Radiograph) -> list[dict[str, object]]:
    """Return the planted nodules as plain JSON values: name, box in pixels, realised size, what was asked for."""
    return [
        {
            "name": truth.name,
            "box_px": [float(edge) for edge in truth.box],
            "diameter_mm": round(float(truth.diameter_mm), 4),
            "contrast": round(float(truth.contrast), 5),
            "requested": plain(truth.requested),
        }
        for truth in radiograph.nodules
    ]


def _write(radiograph: Radiograph, path: Path, suffix: str, depth: int) -> None:
    stored = np.rint(np.clip(radiograph.pixels, 0, 1).astype(np.float64) * (2**depth - 1)).astype(np.uint16)
    with replacing(path) as temporary:
        if suffix == ".png":
            _write_png(temporary, stored, radiograph, depth)
        elif suffix == ".mha":
            temporary.write_bytes(mha_bytes(stored, radiograph.spacing_mm, comment=_comment(radiograph)))
        else:
            _write_dicom(temporary, stored, radiograph, depth)


def _comment(radiograph: Radiograph) -> str:
    """Return what a file says of planted nodules; nothing where there are none."""
    return f"{SYNTHETIC} {json.dumps(truth_of(radiograph))}" if radiograph.nodules else ""


def _write_png(path: Path, stored: NDArray[np.uint16], radiograph: Radiograph, depth: int) -> None:
    row, column = radiograph.spacing_mm
    facts = {"mm_per_px": {"x": column, "y": row}, "bits": depth, "synthetic": bool(radiograph.nodules)}
    text = PngInfo()
    if radiograph.nodules:
        text.add_text("Comment", SYNTHETIC)
    text.add_text(OWN_NOTE, json.dumps({**facts, "nodules": truth_of(radiograph)}))
    dots = (25.4 / column, 25.4 / row)
    picture = Image.fromarray(stored.astype(np.uint8) if depth == 8 else stored)
    picture.save(path, format="PNG", compress_level=4, pnginfo=text, dpi=dots)


def _write_dicom(path: Path, stored: NDArray[np.uint16], radiograph: Radiograph, bits: int) -> None:
    """Write a Secondary Capture Image (PS3.3 A.8.1), MONOCHROME2, explicit VR little endian.

    Raises:
        SynnodError: pydicom is not installed.
    """
    require("pydicom", "dicom", f"writing {path.name}")
    from pydicom.dataset import Dataset
    from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

    data = Dataset()
    data.SOPClassUID = SecondaryCaptureImageStorage
    data.SOPInstanceUID = planted_uid(radiograph.content_sha256(), bits)
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    _describe(data, _comment(radiograph))
    data.PixelSpacing = [f"{spacing:.8g}" for spacing in radiograph.spacing_mm]
    data.set_pixel_data(stored, "MONOCHROME2", bits, generate_instance_uid=False)
    data.save_as(path, enforce_file_format=True)


def _describe(data: Any, comment: str) -> None:
    now = datetime.now()
    word = WORD if comment else WITHOUT_PATIENT
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = word, word, "", ""
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = now.strftime("%Y%m%d"), "", "", ""
    data.ReferringPhysicianName = ""
    data.Modality, data.ConversionType = "OT", "WSD"
    data.Manufacturer, data.SeriesNumber, data.InstanceNumber = "synnodtest", "1", "1"
    data.PatientOrientation, data.Laterality = "", ""
    data.ImageType = ["DERIVED", "SECONDARY"]
    data.BurnedInAnnotation = "NO"
    if comment:
        data.SeriesDescription = f"{WORD} nodules"
        data.DerivationDescription = SYNTHETIC
        data.ImageComments = comment[:MOST_COMMENT]


WORD = "SYNTHETIC"
LEAST_SIDE, MOST_SIDE = 64, 8192
"""Sides of an exported picture, in pixels; set by hand: below, a nodule is a pixel or two; above, no reader here takes
it (``MAX_PIXELS``)."""


def resized(radiograph: Radiograph, size: int) -> Radiograph:
    """Return the radiograph on ``size`` x ``size`` pixels, its longer side filling them, the rest black.

    Pixels become square: black beside them would make a chest of oblong ones larger than any detector. Square
    ones of the same size stay as they are. Truth is resampled with it; regions are left out.

    Raises:
        BackgroundError: the size is not between 64 and 8192.
    """
    if not LEAST_SIDE <= size <= MOST_SIDE:
        raise BackgroundError(f"a picture of {size} x {size} pixels is not written", hint="64 to 8192")
    height, width = radiograph.shape
    sides_mm = (height * radiograph.spacing_mm[0], width * radiograph.spacing_mm[1])
    inner = (round(size * sides_mm[0] / max(sides_mm)), round(size * sides_mm[1] / max(sides_mm)))
    if inner == radiograph.shape == (size, size):
        return radiograph
    corner = ((size - inner[0]) // 2, (size - inner[1]) // 2)
    spacing = (sides_mm[0] / inner[0], sides_mm[1] / inner[1])

    def drawn(values: FloatArray) -> FloatArray:
        smaller = Image.fromarray(values).resize((inner[1], inner[0]), Image.Resampling.BICUBIC)
        canvas = np.zeros((size, size), dtype=np.float32)
        canvas[corner[0] : corner[0] + inner[0], corner[1] : corner[1] + inner[1]] = np.clip(np.asarray(smaller), 0, 1)
        return canvas

    nodules = tuple(
        _redrawn(truth, drawn(truth.mask(radiograph.shape).astype(np.float32)) > 0.5, spacing)
        for truth in radiograph.nodules
    )
    return replace(
        radiograph,
        pixels=drawn(radiograph.pixels),
        spacing_mm=spacing,
        regions={},
        estimated=frozenset(),
        nodules=nodules,
    )


def _redrawn(truth: Truth, mask: BoolArray, spacing_mm: tuple[float, float]) -> Truth:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return replace(truth, crop=np.zeros((1, 1), dtype=np.bool_), origin=(0, 0))
    crop = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
    diameter = equal_area_diameter_mm(float(crop.sum()), spacing_mm)
    return replace(truth, crop=crop, origin=(int(rows[0]), int(columns[0])), diameter_mm=diameter)


def marked(radiograph: Radiograph) -> Radiograph:
    """Return the radiograph with SYNTHETIC written into a corner that holds no nodule."""
    height, width = radiograph.shape
    font = ImageFont.load_default(size=max(12, round(height / 40)))
    left, top, right, bottom = (int(edge) for edge in font.getbbox(WORD))
    word, pad = (right - left, bottom - top), max(4, height // 100)
    corners = [
        (x, y)
        for y in (height - word[1] - 2 * pad, pad)
        for x in (pad, width - word[0] - 2 * pad)
        if not any(iou((x, y, x + word[0] + pad, y + word[1] + pad), truth.box) for truth in radiograph.nodules)
    ]
    if not corners:
        raise BackgroundError(
            "no corner of the radiograph is free of nodules for the mark", hint="write it without mark"
        )
    x, y = corners[0]
    label = Image.new("L", (word[0] + pad, word[1] + pad), 0)
    ImageDraw.Draw(label).text((pad // 2 - left, pad // 2 - top), WORD, fill=255, font=font)
    pixels = radiograph.pixels.copy()
    inked = np.asarray(label, dtype=np.float32)[: height - y, : width - x] / 255
    pixels[y : y + inked.shape[0], x : x + inked.shape[1]] = inked
    return radiograph.with_pixels(pixels)
