"""Radiographs of a folder that a table or JSON means: by name or stem, whatever wrote the name."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from urllib.parse import unquote

from synnodtest.backgrounds.file_formats import stem_of

_NUMBER = re.compile(r"0*(\d+)(\.0)?")
"""A name that is a number: spreadsheets drop its leading zeros, and programs add ``.0``."""
_Tails = dict[tuple[str, ...], list[Path]]
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
        self._tails: dict[int, _Tails] = {}
        self._found: dict[str, list[Path]] = {}
        self.count = len(paths)
        for path in paths:
            for key in {_plain(path.name), _plain(stem_of(path))}:
                self._named[key].append(path)
            if number := _NUMBER.fullmatch(stem_of(path)):
                self._numbered[number[1]].append(path)

    def find(self, text: str, claims: Mapping[tuple[str, ...], int] | None = None) -> list[Path]:
        """Return the radiographs that a name or path may mean; none if it means another file.

        Args:
            text: As written.
            claims: Where it stands in a list of several files of its name in different folders, how many of them have
                each :meth:`nearest`. If some folder of it is no radiograph's, it then means the one radiograph alone
                that is nearer to it than to all others of the list.
        """
        candidates = self._films_of(text)
        if not candidates or (len(candidates) < 2 and claims is None):
            return candidates
        near = self.nearest(text)
        films = self._tails_of(candidates)[near[1:]]
        if claims is None or len(near) > len(_posix(text).parent.parts):
            return films
        tails = [(path, (near[0], *_folders(path))) for path in films if len(near) > 1 and claims[near] == 1]
        own = [path for path, tail in tails if not any(tail[:n] in claims for n in range(len(near) + 1, len(tail) + 1))]
        return own if len(own) == 1 else []

    def nearest(self, text: str) -> tuple[str, ...]:
        """Return name and innermost folders of a path, as many as those of any radiograph of that name."""
        path = _posix(text)
        told, tails = _folders(path), self._tails_of(self._films_of(text))
        depth = next((depth for depth in range(len(told), 0, -1) if told[:depth] in tails), 0)
        return (_plain(path.name), *told[:depth])

    def _films_of(self, text: str) -> list[Path]:
        if text not in self._found:
            self._found[text] = self._find(text) or (self._find(unquote(text)) if "%" in text else [])
        return self._found[text]

    def _tails_of(self, films: list[Path]) -> _Tails:
        """Return radiographs of one name by the folders above them, from the innermost outwards, of every number."""
        if id(films) not in self._tails:
            tails = self._tails[id(films)] = defaultdict(list)
            for path in films:
                folders = _folders(path)
                for depth in range(len(folders) + 1):
                    tails[folders[:depth]].append(path)
        return self._tails[id(films)]

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


def _folders(path: PurePath) -> tuple[str, ...]:
    """Return the folders above a file, the innermost first."""
    return tuple(map(_plain, reversed(path.parent.parts)))
