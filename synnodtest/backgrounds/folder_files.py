"""Files of a folder: radiographs, their masks, and pictures that are not read."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from synnodtest.backgrounds.contents import by_name, listing_faults
from synnodtest.backgrounds.dicom import is_dicom
from synnodtest.backgrounds.file_formats import stem_of, suffix_of, suffixes
from synnodtest.backgrounds.manifest import find_manifest
from synnodtest.counted import counted
from synnodtest.errors import BackgroundError

_SIDECAR = re.compile(r"(?P<stem>.+)\.(?P<region>[a-z][a-z0-9_-]*)\.png", re.IGNORECASE)
_TEXT_SUFFIXES = (".csv", ".yaml", ".yml", ".json", ".txt", ".md", ".raw", ".zraw", ".html", ".py")
UNREAD_PICTURES = (
    ".tif", ".tiff", ".bmp", ".gif", ".webp", ".jp2", ".nii", ".nii.gz", ".nrrd", ".npy", ".npz", ".h5", ".zip",
    ".jls", ".jxl", ".j2k", ".heic", ".avif", ".dcm.gz", ".mha.gz", ".tar", ".tar.gz", ".tgz", ".7z", ".rar",
)  # fmt: skip
"""Formats in which radiographs come and that are not read, unless a package adds one."""
_WITHOUT_SIZE = (".png", ".jpg", ".jpeg")
"""Suffixes of formats that do not say how large a pixel is."""
CHOICE = "nodule_classes.txt"
"""File in a data set's folder that names the classes which are nodules, one per line."""
_NODE21 = ("", "proccessed_data", "processed_data", "cxr_images/proccessed_data", "cxr_images/processed_data")
_DEEPEST = 8
"""Folders below a folder in which radiographs are sought: patient, study and series in the layouts that there are, and
an end where a link leads back."""


def radiographs_in(folder: Path) -> list[Path]:
    """Return the radiographs that lie directly in a folder, masks left out, by name.

    Raises:
        BackgroundError: the folder cannot be listed.
    """
    with listing_faults(folder):
        shown = [folder / name for name in sorted(os.listdir(folder)) if not name.startswith(".")]
        files = list(filter(Path.is_file, shown))
    radiographs = [path for path in files if suffix_of(path) in suffixes() or _nameless_dicom(path)]
    stems = {_stem(path) for path in radiographs}
    return [path for path in radiographs if not ((mask := _SIDECAR.fullmatch(path.name)) and mask["stem"] in stems)]


def node21_folder(folder: Path) -> Path | None:
    """Return the folder of images of a NODE21 data set rooted at ``folder``, or None."""
    for base in _NODE21:
        for name in ("images", "Images"):
            candidate = folder / base / name
            if candidate.is_dir() and (folder / base / "metadata.csv").is_file():
                return candidate
    return None


def chosen_names(folder: Path) -> list[str]:
    """Return the lines of the folder's :data:`CHOICE`; empty where there is none.

    Raises:
        BackgroundError: it cannot be read.
    """
    path = folder / CHOICE
    if not path.is_file():
        return []
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise BackgroundError(f"{path}: cannot be read: {error}") from error
    return [line for line in lines if line and not line.startswith("# ")]


def any_radiograph(folder: Path) -> bool:
    """Return whether a folder, a folder below it or a manifest for it holds or names anything that may be one.

    Raises:
        BackgroundError: none is seen, and a folder that may hold some cannot be listed.
    """
    if find_manifest([folder, folder.parent]) is not None:
        return True
    shut: list[OSError] = []
    for place, below, names in os.walk(folder, onerror=shut.append, followlinks=True):
        if any(suffix_of(path) in suffixes() or _nameless_dicom(path) for path in map(Path(place).joinpath, names)):
            return True
        if len(Path(place).relative_to(folder).parts) >= _DEEPEST:
            below.clear()
    if shut:
        with listing_faults(shut[0].filename):
            raise shut[0]
    return False


def _nameless_dicom(path: Path) -> bool:
    return path.suffix.lower() not in _TEXT_SUFFIXES and path.name.upper() != "DICOMDIR" and is_dicom(path)


def _without_mark(path: Path) -> bool:
    """Return whether a file of no known suffix begins as the header of DICOM does, without the mark before it."""
    if suffix_of(path) in suffixes() or not path.is_file() or not os.access(path, os.R_OK):
        return False
    with path.open("rb") as file:
        head = file.read(4)
    return head == b"DICM" or (head[:2] in (b"\2\0", b"\10\0") and head[3:] == b"\0")  # groups 0002 and 0008


def _stem(path: Path) -> str:
    return stem_of(path) if suffix_of(path) in suffixes() else path.name


def masks_beside(path: Path) -> dict[str, Path]:
    """Return the masks ``<stem>.<region>.png`` beside a radiograph, by region."""
    return MasksBeside().of(path)


class MasksBeside:
    """The masks beside the radiographs of a set; each folder is listed once, however many lie in it."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, dict[str, Path]]] = {}

    def of(self, path: Path) -> dict[str, Path]:
        """Return the masks beside a radiograph, by region."""
        if path.parent not in self._folders:
            self._folders[path.parent] = _masks_in(path.parent)
        return self._folders[path.parent].get(_stem(path), {})


def _masks_in(folder: Path) -> dict[str, dict[str, Path]]:
    """Return what may be masks in a folder: stem of the radiograph -> region -> file."""
    masks: dict[str, dict[str, Path]] = defaultdict(dict)
    with contextlib.suppress(OSError):
        for path in by_name(folder):
            if mask := _SIDECAR.fullmatch(path.name):
                masks[mask["stem"]][mask["region"].lower().replace("-", "_")] = path
    return masks


def dicom_tree(folder: Path, one_set: bool) -> tuple[list[Path], list[str]]:
    """Return the files of a tree of DICOM files, and notes on what lies in it and cannot be read.

    Folders below a flat ``--backgrounds`` that hold files themselves may be sets, so they are not thrown together
    unless a DICOMDIR says that the tree is one export, or ``one_set`` that the folder itself is the set.
    """
    depth = 1 if one_set or any(path.name.upper() == "DICOMDIR" for path in folder.iterdir()) else 2
    parts = {path: path.relative_to(folder).parts for path in sorted(folder.rglob("*"))}
    shown = [path for path, names in parts.items() if not any(name.startswith(".") for name in names)]
    dicom = [path for path in shown if _nameless_dicom(path)]
    notes = [*dead_links(parts), *_shut(shown)]
    return dicom if all(len(parts[path]) > depth for path in dicom) else [], notes


def is_there(path: Path) -> bool:
    """Return whether a file that may mark nodules is there.

    Raises:
        BackgroundError: it is a link that leads nowhere; without it a film with nodules would pass for one without.
    """
    if path.is_file():
        return True
    if _leads_nowhere(path):
        raise BackgroundError(
            f"{path}: a link that leads nowhere, and what it leads to may mark nodules",
            hint="bring what it leads to (git annex get, dvc pull), or remove the link",
        )
    return False


def _leads_nowhere(path: Path) -> bool:
    """Return whether a path is a link to nothing; an editor's lock is one, whose name begins with a dot."""
    return os.path.islink(path) and not os.path.exists(path) and not path.name.startswith(".")


def dead_links(paths: Iterable[Path]) -> list[str]:
    """Return a note on links that lead nowhere, as where a disk or a store of large files is not there."""
    dead = sorted(path.name for path in paths if _leads_nowhere(path))
    return [f"{counted(len(dead), 'link leads', 'links lead')} nowhere, such as {dead[0]}: left out"] if dead else []


def _shut(paths: Iterable[Path]) -> list[str]:
    """Return a note on files and folders that may not be read, whatever lies in them."""
    shut = [path for path in paths if not os.access(path, os.R_OK) and not _leads_nowhere(path)]
    return [f"{counted(len(shut), 'path')} may not be read, such as {shut[0]}: left out"] if shut else []


def unread_pictures(folder: Path) -> list[str]:
    """Return notes on files of a folder that are pictures of a format that is not read, or DICOM without its mark."""
    unread = (name for name in map(str.lower, os.listdir(folder)) if name.endswith(UNREAD_PICTURES))
    counts = Counter(one for name in unread for one in UNREAD_PICTURES if name.endswith(one))
    bare = [path.name for path in by_name(folder) if _without_mark(path)]
    some = f"{counted(len(bare), 'file')} without the mark of DICOM (DICM), such as "
    return [f"{some}{name}: left out" for name in bare[:1]] + [
        f"{counted(count, f'{suffix} file was', f'{suffix} files were')} left out: the format is not read"
        for suffix, count in sorted(counts.items())
        if suffix not in suffixes()
    ]


def check_pixel_size(folder: Path) -> None:
    """Refuse a flat folder of PNG and JPEG files for which no manifest gives the size of a pixel.

    One file of another format, or one row with a size, is enough: what single files lack is told when they are read.

    Raises:
        BackgroundError: no file of the folder can be used, or its manifest is wrong.
    """
    files = radiographs_in(folder)
    if not files or any(path.suffix.lower() not in _WITHOUT_SIZE for path in files):
        return
    manifest = find_manifest([folder, folder.parent])
    if manifest is not None and any(row.given.spacing_mm for row in manifest.rows):
        return
    where = folder / "manifest.csv" if manifest is None else manifest.path
    raise BackgroundError(
        f"{folder}: the size of a pixel in mm is unknown for all {len(files)} files; PNG and JPEG do not hold it",
        hint=f"give it in {where}, one row per file with the columns file, mm_per_px_x, mm_per_px_y",
    )
