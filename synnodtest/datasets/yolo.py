"""The YOLO layout: ``images/``, ``labels/`` with one text file per image, and ``data.yaml`` with the class names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from synnodtest.backgrounds.file_formats import stem_of, suffix_of, suffixes
from synnodtest.datasets.classes import classes_of
from synnodtest.datasets.pixels import size_of
from synnodtest.datasets.records import AnnotatedBox, Dataset, Facts, numbers
from synnodtest.errors import BackgroundError


def yolo_description(folder: Path) -> Path | None:
    """Return ``data.yaml`` of a YOLO folder (or the only YAML beside ``labels/``), or None."""
    if not (folder / "labels").is_dir() or not (folder / "images").is_dir():
        return None
    found = [folder / "data.yaml", *sorted(folder.glob("*.yaml")), *sorted(folder.glob("*.yml"))]
    return next((path for path in found if path.is_file()), None)


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
    facts = Facts([folder, folder / "images"])
    made, labelled = [], set()
    for path in sorted((folder / "images").rglob("*")):
        if suffix_of(path) not in suffixes() or not path.is_file():
            continue
        label = (folder / "labels" / path.relative_to(folder / "images")).with_name(f"{stem_of(path)}.txt")
        labelled.add(label)
        boxes = list(_boxes(label, path, nodules, names)) if label.is_file() else []
        made.append(facts.image(path, boxes, str(label if label.is_file() else path)))
    for label in sorted((folder / "labels").rglob("*.txt")):
        if label not in labelled:
            raise BackgroundError(f"{label}: there is no image of this name in {folder / 'images'}")
    return Dataset(folder.resolve().name, "yolo", folder, made)


def _refuse_other_names(folder: Path, description: Path, names: Mapping[int, str]) -> None:
    """Refuse a second YAML beside the data that gives the classes other names: which one were they drawn with?

    Raises:
        BackgroundError: there is one.
    """
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        try:
            others = names if path == description else _names(path)
        except BackgroundError:
            continue  # no description of data
        if others != names:
            raise BackgroundError(
                f"{path}: gives the classes other names than {description.name}: {others} and {dict(names)}",
                hint="move the one away that is not that of these labels",
            )


def _names(description: Path) -> dict[int, str]:
    try:
        content = yaml.safe_load(description.read_text(encoding="utf-8"))
        names = content["names"]
        listed = names.items() if isinstance(names, dict) else enumerate(names)
        return {int(index): str(name) for index, name in listed}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise BackgroundError(
            f"{description}: its class names cannot be read: {error!r}", hint="names: [nodule]"
        ) from error


def _boxes(label: Path, image: Path, nodules: set[int], names: Mapping[int, str]) -> Iterator[AnnotatedBox]:
    lines = label.read_text(encoding="utf-8", errors="replace").splitlines()
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
        if w <= 0 or h <= 0 or min(edges) < -1e-6 or max(edges) > 1 + 1e-6:
            raise BackgroundError(
                f"{where}: the box {' '.join(words[1:])} leaves the image",
                hint="x, y are the centre, width and height the size, all as shares of the image",
            )
        x_min, y_min, x_max, y_max = (min(max(edge, 0.0), 1.0) for edge in edges)
        yield AnnotatedBox((x_min * width, y_min * height, x_max * width, y_max * height), where)
