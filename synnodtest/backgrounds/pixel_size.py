"""Folders of pictures that nobody gave a pixel size, told before a run begins."""

from __future__ import annotations

from pathlib import Path

from synnodtest.backgrounds.folder_files import radiographs_in
from synnodtest.backgrounds.manifest import find_manifest
from synnodtest.errors import BackgroundError

_WITHOUT_SIZE = (".png", ".jpg", ".jpeg")
"""Suffixes of formats that do not say how large a pixel is."""


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
