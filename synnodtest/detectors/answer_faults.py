"""Faults by which an answer is none: it failed, it is of another form, it is of several images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from synnodtest.counted import counted
from synnodtest.decoding import JsonObject
from synnodtest.detectors.label_rule import folded
from synnodtest.detectors.network_outputs import SHARE_LIMIT
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding

SHAPE = '[{"box": [x_min, y_min, x_max, y_max], "score": 0.9}, ...], or {"findings": [...], "unit": "pixels"}'
FAULTS = (
    "error", "errors", "exception", "traceback", "errormessage", "errmsg", "failed", "failures", "truncated", "partial",
    "incomplete", "rejected", "skipped", "timedout", "next", "nextpage", "nextpagetoken", "nextcursor", "hasmore",
)  # fmt: skip
"""Keys, folded, that hold what went wrong, are not true of an answer, or say that there is more of it elsewhere."""
CONSENTS = (
    "success", "succeeded", "ok", "valid", "isvalid", "accepted", "processed", "analyzed", "analysed", "completed",
    "complete", "done", "finished", "ready",
)  # fmt: skip
"""Keys, folded, that are true of an answer."""
STATES = ("status", "state", "statuscode", "code")
UNFINISHED = (
    "error", "errors", "fail", "failed", "failure", "pending", "processing", "queued", "running", "inprogress",
    "loading", "starting", "warmingup", "timeout", "busy", "accepted", "cancelled", "canceled", "unavailable",
    "notready", "initializing", "initialising", "partial", "incomplete", "skipped", "rejected", "refused", "invalid",
    "aborted", "crashed", "unsupported", "denied", "unauthorized", "throttled", "exception", "received", "started",
    "retry", "revoked", "submitted", "waiting", "scheduled", "inqueue", "timedout", "stopped", "terminated", "killed",
)  # fmt: skip
_LOOK = "it is no answer to a radiograph; look into the detector's log"


def refuse_failure(content: JsonObject) -> None:
    """Refuse an answer that says it failed or is not finished: its empty list is no radiograph without findings.

    Raises:
        DetectorError: it says so; shows what it says.
    """
    for key, value in content.items():
        if _says_failed(folded(key), value):
            says = str({key: value})[:200]
            raise DetectorError(f"the answer says that it failed or is not finished: {says}", hint=_LOOK)


def _says_failed(name: str, value: object) -> bool:
    word = folded(value) if isinstance(value, str) else ""
    number = int(word) if word.isdecimal() else value
    if name in FAULTS:
        return value not in (None, "", [], {}, 0, False)
    if name in CONSENTS:
        return value is False or word in ("false", "no")
    if name in STATES and isinstance(number, (int, float)):
        return number >= 400
    return name in STATES and (word in UNFINISHED or word.startswith(("error", "fail")))


REASONS = (
    "message", "messages", "msg", "statusmessage", "warning", "warnings", "reason", "detail", "details", "info", "note",
    "result", "quality", "comment", "comments", "remark", "remarks",
)  # fmt: skip
"""Keys, folded, of words that may say why a list is empty."""
_REFUSES = re.compile(
    r"(?<!\bno )(?<!without )\b(reject\w*|unsupported|not supported|invalid|fail\w*|errors?|cannot|can't|could not"
    r"|unable|not (a|an) |no chest|non[- ]?diagnostic|not diagnostic|skipped|unreadable|wrong|bad quality|poor quality"
    r"|insufficient|timed? ?out|exception|unavailable|out of (memory|scope)|oom|expired|exceeded|denied|forbidden"
    r"|corrupt\w*|abort\w*|crash\w*|try again|retry|busy|queued|not (authent|author)\w*"
    r"|not (yet |been )?(loaded|ready|analy\w*|process\w*))",
    re.IGNORECASE,
)


def refuse_reasons(content: JsonObject) -> None:
    """Refuse an empty answer that says in words, or in an object within it, why it looked for nothing.

    Raises:
        DetectorError: it does; shows what it says.
    """
    for part in _objects_in(list(content.values())):
        reasons = {key: value for key, value in part.items() if not _is_count(value)}
        refuse_failure(reasons)
        refuse_reasons(reasons)
    for key, value in content.items():
        words = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
        if folded(key) in (*REASONS, *STATES) and any(map(_REFUSES.search, words)):
            raise DetectorError(f"the answer holds no findings and says {str({key: value})[:200]}", hint=_LOOK)


def _objects_in(values: Sequence[object]) -> Iterator[JsonObject]:
    """Yield the objects among values and lists of them."""
    for value in values:
        if isinstance(value, dict):
            yield value
        elif isinstance(value, list):
            yield from _objects_in(value)


def _is_count(value: object) -> bool:
    """Return whether a value is a number and no HTTP status of a failure: a count, a measure, a code of a view."""
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    return isinstance(number, (int, float)) and not isinstance(number, bool) and not 400 <= number < 600


_THINGS = "(finding|nodule|detection|prediction|box|boxe|bbox|bboxe|object|result|lesion)s?"
_COUNTS = re.compile(
    rf"count|total|totalcount|(n|no|nr|num|number|numberof|count|countof|total){_THINGS}"
    rf"|(total)?{_THINGS}(count|total|number|num|found|detected)"
)
"""Keys, folded, of the number of findings, which may be above that of those in the list."""


def refuse_fewer(content: JsonObject, held: int, pictures: int = 0) -> None:
    """Refuse an answer that counts more findings than it holds: they are of another page, or were lost.

    Args:
        content: The answer, or an object within an answer without findings.
        held: How many findings it holds.
        pictures: How many radiographs it is about, which it may count too.

    Raises:
        DetectorError: it does; shows what it says.
    """
    for key, value in content.items():
        counts = isinstance(value, int) and not isinstance(value, bool) and value > held and value != pictures
        if counts and _COUNTS.fullmatch(folded(key)):
            says = f"the answer holds {counted(held, 'finding')} and says {str({key: value})[:200]}"
            raise DetectorError(says, hint="answer with all findings at once, and count no others")
    if not held:
        for part in _objects_in(list(content.values())):
            refuse_fewer(part, 0, pictures)


IMAGES = (
    "image", "imageid", "imagename", "filename", "file", "filepath", "frame", "frameindex", "slice", "sliceindex",
    "sopinstanceuid", "instanceuid", "study", "studyid", "timepoint",
)  # fmt: skip
"""Keys, folded, by which a finding may say on which image it lies."""


def refuse_several_images(items: Sequence[Any]) -> None:
    """Refuse findings that lie on several images by their own word: an answer is about one radiograph.

    Raises:
        DetectorError: they do.
    """
    named: dict[str, set[str]] = {}
    for item in items:
        for key, value in item.items() if isinstance(item, dict) else ():
            if folded(key) in IMAGES and isinstance(value, (str, int)):
                named.setdefault(key, set()).add(str(value))
    for key, values in named.items():
        if len(values) > 1:
            examples = ", ".join(sorted(values)[:3])
            raise DetectorError(
                f"the findings of one radiograph are of several by their {key!r}: {examples}",
                hint="answer with the findings of the radiograph that was sent, and of no other",
            )


def refuse_another_image(content: object, name: str, names: Sequence[str]) -> None:
    """Refuse an answer for one radiograph of which a finding names another of those that were given.

    Raises:
        DetectorError: it does.
    """
    items = content.get("findings") if isinstance(content, dict) else content
    for item in items if isinstance(items, list) else ():
        for key, value in item.items() if isinstance(item, dict) else ():
            if folded(key) in IMAGES and value != name and value in names:
                raise DetectorError(
                    f"a finding of {name} is of {value} by its {key!r}",
                    hint="answer with the findings of each radiograph under its own name",
                )


FORMS = ("unit", "units", "format", "boxformat", "bboxformat", "boxunit", "coordinates")
"""Keys, folded, by which an answer may say that its boxes are of another form."""
_IN_MM = '; {"unit": "mm", "findings": [...]} for all in mm'
OURS = ("pixels", "pixel", "px", "xyxy", "x1y1x2y2", "absolute", "pascalvoc")
SHARES = ("normalized", "normalised", "isnormalized", "isnormalised", "relative")
"""Keys, folded, that are true of boxes in shares of the sides."""
SYNONYMS = ("findings", "predictions", "detections", "boxes", "bboxes", "results", "nodules", "objects")


def refuse_others(content: JsonObject) -> None:
    """Refuse an answer that holds findings under a second key, or says that its boxes are of another form.

    Raises:
        DetectorError: it does.
    """
    for key, value in content.items():
        if key != "findings" and folded(key) in SYNONYMS and isinstance(value, list) and value:
            raise DetectorError(f"the answer has {len(value)} {key} beside its 'findings'", hint=SHAPE)
        if key != "unit":
            refuse_form(key, value)
    for part in _objects_in([value for key, value in content.items() if key != "findings"]):
        inner = part.get("findings") if not content["findings"] else None
        if isinstance(inner, list) and any(isinstance(one, dict) and "box" in one for one in inner):
            raise DetectorError("the answer has findings within another key beside its 'findings'", hint=SHAPE)
        for key, value in part.items():
            refuse_form(key, value, within=True)


_EDGES = "boxes are x_min, y_min, x_max, y_max in pixels"


def refuse_form(key: str, value: Any, whose: str = "the answer", more: str = _IN_MM, *, within: bool = False) -> None:
    """Refuse a key and value that say of boxes that they are of another form than is read.

    Args:
        key: As it stands.
        value: Of the key.
        whose: Begins the message.
        more: Ends its hint.
        within: They stand within another key, where a ``format`` may be of anything.

    Raises:
        DetectorError: they do.
    """
    name = folded(key)
    stated = name in FORMS and not within and isinstance(value, str) and folded(value) not in OURS
    if stated or _is_other_form(name, value):
        says = f"{whose} says {key} {value!r} of its boxes, which is not read there"
        raise DetectorError(says, hint=f"{_EDGES}{more}")


_ORDER = r"((c?x|xc)(c?y|yc)|ccc?|lt|tl)(wh|hw)d?a?|yx(yx|hw|wh)|xxyy|yyxx"
_NUMBERS = re.compile(rf"({_ORDER})(abs)?|({_ORDER}|xyxy)(n|rel|norm\w*)")
"""The four numbers of a box by their letters, such as ``cxcywh``, ``xywhn`` or ``yxyx``, but for corners in pixels."""
_NO_PIXELS = re.compile(r"(?<!un)(?<!de)(?<!not)(?<!non)(normali[sz]ed|relative|percent|fraction|millimet|^mm$|^cm$)")


def _is_other_form(name: str, value: object) -> bool:
    """Return whether a folded key and a value, wherever they stand, speak of boxes that are no corners in pixels."""
    if isinstance(value, int):
        shares = name in SHARES and value == 1
        return shares or (name.endswith("boxmode") and value != 0)  # of Detectron2, where XYXY_ABS is 0
    if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        return False
    form = folded(value)
    letters = re.sub(r"boxmode|\d|min|max", "", form)
    for word in ("center", "centre", "width", "height"):
        letters = letters.replace(word, word[0])
    if _NUMBERS.fullmatch(letters):
        return True
    about_boxes = "box" in name or "coord" in name
    return (name in SHARES and form in ("true", "1", "yes")) or bool(about_boxes and _NO_PIXELS.search(form))


def refuse_shares(findings: Iterable[Sequence[Finding]], whose: str) -> None:
    """Refuse boxes that all lie within a pixel or two of the corner, at parts of a pixel: shares of the sides do.

    Raises:
        DetectorError: they do.
    """
    ends = [end for items in findings for finding in items for end in finding.box]
    if any(end % 1 for end in ends) and max(ends) <= SHARE_LIMIT:
        raise DetectorError(
            f"{whose}: no edge of its {counted(len(ends) // 4, 'box', 'boxes')} is beyond {max(ends):.4g} pixels: "
            "they look like shares of the radiograph's sides",
            hint="multiply x by the radiograph's width and y by its height in pixels",
        )


_WHOLE = ("image", "img", "picture", "orig", "original")
"""Beginnings of keys, folded, that tell how many pixels high and wide the image was that findings were made on."""


def stated_shape(content: object, whose: str = "the answer") -> tuple[int, int] | None:
    """Return height and width of the image that an answer or a finding says it was made on; None where it does not.

    ``image_height`` and ``image_width`` go before any other name.

    Raises:
        DetectorError: one of them is no number.
    """
    said = {folded(key): value for key, value in content.items() if value} if isinstance(content, dict) else {}
    if isinstance(image := said.get("image"), dict):
        said = {f"image{folded(key)}": value for key, value in image.items()} | said
    height, width = (_stated_side(said, side, whose) for side in ("height", "width"))
    return None if height is None or width is None else (height, width)


def _stated_side(said: JsonObject, side: str, whose: str) -> int | None:
    stated = next((said[name] for name in (f"{image}{side}" for image in _WHOLE) if said.get(name)), None)
    try:
        return None if stated is None else int(float(str(stated)))
    except (ValueError, OverflowError) as error:
        raise DetectorError(
            f"{whose} says {stated!r} of its image's {side}, which is no number of pixels",
            hint="give the radiograph's image_height and image_width, or neither",
        ) from error


def refuse_other_shape(contents: Iterable[object], shape: tuple[int, int]) -> None:
    """Refuse an answer or a finding that says it was made on an image of another size than the radiograph's.

    Raises:
        DetectorError: one does.
    """
    for stated in filter(None, map(stated_shape, contents)):
        if stated != shape:
            raise DetectorError(
                f"the answer is about an image of {stated[1]} x {stated[0]} pixels, and the radiograph has "
                f"{shape[1]} x {shape[0]}",
                hint="answer in pixels of the radiograph as it was sent, and give its image_height and image_width",
            )


_TAKEN_BACK = [
    *((key, "false") for key in ("positive", "reported", "shown", "visible", "accepted")),
    *((key, "true") for key in ("suppressed", "rejected", "discarded", "hidden", "ignored", "filtered", "removed")),
]
"""Keys of a finding that its program does not report."""


def refuse_taken_back(key: str, value: Any, where: str) -> None:
    """Refuse a finding that says of itself that it is not reported.

    Raises:
        DetectorError: it does.
    """
    if (folded(key), folded(value)) in _TAKEN_BACK:
        raise DetectorError(f"{where} says {key}: {value} of itself", hint="leave out what is not reported")
