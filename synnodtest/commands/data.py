"""``synnodtest data convert|check``: annotated data sets from one layout to another, and what is wrong with them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from synnodtest.backgrounds.readings import Readings
from synnodtest.commands.options import add_kind, keep
from synnodtest.counted import counted
from synnodtest.datasets import Dataset, is_held_out, load_image, read_dataset
from synnodtest.datasets.similarity import Twin, near_duplicates, perceptual_hash
from synnodtest.datasets.write import convert
from synnodtest.errors import SynnodError

READ = ("node21", "coco", "yolo", "csv", "jsrt")
WRITTEN = ("node21", "coco", "yolo", "csv")
_PARTLY = "image whose nodules are not all marked counts", "images whose nodules are not all marked count"
_TWINS = "pair that is nearly the same picture", "pairs that are nearly the same picture"


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add the two commands."""
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="convert|check")
    for kind, run, text in (
        ("convert", _convert, "write a data set in another layout; boxes stay what they are"),
        ("check", _check, "read every image and box; name duplicates and the overlap with training data"),
    ):
        sub = add_kind(kinds, kind, text, run)
        sub.add_argument("folder", type=Path, help="annotated data set")
        if kind == "convert":
            sub.add_argument("out", type=Path, help="new folder")
            sub.add_argument("--to", required=True, choices=WRITTEN, help="layout to write")
        else:
            sub.add_argument("--against", type=Path, action="append", default=[], metavar="DIR", help="a training set")
            sub.add_argument("--out", type=Path, help="also write what was found as JSON")
        sub.add_argument("--from", dest="layout", default="", choices=READ, help="layout of the folder (found out)")


def _bar(dataset: Dataset) -> Any:
    from tqdm import tqdm

    return partial(tqdm, desc=dataset.name, unit="image", disable=None)


def _convert(options: argparse.Namespace) -> None:
    dataset = read_dataset(options.folder, options.layout)
    images, boxes = convert(dataset, options.out, options.to, progress=_bar(dataset))
    print(*dataset.notes, sep="\n", end="\n" if dataset.notes else "")
    partly = sum(not image.exhaustive for image in dataset.images)
    if partly and options.to != "csv":
        note = counted(partly, *_PARTLY)
        print(f"{note} as fully marked in {options.to}, which has no word for it; csv keeps it (exhaustive)")
    written = f"{counted(images, 'image')} with {counted(boxes, 'nodule')}"
    print(f"{written} from {dataset.layout} to {options.to}: {options.out}")


def _check(options: argparse.Namespace) -> int:
    dataset = read_dataset(options.folder, options.layout)
    held_out = sum(is_held_out(image.cluster) for image in dataset.images)
    patients = len({image.cluster for image in dataset.images})
    boxes = sum(len(image.boxes) for image in dataset.images)
    print(*dataset.notes, sep="\n", end="\n" if dataset.notes else "")
    whose = counted(patients, "patient or image", "patients or images")
    print(f"{dataset.layout}: {counted(len(dataset.images), 'image')} with {counted(boxes, 'nodule')} of {whose}")
    print(f"training takes {len(dataset.images) - held_out}, evaluation {held_out} of them (--split train and test)")
    readings = Readings()
    pairs, problems = _examined(dataset, options.against, readings)
    notes = readings.summary({image.id: "" for image in dataset.images})
    print(*notes, sep="\n", end="\n" if notes else "")
    for line in (*problems, *(entry["says"] for entry in pairs)):
        print(f"  {line}")
    content = {"images": len(dataset.images), "nodules": boxes, "notes": [*dataset.notes, *notes]}
    keep({**content, "problems": problems, "duplicates": pairs}, options.out)
    print(f"{counted(len(problems), 'unusable image')}, {counted(len(pairs), *_TWINS)}")
    return int(bool(problems or pairs))


def _examined(
    dataset: Dataset, against: Iterable[Path], readings: Readings
) -> tuple[list[dict[str, object]], list[str]]:
    """Return near-duplicates within the set and against training sets, and what cannot be read; keep its notes."""
    problems: list[str] = []
    hashes = _hashes(dataset, problems, readings)
    pairs = [_pair(twin, dataset.name, "") for twin in near_duplicates(hashes)]
    for training in map(read_dataset, against):
        twins = near_duplicates(hashes, _hashes(training, problems))
        pairs += [_pair(twin, training.name, training.name) for twin in twins]
    return pairs, problems


def _pair(twin: Twin, name: str, training: str) -> dict[str, object]:
    other = f"{twin.other} of the training set {training}" if training else twin.other
    says = f"{twin.one} and {other} are nearly the same picture ({100 * twin.differing:.1f}% of their signs differ)"
    return {"one": twin.one, "other": twin.other, "differing": twin.differing, "set": name, "says": says}


def _hashes(dataset: Dataset, problems: list[str], readings: Readings | None = None) -> dict[str, str]:
    hashes = {}
    for image in _bar(dataset)(dataset.images):
        try:
            radiograph = load_image(image)
            hashes[image.id] = perceptual_hash(radiograph.pixels)
            if readings is not None:
                readings.noted(image.id, "", radiograph.notes, tuple)
        except SynnodError as error:
            problems.append(error.message)
    return hashes
