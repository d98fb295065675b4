"""Annotated radiographs -> the folder that YOLO trains on."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from synnodtest.annotated.sets import AnnotatedSet, Case
from synnodtest.datasets.similarity import Twin, near_duplicates, perceptual_hash
from synnodtest.datasets.split import is_held_out
from synnodtest.datasets.yolo import label_lines
from synnodtest.errors import SynnodError
from synnodtest.files import replacing, write_atomic
from synnodtest.radiograph import Radiograph

HASHES = "hashes.json"
"""Perceptual hashes of the prepared images, by split and name."""


def prepare(sets: Sequence[AnnotatedSet], out: Path, *, size: int = 1024) -> Path:
    """Write images, labels and ``data.yaml`` for YOLO; return the path of ``data.yaml``.

    Clusters (patients, backgrounds) are divided once for all: ``images/val`` holds those that
    :func:`synnodtest.datasets.split.is_held_out` keeps from training. What is already written is not made again.

    Args:
        sets: Where the radiographs come from.
        out: Folder to write.
        size: Longer side of the images in pixels; PNG with 8 bits, because ultralytics reads no more.

    Raises:
        SynnodError: no patient is left for training, or none is held out.
    """
    sides = {is_held_out(case.cluster) for source in sets for case in source.cases}
    if sides != {True, False}:
        lacking = "held out" if sides == {False} else "left to train on"
        raise SynnodError(
            f"of so few patients none is {lacking}",
            hint="15 of 100 are held out by their names: add patients or images",
        )
    for split in ("train", "val"):
        (out / "images" / split).mkdir(parents=True, exist_ok=True)
        (out / "labels" / split).mkdir(parents=True, exist_ok=True)
    hashes: dict[str, dict[str, str]] = {split: hashes_of(out, split) for split in ("train", "val")}
    try:
        for source in sets:
            for case in source.cases:
                split = "val" if is_held_out(case.cluster) else "train"
                hashes[split] |= _write_case(source, case, out, split, size)
    finally:
        write_atomic(out / HASHES, json.dumps(hashes))
    content = {"path": str(out.resolve()), "train": "images/train", "val": "images/val", "names": {0: "nodule"}}
    return write_atomic(out / "data.yaml", json.dumps(content, indent=1))


def hashes_of(out: Path, split: str) -> dict[str, str]:
    """Return the perceptual hashes of the prepared images of a split, by name; empty where none were kept."""
    try:
        content = json.loads((out / HASHES).read_text(encoding="utf-8"))
        return {str(name): str(text) for name, text in content[split].items()}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}


def shared_pictures(out: Path) -> list[Twin]:
    """Return held-out images that are nearly the same picture as a training image, under another patient's name."""
    return near_duplicates(hashes_of(out, "val"), hashes_of(out, "train"))


def _write_case(source: AnnotatedSet, case: Case, out: Path, split: str, size: int) -> dict[str, str]:
    """Write one image and its label unless they are there; return its hash by name if it was written."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", f"{source.name}-{case.id}")
    image, label = out / "images" / split / f"{stem}.png", out / "labels" / split / f"{stem}.txt"
    if image.is_file() and label.is_file():
        return {}
    radiograph = source.load(case)
    write_atomic(label, label_lines([truth.box for truth in radiograph.nodules], radiograph.shape, "{:.6f}".format))
    with replacing(image) as partial:
        _picture(radiograph, size).save(partial, format="PNG", compress_level=1)
    return {stem: perceptual_hash(radiograph.pixels)}


def _picture(radiograph: Radiograph, size: int) -> Image.Image:
    height, width = radiograph.shape
    scale = size / max(height, width)
    picture = Image.fromarray(radiograph.pixels)
    if scale != 1:
        shape = (max(round(width * scale), 1), max(round(height * scale), 1))
        picture = picture.resize(shape, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR)
    return Image.fromarray(np.clip(np.rint(np.asarray(picture) * 255), 0, 255).astype(np.uint8))
