"""Split into training and held-out data: backgrounds by patient, CT nodules by series."""

from __future__ import annotations

from pathlib import Path

from synnodtest.backgrounds.folder import FolderSet
from synnodtest.datasets.split import is_held_out, of_split
from synnodtest.errors import BackgroundError
from synnodtest.ports import Background, BackgroundSet
from synnodtest.synthesizers.ct_library import CtLibrary


def kept_backgrounds(backgrounds: BackgroundSet, split: str) -> list[Background]:
    """Return the backgrounds whose patients belong to a split."""
    return [one for one in backgrounds.backgrounds if of_split(one.cluster, split)]


def kept_series(folder: Path, *, held_out: bool) -> CtLibrary:
    """Return the CT nodules of the series that are held out, or of those that are not."""
    every = CtLibrary(folder)
    chosen = {nodule.series for nodule in every.nodules if is_held_out(nodule.series) == held_out}
    return CtLibrary(folder, series=sorted(chosen))


def open_folders(root: Path) -> list[BackgroundSet]:
    """Return the background sets of a folder: itself, or each of its subfolders that holds radiographs.

    Raises:
        BackgroundError: there is none.
    """
    problems = []
    for folders in ([root], sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []):
        sets: list[BackgroundSet] = []
        for folder in folders:
            try:
                sets.append(FolderSet(folder, folder.name, outer=[folder.parent]))
            except BackgroundError as error:
                problems.append(str(error))
        if sets:
            return sets
    raise BackgroundError(f"{root}: no radiographs to train on: {'; '.join(problems)}")
