"""Masks in folders of their own beside radiographs: which may be of nodules."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from synnodtest.backgrounds.contents import by_name
from synnodtest.backgrounds.folder_files import UNREAD_PICTURES
from synnodtest.backgrounds.png_jpeg import read_raster
from synnodtest.class_names import Meaning, meaning
from synnodtest.counted import counted
from synnodtest.errors import BackgroundError

_MASKS = re.compile(r"^(mask|seg)|(masks?|seg[a-z]*)$", re.IGNORECASE)
_OF_ANYTHING = re.compile(r"masks?|segmentations?|segs?", re.IGNORECASE)
"""Names of folders that do not tell what their masks are of, as those of Shenzhen's and Montgomery's lungs."""
_MASK_TAIL = re.compile(r"[\W_]*(nodules?|masks?|seg[a-z]*)[\W_]*\d*$", re.IGNORECASE)
_READ = (".png", ".jpg", ".jpeg")
LARGEST_NODULE = 0.03
"""Share of a picture up to which a mask may be one of a nodule; set by hand: of a film of 350 mm by 430 a mass of 70 mm
takes 2.6%, and one lung no less than 8."""
_LOOKED_AT = 32
"""Masks of a folder that are looked at; set by hand: sets have hundreds of lungs of nine million pixels."""


def nodule_masks(images: Path, stems: Collection[str]) -> dict[str, list[Path]]:
    """Return PNG and JPEG files of folders such as ``nodule_masks`` and ``masks/nodule``, by stem of the radiograph.

    Args:
        images: The folder of the radiographs: theirs lie in it or beside it.
        stems: Of the radiographs; a mask's name may add ``_mask`` or ``_nodule_2``.

    Raises:
        BackgroundError: such a folder holds masks of them in a format that is not read.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for folder in (one for one in _folders(images) if meaning(one.name) is Meaning.NODULE):
        for stem, path in _masks_of(folder, stems):
            if path.suffix.lower() in _READ:
                found[stem].append(path)
            elif _is_unread(path):
                raise BackgroundError(
                    f"{path}: a mask of a nodule in a format that is not read", hint="save these masks as PNG files"
                )
    return found


def notes_on_masks(images: Path, stems: Collection[str]) -> Iterator[str]:
    """Yield a note on each folder called ``masks`` and no more whose masks are as small as nodules, or are not read.

    Arguments are those of :func:`nodule_masks`. Of a folder some masks are looked at; what cannot be read is none.
    """

    def is_small(path: Path) -> bool:
        try:
            return bool(0 < (read_raster(path).values > 0).mean() <= LARGEST_NODULE)
        except BackgroundError:
            return False

    for folder in (one for one in _folders(images) if _OF_ANYTHING.fullmatch(one.name)):
        masks = [path for _, path in _masks_of(folder, stems)]
        if unread := sum(map(_is_unread, masks)):
            yield f"{counted(unread, 'mask')} in {folder.name} not read: as PNG in nodule_masks they tell of nodules"
        small = sum(map(is_small, islice((path for path in masks if path.suffix.lower() in _READ), _LOOKED_AT)))
        if small:
            kept = "its radiograph was" if small == 1 else "their radiographs were"
            of = counted(small, "mask")
            yield f"{of} in {folder.name} as small as a nodule, and {kept} kept: call it nodule_masks if that is so"


def _folders(images: Path) -> Iterator[Path]:
    tops = (folder for place in (images, images.parent) for folder in _within(place) if _MASKS.search(folder.name))
    for top in tops:
        yield from (top, *_within(top))


def _within(place: Path) -> list[Path]:
    return [path for path in by_name(place) if path.is_dir()]


def _masks_of(folder: Path, stems: Collection[str]) -> Iterator[tuple[str, Path]]:
    """Yield the files of a folder that are named after radiographs, each after the stem of its own."""
    for path in by_name(folder):
        stem = path.stem.removesuffix(".nii")
        while stem not in stems and (tail := _MASK_TAIL.search(stem)):
            stem = stem[: tail.start()]
        if stem in stems:
            yield stem, path


def _is_unread(path: Path) -> bool:
    return path.name.lower().endswith(UNREAD_PICTURES)
