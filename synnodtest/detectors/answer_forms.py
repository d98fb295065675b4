"""Forms in which an answer cannot be read: boxes that are no corners in pixels of the radiograph that was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from synnodtest.counted import counted
from synnodtest.decoding import JsonObject
from synnodtest.detectors.answer_faults import objects_in
from synnodtest.detectors.label_rule import folded
from synnodtest.detectors.network_outputs import SHARE_LIMIT
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding

SHAPE = '[{"box": [x_min, y_min, x_max, y_max], "score": 0.9}, ...], or {"findings": [...], "unit": "pixels"}'
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
    for part in objects_in([value for key, value in content.items() if key != "findings"]):
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
