"""Sources of annotated sets by side of the split: backgrounds by patient, CT nodules by series; and both composed."""

from __future__ import annotations

from pathlib import Path

from synnodtest.annotated.sets import AnnotatedSet, SynthesizedSet, part_of
from synnodtest.backgrounds.folder import FolderSet
from synnodtest.datasets.split import is_held_out, of_split
from synnodtest.errors import BackgroundError, SynnodError
from synnodtest.ports import Background, BackgroundSet
from synnodtest.synthesizers.ct_library import CtLibrary
from synnodtest.synthesizers.ct_patch import CtPatchSynthesizer


def kept_backgrounds(backgrounds: BackgroundSet, split: str) -> list[Background]:
    """Return the backgrounds whose patients belong to a split."""
    return [one for one in backgrounds.backgrounds if of_split(one.cluster, split)]


def series_of(folder: Path, *, held_out: bool) -> list[str]:
    """Return the CT series of a folder that are held out, or those that are not."""
    return sorted({one.series for one in CtLibrary(folder).nodules if is_held_out(one.series) == held_out})


def kept_series(folder: Path, *, held_out: bool) -> CtLibrary:
    """Return the CT nodules of the series that are held out, or of those that are not."""
    return CtLibrary(folder, series=series_of(folder, held_out=held_out))


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
                sets.append(FolderSet(folder, folder.name, outer=[folder.parent], lasting=True))
            except BackgroundError as error:
                problems.append(str(error))
        if sets:
            return sets
    raise BackgroundError(f"{root}: no radiographs to train on: {'; '.join(problems)}")


def composites(
    backgrounds: Path, nodules: Path, *, split: str = "all", per_background: int = 6, cache: Path | None = None
) -> AnnotatedSet:
    """Return projected CT nodules on nodule-free radiographs.

    Args:
        backgrounds: Folder of radiographs; a manifest is sought there, then in its parent.
        nodules: Folder of segmented CT nodules in the NODE21 layout.
        split: ``train`` or ``test``: neither a patient nor a CT series is on both sides. ``all`` takes everything.
        per_background: Radiographs made from each background.
        cache: Where estimated lungs are kept.

    Raises:
        SynnodError: a folder is missing or unusable, or no CT series belongs to the split.
        ValueError: there is no such split.
    """
    series = None if split == "all" else series_of(nodules, held_out=split == "test")
    if series == []:
        raise SynnodError(f"{nodules}: no CT series belongs to the split {split!r}", hint="--split all")
    composed = SynthesizedSet(
        f"ct-{backgrounds.name}",
        FolderSet(backgrounds, backgrounds.name, outer=[backgrounds.parent], cache=cache, lasting=True),
        CtPatchSynthesizer(nodules, series=series),
        per_background=per_background,
    )
    return part_of(composed, split)
