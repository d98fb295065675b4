"""The case: one radiograph in a folder of its own, as a background set of one, read as every run reads it.

Whatever is opened (an upload, a film of a set, a phantom) is copied into ``<folder>/cxr`` with its masks and a
manifest. So what the studio shows and what a spec run on that folder sees are the same pixels and regions. The
catalogue holds what can be picked without an upload.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from synnodtest.backgrounds import BUILT_IN, FolderSet, open_backgrounds
from synnodtest.backgrounds.dicom import is_dicom
from synnodtest.backgrounds.entries import Entry
from synnodtest.backgrounds.file_formats import suffixes
from synnodtest.backgrounds.listing import list_radiographs
from synnodtest.backgrounds.readers import read_as
from synnodtest.backgrounds.reading import Given
from synnodtest.backgrounds.writers import depth_of, write
from synnodtest.csv_rows import write_rows
from synnodtest.errors import BackgroundError
from synnodtest.geometry import BoolArray
from synnodtest.radiograph import Radiograph

SET = "studio"
"""Name of the set of one in specs."""
FILMS = "cxr"
_REMEDIES = {
    "size of a pixel": "type the size of a pixel beside the file's name, such as 0.168, and open it again",
    "without an image": "the file is probably truncated, or holds no picture: copy it again from its source",
    "no frontal chest radiograph": "open a frontal chest radiograph; where the header is wrong, pick the film from a "
    "folder (--backgrounds) whose manifest accepts it",
}
"""Words of an error -> what helps on the page, which has no manifest."""
PHANTOMS = 6
"""Of each built-in set that are offered."""
MOST = 500
"""Films per set that are offered: more make no list that one picks from."""


@dataclass(frozen=True, eq=False)
class Case:
    """One radiograph to work on.

    Args:
        folder: Its folder; ``films`` holds the file, its masks and the manifest.
        file: Name of the file, which is the background's id.
        radiograph: Pixels and regions, as every run reads them.
        backgrounds: The set of one.
        notes: What was read and noted of the file, in plain words.
    """

    folder: Path
    file: str
    radiograph: Radiograph
    backgrounds: FolderSet
    notes: tuple[str, ...]

    @property
    def films(self) -> Path:
        """The folder that ``--backgrounds`` takes."""
        return self.folder / FILMS

    def with_region(self, region: str, mask: BoolArray) -> Case:
        """Return the case with one more region, drawn by hand; its mask lies beside the file."""
        if not mask.any():
            raise BackgroundError(f"the painted region {region!r} is empty", hint="paint over the picture first")
        path = self.films / f"{Path(self.file).stem}.{region}.png"
        Image.fromarray(mask.astype(np.uint8) * 255).save(path)
        return _opened(self.folder, self.file)


def case_of_file(folder: Path, source: Entry, name: str) -> Case:
    """Return the case of a file.

    Args:
        folder: A new folder of its own.
        source: The file, its masks and what else is known of it; they are copied.
        name: What the user calls it; becomes a plain file name.

    Raises:
        BackgroundError: the file cannot be used; says why, and names it as the user does.
    """
    plain = _plain_name(name, source.path)
    films = folder / FILMS
    films.mkdir(parents=True)
    shutil.copyfile(source.path, films / plain)
    for region, mask in source.masks.items():
        shutil.copyfile(mask, films / f"{Path(plain).stem}.{region}.png")
    _write_manifest(films, plain, source.given, source.strata)
    try:
        return _opened(folder, plain)
    except BackgroundError as error:
        own = _said_of(films / plain, source.given, error)
        shutil.rmtree(folder, ignore_errors=True)
        raise _in_the_users_words(own, films / plain, name) from error


def case_of_radiograph(folder: Path, radiograph: Radiograph, name: str) -> Case:
    """Return the case of a radiograph that has no file, such as a phantom: written with 16 bits, with its masks."""
    films = folder / FILMS
    films.mkdir(parents=True)
    write(radiograph, films / f"{name}.png", bits=16, size=None, mark=False)
    for region, mask in radiograph.named_regions.items():
        if mask.any():
            Image.fromarray(mask.astype(np.uint8) * 255).save(films / f"{name}.{region}.png")
    _write_manifest(films, f"{name}.png", Given(radiograph.spacing_mm, 16), radiograph.strata)
    return _opened(folder, f"{name}.png")


def _opened(folder: Path, file: str) -> Case:
    backgrounds = FolderSet(folder / FILMS, SET, count=1)
    (background,) = backgrounds.backgrounds
    radiograph = backgrounds.load(background)
    doubts = backgrounds.doubts(background)
    return Case(folder, file, radiograph, backgrounds, tuple(_notes(radiograph, [*backgrounds.notes, *doubts])))


def _notes(radiograph: Radiograph, more: list[str]) -> list[str]:
    height, width = radiograph.shape
    row, column = radiograph.spacing_mm
    regions = sorted(set(radiograph.regions) - radiograph.estimated)
    strata = [f"{name} {value}" for name, value in radiograph.strata.items() if name != "lung_estimate"]
    notes = [
        f"{width} x {height} pixels of {column:.4g} x {row:.4g} mm, {width * column:.0f} x {height * row:.0f} mm",
        f"{depth_of(radiograph.pixels)} bits as stored",
        f"regions given: {', '.join(regions)}" if regions else "no region given",
        f"regions estimated: {', '.join(sorted(radiograph.estimated))}" if radiograph.estimated else "",
        ", ".join(strata),
    ]
    return [*filter(None, notes), *more]


def _plain_name(name: str, source: Path) -> str:
    path = Path(name.replace("\\", "/"))
    suffix = path.suffix.lower() if path.suffix.lower() in suffixes() else ""
    stem = path.stem if suffix else path.name
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")[:60] or "film"
    if not suffix:
        suffix = ".dcm" if is_dicom(source) else path.suffix.lower()[:8]
    if suffix not in suffixes():
        raise BackgroundError(
            f"{path.name}: no radiograph by its name", hint=f"files end in {', '.join(suffixes())}, or are DICOM"
        )
    return stem + suffix


def _write_manifest(films: Path, file: str, facts: Given, strata: Mapping[str, str]) -> None:
    row_mm, column_mm = facts.spacing_mm or ("", "")
    row = {
        **strata,
        "file": file,
        "mm_per_px_x": column_mm,
        "mm_per_px_y": row_mm,
        "bits": facts.bits or "",
        "rotate_deg": "" if facts.rotate_deg is None else facts.rotate_deg,
        "polarity": facts.polarity,
        "accept": " ".join(sorted(facts.accept)),
    }
    write_rows(films / "manifest.csv", list(row), [row])


def _said_of(path: Path, given: Given, error: BackgroundError) -> BackgroundError:
    """Return what is wrong with the file itself, where the set only says that it has none."""
    try:
        read_as(path, given)
    except BackgroundError as own:
        return own
    return error


def _in_the_users_words(error: BackgroundError, path: Path, name: str) -> BackgroundError:
    """Return the error without the studio's own folders, and with remedies of one who has a file and no manifest."""
    message = error.message.replace(str(path), name).replace(str(path.parent), name)
    message = re.sub(r" \(listed in [^)]*\)", "", message)
    hint = error.hint
    if "manifest" in hint:
        hint = f"put the film into a folder with a manifest (--backgrounds), and there {hint}"
    return BackgroundError(message, hint=next((r for words, r in _REMEDIES.items() if words in message), hint))


class Catalogue:
    """Films and phantoms by the label that the page shows.

    Args:
        directory: What ``--backgrounds`` names, or None.
        cache: Root of a store that keeps phantoms.

    Raises:
        BackgroundError: the folder is given and holds no radiograph.
    """

    def __init__(self, directory: Path | None, cache: Path) -> None:
        self._cache = cache
        self._films: dict[str, Entry] = {}
        self._phantoms = {f"phantom {name} {n + 1}": (name, n) for name in BUILT_IN for n in range(PHANTOMS)}
        if directory is not None:
            self._list(directory)

    @property
    def labels(self) -> list[str]:
        """All labels, films first."""
        return [*self._films, *self._phantoms]

    def film(self, label: str) -> Entry | None:
        """Return the film of a label, None for a phantom.

        Raises:
            BackgroundError: the label is not offered.
        """
        if label not in self._films and label not in self._phantoms:
            raise BackgroundError(f"{label!r} is not among what can be picked", hint="pick one of the list")
        return self._films.get(label)

    def phantom(self, label: str) -> Radiograph:
        """Return the phantom of a label; it is simulated where the store has none."""
        name, number = self._phantoms[label]
        owner = open_backgrounds(None, name, number + 1, cache=self._cache)
        return owner.load(owner.backgrounds[number])

    def _list(self, directory: Path) -> None:
        if not directory.is_dir():
            raise BackgroundError(f"--backgrounds {directory}: no such folder", hint="give a folder of radiographs")
        folders = [directory, *sorted(path for path in directory.iterdir() if path.is_dir())]
        first: BackgroundError | None = None
        for folder in folders:
            try:
                entries = list_radiographs(folder, [] if folder == directory else [directory]).entries
            except BackgroundError as error:
                first = first or error
                continue
            head = "" if folder == directory else f"{folder.name}/"
            self._films |= {f"{head}{entry.id}": entry for entry in entries[:MOST]}
        if not self._films and first is not None:
            raise first
