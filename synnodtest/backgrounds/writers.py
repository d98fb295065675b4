"""A radiograph as a file: PNG, MHA or DICOM secondary capture; planted nodules are said in the metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from synnodtest.backgrounds.dicom_writer import write_dicom
from synnodtest.backgrounds.export_size import marked, resized
from synnodtest.errors import BackgroundError
from synnodtest.files import replacing
from synnodtest.geometry import FloatArray
from synnodtest.identity import planted_uid
from synnodtest.phantom.mha_writer import mha_bytes
from synnodtest.radiograph import Radiograph

OWN_NOTE = "synnodtest"
"""Key of the JSON in a PNG's text that holds spacing, bits and truth."""
SYNTHETIC = "SYNTHETIC: nodules planted by synnodtest; not for diagnosis"
DEPTHS = (8, 10, 12, 14, 16)
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
    depth = bits or (16 if suffix == ".png" else _depth_kept(radiograph.pixels))
    if depth not in WRITTEN[suffix]:
        known = WRITTEN[suffix]
        raise BackgroundError(f"{path}: {depth} bits are not written as {suffix}", hint=f"one of {known}")
    shown = radiograph if size is None else resized(radiograph, size)
    shown = marked(shown) if mark else shown
    try:
        _write(shown, path, suffix, depth)
    except OSError as error:
        raise BackgroundError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path


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
    found = depth_of(pixels)
    return 16 if found == 8 else found


def truth_of(radiograph: Radiograph) -> list[dict[str, object]]:
    """Return the planted nodules as plain JSON values: name, box in pixels, realised size, what was asked for."""
    return [
        {
            "name": truth.name,
            "box_px": [float(edge) for edge in truth.box],
            "diameter_mm": round(float(truth.diameter_mm), 4),
            "contrast": round(float(truth.contrast), 5),
            "requested": dict(truth.requested),
        }
        for truth in radiograph.nodules
    ]


def _write(radiograph: Radiograph, path: Path, suffix: str, depth: int) -> None:
    stored = np.rint(np.clip(radiograph.pixels, 0, 1).astype(np.float64) * (2**depth - 1))
    note = SYNTHETIC if radiograph.nodules else ""
    truth = truth_of(radiograph)
    if suffix == ".png":
        _write_png(path, stored.astype(np.uint8 if depth == 8 else np.uint16), radiograph, depth, note, truth)
    elif suffix == ".mha":
        comment = f"{note} {json.dumps(truth)}" if note else ""
        data = mha_bytes(stored.astype(np.uint16), radiograph.spacing_mm, comment=comment)
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    else:
        with replacing(path) as temporary:
            uid = planted_uid(radiograph.content_sha256(), depth)
            write_dicom(temporary, stored.astype(np.uint16), radiograph.spacing_mm, depth, note, json.dumps(truth), uid)


def _write_png(
    path: Path, stored: NDArray[Any], radiograph: Radiograph, depth: int, note: str, truth: list[dict[str, object]]
) -> None:
    row, column = radiograph.spacing_mm
    told = {"mm_per_px": {"x": column, "y": row}, "bits": depth, "synthetic": bool(note), "nodules": truth}
    text = PngInfo()
    if note:
        text.add_text("Comment", note)
    text.add_text(OWN_NOTE, json.dumps(told))
    dots = (25.4 / column, 25.4 / row)
    with replacing(path) as temporary:
        Image.fromarray(stored).save(temporary, format="PNG", compress_level=4, pnginfo=text, dpi=dots)
