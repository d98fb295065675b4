"""Names of detectors and ``scheme:`` prefixes, built in or from entry points."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from synnodtest import registry
from synnodtest.errors import DetectorError
from synnodtest.ports import DEFAULT_TIMEOUT_S, Detector
from synnodtest.registry import Registry

ENTRY_POINT_GROUP = "synnodtest.detectors"
MASK = "***"
"""Stands in records for what may be a secret."""
_USER = re.compile(r"(?<=://)[^/?#@\s]*(?=@)")
_SECRET = re.compile(r"(?i)([?&][^=&#\s]*(?:auth|code|cred|key|pass|pw|secret|sig|token)[^=&#\s]*=)[^&#\s]+")
_BARE = re.compile(r"(://[^?#\s]*\?)[^=&#\s]+(?![^#\s])")


def masked(text: str) -> str:
    """Return the text of a detector, or any word of a command, without what may be a secret in its URLs.

    That is who logs in, values of a query that are called a key, token and the like, and a query without a name;
    ``?model=b`` stays, as it says which detector was asked.
    """
    return _BARE.sub(rf"\1{MASK}", _SECRET.sub(rf"\1{MASK}", _USER.sub(MASK, text)))


@dataclass(frozen=True)
class Options(registry.Options):
    """Options for a detector factory, besides its argument.

    Args:
        timeout_s: Seconds that one call may take.
    """

    timeout_s: float = DEFAULT_TIMEOUT_S

    def file(self, argument: str) -> tuple[Path, tuple[str, ...]]:
        """Return the path and the classes, by name or number, of ``file#name,name``; a file of that very name is it."""
        text, mark, names = argument.rpartition("#")
        if not mark or self.path(argument).exists():
            return self.path(argument), ()
        return self.path(text), tuple(name.strip() for name in names.split(",") if name.strip())


Factory = Callable[[str, Options], Detector]
"""``factory(argument, options) -> Detector``; ``argument`` is what follows ``name:``, or the empty string."""

DETECTORS: Registry[Factory] = Registry("detector", group=ENTRY_POINT_GROUP, error=DetectorError)

_HOMES = {"demo": "yolo", "ultralytics": "yolo"}
"""Modules of names that are asked for so often that no other module is imported for them. Any may be left out."""


def register_detector(name: str) -> Callable[[Factory], Factory]:
    """Register a detector factory under ``name``; ``--detector name`` and ``--detector name:argument`` reach it.

    Other packages do the same with an entry point of the group ``synnodtest.detectors``.

    Raises:
        ValueError: the name is taken.
    """
    if name in _HOMES:
        _load(_HOMES[name])
    return DETECTORS.register(name)


def registered_names() -> list[str]:
    """Return all names that can be asked for, sorted, without loading any third party."""
    load_all()
    return DETECTORS.names()


def find_factory(name: str) -> Factory | None:
    """Return the factory registered under ``name`` (built-ins first), or None.

    Raises:
        DetectorError: an entry point of that name cannot be imported.
    """
    if name in _HOMES:
        _load(_HOMES[name])
    else:
        load_all()
    return DETECTORS.find(name)


@cache
def _load(module: str) -> None:
    """Import a module of this folder, so that what it brings is registered."""
    import_module(f"{__package__}.{module}")


@cache
def load_all() -> None:
    """Import every module of this folder, so that all it brings is registered."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        _load(module.name)
