"""Small helpers for files that stand for a detector."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

__all__ = ["is_lfs_pointer", "sha256_of_file", "sha256_of_files"]

_LFS = b"version https://git-lfs.github.com/spec/"


def is_lfs_pointer(path: Path) -> bool:
    """Return whether a file is the few lines that Git LFS leaves where it did not fetch the file itself."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(_LFS)) == _LFS


def sha256_of_file(path: Path) -> str:
    """Return the hex sha256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_files(first: Path, others: Sequence[Path]) -> str:
    """Return the sha256 of a file, or one of several contents where the others belong to it; names do not count."""
    if not others:
        return sha256_of_file(first)
    joined = "\n".join(sha256_of_file(path) for path in (first, *others))
    return hashlib.sha256(joined.encode()).hexdigest()
