"""Files that stand for a detector: whether they are there, and what their content is known by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from synnodtest.errors import DetectorError, require
from synnodtest.files import sha256_of_file

ANEW = "copy the file again from its source, whole (a page that says 404, or half a download?), or export it again"
"""Remedy where a model's file is none of its kind."""


def check_weights(path: Path, package: str, extra: str) -> None:
    """Refuse weights that are not there, or whose package is not installed.

    Raises:
        DetectorError: the file is not there.
        SynnodError: the package is not installed.
    """
    if not path.is_file():
        raise DetectorError(f"the detector's weights {path} are not there", hint="synnodtest never downloads weights")
    require(package, extra, f"The detector {path.name}")


def replaced(path: Path) -> DetectorError:
    """Return the error of a file that is not any more what the detector's findings are stored under."""
    return DetectorError(f"{path} was replaced while the run went on", hint="run again, once it stays as it is")


@contextmanager
def unreplaced(first: Path, others: Sequence[Path] = ()) -> Iterator[str]:
    """Give the sha256 of a model's files, which stay as they are while it is loaded from them.

    Raises:
        DetectorError: one was replaced, and the model may be of either content.
    """
    digest = sha256_of_files(first, others)
    yield digest
    if sha256_of_files(first, others) != digest:
        raise replaced(first)


def sha256_of_files(first: Path, others: Sequence[Path]) -> str:
    """Return the sha256 of a file, or one of several contents where the others belong to it; names do not count."""
    if not others:
        return sha256_of_file(first)
    joined = "\n".join(sha256_of_file(path) for path in (first, *others))
    return hashlib.sha256(joined.encode()).hexdigest()
