"""Findings in DICOM presentation states: ``--detector dicom-pr:PATH``, a file or a folder of them.

Grayscale, color and pseudo-color softcopy presentation states. A graphic is a finding, and so are the graphics of one
group together; its box is that of its points, in pixels of the image or as shares of the displayed area. The score is
the certainty that the text beside it states, else 1. A state with a layer for graphics and none in it is silence on the
images it names; one without any layer is a saved window, and no answer.

What cannot be read for certain is refused in words: lines, arrows and rulers, overlays, whole slides, frames of a
series, shares of an area that is not stated, several layers of which none is named after nodules, texts of which it
cannot be told which of several graphics they mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from synnodtest.class_names import Meaning, meaning
from synnodtest.detectors.dicom_findings import ObjectKind, Reading, named, referenced_uids, register_kind
from synnodtest.detectors.dicom_graphics import Points, box_around, points_of, union
from synnodtest.detectors.stated_certainty import without_certainty
from synnodtest.finding import Finding
from synnodtest.geometry import Box

NAME = "dicom-pr"
STATES = {
    "1.2.840.10008.5.1.4.1.1.11.1": "Grayscale Softcopy Presentation State",
    "1.2.840.10008.5.1.4.1.1.11.2": "Color Softcopy Presentation State",
    "1.2.840.10008.5.1.4.1.1.11.3": "Pseudo-Color Softcopy Presentation State",
}
_BOXED = {"RECTANGLE", "ELLIPSE"}
"""Compound graphics that are given by two corners of their box."""
_SIZE_ONLY = re.compile(r"[\d.,\s]*(mm|cm|px|%)?[\d.,\s]*", re.IGNORECASE)
"""A text that says no more than a number or a size names nothing."""


def _read(state: Reading) -> None:
    """Take the findings of one presentation state."""
    images = list(dict.fromkeys(referenced_uids(state.data)))
    state.algorithm = _equipment(state.data)
    annotations = list(state.data.get("GraphicAnnotationSequence") or ())
    if not annotations:
        _check_silence(state)
    state.findings = {uid: [] for uid in images}
    layers = {str(a.get("GraphicLayer", "")) for a in annotations if _graphics(a)}
    for annotation in annotations:
        for graphics, texts in _groups(state, annotation):
            if _keeps(state, texts, str(annotation.get("GraphicLayer", "")), layers):
                _take(state, graphics, texts, _images_of(state, annotation, images))


def _equipment(data: Any) -> str:
    """Return model and software of what made the state: there is no other word on the algorithm."""
    model, version = named(data.get("ManufacturerModelName") or ""), data.get("SoftwareVersions") or ""
    return named(model, version if isinstance(version, str) else " ".join(version)) if model else ""


def _check_silence(state: Reading) -> None:
    if any(e.tag.group & 0xFF01 == 0x6000 and e.tag.element == 0x1001 for e in state.data):
        raise state.fail("its marks are an overlay of pixels, which is not read", "export graphic annotations")
    if "GraphicLayerSequence" not in state.data:
        raise state.fail(
            "it has no layer of graphics: a window that somebody saved is no answer of a detector",
            "leave it out of the folder; an image without findings has an empty layer, or a structured report",
        )


def _graphics(annotation: Any) -> list[Any]:
    """Return the graphics of an annotation; a compound one stands for the simple ones that draw it again."""
    compound = list(annotation.get("CompoundGraphicSequence") or ())
    drawn = {str(item.CompoundGraphicInstanceID) for item in compound}
    simple = [
        item
        for item in annotation.get("GraphicObjectSequence") or ()
        if str(item.get("CompoundGraphicInstanceID", "")) not in drawn
    ]
    return [*compound, *simple]


def _groups(state: Reading, annotation: Any) -> Iterator[tuple[list[Any], list[str]]]:
    """Yield the graphics of each finding and its texts: those of one group, or the texts of the only finding."""
    groups: dict[str, list[Any]] = {}
    for number, item in enumerate(_graphics(annotation)):
        groups.setdefault(_group(item) or f"alone {number}", []).append(item)
    texts = [(_group(t), str(t.get("UnformattedTextValue", ""))) for t in annotation.get("TextObjectSequence") or ()]
    for group, graphics in groups.items():
        own = [text for grouped, text in texts if grouped == group or (not grouped and len(groups) == 1)]
        yield graphics, own
    loose = [text for grouped, text in texts if not grouped and len(groups) > 1]
    telling = [text for text in loose if state.certainty(text) is not None or meaning(text) is not Meaning.OTHER]
    if telling or len(loose) >= len(groups) > 1:
        raise state.fail(
            f"the text {loose[0]!r} stands beside {len(groups)} graphics: it cannot be told which it means",
            "put each text and its graphic into one group, or into an annotation of their own",
        )


def _group(item: Any) -> str:
    return str(item.get("GraphicGroupID") or "")


def _keeps(state: Reading, texts: Sequence[str], layer: str, layers: set[str]) -> bool:
    """Return whether graphics are a nodule: by the text beside them, else by their layer; the only layer counts."""
    lines = [part.strip(" ,;:") for text in texts for part in re.split(r"[\r\n,;]+", without_certainty(text))]
    words = [line for line in lines if line and not _SIZE_ONLY.fullmatch(line)]
    plain = not words and meaning(layer) is Meaning.OTHER
    if plain and len(layers) > 1 and not state.labels.chosen:
        raise state.fail(
            f"graphics on several layers ({', '.join(sorted(layers))}): which of them are nodules cannot be told",
            f"say which: --detector '{state.path.name}#{layer}'",
        )
    return (plain and not state.labels.chosen) or state.keeps([*words, layer])


def _images_of(state: Reading, item: Any, images: Sequence[str]) -> list[str]:
    """Return the UIDs of the images that an annotation lies on: those it names, else all of the state."""
    named = list(item.get("ReferencedImageSequence") or ())
    for image in named:
        state.check_frame(image, "graphics")
    uids = [str(image.ReferencedSOPInstanceUID) for image in named] or list(images)
    unknown = [uid for uid in uids if uid not in images]
    if unknown or not uids:
        raise state.fail("graphics on an image that the state does not list", "export the presentation state again")
    return uids


def _take(state: Reading, graphics: Sequence[Any], texts: Sequence[str], images: Sequence[str]) -> None:
    score = state.certainty("\n".join(texts))
    for uid in images:
        box = union([_box(state, item, uid) for item in graphics])
        state.findings[uid].append(Finding(box, 1.0 if score is None else score))


def _box(state: Reading, item: Any, uid: str) -> Box:
    """Return the box of one graphic on an image."""
    kind = str(item.get("CompoundGraphicType") or item.GraphicType)
    points = _points(state, item, uid)
    if "CompoundGraphicType" in item:
        if kind not in _BOXED or float(item.get("RotationAngle") or 0) % 180:
            raise state.fail(f"a graphic of type {kind!r} encloses nothing that could be told", _ENCLOSE)
        return box_around("POLYLINE", points)
    if kind in ("POLYLINE", "INTERPOLATED") and len(points) < 3:
        raise state.fail("a line of two points encloses nothing", _ENCLOSE)
    return box_around(kind, points)


_ENCLOSE = "export findings as closed outlines, circles, ellipses or points"
_IN_PIXELS = "export graphics in PIXEL units"


def _points(state: Reading, item: Any, uid: str) -> Points:
    """Return the points of a graphic in pixels of the image, whatever its units."""
    units = str(item.get("GraphicAnnotationUnits") or item.get("CompoundGraphicUnits") or "")
    if units not in ("PIXEL", "DISPLAY"):
        raise state.fail(f"graphics in units {units or 'that are not stated'!r}", _IN_PIXELS)
    return points_of(item.GraphicData) if units == "PIXEL" else _on_image(state, item, uid)


def _on_image(state: Reading, item: Any, uid: str) -> Points:
    """Return the points of a graphic, given as shares of the displayed area of an image, in pixels of the image.

    Shares of it count after the rotation and the flip; its corners are pixels of the image before them, the first
    corner that which is shown at the top left, so the flip needs no further word (PS3.3 C.10.4, C.10.6).

    Raises:
        ValueError: the area is specified twice, or the rotation is none by quarters.
    """
    areas = [area for area in state.data.get("DisplayedAreaSelectionSequence") or () if _applies(area, uid)]
    if len(areas) > 1:
        raise ValueError("the displayed area of one image is specified twice")
    names = ("DisplayedAreaTopLeftHandCorner", "DisplayedAreaBottomRightHandCorner")
    corners = [area.get(name) for area in areas for name in names]
    if not corners or not all(corners):
        raise state.fail("graphics in shares of a displayed area that is not stated for their image", _IN_PIXELS)
    rotation = int(state.data.get("ImageRotation") or 0)
    if rotation % 90:
        raise ValueError(f"an image rotation of {rotation} degrees")
    shape = areas[0].get("PresentationPixelSpacing") or areas[0].get("PresentationPixelAspectRatio") or (1, 1)
    if float(shape[0]) != float(shape[1]) and item.get("GraphicType") == "CIRCLE":
        raise state.fail("a circle on a display whose pixels are not square is none on the image", _IN_PIXELS)
    shares = points_of(item.GraphicData)[:, :: -1 if rotation % 180 else 1]
    return _placed(shares, *(np.array(corner, dtype=np.float64) for corner in corners))


def _placed(shares: Points, first: Points, last: Points) -> Points:
    """Return shares of an area as points; its corner pixels, counted from 1, belong to it whichever comes first."""
    start, end = np.where(last >= first, first - 1, first), np.where(last >= first, last, last - 1)
    placed: Points = start + shares * (end - start)
    return placed


def _applies(item: Any, uid: str) -> bool:
    named = item.get("ReferencedImageSequence") or ()
    return not named or any(str(image.ReferencedSOPInstanceUID) == uid for image in named)


register_kind(ObjectKind(NAME, "presentation state", STATES, _read))
