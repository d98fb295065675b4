"""Radiographs of a folder as its manifest lists them, or as they lie there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from synnodtest.backgrounds.contents import by_name
from synnodtest.backgrounds.dicom_header import DicomFacts
from synnodtest.backgrounds.file_formats import stem_of
from synnodtest.backgrounds.folder_files import MasksBeside, unread_pictures
from synnodtest.backgrounds.manifest import Manifest, ManifestRow
from synnodtest.backgrounds.named_images import file_named
from synnodtest.backgrounds.reading import FILE_ALONE, Given
from synnodtest.counted import counted, joined
from synnodtest.errors import BackgroundError


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


def entries_of(
    folder: Path, images: Path, lying: Sequence[Path], manifest: Manifest | None, masks: MasksBeside
) -> tuple[list[Entry], list[str]]:
    """Return the radiographs of a set, those of a manifest's rows where there is one, and notes on what was left out.

    Args:
        folder: The set's.
        images: The folder of the images, which may lie in it.
        lying: The radiographs that lie there.
        manifest: The manifest, if there is one.
        masks: Of the radiographs.

    Raises:
        BackgroundError: a row points nowhere or to the file of another, or the manifest describes several sets.
    """
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
            notes = [left_out(unlisted, f"that {manifest.path.name} does not list")] if unlisted else []
            return [_from_row(folder, row, path, masks.of(path)) for row, path in chosen], notes
    return [Entry(id=path.name, path=path, masks=masks.of(path)) for path in lying], unread_pictures(images)


def left_out(count: int, which: str) -> str:
    """Return the note on so many radiographs that are no part of a set."""
    return counted(count, f"radiograph {which} was left out", f"radiographs {which} were left out")


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
    below = [folder for folder in by_name(row.folder) if folder.is_dir() and (folder / row.file).is_file()]
    if below:
        of = " of the radiographs" if len(below) > 1 else ""
        return f"it lies in {joined([*map(str, below)])}: name that folder{of}, which takes the manifest above it"
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
