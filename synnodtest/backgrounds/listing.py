"""Radiographs of a folder and its manifest, before any pixel is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

from synnodtest.backgrounds.annotations import annotations_of
from synnodtest.backgrounds.dicom import is_dicom, read_dicom_facts
from synnodtest.backgrounds.dicom_header import DicomFacts, other_view_in_name, tells_other_view
from synnodtest.backgrounds.file_formats import stem_of, suffix_of, suffixes
from synnodtest.backgrounds.folder_files import (
    MasksBeside,
    dead_links,
    dicom_tree,
    node21_folder,
    radiographs_in,
    unread_pictures,
)
from synnodtest.backgrounds.manifest import Manifest, ManifestRow, find_manifest
from synnodtest.backgrounds.mask_folders import nodule_masks, notes_on_masks
from synnodtest.backgrounds.named_images import file_named
from synnodtest.backgrounds.png_jpeg import OTHER_FORMAT
from synnodtest.backgrounds.reading import FILE_ALONE, Given
from synnodtest.backgrounds.tables import tells_positive
from synnodtest.backgrounds.writers import says_planted
from synnodtest.class_names import Meaning, meaning
from synnodtest.counted import counted
from synnodtest.errors import BackgroundError

_BEFORE_NODULE = re.compile(r"(.+?)[\W_]+nodul", re.IGNORECASE)


class NothingThere(BackgroundError):
    """A folder holds no file that could be a radiograph, as far as it serves as a set."""


@dataclass(frozen=True)
class Entry:
    """One radiograph of a set: where its files lie and what the manifest says of it."""

    id: str
    path: Path
    masks: Mapping[str, Path] = field(default_factory=dict)
    given: Given = FILE_ALONE
    patient: str = ""
    strata: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    """``manifest.csv:12``, or "" without a manifest."""
    header: DicomFacts | None = None
    """Of a DICOM file."""


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
        BackgroundError: nothing usable is there, or a row of the manifest points nowhere.
    """
    images, lying = folder, radiographs_in(folder)
    if not lying and (within := node21_folder(folder)):
        images, lying = within, radiographs_in(within)
    manifest = find_manifest([folder, images]) or find_manifest(outer)
    masks = MasksBeside()
    entries, notes = _entries(folder, images, lying, manifest, masks)
    if not entries and images == folder:
        tree, notes = dicom_tree(folder, one_set=len(outer) > 1)
        entries = [Entry(path.relative_to(folder).as_posix(), path, masks.of(path)) for path in tree]
    else:
        notes += dead_links(images.iterdir())
    entries = [replace(e, header=read_dicom_facts(e.path)) if is_dicom(e.path) else e for e in entries]
    entries, foreign = _without(entries, _no_frontal_view)
    planted = {entry.path for entry in entries if says_planted(entry.path)}
    if planted:
        notes.append(_left_out(len(planted), "with planted nodules"))
        entries = [entry for entry in entries if entry.path not in planted]
    called = set() if manifest else _called_nodules(entries)
    if 0 < len(called) < len(entries):
        notes.append(_left_out(len(called), "with a nodule in the name of file or folder"))
        entries = [entry for entry in entries if entry.path not in called]
    elif called:
        notes.append(f"the name of every radiograph tells of a nodule, such as {min(entry.id for entry in entries)}")
    annotated = annotations_of(images, {one.path: one.header.numbers if one.header else () for one in entries})
    positive = annotated.positive | _with_nodule_mask(images, entries, masks)
    if positive:
        notes.append(_left_out(len(positive), "with annotated nodules"))
        entries = [entry for entry in entries if entry.path not in positive]
    elif meaning(name := folder.absolute().name) is Meaning.NODULE:
        notes.append(f"the folder is called {name!r}: its radiographs are taken for such without nodules")
    entries, sideways = _without(entries, partial(_other_view, annotated.views))
    foreign += sideways
    notes += [*foreign, *annotated.notes, *_labelled(manifest, entries), *_masks_as_strata(entries)]
    notes += notes_on_masks(images, {stem_of(entry.path) for entry in entries})
    if not entries:
        raise _nothing(folder, positive, planted, foreign)
    entries.sort(key=lambda entry: entry.id)
    return Listing(folder, manifest.path if manifest else None, entries, notes, annotated.patients)


def _entries(
    folder: Path, images: Path, lying: Sequence[Path], manifest: Manifest | None, masks: MasksBeside
) -> tuple[list[Entry], list[str]]:
    if manifest is not None:
        own = manifest.path.parent in (folder, images)
        rows = [(row, _file_of(row, folder)) for row in manifest.rows]
        chosen = [(row, path) for row, path in rows if own or path.is_relative_to(folder.resolve())]
        if own:
            _refuse_several_sets(folder, chosen)
        _refuse_twice(chosen)
        if chosen:
            listed = {path for _, path in chosen}
            listed |= {_resolve(row.folder, mask) for row, _ in chosen for mask in row.masks.values()}
            unlisted = sum(_where_it_lies(path) not in listed for path in lying)
            notes = [_left_out(unlisted, f"that {manifest.path.name} does not list")] if unlisted else []
            return [_from_row(folder, row, path, masks.of(path)) for row, path in chosen], notes
    return [Entry(id=path.name, path=path, masks=masks.of(path)) for path in lying], unread_pictures(images)


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
    from synnodtest.backgrounds.png_jpeg import read_raster
    from synnodtest.backgrounds.readers import MAX_PIXELS

    in_folders = nodule_masks(images, {stem_of(entry.path) for entry in entries})

    def shown(path: Path) -> bool:
        beside = [mask for region, mask in masks.of(path).items() if meaning(region) is Meaning.NODULE]
        return any(read_raster(mask, MAX_PIXELS).values.any() for mask in (*beside, *in_folders.get(stem_of(path), ())))

    return {entry.path for entry in entries if shown(entry.path)}


def _left_out(count: int, which: str) -> str:
    return counted(count, f"radiograph {which} was left out", f"radiographs {which} were left out")


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


def _file_of(row: ManifestRow, folder: Path) -> Path:
    """Return the row's file: beside the manifest, or, if it is not there, in the folder of the set."""
    beside, inside = _resolve(row.folder, row.file), _resolve(folder, row.file)
    return inside if inside.is_file() and not beside.is_file() else beside


def _resolve(folder: Path, name: str) -> Path:
    return _where_it_lies(file_named(folder, name))


def _where_it_lies(path: Path) -> Path:
    """Return the path with its folder resolved and the file not: what lies beside a link is of the link."""
    return path.parent.resolve() / path.name


def _with_another_suffix(path: Path) -> str:
    """Return the one file beside a missing one that bears its name with a suffix, or in other letters; else nothing."""
    names = {path.name.casefold(), stem_of(path).casefold()}
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    there = [p.name for p in beside if p.is_file() and {p.name.casefold(), stem_of(p).casefold()} & names]
    return there[0] if len(there) == 1 else ""


def _where_it_may_be(row: ManifestRow, path: Path) -> str:
    if named := _with_another_suffix(path):
        return f"did you mean {named!r}?"
    below = [folder for folder in sorted(row.folder.iterdir()) if folder.is_dir() and (folder / row.file).is_file()]
    if len(below) == 1:
        return f"it lies in {below[0]}: name that folder, which takes the manifest above it"
    return f"file names are relative to {row.folder}"


def _from_row(folder: Path, row: ManifestRow, path: Path, beside: Mapping[str, Path]) -> Entry:
    if not path.is_file():
        raise BackgroundError(f"{row.where}: {row.file}: no such file", hint=_where_it_may_be(row, path))
    masks = dict(beside)
    for region, name in row.masks.items():
        masks[region] = _resolve(row.folder, name)
        if not masks[region].is_file():
            raise BackgroundError(
                f"{row.where}: {region}_mask: {name}: no such file", hint=f"file names are relative to {row.folder}"
            )
    root = folder.resolve()
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else row.file
    return Entry(name, path, masks, row.given, row.patient, row.strata, row.where)


def _refuse_twice(chosen: Sequence[tuple[ManifestRow, Path]]) -> None:
    """Refuse two rows of one file, such as ``a.png`` and ``./a.png``, of which the second would win.

    Raises:
        BackgroundError: there are such rows; names both.
    """
    first: dict[Path, ManifestRow] = {}
    for row, path in chosen:
        if (before := first.setdefault(path.resolve(), row)) is not row:
            raise BackgroundError(
                f"{row.where}: {row.file!r} is the file that {before.where} lists as {before.file!r}",
                hint="remove one of the rows",
            )


def _refuse_several_sets(folder: Path, chosen: Sequence[tuple[ManifestRow, Path]]) -> None:
    """A manifest over several subfolders describes several sets: serving all of them as one would mix them."""
    root = folder.resolve()
    inside = [path.relative_to(root) for _, path in chosen if path.is_relative_to(root)]
    subfolders = sorted({path.parts[0] if len(path.parts) > 1 else "." for path in inside})
    if len(subfolders) > 1:
        raise BackgroundError(
            f"{folder}: its manifest covers several folders ({', '.join(subfolders)}), and none is named as the set",
            hint=f"--backgrounds {folder / next(s for s in subfolders if s != '.')}, or name a folder as the set; "
            f"to serve all of them as one, move the manifest into {folder.parent}",
        )


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
