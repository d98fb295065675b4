"""Bytes put aside in a file without a name, so that a campaign's memory does not grow with its findings."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, eq=False, slots=True)
class Spooled:
    """Position of some bytes.

    Args:
        spool: Holds the file open.
        offset: Of the first byte.
        length: In bytes.
    """

    spool: Spool
    offset: int
    length: int

    def read(self) -> bytes:
        """Return the bytes."""
        return self.spool.read(self)


class Spool:
    """A file that goes with its last reader. Where it cannot be made or is full, what is kept stays in memory.

    Args:
        folder: Where the file is made when the first bytes come.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._file: int | None = None
        self._end = 0
        self._usable = hasattr(os, "pread")  # not on Windows, which keeps the names of open files besides

    def put(self, data: bytes) -> Spooled | None:
        """Put bytes aside; None where that is not possible."""
        with self._lock:
            try:
                if self._usable and os.pwrite(self._opened(), data, self._end) == len(data):
                    self._end += len(data)
                    return Spooled(self, self._end - len(data), len(data))
            except OSError:
                pass
            self._usable = False
            return None

    def read(self, spooled: Spooled) -> bytes:
        """Return what was put aside.

        Raises:
            OSError: the disk does not give it back.
        """
        assert self._file is not None
        data = os.pread(self._file, spooled.length, spooled.offset)
        if len(data) != spooled.length:
            raise OSError(f"{self._folder}: {len(data)} of {spooled.length} bytes put aside could be read")
        return data

    def _opened(self) -> int:
        if self._file is None:
            self._file, name = tempfile.mkstemp(prefix="spool-", dir=self._folder)
            weakref.finalize(self, os.close, self._file)
            with contextlib.suppress(OSError):
                os.unlink(name)
        return self._file
