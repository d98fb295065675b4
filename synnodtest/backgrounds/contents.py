"""Contents of a folder of radiographs, or of one beside them, and the error where it cannot be listed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from synnodtest.errors import BackgroundError, system_faults


def by_name(folder: Path) -> list[Path]:
    """Return what lies directly in a folder, by name; nothing where there is no such folder.

    Comparing whole paths takes five times as long.

    Raises:
        BackgroundError: the folder cannot be listed.
    """
    with listing_faults(folder):
        return sorted(folder.iterdir(), key=lambda path: path.name) if folder.is_dir() else []


def listing_faults(folder: Path | str) -> AbstractContextManager[None]:
    """Raise a BackgroundError where a folder of radiographs, or one beside them, does not say what lies in it."""
    hint = "allow it to be read: radiographs may lie there, or what tells which of them show nodules"
    return system_faults(folder, BackgroundError, "listed", hint)
