"""Radiographs that can be picked without an upload: films of the given folder, and phantoms."""

from __future__ import annotations

from pathlib import Path

from synnodtest.backgrounds import BUILT_IN, open_backgrounds
from synnodtest.backgrounds.listing import Entry, list_radiographs
from synnodtest.errors import BackgroundError
from synnodtest.radiograph import Radiograph

PHANTOMS = 6
"""Of each built-in set that are offered."""
MOST = 500
"""Films per set that are offered: more make no list that one picks from."""


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
