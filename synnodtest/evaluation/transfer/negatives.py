"""Films without a nodule: thresholds are set on them, and nodules are planted in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.annotated.split_sources import kept_backgrounds
from synnodtest.backgrounds.films import NOT_SOUGHT, with_copies
from synnodtest.backgrounds.folder import FolderSet
from synnodtest.canonical import sha256_of
from synnodtest.errors import SynnodError
from synnodtest.evidence.clusters import with_copies_joined
from synnodtest.identity import Identity
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph

_ANNOTATED = "\0"
"""Before the names of annotated films, of which no file's begins so."""


def negative_films(folder: Path, films: AnnotatedFilms, *, split: str, cache: Path | None = None) -> NegativeFilms:
    """Return the radiographs of a folder whose patients belong to the split and have no annotated film.

    Copies of annotated films, in other sizes, formats or windows too, are left out unless they are named another's.

    Raises:
        BackgroundError: nothing usable is in the folder; names file and line.
        SynnodError: no radiograph is left.
    """
    whole = FolderSet(folder, folder.name, outer=[folder.parent], cache=cache, lasting=True)
    sick = {film.cluster for film in films.backgrounds} | {*films.patients.values()}
    apart = (one for one in kept_backgrounds(whole, split) if one.cluster not in sick)
    healthy, notes = _no_copies(whole, [one for one in apart if whole.digest(one) not in films.digests], films)
    if not healthy:
        raise SynnodError(f"{folder}: no film of a patient without annotated nodules belongs to the split {split!r}")
    return NegativeFilms(whole, with_copies_joined(healthy), notes)


def _no_copies(
    whole: FolderSet, healthy: Sequence[Background], films: AnnotatedFilms
) -> tuple[list[Background], list[str]]:
    """Return the backgrounds that are no annotated film saved anew, and a note where copies were not sought."""
    annotated = {f"{_ANNOTATED}{name}": sight for name, sight in films.sights.items()}
    patients = {f"{_ANNOTATED}{name}": patient for name, patient in films.patients.items()}
    film_of, notes = with_copies(
        annotated | {one.id: whole.sight(one) for one in healthy}, patients | {one.id: one.patient for one in healthy}
    )
    shown = {film_of[name] for name in annotated}
    return [one for one in healthy if film_of[one.id] not in shown], [note for note in notes if note == NOT_SOUGHT]


class NegativeFilms:
    """Those backgrounds of a folder that are no annotated film.

    Args:
        whole: The folder.
        kept: The backgrounds.
        notes: On what could not be asked of them, in plain words.
    """

    def __init__(self, whole: FolderSet, kept: Sequence[Background], notes: Sequence[str]) -> None:
        self._whole = whole
        self.backgrounds, self.notes = kept, notes

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._whole.name

    @cached_property
    def identity(self) -> Identity:
        """That of the folder, over the backgrounds that are kept."""
        own = self._whole.identity
        content = sha256_of(sorted(one.content for one in self.backgrounds))
        return Identity(own.name, own.version, content, {**own.configuration, "radiographs": len(self.backgrounds)})

    def load(self, background: Background) -> Radiograph:
        """Return a film as the folder reads it."""
        return self._whole.load(background)
