"""Radiographs of a folder and its manifest, before any pixel is read."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

from synnodtest.backgrounds.annotations import annotations_of
from synnodtest.backgrounds.dicom import is_dicom, read_dicom_facts
from synnodtest.backgrounds.dicom_header import other_view_in_name, tells_other_view
from synnodtest.backgrounds.entries import Entry, entries_of, left_out
from synnodtest.backgrounds.file_formats import stem_of, suffix_of, suffixes
from synnodtest.backgrounds.folder_files import (
    MasksBeside,
    dead_links,
    dicom_tree,
    node21_folder,
    radiographs_in,
    unread_pictures,
)
from synnodtest.backgrounds.manifest import Manifest, find_manifest
from synnodtest.backgrounds.mask_folders import nodule_masks, notes_on_masks
from synnodtest.backgrounds.png_jpeg import OTHER_FORMAT, read_raster
from synnodtest.backgrounds.table_labels import tells_positive
from synnodtest.backgrounds.writers import says_planted
from synnodtest.class_names import Meaning, meaning
from synnodtest.counted import counted
from synnodtest.errors import BackgroundError
from synnodtest.text_files import IN_UTF8

_BEFORE_NODULE = re.compile(r"(.+?)[\W_]+nodul", re.IGNORECASE)


class NothingThere(BackgroundError):
    """A folder holds no file that could be a radiograph, as far as it serves as a set."""


@dataclass(frozen=True)
class Listing:
    """The radiographs of a folder, by identifier, and what was left out."""

    folder: Path
    manifest: Path | None
    entries: Sequence[Entry]
    notes: Sequence[str]
    patients: Mapping[Path, str] = field(default_factory=dict)
    """Whose the radiographs are by a table beside them, as written there."""


def list_radiographs(folder: Path, outer: Sequence[Path] = ()) -> Listing:
    """List the radiographs of ``folder``.

    A manifest in the folder itself *is* the set: all its rows, wherever their files lie. A manifest found in
    ``outer`` counts with the rows whose files lie under ``folder``. Without either, the set is every radiograph
    directly in the folder (or in the images folder of a NODE21 layout).
    Where the folder itself holds none, a tree of DICOM files (patient / study / series, with or without suffix) is the
    set. DICOM files that are no frontal chest radiographs by their headers are left out with a note.
    ``<stem>.<region>.png`` beside a radiograph is its mask. Radiographs with annotated or planted nodules are left out,
    and, without a manifest, those whose file's name tells of a nodule where that of others does not.

    Raises:
        BackgroundError: nothing usable is there, a row of the manifest points nowhere, or something cannot be read.
    """
    try:
        return _listed(folder, outer)
    except OSError as error:
        raise BackgroundError(
            f"{error.filename or folder}: cannot be read: {error.strerror or error}",
            hint="allow it to be read: it may tell which radiographs show nodules",
        ) from error
    except UnicodeEncodeError as error:
        raise BackgroundError(f"{folder}: {error} of a name that is given here", hint=IN_UTF8) from error


def _listed(folder: Path, outer: Sequence[Path]) -> Listing:
    images, lying = folder, radiographs_in(folder)
    if not lying and (within := node21_folder(folder)):
        images, lying = within, radiographs_in(within)
    manifest = find_manifest([folder, images]) or find_manifest(outer)
    masks = MasksBeside()
    entries, notes = entries_of(folder, images, lying, manifest, masks)
    if not entries and images == folder:
        tree, notes = dicom_tree(folder, one_set=len(outer) > 1)
        entries = [Entry(path.relative_to(folder).as_posix(), path, masks.of(path)) for path in tree]
    else:
        notes += dead_links(images.iterdir())
    entries = [replace(e, id=_in_any_locale(e.id)) for e in entries]
    entries = [replace(e, header=read_dicom_facts(e.path)) if is_dicom(e.path) else e for e in entries]
    entries, foreign = _without(entries, _no_frontal_view)
    planted = {entry.path for entry in entries if says_planted(entry.path)}
    if planted:
        notes.append(left_out(len(planted), "with planted nodules"))
        entries = [entry for entry in entries if entry.path not in planted]
    called = set() if manifest else _called_nodules(entries)
    if 0 < len(called) < len(entries):
        notes.append(left_out(len(called), "with a nodule in the name of file or folder"))
        entries = [entry for entry in entries if entry.path not in called]
    elif called:
        notes.append(f"the name of every radiograph tells of a nodule, such as {min(entry.id for entry in entries)}")
    annotated = annotations_of(images, {one.path: one.header.numbers if one.header else () for one in entries})
    positive = annotated.positive | _with_nodule_mask(images, entries, masks)
    if positive:
        notes.append(left_out(len(positive), "with annotated nodules"))
        entries = [entry for entry in entries if entry.path not in positive]
    elif meaning(name := folder.absolute().name) is Meaning.NODULE:
        notes.append(f"the folder is called {name!r}: its radiographs are taken for such without nodules")
    entries, sideways = _without(entries, partial(_other_view, annotated.views))
    foreign += sideways
    notes += [*foreign, *annotated.notes, *_labelled(manifest, entries), *_masks_as_strata(entries)]
    notes += notes_on_masks(images, {stem_of(entry.path) for entry in entries})
    if not entries:
        raise _nothing(folder, positive, planted, foreign)
    _refuse_unspaced(entries)
    entries.sort(key=lambda entry: entry.id)
    return Listing(folder, manifest.path if manifest else None, entries, notes, annotated.patients)


def _in_any_locale(name: str) -> str:
    """Return a file's name as a system of UTF-8 has it: scenes are drawn by it, and the system's own may be ASCII."""
    return os.fsencode(name).decode("utf-8", "surrogateescape")


def _refuse_unspaced(entries: Sequence[Entry]) -> None:
    """Refuse DICOM files of which none tells the size of a pixel; what single ones lack is told when they are read.

    Raises:
        BackgroundError: neither a header nor the manifest tells it.
    """
    if not any(e.header is None or e.header.spaced or e.given.spacing_mm for e in entries):
        first = min(entries, key=lambda entry: entry.id).path
        raise BackgroundError(
            f"{first}: the size of a pixel in mm is unknown, as it is for all {len(entries)} DICOM files of the set",
            hint=f"write it into manifest.csv in {first.parent} or its parent, in rows with the columns file, "
            "mm_per_px_x, mm_per_px_y",
        )


def _called_nodules(entries: Sequence[Entry]) -> set[Path]:
    """Return the radiographs whose file's name tells of a nodule, as ``nodule_01.png`` does beside ``normal_01.png``.

    ``a_nodule.png`` tells of one in ``a.png``, too; in a tree the folder ``Nodule`` does of all that lies in it.
    """
    told = {stem for entry in entries if meaning(stem := stem_of(entry.path)) is Meaning.NODULE}
    told |= {before[1] for stem in told if (before := _BEFORE_NODULE.match(stem))}
    above = {folder for entry in entries for folder in PurePosixPath(entry.id).parents}
    called = {folder for folder in above if meaning(folder.name) is Meaning.NODULE}
    return {e.path for e in entries if stem_of(e.path) in told or not called.isdisjoint(PurePosixPath(e.id).parents)}


def _with_nodule_mask(images: Path, entries: Sequence[Entry], masks: MasksBeside) -> set[Path]:
    """Return the radiographs of which a mask, beside them or in a folder of such, is one of nodules and not empty."""
    in_folders = nodule_masks(images, {stem_of(entry.path) for entry in entries})

    def shown(path: Path) -> bool:
        beside = [mask for region, mask in masks.of(path).items() if meaning(region) is Meaning.NODULE]
        return any(read_raster(mask).values.any() for mask in (*beside, *in_folders.get(stem_of(path), ())))

    return {entry.path for entry in entries if shown(entry.path)}


def _without(
    entries: Sequence[Entry], refusal: Callable[[Entry], tuple[str, str] | None]
) -> tuple[list[Entry], list[str]]:
    """Return the entries that are not refused, and a note for each reason.

    Args:
        entries: Of a set.
        refusal: Entry -> the kind of file that it is and why it is left out, or None.
    """
    reasons = [refusal(entry) for entry in entries]
    kept = [entry for entry, reason in zip(entries, reasons, strict=True) if reason is None]
    counts = Counter(reason for reason in reasons if reason is not None)
    return kept, [
        f"{counted(count, f'{kind} was', f'{kind}s were')} left out: {reason}"
        for (kind, reason), count in sorted(counts.items())
    ]


def _no_frontal_view(entry: Entry) -> tuple[str, str] | None:
    """Refuse what its header or the manifest calls anything but a frontal chest radiograph."""
    if entry.header and (objection := entry.header.foreign(entry.given.accept)):
        return "DICOM file", objection.says
    view = entry.strata.get("view", "")
    accepted = "view" in entry.given.accept or not tells_other_view(view)
    return None if accepted else ("radiograph", f"view {view} in the manifest")


def _other_view(views: Mapping[Path, str], entry: Entry) -> tuple[str, str] | None:
    """Refuse what a table or, where nobody tells its view, the name of its file calls sideways."""
    told = {**(entry.header.strata if entry.header else {}), **entry.strata}
    if "view" in told or "view" in entry.given.accept:
        return None
    view, word = views.get(entry.path, ""), other_view_in_name(stem_of(entry.path))
    if tells_other_view(view):
        return "radiograph", f"view {view} in a table beside them"
    return ("radiograph", f"{word!r} in the name of the file") if word and not view else None


def _labelled(manifest: Manifest | None, entries: Sequence[Entry]) -> list[str]:
    """Return a note on radiographs that are listed as backgrounds though a column of the manifest names a nodule."""
    counts = Counter(name for entry in entries for name, text in entry.strata.items() if tells_positive(name, text))
    where = manifest.path.name if manifest else ""
    return [
        f"{counted(count, 'radiograph is', 'radiographs are')} listed in {where} with a nodule in the column {name!r} "
        "and kept, because it lists backgrounds"
        for name, count in sorted(counts.items())
    ]


def _masks_as_strata(entries: Sequence[Entry]) -> list[str]:
    """Return a note for each column of a manifest that seems to name masks and is not called after a region."""
    columns = {
        name
        for e in entries
        for name, text in e.strata.items()
        if "mask" in name.lower() and suffix_of(PurePosixPath(text)) in suffixes()
    }
    return [
        f"the column {name!r} of the manifest is a stratum, and no mask is read: masks of lungs are a column lung_mask"
        for name in sorted(columns)
    ]


def _nothing(
    folder: Path, positive: Collection[Path], planted: Collection[Path], foreign: Sequence[str]
) -> BackgroundError:
    if planted and not positive:
        said = f"{folder}: nodules are planted in every radiograph here, as it says itself"
        return BackgroundError(said, hint="take the films without nodules that these were made of")
    if positive:
        return BackgroundError(
            f"{folder}: all {len(positive)} radiographs show annotated nodules",
            hint="backgrounds must be free of nodules: add the normal radiographs, or move away the table that says so",
        )
    if foreign:
        return BackgroundError(
            f"{folder}: no frontal chest radiograph here: {'; '.join(foreign)}",
            hint="name the check in the manifest's column 'accept' where a header is wrong",
        )
    if unread := unread_pictures(folder):
        return NothingThere(f"{folder}: no radiograph here: {'; '.join(unread)}", hint=OTHER_FORMAT)
    below = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return NothingThere(
        f"{folder}: no radiograph here" + (f"; its folders are {', '.join(below[:8])}" if below else ""),
        hint=f"--backgrounds {folder / below[0]}" if below else f"put files of type {', '.join(suffixes())} there",
    )
