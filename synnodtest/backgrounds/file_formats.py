"""File formats of radiographs beyond those of the readers: modules of ``formats/``, and installed packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path, PurePath

import numpy as np

from synnodtest.backgrounds import formats
from synnodtest.backgrounds.reading import FILE_ALONE, OVERSHOOT, Stored, by_bits
from synnodtest.errors import BackgroundError, SynnodError
from synnodtest.factories import source_sha256
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

    def stored(self, path: Path) -> Stored:
        """Return a file as ``read`` gives it; a small overshoot is clipped and noted.

        Raises:
            BackgroundError: it cannot be read, or what is read is no picture of 0..1; names the file.
        """
        try:
            pixels, spacing = self.read(path)
        except SynnodError:
            raise
        except Exception as error:
            raise BackgroundError(
                f"{path}: cannot be read as {self.name}: {type(error).__name__}: {error}",
                hint="copy or export it again, or mend the format",
            ) from error
        if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.dtype.kind != "f":
            found = f"{pixels.dtype} {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
            raise BackgroundError(f"{path}: read as {self.name}, its pixels are {found}", hint=_WANTED)
        if pixels.min(initial=0.0) < -OVERSHOOT or pixels.max(initial=0.0) > 1 + OVERSHOOT:
            found = f"{pixels.min():g} to {pixels.max():g}"
            raise BackgroundError(f"{path}: read as {self.name}, its pixels go from {found}", hint=_WANTED)
        return replace(by_bits(path, pixels, FILE_ALONE), spacing_mm=spacing)


_WANTED = "a format gives float32, H x W, from 0 to 1 by what the file can hold, never by its own largest value"


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


def reader_sha256(path: Path) -> str:
    """Return the sha256 of the code that reads a file's further format; empty where the readers know it themselves."""
    further = format_of(path)
    return "" if further is None else source_sha256(further.read)


def suffixes() -> tuple[str, ...]:
    """Return the suffixes of all files that are read as radiographs."""
    return (*BUILT_IN, *_known())


def suffix_of(path: PurePath) -> str:
    """Return what a file's name says of its format, in small letters: the longest known suffix, else its last one."""
    name = path.name.lower()
    fitting = [suffix for suffix in suffixes() if name.endswith(suffix) and name != suffix]
    return max(fitting, key=len) if fitting else path.suffix.lower()


def stem_of(path: PurePath) -> str:
    """Return a file's name without its suffix: ``chest`` of ``chest.nii.gz`` where that is a format."""
    return path.name[: len(path.name) - len(suffix_of(path))]
