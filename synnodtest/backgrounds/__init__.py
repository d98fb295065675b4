"""Background sets: where radiographs free of nodules come from."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from synnodtest.backgrounds.dicom import is_dicom
from synnodtest.backgrounds.file_formats import Format
from synnodtest.backgrounds.folder import FolderSet
from synnodtest.backgrounds.folder_files import radiographs_in
from synnodtest.backgrounds.listing import NothingThere
from synnodtest.backgrounds.mha import MetaImage, read_mha
from synnodtest.backgrounds.readers import read_mask, read_radiograph
from synnodtest.errors import BackgroundError, likely
from synnodtest.ports import BackgroundSet

__all__ = [
    "BUILT_IN",
    "FolderSet",
    "Format",
    "MetaImage",
    "check_sets",
    "open_backgrounds",
    "read_mask",
    "read_mha",
    "read_radiograph",
]

BUILT_IN = ("normal", "pneumothorax")
"""Sets that are there without ``--backgrounds``: phantoms."""


def open_backgrounds(
    directory: str | Path | None,
    set_name: str,
    count: int | None = None,
    *,
    master_seed: int = 0,
    cache: Path | None = None,
) -> BackgroundSet:
    """Return the background set that a spec calls ``set_name``.

    Args:
        directory: What ``--backgrounds`` names: ``directory/<set_name>/`` is the set, else the directory serves
            every set name. None: the built-in phantoms.
        set_name: ``normal``, ``pneumothorax`` or a folder's name.
        count: How many backgrounds to offer at most; a folder may have fewer. None: all (100 phantoms).
        master_seed: Draws phantoms, and the order in which a folder's radiographs are used.
        cache: Root of a store that keeps phantoms and estimated regions between runs.

    Raises:
        BackgroundError: no such set, or nothing usable in it; names file and line.
    """
    if directory is None:
        return _phantoms(set_name, 100 if count is None else count, master_seed, cache)
    root = Path(directory)
    if not root.is_dir():
        raise BackgroundError(f"--backgrounds {root}: no such folder", hint="give a folder of chest radiographs")
    own = _folder_of(root, set_name)
    outer = [root, root.parent] if own != root else [root.parent]
    try:
        return FolderSet(own, set_name, outer=outer, count=count, master_seed=master_seed, cache=cache)
    except NothingThere as error:
        raise (_without_set(root, set_name, error) if own == root else error) from None


def check_sets(directory: str | Path, names: Collection[str]) -> None:
    """Refuse a folder that holds folders of pictures alone, none of which is called as one of the sets.

    Headers are not read here: a tree of DICOM files is left to whatever opens the sets.

    Raises:
        BackgroundError: it is one.
    """
    root = Path(directory)
    if any(_folder_of(root, name) != root for name in names) or radiographs_in(root):
        return
    if not any(is_dicom(path) for path in root.rglob("*")):
        open_backgrounds(root, min(names, default="normal"))


def _folder_of(root: Path, set_name: str) -> Path:
    plain = set_name not in ("", ".", "..") and not {"/", "\\", "\0"} & set(set_name)
    return root / set_name if plain and os.path.isdir(root / set_name) else root


def _without_set(root: Path, set_name: str, error: NothingThere) -> BackgroundError:
    """Return what is wrong where a folder of sets has none of a spec's name."""
    sets = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not sets:
        return error
    return BackgroundError(
        f"{root}: no radiograph here, and no folder {set_name!r}, as a spec calls the set; its folders are "
        f"{', '.join(sets[:8])}",
        hint=likely(set_name, sets, f"a folder of radiographs serves any set: --backgrounds {root}/FOLDER"),
    )


def _phantoms(set_name: str, count: int, master_seed: int, cache: Path | None) -> BackgroundSet:
    if set_name not in BUILT_IN:
        raise BackgroundError(
            f"background set {set_name!r} is not built in; without --backgrounds there are {', '.join(BUILT_IN)}",
            hint=f"--backgrounds DIR with a folder DIR/{set_name}",
        )
    from synnodtest.phantom import PhantomSet

    return PhantomSet(set_name, count, master_seed, cache=cache)
