"""Store of computed things: entries on disk, keyed by sha256, first write wins.

Layout: ``ROOT/v1/<kind>/<first two digits>/<key>``. An entry is a magic word, the sha256 of its name and payload, the
length of the payload, and the payload. It is written to a temporary file and then linked to its name, which either
succeeds whole or finds the entry of another process already there; a process killed at any point leaves a
temporary file, never half an entry. An entry that is damaged all the same (a failing disk, a hand in the
folder, the entry of another key) is noticed by its checksum, set aside under ``ROOT/damaged`` and treated as absent, so
that it is computed anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import logging
import os
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from synnodtest.errors import StoreError, system_faults
from synnodtest.files import lock

_MAGIC = b"synnod2\n"
_UNNAMED = b"synnod1\n"
"""Magic word of older entries, whose checksum is of their payload alone: they are read, too."""
_HEAD = len(_MAGIC) + 32 + 8
"""Bytes before a payload: the magic word, a sha256, and a length of 8 bytes."""
_KEY = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_STALE_SECONDS = 3600.0
"""Age of a temporary file from which its process is taken to be dead; set by hand: writing an entry takes seconds at
most."""
_USED_EVERY_S = 86400.0
"""An entry's time stamp says when it was last used, to within this: most reads then write nothing."""
_LOG = logging.getLogger(__name__)
_SERIAL = itertools.count()
T = TypeVar("T")


@dataclass(frozen=True)
class KindStats:
    """Number of entries of one kind, and their bytes."""

    entries: int
    bytes: int


@dataclass(frozen=True)
class Entry:
    """An entry as it lies on the disk.

    Args:
        kind, key: What it is known by.
        bytes: Size of its file.
        used: When it was written or last read, to within a day, in seconds since the epoch.
    """

    kind: str
    key: str
    bytes: int
    used: float


class Store:
    """Entries on disk, safe under several threads, several processes and sudden death.

    Nothing is written before the first :meth:`put`, so a store on a read-only disk can be read.

    Args:
        root: Folder of the store; made when needed.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self._entries, self.scratch = self.root / "v1", self.root / "tmp"
        self._ready = False

    def get(self, kind: str, key: str) -> bytes | None:
        """Return the payload of an entry, or None if there is none (or only a damaged one).

        Args:
            kind: Namespace, such as ``radiographs`` or ``findings``.
            key: 64 hexadecimal digits.

        Raises:
            StoreError: the file is there but cannot be read.
        """
        path = self._path(kind, key)
        read = _read(path)
        if read is None:
            return None
        if read.payload is None:
            return self._set_aside(path)
        if time.time() - read.used > _USED_EVERY_S:
            with contextlib.suppress(OSError):  # a store that cannot be written keeps the old time
                os.utime(path)
        return read.payload

    def read(self, kind: str, key: str, decode: Callable[[bytes], T]) -> T | None:
        """Return an entry decoded, or None if there is none.

        Raises:
            StoreError: it cannot be read, or is whole and yet nothing that can be decoded; names the file.
        """
        data = self.get(kind, key)
        try:
            return None if data is None else decode(data)
        except (ValueError, LookupError, TypeError, AttributeError, zlib.error) as error:
            raise StoreError(
                f"{self._path(kind, key)}: holds no {kind} ({error!r})", hint="delete the file: it is computed anew"
            ) from error

    def has(self, kind: str, key: str) -> bool:
        """Return whether there is an entry, which may be a damaged one: it is not read."""
        return os.path.exists(self._path(kind, key))

    def put(self, kind: str, key: str, data: bytes) -> bytes:
        """Store ``data`` unless the key is taken, and return what is stored: the authoritative payload.

        Raises:
            StoreError: there is no such entry yet, and the disk is full, or the folder cannot be written.
        """
        path = self._path(kind, key)
        try:
            self._prepare()
            temporary = f"{self.scratch}/{os.getpid()}-{threading.get_ident()}-{time.time_ns()}-{next(_SERIAL)}"
            if not os.path.isdir(folder := os.path.dirname(path)):
                os.makedirs(folder, exist_ok=True)
            try:
                with open(temporary, "wb") as file:
                    file.write(_MAGIC + _digest(path, data) + len(data).to_bytes(8, "big") + data)
                while True:
                    if _claim(temporary, path):
                        return data
                    stored = self.get(kind, key)
                    if stored is not None:
                        return stored
            finally:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
        except OSError as error:
            stored = self.get(kind, key)
            if stored is not None:  # made again from finished work, as to see that it comes out the same
                return stored
            raise StoreError(
                f"{self.root}: cannot be written: {error.strerror or error}",
                hint="free some space, or name another folder: --synnod-cache of pytest, --cache or --store elsewhere",
            ) from error

    def obtain(
        self, kind: str, key: str, make: Callable[[], bytes], meanwhile: Callable[[], bool] | None = None
    ) -> bytes:
        """Return an entry; where there is none it is made, by one process while others wait for what it stores.

        For what takes long and what several workers want at the same moment, such as phantoms. A process that dies
        lets go of its turn; where the folder takes no locks everybody makes the entry, and the first write wins.

        Args:
            kind: Namespace, as for :meth:`get`.
            key: 64 hexadecimal digits.
            make: Makes the payload; must not obtain another entry of this kind.
            meanwhile: Done, as often as it found something to do, instead of waiting for the other process.

        Raises:
            StoreError: the disk is full, or the folder cannot be written or read.
        """
        data = self.get(kind, key)
        while data is None and meanwhile is not None and self.in_work(kind, key) and meanwhile():
            data = self.get(kind, key)
        if data is None:
            with self.turn(kind, key):
                data = self.get(kind, key)
                if data is None:
                    data = self.put(kind, key, make())
        return data

    @contextlib.contextmanager
    def turn(self, kind: str, key: str) -> Iterator[None]:
        """Hold the lock of an entry while it is made; every 256th of its kind shares it. See :meth:`obtain`."""
        with contextlib.ExitStack() as locks:
            with contextlib.suppress(OSError):
                locks.enter_context(_locked(self._lock_of(kind, key)))
            yield

    def in_work(self, kind: str, key: str) -> bool:
        """True where somebody makes an entry just now, or another that shares its lock."""
        with contextlib.ExitStack() as locks:
            try:
                locks.enter_context(_locked(self._lock_of(kind, key), wait=False))
            except BlockingIOError:
                return True
            except OSError:  # the folder takes no locks
                return False
        return False

    def _lock_of(self, kind: str, key: str) -> Path:
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{kind}-{key[:2]}"

    def entries(self) -> Iterator[Entry]:
        """Yield all entries, sorted by kind and key; one that another process removes meanwhile is left out."""
        for folder in sorted(self._entries.glob("*/")) if self._entries.is_dir() else []:
            for path in sorted(folder.glob("??/*")):
                if _KEY.fullmatch(path.name):
                    with contextlib.suppress(FileNotFoundError):
                        facts = path.stat()
                        yield Entry(folder.name, path.name, facts.st_size, facts.st_mtime)

    def verify(self) -> Iterator[Entry]:
        """Read every entry; yield the damaged ones, which are set aside and will be computed anew."""
        for entry in self.entries():
            path = self._path(entry.kind, entry.key)
            read = _read(path)
            if read is not None and read.payload is None:
                self._set_aside(path)
                yield entry

    def prune(self, *, unused_s: float | None = None, most_bytes: int | None = None) -> KindStats:
        """Remove what was not used for so long, then the longest unused until the rest fits; return what went.

        Safe beside a run that uses the store: what it misses is computed anew. Damaged entries that were set aside and
        leftovers of killed processes go too.

        Raises:
            StoreError: something cannot be removed.
        """
        now, entries = time.time(), sorted(self.entries(), key=lambda entry: (entry.used, entry.kind, entry.key))
        total, gone = sum(entry.bytes for entry in entries), []
        for entry in entries:
            if (unused_s is not None and now - entry.used > unused_s) or (
                most_bytes is not None and total > most_bytes
            ):
                gone.append(entry)
                total -= entry.bytes
        with system_faults(self.root, StoreError, "pruned"):
            for entry in gone:
                Path(self._path(entry.kind, entry.key)).unlink(missing_ok=True)
            for path in (self.root / "damaged").glob("*"):
                path.unlink(missing_ok=True)
            self._sweep()
        return KindStats(len(gone), sum(entry.bytes for entry in gone))

    def stats(self) -> Mapping[str, KindStats]:
        """Return entries and bytes per kind; kinds without entries are left out."""
        by_kind: dict[str, KindStats] = {}
        for entry in self.entries():
            before = by_kind.get(entry.kind, KindStats(0, 0))
            by_kind[entry.kind] = KindStats(before.entries + 1, before.bytes + entry.bytes)
        return by_kind

    def damaged(self) -> int:
        """Return how many damaged entries were set aside since the store was made."""
        folder = self.root / "damaged"
        return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0

    def _path(self, kind: str, key: str) -> str:
        _checked(_KIND, kind, "kind")
        return f"{self._entries}/{kind}/{_checked(_KEY, key, 'key')[:2]}/{key}"

    def _prepare(self) -> None:
        """Make the folder on first use, keep it out of git, and sweep what killed processes left behind."""
        if self._ready:
            return
        self.scratch.mkdir(parents=True, exist_ok=True)
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        self._sweep()
        self._ready = True

    def _sweep(self) -> None:
        """Remove what killed processes left behind."""
        for left in self.scratch.glob("*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                    left.unlink()

    def _set_aside(self, path: str) -> bytes | None:
        """Move a damaged entry away, unless another process has repaired it meanwhile."""
        aside = self.root / "damaged"
        try:
            aside.mkdir(parents=True, exist_ok=True)
            with _locked(self.root / "damaged.lock"):
                read = _read(path)
                if read is not None and read.payload is None:
                    *_, kind, _, key = path.split("/")
                    os.replace(path, aside / f"{kind}-{key}-{time.time_ns()}")
                    _LOG.warning("%s was damaged; it was set aside in %s and is computed anew", path, aside)
                return None if read is None else read.payload
        except OSError as error:
            raise StoreError(
                f"{path}: a damaged entry that cannot be set aside: {error.strerror or error}",
                hint="delete it, or choose another folder with --synnod-cache DIR",
            ) from error


def _checked(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise StoreError(f"{text!r} is not a {what} of a store")
    return text


class _Read(NamedTuple):
    """An entry that was read: its payload, None if a byte of it is wrong or missing, and when it was last used."""

    payload: bytes | None
    used: float


def _read(path: str) -> _Read | None:
    try:
        with open(path, "rb", buffering=0) as file:
            used, head, payload = os.fstat(file.fileno()).st_mtime, file.read(_HEAD), file.readall()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be read: {error.strerror or error}",
            hint="check its permissions, or choose another folder with --synnod-cache DIR",
        ) from error
    magic, digest, length = head[: len(_MAGIC)], head[len(_MAGIC) : -8], int.from_bytes(head[-8:], "big")
    whole = len(head) == _HEAD and magic in (_MAGIC, _UNNAMED) and length == len(payload)
    own = hashlib.sha256(payload).digest() if magic == _UNNAMED else _digest(path, payload)
    return _Read(payload if whole and own == digest else None, used)


def _digest(path: str, payload: bytes) -> bytes:
    """Return the sha256 of an entry: of its kind and key, as they end its path, and its payload."""
    named = hashlib.sha256("/".join(path.rsplit("/", 3)[1:]).encode())
    named.update(payload)
    return named.digest()


def _claim(temporary: str, path: str) -> bool:
    """Give the entry its name; False if the name is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        with _locked(Path(temporary).with_name("claim.lock")):
            if os.path.exists(path):
                return False
            os.replace(temporary, path)
    return True


@contextlib.contextmanager
def _locked(path: Path, wait: bool = True) -> Iterator[None]:
    with path.open("a") as file:
        lock(file, wait=wait)
        yield
