"""The YOLO layout: ``images/``, ``labels/`` with one text file per image, and ``data.yaml`` with the class names.

Or ``train/images/``, ``train/labels/`` and so on for each part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import yaml

from synnodtest.backgrounds.file_formats import stem_of
from synnodtest.backgrounds.folder_files import is_there, radiographs_in
from synnodtest.datasets.classes import classes_of
from synnodtest.datasets.pixels import refuse_corners, size_of
from synnodtest.datasets.records import EDGE_PX, AnnotatedBox, AnnotatedImage, Dataset, Facts, numbers
from synnodtest.errors import BackgroundError
from synnodtest.geometry import Box
from synnodtest.text_files import decoded

CLASS_LISTS = ("classes.txt", "obj.names")
"""Lists of classes, one a line, that programs for drawing boxes write beside or among the labels."""


def yolo_description(folder: Path) -> Path | None:
    """Return ``data.yaml`` of a YOLO folder (or the only YAML beside ``labels/``), or None."""
    if not _image_folders(folder):
        return None
    paths = [folder / "data.yaml", *sorted(folder.glob("*.yaml")), *sorted(folder.glob("*.yml"))]
    return next((path for path in paths if path.is_file()), None)


def _image_folders(folder: Path) -> list[Path]:
    """Return ``images/``, or that of each part (``train/images/``), where ``labels/`` lies beside it."""
    folders = [folder / "images"] if (folder / "images").is_dir() else sorted(folder.glob("[!.]*/images"))
    return [path for path in folders if path.is_dir() and _labels_of(path).is_dir()]


def _labels_of(images: Path) -> Path:
    return images.with_name("labels")


def read_yolo(folder: Path) -> Dataset:
    """Return the images of a YOLO folder, all its splits together; an image without a label file shows no nodule.

    Raises:
        BackgroundError: no ``data.yaml``, a malformed line, a label file without an image; names file and line.
    """
    description = yolo_description(folder)
    if description is None:
        raise BackgroundError(f"{folder}: no YOLO data set", hint="expected data.yaml, images/ and labels/")
    names = _names(description)
    _refuse_other_names(folder, description, names)
    nodules = classes_of(names, str(description), folder)
    images = [image for root in _image_folders(folder) for image in _images(folder, root, nodules, names)]
    refuse_corners({image.path: image.boxes for image in images}, str(folder), middle=True)
    return Dataset(folder.resolve().name, "yolo", folder, images)


def _images(folder: Path, root: Path, nodules: set[int], names: Mapping[int, str]) -> Iterator[AnnotatedImage]:
    """Yield the images below one folder ``images`` with their boxes."""
    facts = Facts([folder, root])
    labels = {path.relative_to(_labels_of(root)).with_suffix(".txt"): path for path in _label_files(root)}
    for below in (root, *sorted(path for path in root.rglob("*") if path.is_dir() and not _is_hidden(path, root))):
        for path in radiographs_in(below):
            label = labels.pop(path.relative_to(root).with_name(f"{stem_of(path)}.txt"), None)
            boxes = list(_boxes(label, path, nodules, names)) if label else []
            yield facts.image(path, boxes, str(label or path))
    for label in labels.values():
        raise BackgroundError(
            f"{label}: there is no image of this name in {root}", hint="add the image, or move the label file away"
        )


def _label_files(root: Path) -> list[Path]:
    """Return the label files of a folder of images, whatever the case of their suffix, but for lists of classes."""
    shown = (path for path in sorted(_labels_of(root).rglob("*")) if not _is_hidden(path, _labels_of(root)))
    return [p for p in shown if p.suffix.lower() == ".txt" and p.name not in CLASS_LISTS and is_there(p)]


def _is_hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _refuse_other_names(folder: Path, description: Path, names: Mapping[int, str]) -> None:
    """Refuse a second YAML or list beside the data that gives the classes other names: which were they drawn with?

    Raises:
        BackgroundError: there is one.
    """
    places = [folder, *map(_labels_of, _image_folders(folder))]
    for path in filter(Path.is_file, (place / name for place in places for name in CLASS_LISTS)):
        listed = dict(enumerate(_text(path).split("\n")))
        if any(listed.get(index, name).strip() != name for index, name in names.items()):
            raise _other_names(path, description, listed, names)
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        try:
            others = names if path == description else _names(path)
        except BackgroundError:
            continue  # no description of data
        if others != names:
            raise _other_names(path, description, others, names)


def _other_names(path: Path, description: Path, others: Mapping[int, str], names: Mapping[int, str]) -> BackgroundError:
    return BackgroundError(
        f"{path}: gives the classes other names than {description.name}: {dict(others)} and {dict(names)}",
        hint="move the one away that is not that of these labels",
    )


def _names(description: Path) -> dict[int, str]:
    try:
        content = yaml.safe_load(description.read_text(encoding="utf-8"))
        names = content["names"]
        listed = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(index): str(name) for index, name in listed}
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise BackgroundError(
            f"{description}: its class names cannot be read: {error!r}", hint="names: [nodule]"
        ) from error


def _text(path: Path) -> str:
    try:
        return decoded(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise BackgroundError(f"{path}: cannot be read: {error}", hint="save it as UTF-8") from error


def _boxes(label: Path, image: Path, nodules: set[int], names: Mapping[int, str]) -> Iterator[AnnotatedBox]:
    lines = _text(label).splitlines()
    width, height = size_of(image) if any(line.strip() for line in lines) else (0, 0)
    for number, line in enumerate(lines, start=1):
        words, where = line.split(), f"{label}:{number}"
        if not words:
            continue
        if len(words) != 5:
            raise BackgroundError(
                f"{where}: {len(words)} numbers, not 'class x y width height'",
                hint="outlines, key points and scores are not read: export the labels as boxes",
            )
        kind, x, y, w, h = numbers(words, where)
        if kind not in names:
            raise BackgroundError(f"{where}: the class {words[0]} is not among the names {sorted(names)} of data.yaml")
        if kind not in nodules:
            continue
        edges = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        slack_x, slack_y = EDGE_PX / width, EDGE_PX / height
        room = (edges[0] + slack_x, edges[1] + slack_y, 1 + slack_x - edges[2], 1 + slack_y - edges[3])
        if not (w > 0 and h > 0 and all(side >= 0 for side in room)):  # so of NaN
            raise BackgroundError(
                f"{where}: the box {' '.join(words[1:])} leaves the image",
                hint="x, y are the centre, width and height the size, all as shares of the image",
            )
        x_min, y_min, x_max, y_max = (min(max(edge, 0.0), 1.0) for edge in edges)
        yield AnnotatedBox((x_min * width, y_min * height, x_max * width, y_max * height), where)


def label_lines(boxes: Iterable[Box], shape: tuple[int, int], written: Callable[[float], str]) -> str:
    """Return a line ``0 x y width height`` for each box, in shares of an image of that height and width."""
    height, width = shape
    lines = []
    for x_min, y_min, x_max, y_max in boxes:
        shares = (x_min + x_max) / 2 / width, (y_min + y_max) / 2 / height, (x_max - x_min) / width
        lines.append(f"0 {' '.join(written(float(share)) for share in (*shares, (y_max - y_min) / height))}\n")
    return "".join(lines)
