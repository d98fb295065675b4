"""A background set from a folder of radiographs."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from synnodtest.backgrounds.columns import spelt_otherwise
from synnodtest.backgrounds.dicom_range import READING
from synnodtest.backgrounds.entries import Entry
from synnodtest.backgrounds.estimated_regions import LUNGS, REGIONS, has_lungs
from synnodtest.backgrounds.estimates import Estimates, estimated_for, estimator
from synnodtest.backgrounds.file_formats import reader_sha256
from synnodtest.backgrounds.films import Sight, digest_of, need_pixels, pixels_beside, sight_of, with_copies
from synnodtest.backgrounds.listing import Listing, list_radiographs
from synnodtest.backgrounds.patients import of_one_study, patients_of_headers, settled
from synnodtest.backgrounds.plausible import check_chest, check_lung_masks, refuse_small_adult
from synnodtest.backgrounds.png_jpeg import EXIF_NOTE
from synnodtest.backgrounds.pose import look as look_at
from synnodtest.backgrounds.readers import read_given, read_mask
from synnodtest.backgrounds.readings import Readings
from synnodtest.canonical import sha256_of
from synnodtest.errors import BackgroundError
from synnodtest.evidence.region_names import BUILT_IN_REGIONS
from synnodtest.geometry import BoolArray
from synnodtest.identity import Identity
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph

_FORMAT = 2
"""Version of the way from files to backgrounds: raised when the same files become other radiographs or regions, so that
kept ones do not count."""
MOST_OF_EDGE = 0.5
"""Of a radiograph's outermost pixels: a film cut close to the lungs shows them at two of its four sides; an inverted
mask holds nearly all."""


class FolderSet:
    """The radiographs of a folder as a background set.

    Their order is drawn by ``master_seed``, different patients first, so that the first ``count`` of them are a
    random sample of as many patients as there are, and a smaller count is a subset of a larger one. ``available`` says
    how many the folder offers, whatever the count.

    Args:
        folder: The folder of the set.
        name: What specs call the set.
        outer: Folders in which a manifest is sought if the folder has none.
        count: How many radiographs to offer at most; None: all.
        master_seed: Draws the order.
        cache: Root of a store that keeps estimated regions between runs.
        lasting: Pseudonyms of patients in headers hang on their names alone, as those of annotated sets do: for splits,
            and where a patient of one set is sought in another.

    Raises:
        BackgroundError: nothing usable is in the folder, or the manifest is wrong; names file and line.
    """

    def __init__(
        self,
        folder: str | Path,
        name: str,
        *,
        outer: Sequence[Path] = (),
        count: int | None = None,
        master_seed: int = 0,
        cache: Path | None = None,
        lasting: bool = False,
    ) -> None:
        self.name = name
        self._listing: Listing = list_radiographs(Path(folder), outer)
        self.available = len(self._listing.entries)
        entries = _with_header_facts(self._listing.entries, lasting)
        films = {entry.id: (entry.path, entry.patient) for entry in entries}
        patients, notes = settled(films, self._listing.folder, self._listing.patients)
        entries = [replace(entry, patient=patients.get(entry.id, entry.patient)) for entry in entries]
        self._all, by_studies = of_one_study(entries)
        self._of_names = (*notes, *by_studies)
        chosen = _drawn(self._all, name, master_seed)
        self._entries = {entry.id: entry for entry in chosen[:count]}
        self._cache = cache
        self._of_copies: list[str] = []
        self._estimates = Estimates(cache)
        self._readings = Readings(cache)

    @property
    def notes(self) -> Sequence[str]:
        """Radiographs left out, and corrections in reading the others, in plain words, for the report."""
        known = {background.id: background.content for background in self.__dict__.get("backgrounds", ())}
        alike = spelt_otherwise(entry.strata for entry in self._all)
        of_set = (*self._listing.notes, *self._of_names, *_of_one_patient(self._all), *alike, *self._of_copies)
        return (*of_set, *_regions_misspelt(self._all), *self._readings.summary(known))

    @property
    def estimated_regions(self) -> frozenset[str]:
        """Regions that are estimated for one radiograph of the set or more, for the record."""
        return frozenset().union(*(estimated_for(entry.masks) for entry in self._entries.values()))

    @cached_property
    def backgrounds(self) -> Sequence[Background]:
        """All backgrounds of the set; contents are hashed, and decoded where equal films may differ as files."""
        decoded = need_pixels(self._listing.entries)
        contents = {entry.id: _content(entry) for entry in self._entries.values()}
        sights = {key: sight_of(entry, contents[key], self._cache, decoded) for key, entry in self._entries.items()}
        films, self._of_copies = with_copies(sights, {key: entry.patient for key, entry in self._entries.items()})
        return tuple(
            Background(key, entry.patient, entry.strata, content=contents[key], film=films[key])
            for key, entry in self._entries.items()
        )

    @cached_property
    def identity(self) -> Identity:
        """The set's name, the sha256 over its radiographs and masks, and how many of them are used."""
        return Identity(
            name=f"folder:{self.name}",
            version=str(_FORMAT),
            sha256=sha256_of(sorted(background.content for background in self.backgrounds)),
            configuration={
                "folder": self._listing.folder.name,
                "manifest": self._listing.manifest.name if self._listing.manifest else None,
                "radiographs": len(self._entries),
                "available": self.available,
                "estimated_lungs": sum(not has_lungs(entry.masks) for entry in self._entries.values()),
                "region_estimator": estimator(),
            },
        )

    def load(self, background: Background) -> Radiograph:
        """Read one radiograph with its masks; regions that no mask gives are estimated and marked so.

        Where estimated lungs are doubtful, the stratum ``lung_estimate`` says it.

        Raises:
            BackgroundError: the file or one of its masks is missing, corrupt, unusable or not that of before; names it.
        """
        entry = self._entries.get(background.id)
        if entry is None:
            raise BackgroundError(f"set {self.name!r} has no background {background.id!r}")
        try:
            radiograph = read_given(entry.path, entry.given)
            _refuse_unclear_masks(entry, radiograph)
            regions = _given_regions(entry, radiograph.shape)
            radiograph = self._looked_at(entry, replace(radiograph, regions=regions), background.content)
            _refuse_changed(entry, background)
        except BackgroundError as error:
            listed = f" (listed in {entry.where})" if entry.where else ""
            raise BackgroundError(f"{error.message}{listed}", hint=error.hint) from error
        strata = dict(entry.strata)
        radiograph = replace(radiograph, background=entry.id, source=entry.id, patient=entry.patient, strata=strata)
        return self._estimates.completed(radiograph, background.content)

    def digest(self, background: Background) -> str:
        """Return the sha256 of a radiograph's file."""
        return digest_of(self._entries[background.id].path)

    def sight(self, background: Background) -> Sight:
        """Return what a radiograph and its copies are known by."""
        return sight_of(self._entries[background.id], background.content, self._cache, True)

    def doubts(self, background: Background) -> Sequence[str]:
        """Return why someone should look at the estimated lungs of a radiograph; nothing where all is well or given.

        Raises:
            BackgroundError: as :meth:`load`.
        """
        radiograph = self.load(background)
        if "lung" not in radiograph.estimated:
            return ()
        return self._estimates.doubts(radiograph, background.content)

    def _looked_at(self, entry: Entry, radiograph: Radiograph, content: str) -> Radiograph:
        """Look for the chest in a radiograph, once per content, and keep the notes for the set."""

        def look() -> list[str]:
            view = look_at(radiograph.pixels, radiograph.spacing_mm)
            notes = check_chest(entry.path, radiograph.pixels, radiograph.spacing_mm, entry.given, view)
            return [*notes, *check_lung_masks(entry.path, radiograph.regions, view)]

        notes = self._readings.noted(entry.id, content, radiograph.notes, look)
        refuse_small_adult(entry.path, notes, entry.strata.get("age", ""))
        return replace(radiograph, notes=notes)


def _with_header_facts(entries: Sequence[Entry], lasting: bool) -> list[Entry]:
    """Complete DICOM entries from their headers: view, sex, age, and a pseudonym per patient."""
    completed: list[Entry] = []
    told = [(entry.patient, entry.header.patient if entry.header else "") for entry in entries]
    patients = patients_of_headers(told, lasting=lasting)
    for entry, patient in zip(entries, patients, strict=True):
        facts = {**entry.header.acquisition, **entry.header.strata} if entry.header else {}
        completed.append(replace(entry, patient=patient, strata={**facts, **entry.strata}))
    return completed


def _of_one_patient(entries: Sequence[Entry]) -> list[str]:
    """Return a note where all radiographs bear one patient's name, as a program that hides names may write it."""
    named = {entry.patient for entry in entries}
    if len(entries) < 2 or len(named) > 1 or "" in named:
        return []
    return [
        f"all {len(entries)} radiographs are of one patient by header or manifest and count as one, which settles "
        "nothing; if they are of several, name them in the manifest's column 'patient'"
    ]


def _regions_misspelt(entries: Sequence[Entry]) -> list[str]:
    """Return a note for each name of masks that is nearly a region's: its own is estimated all the same."""
    notes, letters = [], {one: sorted(one.replace("_", "")) for one in BUILT_IN_REGIONS}
    for name in sorted({region for entry in entries for region in entry.masks} - BUILT_IN_REGIONS):
        near = [one for one, own in letters.items() if own == sorted(name.replace("_", ""))]
        near += ["lung"] if name == "mask" else difflib.get_close_matches(name, letters, n=1, cutoff=0.85)
        notes += [f"masks of {name!r} are no masks of {one!r}: rename them if they should be" for one in near[:1]]
    return notes


def _drawn(entries: Sequence[Entry], name: str, master_seed: int) -> list[Entry]:
    """Return the entries in an order drawn by the seed: first one of every patient, then the second ones."""
    ranked = sorted(entries, key=lambda entry: sha256_of(["background order", master_seed, name, entry.id]))
    seen: Counter[str] = Counter()
    turns = {}
    for entry in ranked:
        cluster = entry.patient or f"\0{entry.id}"
        turns[entry.id] = seen[cluster]
        seen[cluster] += 1
    return sorted(ranked, key=lambda entry: turns[entry.id])


def _given_regions(entry: Entry, shape: tuple[int, int]) -> dict[str, BoolArray]:
    """Read the masks; an empty mask says that the region is not there, which a lung cannot be."""
    regions = {}
    for region, path in sorted(entry.masks.items()):
        mask = read_mask(path, shape, entry.given.rotate_deg)
        if region in BUILT_IN_REGIONS:
            _refuse_inverted(path, region, mask)
        if mask.any():
            regions[region] = mask
        elif region in LUNGS:
            raise BackgroundError(
                f"{path}: the {region} mask is empty", hint="draw it, or delete it to have it estimated"
            )
    return regions


def _refuse_unclear_masks(entry: Entry, radiograph: Radiograph) -> None:
    """Refuse masks of a radiograph that its EXIF orientation turned: on which of its two grids were they drawn?

    Raises:
        BackgroundError: there are such masks.
    """
    turned = next((note for note in radiograph.notes if note.startswith(EXIF_NOTE)), "")
    if turned and entry.masks:
        raise BackgroundError(
            f"{entry.path}: {turned}, so that it is not clear whether its masks were drawn before or after that",
            hint="save it upright, without an EXIF orientation; or write 'rotate_deg' into the manifest: then both are "
            "as stored",
        )


def _refuse_inverted(path: Path, region: str, mask: BoolArray) -> None:
    """Refuse a mask that holds most of the outermost pixels.

    Raises:
        BackgroundError: it does; names the file.
    """
    share = float(np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]]).mean())
    if share > MOST_OF_EDGE:
        raise BackgroundError(
            f"{path}: the {region} mask covers {share:.0%} of the radiograph's edge: is it inverted?",
            hint=f"draw what lies in the {region} white and all else black",
        )


def _refuse_changed(entry: Entry, background: Background) -> None:
    """Refuse pixels or masks that are no longer those whose content is known: the store would keep them as such."""
    if background.content and _content(entry) != background.content:
        raise BackgroundError(
            f"{entry.path}: the file, or a mask of it, was changed since this set was opened",
            hint="run again when nobody writes into the folder any more",
        )


def _content(entry: Entry) -> str:
    """Return the sha256 that stands for pixels, spacing and masks, from the bytes of the files and an added reader."""
    files = {"": digest_of(entry.path)} | {region: digest_of(path) for region, path in entry.masks.items()}
    beside = pixels_beside(entry)
    regions = estimator() if not set(REGIONS) <= set(entry.masks) else None
    known: dict[str, object] = {"files": files, "pixel_file": digest_of(beside) if beside else None, "regions": regions}
    if reader := reader_sha256(entry.path) or (READING if entry.header else None):
        known["reader"] = reader
    return sha256_of({"format": _FORMAT, **known, **vars(entry.given), "accept": sorted(entry.given.accept)})
