"""Contents of a folder of radiographs, or of one beside them, and the error where it cannot be listed."""

from __future__ import annotations

from pathlib import Path

from synnodtest.errors import BackgroundError


def by_name(folder: Path) -> list[Path]:
    """Return what lies directly in a folder, by name; nothing where there is no such folder.

    Comparing whole paths takes five times as long.

    Raises:
        BackgroundError: the folder cannot be listed.
    """
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name) if folder.is_dir() else []
    except OSError as error:
        raise not_listed(folder, error) from error


def not_listed(folder: Path | str, error: OSError) -> BackgroundError:
    """Return the error for a folder of radiographs, or one beside them, that does not say what lies in it."""
    return BackgroundError(
        f"{folder}: cannot be listed: {error.strerror or error}",
        hint="allow it to be read: radiographs may lie there, or what tells which of them show nodules",
    )
