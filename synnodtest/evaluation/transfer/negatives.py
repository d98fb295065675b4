"""Films without a nodule: thresholds are set on them, and nodules are planted in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.annotated.split_sources import kept_backgrounds
from synnodtest.backgrounds.films import copies
from synnodtest.backgrounds.folder import FolderSet
from synnodtest.canonical import sha256_of
from synnodtest.errors import SynnodError
from synnodtest.identity import Identity
from synnodtest.ports import Background, BackgroundSet
from synnodtest.radiograph import Radiograph

_ANNOTATED = "\0"
"""Before the names of annotated films, of which no file's begins so."""


def negative_films(folder: Path, films: AnnotatedFilms, *, split: str, cache: Path | None = None) -> BackgroundSet:
    """Return the radiographs of a folder whose patients belong to the split and have no annotated film.

    Copies of annotated films, in other sizes, formats or windows too, are left out unless they are named another's.

    Raises:
        BackgroundError: nothing usable is in the folder; names file and line.
        SynnodError: no radiograph is left.
    """
    whole = FolderSet(folder, folder.name, outer=[folder.parent], cache=cache, lasting=True)
    sick = {film.cluster for film in films.backgrounds}
    apart = (one for one in kept_backgrounds(whole, split) if one.cluster not in sick)
    healthy = _no_copies(whole, [one for one in apart if whole.digest(one) not in films.digests], films)
    if not healthy:
        raise SynnodError(f"{folder}: no film of a patient without annotated nodules belongs to the split {split!r}")
    return _Some(whole, healthy)


def _no_copies(whole: FolderSet, healthy: Sequence[Background], films: AnnotatedFilms) -> list[Background]:
    """Return the backgrounds that are no annotated film saved anew; a copy need not name the patient."""
    annotated = {f"{_ANNOTATED}{name}": looks for name, looks in films.looks().items()}
    seen = annotated | {one.id: whole.looks(one) for one in healthy}
    first = copies({name: looks for name, looks in seen.items() if looks})
    patients = {f"{_ANNOTATED}{name}": patient for name, patient in films.patients.items()}
    return [
        one
        for one in healthy
        if (like := first.get(one.id, "")) not in patients or (one.patient and patients[like] not in ("", one.patient))
    ]


class _Some:
    """Some backgrounds of a set."""

    def __init__(self, whole: FolderSet, kept: Sequence[Background]) -> None:
        self._whole = whole
        self.backgrounds = kept

    @property
    def name(self) -> str:
        return self._whole.name

    @cached_property
    def identity(self) -> Identity:
        own = self._whole.identity
        content = sha256_of(sorted(one.content for one in self.backgrounds))
        return Identity(own.name, own.version, content, {**own.configuration, "radiographs": len(self.backgrounds)})

    def load(self, background: Background) -> Radiograph:
        return self._whole.load(background)
