"""Annotated radiographs from folders: projected CT nodules on nodule-free radiographs."""

from __future__ import annotations

from pathlib import Path

from synnodtest.annotated.sets import AnnotatedSet, SynthesizedSet, part_of
from synnodtest.backgrounds.folder import FolderSet
from synnodtest.datasets.split import is_held_out
from synnodtest.errors import SynnodError
from synnodtest.synthesizers.ct_library import CtLibrary
from synnodtest.synthesizers.ct_patch import CtPatchSynthesizer


def composites(
    backgrounds: Path,
    nodules: Path,
    *,
    split: str = "all",
    per_background: int = 6,
    cache: Path | None = None,
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
    series = {nodule.series for nodule in CtLibrary(nodules).nodules}
    if split != "all":
        series = {name for name in series if is_held_out(name) == (split == "test")}
        if not series:
            raise SynnodError(f"{nodules}: no CT series belongs to the split {split!r}", hint="--split all")
    composed = SynthesizedSet(
        f"ct-{backgrounds.name}",
        FolderSet(backgrounds, backgrounds.name, outer=[backgrounds.parent], cache=cache),
        CtPatchSynthesizer(nodules, series=sorted(series)),
        per_background=per_background,
    )
    return part_of(composed, split)
