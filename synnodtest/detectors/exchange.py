"""Radiographs and findings as files and messages, for detectors outside this process."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.class_names import Meaning, meaning
from synnodtest.decoding import JsonObject, no_twins
from synnodtest.errors import DetectorError, require
from synnodtest.finding import Finding
from synnodtest.geometry import Spacing
from synnodtest.radiograph import Radiograph

__all__ = [
    "LabelRule",
    "dicom16",
    "findings_from_json",
    "node21_findings",
    "node21_parsed",
    "parsed",
    "png16",
    "refuse_failure",
    "refuse_form",
    "write_stack",
]

PNG_WHITE = 65535
NODE21_WHITE = 4095


def png16(radiograph: Radiograph) -> bytes:
    """Return the pixels as a grey PNG with 16 bits, 0..1 as 0..65535."""
    from PIL import Image

    stream = io.BytesIO()
    values = np.rint(np.clip(radiograph.pixels, 0, 1) * PNG_WHITE).astype(np.uint16)
    Image.fromarray(values).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()


def dicom16(radiograph: Radiograph) -> bytes:
    """Return the pixels as a DICOM file (digital X-ray, MONOCHROME2, 16 bits stored, 0..1 as 0..65535, no window).

    Raises:
        SynnodError: pydicom is not installed.
    """
    require("pydicom", "dicom", "A detector that wants DICOM")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

    values = np.rint(np.clip(radiograph.pixels, 0, 1) * PNG_WHITE).astype("<u2")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.Modality, data.PatientID, data.PatientName = "DX", "synnodtest", "synnodtest"
    data.Rows, data.Columns = values.shape
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
    data.ImagerPixelSpacing = data.PixelSpacing = [f"{spacing:.8g}" for spacing in radiograph.spacing_mm]
    data.RescaleSlope, data.RescaleIntercept = "1", "0"
    data.PixelData = values.tobytes()
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def write_stack(path: Path, radiographs: Sequence[Radiograph]) -> None:
    """Write radiographs of one shape and spacing as NODE21 wants them: one ``.mha`` of slices, MET_USHORT, 0..4095."""
    stack = np.stack([np.rint(np.clip(r.pixels, 0, 1) * NODE21_WHITE).astype("<u2") for r in radiographs])
    row, column = radiographs[0].spacing_mm
    count, height, width = stack.shape
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
        f"ElementSpacing = {column:.10g} {row:.10g} 1\nDimSize = {width} {height} {count}\n"
        "ElementType = MET_USHORT\nElementDataFile = LOCAL\n"
    )
    path.write_bytes(header.encode("ascii") + stack.tobytes())


LABELS = (
    "label", "class", "classname", "labelname", "classlabel", "category", "categoryname", "findingname", "pathology",
    "disease", "diagnosis", "classid", "labelid", "categoryid",
)  # fmt: skip
"""Keys of a finding, folded, that may name its class, names before numbers."""


PERHAPS_LABELS = (
    "labels", "type", "kind", "name", "finding", "findingtype", "lesion", "lesiontype", "objectclass", "objectname",
)  # fmt: skip
"""Keys, folded, that may name the class of a finding where none of :data:`LABELS` does, or something else of it."""
_NO_CLASS = re.compile(
    r"(box|bbox|rect|rectangle|polygon|roi|region|finding|detection|prediction|object|annotation|mark|\w{0,2})[\W_]*\d*"
    r"|[0-9a-f-]{8,}"
)
"""What those keys hold beside a class: a shape, a number, an identifier."""
ENOUGH_OTHERS = 20
"""A detector of several diseases names a nodule sooner on radiographs that hold one; a 'lesion' is never called one."""


class LabelRule:
    """Which findings of an answer are nodules, where they name a class: the package's one rule of names.

    Args:
        chosen: Classes that the user named; empty: their names decide.
        how: How the user names one, for messages.

    Findings without a class count. A number says nothing of itself, so that one counts and a second is asked about.
    Other classes are left out, but where :data:`ENOUGH_OTHERS` findings held no nodule the user is asked too.
    """

    def __init__(self, chosen: Sequence[str] = (), how: str = "") -> None:
        self._chosen = {name.casefold().strip() for name in chosen}
        self._how = how
        self._numbers: set[str] = set()
        self._others: dict[str, int] = {}
        self._told = False

    @property
    def chosen(self) -> bool:
        """Whether the user said which classes are nodules."""
        return bool(self._chosen)

    def keeps(self, item: Any) -> bool:
        """Return whether a finding of an answer is one of a nodule.

        Raises:
            DetectorError: its class does not tell.
        """
        given = {_folded(key): value for key, value in item.items()} if isinstance(item, dict) else {}
        if any(given.get(key) is False for key in ("nodule", "isnodule")):
            return False
        values = [given[key] for key in LABELS if given.get(key) is not None and str(given[key]).strip()]
        perhaps = [] if values else self._perhaps(given)
        values = values or perhaps
        if not values:
            return True
        name = str(values[0]).strip()
        if self._chosen:
            return any(str(value).casefold().strip() in self._chosen for value in values)
        if re.fullmatch(r"-?\d+(\.0)?", name):
            self._numbers.add(name)
            if len(self._numbers) > 1:
                raise self._asked(f"the findings have the classes {', '.join(sorted(self._numbers))}")
            return True
        found = meaning(name)
        if found is Meaning.OTHER and perhaps:
            raise self._asked(f"a finding is called {name!r}, which may be its class")
        if found is Meaning.UNCLEAR:
            raise self._asked(f"a finding has the class {name!r}, which may or may not mean a nodule")
        self._told |= found is not Meaning.OTHER
        if found is Meaning.OTHER and not self._told:
            self._others[name] = self._others.get(name, 0) + 1
            if sum(self._others.values()) >= ENOUGH_OTHERS:
                raise self._asked(f"none of its classes is a nodule so far: {', '.join(self._others)}")
        return found is Meaning.NODULE

    def _perhaps(self, given: Mapping[str, Any]) -> list[str]:
        """Return words that may be the class of a finding, by folded key."""
        told = (str(given[key]).strip() for key in PERHAPS_LABELS if isinstance(given.get(key), (str, list)))
        return [text for text in told if not _NO_CLASS.fullmatch(text.casefold())]

    def _asked(self, says: str) -> DetectorError:
        return DetectorError(says, hint=f"say which class is the nodule: {self._how}" if self._how else "")


def findings_from_json(content: Any, spacing_mm: Spacing, *, labels: LabelRule | None = None) -> list[Finding]:
    """Return the findings of one radiograph from a JSON answer.

    Args:
        content: A list of ``{"box": [x_min, y_min, x_max, y_max], "score": s}``, or a mapping with that list under
            ``findings`` and, if boxes are not in pixels, ``"unit": "mm"``. A finding may name its class (``label``).
        spacing_mm: ``(row, column)``.
        labels: Which classes are nodules; by their names where nothing is given.

    Raises:
        DetectorError: it is something else; says what.
    """
    unit = "pixels"
    if isinstance(content, dict):
        unit = content.get("unit", unit)
        if "findings" not in content:
            raise DetectorError(
                f"the answer has no 'findings' but {', '.join(map(str, content)) or 'nothing'}", hint=_SHAPE
            )
        refuse_failure(content)
        _refuse_others(content)
        told = content
        content = content["findings"]
        if not content:
            _refuse_reasons(told)
    if unit not in ("pixels", "mm"):
        raise DetectorError(f"the answer's unit is {unit!r}, not 'pixels' or 'mm'")
    if not isinstance(content, list):
        raise DetectorError(f"the findings are {type(content).__name__}, not a list", hint=_SHAPE)
    scale = (1 / spacing_mm[1], 1 / spacing_mm[0]) if unit == "mm" else (1.0, 1.0)
    rule = labels or LabelRule()
    _refuse_several_images(content)
    return [_finding(item, scale, number, unit) for number, item in enumerate(content) if rule.keeps(item)]


FAILURES = ("error", "errors", "exception", "traceback", "errormessage", "errmsg")
"""Keys, folded, that hold what went wrong."""
CONSENTS = (
    "success", "succeeded", "ok", "valid", "isvalid", "accepted", "processed", "analyzed", "analysed", "completed",
    "complete", "done", "finished", "ready",
)  # fmt: skip
"""Keys, folded, that are true of an answer."""
INCOMPLETE = ("truncated", "partial", "incomplete", "rejected", "skipped", "timedout")
"""Keys, folded, that are not true of an answer."""
PAGES = ("next", "nextpage", "nextpagetoken", "nextcursor", "hasmore")
"""Keys by which an answer says that there is more of it elsewhere."""
STATES = ("status", "state", "statuscode", "code")
UNFINISHED = (
    "error", "errors", "fail", "failed", "failure", "pending", "processing", "queued", "running", "inprogress",
    "loading", "starting", "warmingup", "timeout", "busy", "accepted", "cancelled", "canceled", "unavailable",
    "notready", "initializing", "initialising", "partial", "incomplete", "skipped", "rejected", "refused", "invalid",
    "aborted", "crashed", "unsupported", "denied", "unauthorized", "throttled", "exception",
)  # fmt: skip


def refuse_failure(content: JsonObject) -> None:
    """Refuse an answer that says it failed or is not finished: its empty list is no radiograph without findings.

    Raises:
        DetectorError: it says so; shows what it says.
    """
    for key, value in content.items():
        name, word = _folded(key), _folded(value) if isinstance(value, str) else ""
        failed = (
            (name in FAILURES and value not in (None, "", [], {}, 0, False))
            or (name in (*INCOMPLETE, *PAGES) and value not in (None, "", [], {}, 0, False))
            or (name in CONSENTS and (value is False or word in ("false", "no")))
            or (name in STATES and _is_bad_state(value, word))
        )
        if failed:
            raise DetectorError(
                f"the answer says that it failed or is not finished: {str({key: value})[:200]}",
                hint="it is no answer to a radiograph; look into the detector's log",
            )


REASONS = (
    "message", "messages", "msg", "statusmessage", "warning", "warnings", "reason", "detail", "details", "info", "note",
    "result", "quality",
)  # fmt: skip
"""Keys, folded, of words that may say why a list is empty."""
_REFUSES = re.compile(
    r"(?<!\bno )(?<!without )\b(reject\w*|unsupported|not supported|invalid|fail\w*|errors?|cannot|can't|could not"
    r"|unable|not (a|an) |no chest|non[- ]?diagnostic|not diagnostic|skipped|unreadable|wrong|bad quality|poor quality"
    r"|insufficient|timed? ?out|exception|unavailable|not (yet |been )?(loaded|ready|analy\w*|process\w*))",
    re.IGNORECASE,
)


def _refuse_reasons(content: JsonObject) -> None:
    """Refuse an empty answer that says in words why it looked for nothing.

    Raises:
        DetectorError: it does; shows what it says.
    """
    for key, value in content.items():
        words = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
        if _folded(key) in REASONS and any(map(_REFUSES.search, words)):
            raise DetectorError(
                f"the answer holds no findings and says {str({key: value})[:200]}",
                hint="it is no answer to a radiograph; look into the detector's log",
            )


IMAGES = (
    "image", "imageid", "imagename", "filename", "file", "filepath", "frame", "frameindex", "slice", "sliceindex",
    "sopinstanceuid", "instanceuid", "study", "studyid", "timepoint",
)  # fmt: skip
"""Keys, folded, by which a finding may say on which image it lies."""


def _refuse_several_images(items: Sequence[Any]) -> None:
    """Refuse findings that lie on several images by their own word: an answer is about one radiograph.

    Raises:
        DetectorError: they do.
    """
    named: dict[str, set[str]] = {}
    for item in items:
        for key, value in item.items() if isinstance(item, dict) else ():
            if _folded(key) in IMAGES and isinstance(value, (str, int)):
                named.setdefault(key, set()).add(str(value))
    for key, values in named.items():
        if len(values) > 1:
            shown = ", ".join(sorted(values)[:3])
            raise DetectorError(
                f"the findings of one radiograph are of several by their {key!r}: {shown}",
                hint="answer with the findings of the radiograph that was sent, and of no other",
            )


def _is_bad_state(value: object, word: str) -> bool:
    if word.isdecimal():
        value = int(word)
    if isinstance(value, (int, float)):
        return value >= 400
    return word in UNFINISHED or word.startswith(("error", "fail"))


def _folded(text: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(text).lower())


_SHAPE = '[{"box": [x_min, y_min, x_max, y_max], "score": 0.9}, ...], or {"findings": [...], "unit": "pixels"}'


FORMS = ("unit", "units", "format", "boxformat", "bboxformat", "boxunit", "coordinates")
"""Keys, folded, by which an answer may say that its boxes are of another form."""
_IN_MM = '; {"unit": "mm", "findings": [...]} for all in mm'
OURS = ("pixels", "pixel", "px", "xyxy", "x1y1x2y2", "absolute", "pascalvoc")
SHARES = ("normalized", "normalised", "isnormalized", "isnormalised", "relative")
"""Keys, folded, that are true of boxes in shares of the sides."""
SYNONYMS = ("findings", "predictions", "detections", "boxes", "bboxes", "results", "nodules", "objects")


def _refuse_others(content: JsonObject) -> None:
    """Refuse an answer that holds findings under a second key, or says that its boxes are of another form.

    Raises:
        DetectorError: it does.
    """
    for key, value in content.items():
        if key != "findings" and _folded(key) in SYNONYMS and isinstance(value, list) and value:
            raise DetectorError(f"the answer has {len(value)} {key} beside its 'findings'", hint=_SHAPE)
        if key != "unit":
            refuse_form(key, value)


_EDGES = "boxes are x_min, y_min, x_max, y_max in pixels"


def refuse_form(key: str, value: Any, whose: str = "the answer", more: str = _IN_MM) -> None:
    """Refuse a key and value that say of boxes that they are of another form than is read.

    Raises:
        DetectorError: they do.
    """
    other = isinstance(value, str) and _folded(value) not in OURS
    if (_folded(key) in FORMS and other) or (_folded(key) in SHARES and value is True):
        raise DetectorError(
            f"{whose} says {key} {value!r} of its boxes, which is not read there", hint=f"{_EDGES}{more}"
        )


_TAKEN_BACK = [
    *((key, False) for key in ("positive", "reported", "shown", "visible", "accepted")),
    *((key, True) for key in ("suppressed", "rejected", "discarded", "hidden", "ignored", "filtered", "removed")),
]
"""What a finding says that its program does not report."""


def _finding(item: Any, scale: tuple[float, float], number: int, unit: str) -> Finding:
    for key, value in item.items() if isinstance(item, dict) else ():
        if not (key == "unit" and value == unit):
            refuse_form(key, value)
        if isinstance(value, bool) and (_folded(key), value) in _TAKEN_BACK:
            raise DetectorError(
                f"finding {number} says {key}: {value} of itself", hint="leave out of the answer what is not reported"
            )
        if _folded(key) in ("unit", "units") and unit == "mm" and value != unit:
            raise DetectorError(f"finding {number} is in {value!r}, and the answer in 'mm'", hint=_SHAPE)
    try:
        if isinstance(item["box"], str) or any(isinstance(one, bool) for one in (*item["box"], item["score"])):
            raise TypeError("text, or true and false, where numbers should be")
        x_min, y_min, x_max, y_max = (float(edge) for edge in item["box"])
        score = float(item["score"])
    except (KeyError, TypeError, ValueError) as error:
        raise DetectorError(f"finding {number} of the answer is {item!r} ({error!r})", hint=_SHAPE) from error
    return Finding((x_min * scale[0], y_min * scale[1], x_max * scale[0], y_max * scale[1]), score)


def node21_findings(content: Any, count: int, spacing_mm: Spacing) -> list[list[Finding]]:
    """Return the findings of each slice from NODE21's ``nodules.json``: corners in mm, third coordinate the slice.

    Raises:
        DetectorError: it is something else, or a box lies on a slice that was not given.
    """
    try:
        boxes = content["boxes"]
        found: list[list[Finding]] = [[] for _ in range(count)]
        for number, item in enumerate(boxes):
            corners = np.array(item["corners"], dtype=float)
            if corners.ndim != 2 or corners.shape[1] != 3 or len(corners) < 2:
                raise DetectorError(f"box {number} of nodules.json has corners of shape {corners.shape}, not (4, 3)")
            place = round(float(corners[:, 2].mean()))
            if not 0 <= place < count or np.ptp(corners[:, 2]) > 0.5:
                raise DetectorError(f"box {number} of nodules.json lies on slice {corners[:, 2].mean():g} of {count}")
            (x_min, y_min), (x_max, y_max) = corners[:, :2].min(axis=0), corners[:, :2].max(axis=0)
            row, column = spacing_mm
            box = (float(x_min / column), float(y_min / row), float(x_max / column), float(y_max / row))
            found[place].append(Finding(box, float(item["probability"])))
    except (KeyError, TypeError, ValueError) as error:
        raise DetectorError(f"nodules.json is not NODE21's: {error!r}") from error
    return found


_BARE_PROBABILITY = re.compile(r"\]\s*,?\s*probability\s*[=:]\s*([-+.\deE]+)")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")


def node21_parsed(text: bytes, what: str) -> Any:
    """Return ``nodules.json``, also as the challenge's example has it: ``probability=0.6`` without quotes and comma.

    Raises:
        DetectorError: it is no JSON even so; shows how it begins.
    """
    try:
        return json.loads(text)
    except (ValueError, UnicodeDecodeError):
        mended = _BARE_PROBABILITY.sub(r'], "probability": \1', text.decode("utf-8", "replace"))
        return parsed(_TRAILING_COMMA.sub(r"\1", mended), what)


def parsed(text: str | bytes, what: str) -> Any:
    """Return JSON, or say that ``what`` is none.

    Raises:
        DetectorError: it is no JSON, or an object has a key twice, of which one would be lost; shows how it begins.
    """
    try:
        return json.loads(text, object_pairs_hook=no_twins)
    except (ValueError, UnicodeDecodeError) as error:
        start = text[:80].decode("utf-8", "replace") if isinstance(text, bytes) else text[:80]
        raise DetectorError(f"{what} is no JSON ({error}); it begins {start!r}") from error
