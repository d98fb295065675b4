"""The NODE21 layout as a source of nodule-free radiographs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_CHALLENGE_NAME = re.compile(r"[cn]\d{4,}\.\w+", re.IGNORECASE)
_JSRT_NAME = re.compile(r"JPC(?P<kind>[LN])N\d{3}\.", re.IGNORECASE)
_BASES = ("", "proccessed_data", "processed_data", "cxr_images/proccessed_data", "cxr_images/processed_data")


def node21_folder(folder: Path) -> Path | None:
    """Return the folder of images of a NODE21 data set rooted at ``folder``, or None."""
    for base in _BASES:
        for name in ("images", "Images"):
            candidate = folder / base / name
            if candidate.is_dir() and (folder / base / "metadata.csv").is_file():
                return candidate
    return None


def named_positive(names: Iterable[str], *, by_table: bool) -> set[str]:
    """Return the names that NODE21's or JSRT's way of naming says to show a nodule, where every file is named so.

    ``n0001`` and ``JPCLN001`` have nodules, ``c0001`` and ``JPCNN001`` none, under any extension.

    Args:
        names: Of all files.
        by_table: A table tells: then JSRT's names alone count beside it, which nobody else gives.
    """
    listed = list(names)
    if listed and not by_table and all(_CHALLENGE_NAME.fullmatch(name) for name in listed):
        return {name for name in listed if name.lower().startswith("n")}
    japanese = {name: match for name in listed if (match := _JSRT_NAME.match(name))}
    if listed and len(japanese) == len(listed):
        return {name for name, match in japanese.items() if match["kind"].upper() == "L"}
    return set()
