"""Files that are either whole or not there."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import IO, Any


def write_atomic(path: Path, data: bytes | str) -> Path:
    """Write ``data`` to a temporary file in the same folder, then rename it onto ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, _told_of(path):
        temporary.write_bytes(data.encode(errors="backslashreplace") if isinstance(data, str) else data)
    return path


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Have errors name the file that is written, not the temporary one."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        del error.filename2  # None would be printed
        raise


def lock(file: IO[Any], *, wait: bool = True) -> None:
    """Hold an open file for ourselves until it is closed; nothing is held on Windows, which has no such locks.

    Raises:
        BlockingIOError: somebody else holds it, and ``wait`` is False.
        OSError: the folder takes no locks.
    """
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def sha256_of_file(path: Path) -> str:
    """Return the hex sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_with_names(named: Iterable[tuple[str, Path]]) -> str:
    """Return one sha256 of the names and contents of several files, in this order."""
    digest = hashlib.sha256()
    for name, path in named:
        digest.update(name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sha256_if_there(path: Path) -> str:
    """Return the sha256 of a file; empty where there is none."""
    return sha256_of_file(path) if path.is_file() else ""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; on success it takes the place of ``path``, else it goes.

    It is hidden and has no suffix, so that what a killed process leaves of it is taken for no spec and no radiograph.
    """
    with _told_of(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with _told_of(path):
            temporary.chmod(0o644)
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(path: Path) -> None:
    """Remove what processes that were killed while they wrote ``path`` left beside it."""
    for left in path.parent.glob(f".{escape(path.name)}.{'[a-z0-9_]' * 8}"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


_LFS = b"version https://git-lfs.github.com/spec/"


def is_lfs_pointer(path: Path) -> bool:
    """Return whether a file is the few lines that Git LFS leaves where it did not fetch the file itself."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(_LFS)) == _LFS
