"""File formats of radiographs beyond those of the readers: modules of ``formats/``, and installed packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path, PurePath

from synnodtest.backgrounds import formats
from synnodtest.errors import BackgroundError
from synnodtest.geometry import FloatArray
from synnodtest.registry import Registry

GROUP = "synnodtest.backgrounds"
"""Entry points of other packages: a :class:`Format` each."""
BUILT_IN = (".png", ".jpg", ".jpeg", ".mha", ".mhd", ".dcm", ".dicom", ".img")
"""Suffixes of the formats that the readers know by themselves."""


@dataclass(frozen=True)
class Format:
    """A file format of radiographs.

    Args:
        name: What people call it.
        suffixes: With the dot, in small letters; double ones such as ``.nii.gz`` too.
        read: From the file to its pixels (float32, H x W, 0..1, air dark) and its spacing in mm, ``(row, column)``, or
            None where the file gives none. A file that cannot be read raises BackgroundError, which names it.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Path], tuple[FloatArray, tuple[float, float] | None]]


def _accept(entry: EntryPoint, made: object) -> Format:
    if not isinstance(made, Format):
        raise BackgroundError(
            f"{entry.value} is a {type(made).__name__}", hint="point it at a synnodtest.backgrounds.Format"
        )
    return made


_FORMATS: Registry[Format] = Registry(
    "format", group=GROUP, folder=formats, constant="FORMAT", accept=_accept, error=BackgroundError
)


@cache
def _known() -> Mapping[str, Format]:
    """Return the formats by suffix.

    Raises:
        BackgroundError: an installed package's format cannot be loaded, or takes a suffix that has one.
    """
    known: dict[str, Format] = {}
    for one in _FORMATS.all().values():
        for suffix in one.suffixes:
            if suffix in known or suffix in BUILT_IN or suffix != suffix.lower() or not suffix.startswith("."):
                raise BackgroundError(f"the suffix {suffix!r} of the format {one.name!r} is taken or malformed")
            known[suffix] = one
    return known


def format_of(path: Path) -> Format | None:
    """Return the further format of a file, by its suffix; None where the readers know it or nobody does."""
    return _known().get(suffix_of(path))


def suffixes() -> tuple[str, ...]:
    """Return the suffixes of all files that are read as radiographs."""
    return (*BUILT_IN, *_known())


def suffix_of(path: PurePath) -> str:
    """Return what a file's name says of its format, in small letters: the longest known suffix, else its last one."""
    name = path.name.lower()
    fitting = [suffix for suffix in suffixes() if name.endswith(suffix) and name != suffix]
    return max(fitting, key=len, default=path.suffix.lower())


def stem_of(path: PurePath) -> str:
    """Return a file's name without its suffix: ``chest`` of ``chest.nii.gz`` where that is a format."""
    return path.name[: len(path.name) - len(suffix_of(path))]
