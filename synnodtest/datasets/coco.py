"""The COCO layout: one JSON of images, annotations and categories, and the images beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from synnodtest.backgrounds.columns import folded, patient_of_entry
from synnodtest.backgrounds.named_images import file_named
from synnodtest.counted import counted
from synnodtest.datasets.classes import classes_of
from synnodtest.datasets.pixels import refuse_corners
from synnodtest.datasets.records import AnnotatedBox, Dataset, Facts, notes_on_scores, positive_box
from synnodtest.decoding import no_twins
from synnodtest.errors import BackgroundError
from synnodtest.geometry import Box, iou
from synnodtest.text_files import decoded

MAX_BYTES = 512 * 1024 * 1024
"""Size of a JSON, in bytes, that is looked into: a guard of memory far above those of public sets."""
_FORM_KEYS = ("bboxmode", "boxmode", "bboxformat", "boxformat", "bboxtype")
_OWN_FORMS = ("1", "xywh", "xywhabs", "coco", "none", "")
LEAST_SHARED = 0.5
"""Intersection over union of a box and the one around its polygons; rounding takes far less."""


def coco_files(folder: Path) -> list[Path]:
    """Return the JSON files of a COCO folder: those in it or in ``annotations/`` that hold images and annotations."""
    paths = [*sorted(folder.glob("[!.]*.json")), *sorted(folder.glob("annotations/[!.]*.json"))]
    return [path for path in paths if _looks_like(path)]


def _looks_like(path: Path) -> bool:
    try:
        if path.stat().st_size > MAX_BYTES:
            return False
        content = json.loads(decoded(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return path.parent.name == "annotations" or path.stem.startswith("annotations")
    return isinstance(content, dict) and {"images", "annotations"} <= set(content)


def read_coco(folder: Path) -> Dataset:
    """Return the images of a COCO folder.

    ``file_name`` is sought beside the JSON, in the folder and in ``images/``; several JSON files (one per split) are
    joined. ``diameter_mm`` and ``contrast`` of an annotation are taken where they stand.

    Raises:
        BackgroundError: malformed JSON, an image that is not there, an annotation of no image; names file and entry.
    """
    files = coco_files(folder)
    if not files:
        raise BackgroundError(f"{folder}: no COCO data set", hint="expected a JSON with 'images' and 'annotations'")
    notes: list[str] = []
    images = [image for file in files for image in _images(folder, file, notes)]
    return Dataset(folder.resolve().name, "coco", folder, images, notes)


def _images(folder: Path, file: Path, notes: list[str]) -> list[Any]:
    try:
        content = json.loads(decoded(file.read_bytes()), object_pairs_hook=no_twins)
    except (OSError, ValueError, RecursionError) as error:
        raise BackgroundError(f"{file}: not valid JSON: {error}", hint="copy the file again from its source") from error
    try:
        names = {int(one["id"]): str(one["name"]) for one in content.get("categories", [])} or {1: "nodule"}
        nodules = classes_of(names, str(file), folder)
        listed = {
            _identifier(one["id"]): (str(one["file_name"]), _size(one), patient_of_entry(one))
            for one in content["images"]
        }
        entries = list(content["annotations"])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BackgroundError(f"{file}: not a COCO file: {error!r}", hint="export it again, as COCO") from error
    if len(listed) < len(content["images"]):
        raise BackgroundError(
            f"{file}: {len(content['images'])} images have {len(listed)} identifiers: whose are the annotations?",
            hint="number the images anew, each with its annotations, or keep the files that were joined apart",
        )
    boxes: dict[str, list[AnnotatedBox]] = {identifier: [] for identifier in listed}
    for number, entry in enumerate(entries):
        identifier, box = _annotation(entry, f"{file}: annotations[{number}]", nodules, names)
        if identifier not in boxes:
            raise BackgroundError(f"{file}: annotations[{number}]: there is no image {entry['image_id']!r}")
        boxes[identifier] += [] if box is None else [box]
    paths = {key: _found(folder, file, name, number) for number, (key, (name, _, _)) in enumerate(listed.items())}
    refuse_corners({path: boxes[key] for key, path in paths.items()}, str(file))
    unsure = sum(any(entry.get(key) for key in ("iscrowd", "ignore")) for entry in entries)
    if unsure:
        notes.append(f"{file.name}: {unsure} boxes are marked iscrowd or ignore, and each counts as one nodule")
    turned = sum(isinstance(own := entry.get("attributes"), dict) and bool(own.get("rotation")) for entry in entries)
    if turned:
        note = counted(turned, "box has a rotation and is", "boxes have a rotation and are")
        notes.append(f"{file.name}: {note} read without it: draw them upright")
    notes += notes_on_scores({key for entry in entries for key in entry}, file.name)
    facts = Facts([folder, file.parent, folder / "images"])
    records = []
    for number, (identifier, (_, size, patient)) in enumerate(listed.items()):
        image = facts.image(paths[identifier], boxes[identifier], f"{file}: images[{number}]")
        records.append(replace(image, declared=size, patient=image.patient or patient))
    return records


def _identifier(value: object) -> str:
    """Return the identifier of an image as text, whether a program wrote 1, 1.0 or "1"."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return height and width of an image where COCO gives both."""
    height, width = image.get("height"), image.get("width")
    return (int(height), int(width)) if height and width else None


def _annotation(entry: Any, where: str, nodules: set[int], names: Mapping[int, str]) -> tuple[str, AnnotatedBox | None]:
    try:
        kind = int(entry["category_id"]) if len(names) > 1 else int(entry.get("category_id", min(nodules)))
        if kind not in names:
            raise BackgroundError(f"{where}: its category_id {kind} is not among the categories {sorted(names)}")
        if kind not in nodules:
            return _identifier(entry["image_id"]), None
        _refuse_other_form(entry, where)
        x, y, width, height = (float(value) for value in entry["bbox"])
        diameter, contrast = (
            None if entry.get(name) is None else float(entry[name]) for name in ("diameter_mm", "contrast")
        )
        box = positive_box(x, y, width, height, where)
        _refuse_other_outline(entry, box, where)
        return _identifier(entry["image_id"]), AnnotatedBox(box, where, diameter, contrast)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BackgroundError(f"{where}: {error!r}", hint="bbox is [x, y, width, height] in pixels") from error


def _refuse_other_form(entry: Mapping[str, Any], where: str) -> None:
    """Refuse a box that says of itself that its numbers are others than COCO's, as Detectron2 writes ``bbox_mode``: 0.

    Raises:
        BackgroundError: it does.
    """
    for key in (key for key in entry if folded(key) in _FORM_KEYS):
        if folded(str(entry[key])).removeprefix("boxmode") not in _OWN_FORMS:
            raise BackgroundError(
                f"{where}: its {key} is {entry[key]!r}", hint="bbox is [x, y, width, height] in pixels, bbox_mode 1"
            )


def _refuse_other_outline(entry: Mapping[str, Any], box: Box, where: str) -> None:
    """Refuse a box that is not the one around its own polygons, as where two corners stand for a corner and a size.

    Raises:
        BackgroundError: the two have less than half in common.
    """
    outline = entry.get("segmentation")
    if not isinstance(outline, list) or not all(isinstance(one, list) and len(one) >= 6 for one in outline):
        return
    xs, ys = ([float(value) for one in outline for value in one[axis::2]] for axis in (0, 1))
    around = (min(xs), min(ys), max(xs), max(ys)) if xs else box
    if iou(around, box) < LEAST_SHARED:
        edges = ", ".join(f"{edge:g}" for edge in around)
        raise BackgroundError(
            f"{where}: its bbox {entry['bbox']} is not that of its segmentation, which lies in ({edges})",
            hint="bbox is [x, y, width, height] in pixels; correct it, or leave the segmentation out",
        )


def _found(folder: Path, file: Path, name: str, number: int) -> Path:
    for base in (file.parent, folder, folder / "images", file.parent / "images"):
        if (path := file_named(base, name)).is_file():
            return path
    raise BackgroundError(f"{file}: images[{number}]: {name} is not there", hint=f"put it into {folder / 'images'}")
