"""``best.pt#nodule``: the user's word on which classes are nodules, behind the file's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from synnodtest.class_names import ClassNamesError, nodule_classes
from synnodtest.errors import DetectorError


def split_choice(argument: str, base: Path) -> tuple[str, tuple[str, ...]]:
    """Return the file and the class names or numbers of ``file#name,name``; a file of that very name comes first."""
    text, mark, names = argument.rpartition("#")
    if not mark or (base / Path(argument).expanduser()).exists():
        return argument, ()
    return text, tuple(name.strip() for name in names.split(",") if name.strip())


def classes_of(names: Mapping[int, str], chosen: Sequence[str], path: Path) -> list[int]:
    """Return the indices of a network's classes that are nodules.

    Raises:
        DetectorError: none is, or more than one may be; says how to name them.
    """
    try:
        return nodule_classes(names, chosen)
    except ClassNamesError as error:
        raise DetectorError(
            f"{path} has {len(names)} classes: {error}",
            hint=f"say which are nodules: --detector '{path.name}#NAME' (or a number, or several with commas)",
        ) from error
