"""Small helpers for files that stand for a detector."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["sha256_of_file"]


def sha256_of_file(path: Path) -> str:
    """Return the hex sha256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
