"""Which regions a folder brings masks for, read from file names and the manifest's header alone."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from synnodtest.backgrounds.manifest import find_manifest
from synnodtest.errors import BackgroundError

MOST_FILES = 200_000


def mask_regions(directory: str | Path | None) -> frozenset[str]:
    """Return the names of regions for which ``directory`` or its manifest has a mask.

    No folder brings none, and one that cannot be read brings none: whoever opens the set says why.
    """
    root = None if directory is None else Path(directory)
    if root is None or not root.is_dir():
        return frozenset()
    masks = (path.name.split(".") for path in islice(root.rglob("*.*.png"), MOST_FILES))
    names = {parts[-2] for parts in masks if len(parts) >= 3}
    try:
        manifest = find_manifest([root, root.parent])
    except BackgroundError:
        manifest = None
    if manifest is not None:
        names |= {region for row in manifest.rows for region in row.masks}
    return frozenset(names)
