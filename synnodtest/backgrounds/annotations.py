"""Which radiographs of a folder show nodules, by whatever annotations lie beside them: those are no backgrounds."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from synnodtest.backgrounds.node21 import with_nodules
from synnodtest.errors import BackgroundError

__all__ = ["annotated_paths"]

MAX_BYTES = 512 * 1024 * 1024


def annotated_paths(images: Path, paths: Sequence[Path]) -> set[Path]:
    """Return those of ``paths`` that show a nodule.

    Known are NODE21's ``metadata.csv``, ``boxes.csv``, COCO's JSON and YOLO's ``labels/``, in the folder of the images
    or above it; without any of them NODE21's and JSRT's file names.

    Raises:
        BackgroundError: a table or JSON cannot be read.
    """
    names = with_nodules(images, [path.name for path in paths])
    marked: set[Path] = set()
    for folder in (images, images.parent):
        marked |= _in_table(folder / "boxes.csv")
        for file in (*sorted(folder.glob("*.json")), *sorted(folder.glob("annotations/*.json"))):
            marked |= _in_coco(file, (file.parent, folder, folder / "images", images))
    return {path for path in paths if path.name in names or path.resolve() in marked or _has_label(images, path.name)}


def _in_table(table: Path) -> set[Path]:
    if not table.is_file():
        return set()
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            edges = [name for name in ("x_min", "x") if name in (reader.fieldnames or ())]
            marked = {row["file"] or "" for row in reader if any(row[name] for name in edges)}
            return {(table.parent / name).resolve() for name in marked}
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise BackgroundError(f"{table}: cannot be read: {error!r}") from error


def _in_coco(file: Path, bases: Sequence[Path]) -> set[Path]:
    if file.stat().st_size > MAX_BYTES:
        return set()
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not {"images", "annotations"} <= set(content):
            return set()
        marked = {entry["image_id"] for entry in content["annotations"]}
        names = [str(image["file_name"]) for image in content["images"] if image["id"] in marked]
        return {(base / name).resolve() for base in bases for name in names}
    except (KeyError, TypeError) as error:
        raise BackgroundError(f"{file}: looks like COCO and is not: {error!r}") from error
    except (OSError, ValueError):
        return set()


def _has_label(images: Path, name: str) -> bool:
    stem = PurePosixPath(name).stem
    split = images.parent.parent / "labels" / images.name / f"{stem}.txt"
    labels = [split] if images.parent.name == "images" else []
    labels += [images.parent / "labels" / f"{stem}.txt"] if images.name == "images" else []
    labels += sorted(images.glob(f"labels/*/{stem}.txt")) if (images / "labels").is_dir() else []
    return any(label.is_file() and bool(label.read_text(errors="replace").strip()) for label in labels)
