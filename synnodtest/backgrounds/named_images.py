"""Radiographs of a folder that a table or JSON means: by name or stem, whatever wrote the name."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import unquote

from synnodtest.backgrounds.file_formats import stem_of

_NUMBER = re.compile(r"0*(\d+)(\.0)?")
"""A name that is a number: spreadsheets drop its leading zeros, and programs add ``.0``."""
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")


class NamedImages:
    """Finds radiographs by what an annotation calls them.

    A name fits a file of that name or stem, under any extension, in any case and Unicode form, also where a URL's
    ``%20`` stands for a blank or a spreadsheet took its leading zeros. Of files of one name in several folders
    those count whose folders the annotation names too; where that leaves several, all of them.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._named: dict[str, list[Path]] = defaultdict(list)
        self._numbered: dict[str, list[Path]] = defaultdict(list)
        for path in paths:
            for key in {_plain(path.name), _plain(stem_of(path))}:
                self._named[key].append(path)
            if number := _NUMBER.fullmatch(stem_of(path)):
                self._numbered[number[1]].append(path)

    def find(self, text: str) -> list[Path]:
        """Return the radiographs that a name or path may mean; none if it means another file."""
        found = self._find(text) or (self._find(unquote(text)) if "%" in text else [])
        if len(found) < 2:
            return found
        told = _posix(text)
        shared = [_shared(told, path) for path in found]
        return [path for path, count in zip(found, shared, strict=True) if count == max(shared)]

    def _find(self, text: str) -> list[Path]:
        name = _posix(text)
        forms = (name, name.with_name(without_upload(name.name))) if name.name else ()
        keys = (_plain(key) for form in forms for key in (form.name, stem_of(form)))
        named = next((self._named[key] for key in keys if key in self._named), [])
        if named:
            return named
        number = _NUMBER.fullmatch(name.name) or _NUMBER.fullmatch(stem_of(name))
        return self._numbered.get(number[1], []) if number else []


def without_upload(name: str) -> str:
    """Return a name without what Label Studio puts before those of uploaded files: ``3f2a91c0-a.png``."""
    return _UPLOAD.sub("", name)


def file_named(folder: Path, name: str) -> Path:
    """Return the file of a folder that a name means, with Windows' separators or in another Unicode form, too.

    Where there is none, the path that the name says.
    """
    path = folder / name
    if path.is_file() or (name.isascii() and "\\" not in name):
        return path
    path = folder / name.replace("\\", "/")
    beside = path.parent.iterdir() if path.parent.is_dir() and not path.is_file() else ()
    same = [one for one in beside if unicodedata.normalize("NFC", one.name) == unicodedata.normalize("NFC", path.name)]
    return same[0] if len(same) == 1 else path


def plain_name(text: str) -> str:
    """Return the name of the file that a path names, in small letters and one Unicode form."""
    return _plain(_posix(text).name)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _posix(text: str) -> PurePosixPath:
    return PurePosixPath(text.replace("\\", "/"))


def _shared(told: PurePath, path: Path) -> int:
    """Return how many folders, from the file upwards, are the same."""
    pairs = zip(reversed(told.parent.parts), reversed(path.parent.parts), strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if _plain(one) != _plain(other)), len(told.parts))
