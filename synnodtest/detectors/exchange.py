"""Radiographs and findings as files and messages, for detectors outside this process."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.decoding import no_twins
from synnodtest.detectors import answer_faults, answer_forms
from synnodtest.detectors.answer_forms import SHAPE
from synnodtest.detectors.label_rule import LABELS, LabelRule, folded
from synnodtest.errors import DetectorError, require
from synnodtest.finding import Finding
from synnodtest.geometry import Spacing
from synnodtest.radiograph import Radiograph

PNG_WHITE = 65535
"""Largest number of 16 bits: the whole range of PNG and DICOM, so that no step of a radiograph's 12 bits is lost."""
NODE21_WHITE = 4095
"""Largest number of 12 bits: NODE21's radiographs are stored as 0..4095, and its algorithms expect that range."""


def png16(radiograph: Radiograph) -> bytes:
    """Return the pixels as a grey PNG with 16 bits, 0..1 as 0..65535."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(_as_uint16(radiograph, PNG_WHITE)).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()


def dicom16(radiograph: Radiograph) -> bytes:
    """Return the pixels as a DICOM file (digital X-ray, MONOCHROME2, 16 bits stored, 0..1 as 0..65535, no window).

    Raises:
        SynnodError: pydicom is not installed.
    """
    require("pydicom", "dicom", "A detector that wants DICOM")
    from pydicom.dataset import Dataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, generate_uid

    data = Dataset()
    data.SOPClassUID = DigitalXRayImageStorageForPresentation
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.Modality, data.PatientID, data.PatientName = "DX", "synnodtest", "synnodtest"
    data.ImagerPixelSpacing = data.PixelSpacing = [f"{spacing:.8g}" for spacing in radiograph.spacing_mm]
    data.RescaleSlope, data.RescaleIntercept = "1", "0"
    data.set_pixel_data(_as_uint16(radiograph, PNG_WHITE), "MONOCHROME2", 16)
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def write_stack(path: Path, radiographs: Sequence[Radiograph]) -> None:
    """Write radiographs of one shape and spacing as NODE21 wants them: one ``.mha`` of slices, MET_USHORT, 0..4095."""
    stack = np.stack([_as_uint16(radiograph, NODE21_WHITE) for radiograph in radiographs])
    row, column = radiographs[0].spacing_mm
    count, height, width = stack.shape
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
        f"ElementSpacing = {column:.10g} {row:.10g} 1\nDimSize = {width} {height} {count}\n"
        "ElementType = MET_USHORT\nElementDataFile = LOCAL\n"
    )
    path.write_bytes(header.encode("ascii") + stack.tobytes())


def _as_uint16(radiograph: Radiograph, white: int) -> NDArray[np.uint16]:
    return np.rint(np.clip(radiograph.pixels, 0, 1) * white).astype("<u2")


def findings_from_json(
    content: Any,
    spacing_mm: Spacing,
    *,
    shape: tuple[int, int] | None = None,
    labels: LabelRule | None = None,
    others: Collection[str] = (),
) -> list[Finding]:
    """Return the findings of one radiograph from a JSON answer.

    Args:
        content: A list of ``{"box": [x_min, y_min, x_max, y_max], "score": s}``, or a mapping with that list under
            ``findings`` and, if boxes are not in pixels, ``"unit": "mm"``. A finding may name its class (``label``).
        spacing_mm: ``(row, column)``.
        shape: Height and width of the radiograph, to which an answer is held that states its own.
        labels: Which classes are nodules; by their names where nothing is given.
        others: Names of other radiographs, of which no finding of this one may be.

    Raises:
        DetectorError: it is something else; says what.
    """
    answer = content if isinstance(content, dict) else {"findings": content}
    if "findings" not in answer:
        raise DetectorError(f"the answer has no 'findings' but {', '.join(map(str, answer)) or 'nothing'}", hint=SHAPE)
    items, unit = answer["findings"], answer.get("unit", "pixels")
    answer_faults.refuse_failure(answer)
    answer_forms.refuse_others(answer)
    if not items:
        answer_faults.refuse_reasons(answer)
    if unit not in ("pixels", "mm"):
        raise DetectorError(f"the answer's unit is {unit!r}, not 'pixels' or 'mm'")
    if not isinstance(items, list):
        raise DetectorError(f"the findings are {type(items).__name__}, not a list", hint=SHAPE)
    answer_faults.refuse_fewer(answer, len(items))
    if shape is not None:
        answer_forms.refuse_other_shape([answer, *items], shape)
    scale = (1 / spacing_mm[1], 1 / spacing_mm[0]) if unit == "mm" else (1.0, 1.0)
    rule = labels or LabelRule()
    answer_faults.refuse_other_images(items, others)
    return [_finding(item, scale, number, unit) for number, item in enumerate(items) if rule.keeps(item)]


def _finding(item: Any, scale: tuple[float, float], number: int, unit: str) -> Finding:
    for key, value in item.items() if isinstance(item, dict) else ():
        if not (key == "unit" and value == unit):
            answer_forms.refuse_form(key, value)
        answer_faults.refuse_taken_back(key, value, f"finding {number}")
        if folded(key) in ("unit", "units") and unit == "mm" and value != unit:
            raise DetectorError(f"finding {number} is in {value!r}, and the answer in 'mm'", hint=SHAPE)
    try:
        found = finding_of(item["box"], item["score"])
    except (KeyError, TypeError, ValueError) as error:
        raise DetectorError(f"finding {number} of the answer is {item!r} ({error!r})", hint=SHAPE) from error
    x_min, y_min, x_max, y_max = found.box
    return Finding((x_min * scale[0], y_min * scale[1], x_max * scale[0], y_max * scale[1]), found.score)


def finding_of(box: Any, score: Any) -> Finding:
    """Return a finding of a list of four edges and a score, be they numbers or, as in a table, their text.

    Raises:
        TypeError, ValueError: they are something else.
    """
    if not isinstance(box, (list, tuple)) or any(isinstance(one, bool) for one in (*box, score)):
        raise TypeError(
            f"its box is {box!r}, not a list of four numbers, or its score {score!r} is none: text, or true and false, "
            "or a mapping where numbers should be"
        )
    x_min, y_min, x_max, y_max = (float(edge) for edge in box)
    return Finding((x_min, y_min, x_max, y_max), float(score))


def node21_findings(
    content: Any, count: int, spacing_mm: Spacing, *, labels: LabelRule | None = None
) -> list[list[Finding]]:
    """Return the findings of each slice from NODE21's ``nodules.json``: corners in mm, third coordinate the slice.

    A box has a ``name`` there, which is a class only where the user says which classes are nodules.

    Raises:
        DetectorError: it is something else, says that it failed, or a box lies on a slice that was not given.
    """
    told = {key: content[key] for key in content if key != "boxes"} if isinstance(content, dict) else {}
    answer_faults.refuse_failure(told)
    try:
        boxes = content["boxes"]
        if not isinstance(boxes, list):
            raise TypeError(f"its boxes are {type(boxes).__name__}, not a list")
        findings: list[list[Finding]] = [[] for _ in range(count)]
        rule = labels or LabelRule()
        for number, item in enumerate(boxes):
            for key, value in item.items():
                answer_faults.refuse_taken_back(key, value, f"box {number} of nodules.json")
            if not rule.keeps(item if rule.chosen else {key: item[key] for key in item if folded(key) in LABELS}):
                continue
            corners = np.array(item["corners"], dtype=float)
            if corners.ndim != 2 or corners.shape[1] != 3 or len(corners) < 2:
                raise DetectorError(f"box {number} of nodules.json has corners of shape {corners.shape}, not (4, 3)")
            place = round(float(corners[:, 2].mean()))
            if not 0 <= place < count or np.ptp(corners[:, 2]) > 0.5:
                raise DetectorError(f"box {number} of nodules.json lies on slice {corners[:, 2].mean():g} of {count}")
            if isinstance(item["probability"], bool):
                raise TypeError(f"box {number} has the probability {item['probability']}")
            in_pixels = corners[:, :2] / spacing_mm[::-1]
            box = [*in_pixels.min(axis=0), *in_pixels.max(axis=0)]
            findings[place].append(finding_of(box, item["probability"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DetectorError(f"nodules.json is not NODE21's: {error!r}") from error
    answer_faults.refuse_fewer(told, len(boxes))
    if not all(findings):
        answer_faults.refuse_reasons(told)
    return findings


_BARE_PROBABILITY = re.compile(r"\]\s*,?\s*probability\s*[=:]\s*([-+.\deE]+)")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")


def node21_parsed(text: bytes, what: str) -> Any:
    """Return ``nodules.json``, also as the challenge's example has it: ``probability=0.6`` without quotes and comma.

    Raises:
        DetectorError: it is no JSON even so; shows how it begins.
    """
    try:
        return json.loads(text, object_pairs_hook=no_twins)
    except (ValueError, UnicodeDecodeError):
        mended = _BARE_PROBABILITY.sub(r'], "probability": \1', text.decode("utf-8", "replace"))
        return parsed(_TRAILING_COMMA.sub(r"\1", mended), what)


def parsed(text: str | bytes, what: str, hint: str = "") -> Any:
    """Return JSON, or say that ``what`` is none, and with ``hint`` what it should hold.

    Raises:
        DetectorError: it is no JSON, or an object has a key twice, of which one would be lost; shows how it begins.
    """
    try:
        return json.loads(text, object_pairs_hook=no_twins)
    except (ValueError, UnicodeDecodeError) as error:
        start = text[:80].decode("utf-8", "replace") if isinstance(text, bytes) else text[:80]
        raise DetectorError(f"{what} is no JSON ({error}); it begins {start!r}", hint=hint) from error
