"""The NODE21 layout as a source of nodule-free radiographs."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from synnodtest.backgrounds.jsrt import JSRT_NAME
from synnodtest.errors import BackgroundError

__all__ = ["node21_folder", "with_nodules"]

_CHALLENGE_NAME = re.compile(r"[cn]\d{4,}\.mha")
_BASES = ("", "proccessed_data", "processed_data", "cxr_images/proccessed_data", "cxr_images/processed_data")


def node21_folder(folder: Path) -> Path | None:
    """Return the folder of images of a NODE21 data set rooted at ``folder``, or None."""
    for base in _BASES:
        for name in ("images", "Images"):
            candidate = folder / base / name
            if candidate.is_dir() and (folder / base / "metadata.csv").is_file():
                return candidate
    return None


def with_nodules(images: Path, names: Iterable[str]) -> set[str]:
    """Return the names among ``names`` that NODE21 knows to show a nodule.

    By ``metadata.csv`` (columns ``img_name``, ``label``) in ``images`` or its parent; without it by the
    challenge's names (``n0001.mha`` with nodules, ``c0001.mha`` without), or JSRT's, if every file is named so.

    Raises:
        BackgroundError: ``metadata.csv`` cannot be read; names the line.
    """
    listed = list(names)
    for folder in (images, images.parent):
        path = folder / "metadata.csv"
        if path.is_file():
            return _positive(path) & set(listed)
    if listed and all(_CHALLENGE_NAME.fullmatch(name) for name in listed):
        return {name for name in listed if name.startswith("n")}
    japanese = {name: match for name in listed if (match := JSRT_NAME.fullmatch(name))}
    if listed and len(japanese) == len(listed):
        return {name for name, match in japanese.items() if match["kind"].upper() == "L"}
    return set()


def _positive(path: Path) -> set[str]:
    positive: set[str] = set()
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if not {"img_name", "label"} <= set(reader.fieldnames or ()):
                return positive
            for row in reader:
                label = (row["label"] or "").strip()
                if label not in ("0", "1", "0.0", "1.0"):
                    raise BackgroundError(f"{path}:{reader.line_num}: label is {label!r}, not 0 or 1")
                if label.startswith("1"):
                    positive.add((row["img_name"] or "").strip())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BackgroundError(f"{path}: cannot be read: {error}") from error
    return positive
