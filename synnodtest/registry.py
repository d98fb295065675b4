"""Registries: named things of one sort, built in, registered by a decorator, or brought by installed packages."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar, cast

from synnodtest.errors import SynnodError

T = TypeVar("T")
F = TypeVar("F")


@dataclass(frozen=True)
class Options:
    """Options for a factory of synthesizers or detectors, besides its argument.

    Args:
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        base: Relative paths start here.
    """

    device: str = "cpu"
    base: Path = field(default_factory=Path.cwd)

    def path(self, text: str) -> Path:
        """Return ``text`` as a path, relative to ``base``, with ``~`` expanded."""
        return self.base / Path(text).expanduser()


class Registry(Generic[T]):
    """Things of one sort by name; found when they are first asked for.

    Built-in ones come first. One of an installed package may not take the name of another; one that is registered takes
    the place of an installed one.

    Args:
        what: What one of them is, for messages: ``detector``.
        group: Group of the entry points through which other packages bring some; empty: none do.
        folder: Package of which every module that defines ``constant`` brings one.
        constant: Name of that constant.
        name: Of a thing; those without one are known by the entry point's name.
        accept: From what an entry point names to the thing itself; raises ``error`` where it will not do.
        error: Class of the errors raised.
    """

    def __init__(
        self,
        what: str,
        *,
        group: str = "",
        folder: ModuleType | None = None,
        constant: str = "KIND",
        name: Callable[[T], str] | None = None,
        accept: Callable[[EntryPoint, object], T] | None = None,
        error: type[SynnodError] = SynnodError,
    ) -> None:
        self.what = what
        self.group = group
        self._folder = folder
        self._constant = constant
        self._name = name
        self._accept = accept
        self._error = error
        self._registered: dict[str, T] = {}
        self._all: Mapping[str, T] | None = None

    def register(self, name: str, *, anew: bool = False) -> Callable[[F], F]:
        """Return the decorator that registers a thing under a name.

        Args:
            name: Its name.
            anew: Whether it may take the place of an earlier one.

        Raises:
            ValueError: the name is taken.
        """

        def add(thing: F) -> F:
            if not anew and self._registered.get(name, thing) is not thing:
                raise ValueError(f"a {self.what} named {name!r} is already registered")
            self._registered[name] = cast(T, thing)
            self._all = None
            return thing

        return add

    def forget(self) -> None:
        """Look for installed things anew the next time they are asked for."""
        self._all = None
        _installed.cache_clear()

    def names(self) -> list[str]:
        """Return all names, sorted, without loading what installed packages bring."""
        return sorted({*self._of_folder, *self._registered, *(entry.name for entry in self._entries())})

    def find(self, name: str) -> T | None:
        """Return the thing of that name, or None; no other one is loaded.

        Raises:
            SynnodError: an installed one of that name cannot be loaded.
        """
        for known in (self._registered, self._of_folder):
            if name in known:
                return known[name]
        return next((self._loaded(entry) for entry in self._entries() if entry.name == name), None)

    def all(self) -> Mapping[str, T]:
        """Return all things by name.

        Raises:
            SynnodError: an installed one cannot be loaded, or takes the name of another.
        """
        if self._all is None:
            entries = dict(self._of_folder)
            for entry in sorted(self._entries(), key=lambda e: e.name):
                if entry.name in entries:
                    raise self._error(
                        f"the {self.what} {entry.name!r} of {entry.value} has the name of another",
                        hint="rename it in the package that brings it, or uninstall that package",
                    )
                entries[entry.name] = self._loaded(entry)
            self._all = entries | self._registered
        return self._all

    @cached_property
    def _of_folder(self) -> Mapping[str, T]:
        built_in: dict[str, T] = {}
        for found in pkgutil.iter_modules(self._folder.__path__) if self._folder is not None else ():
            module = import_module(f"{cast(ModuleType, self._folder).__name__}.{found.name}")
            thing = getattr(module, self._constant, None)
            if thing is None:
                continue
            name = found.name if self._name is None else self._name(thing)
            if name in built_in:
                raise self._error(f"{module.__file__}: a {self.what} named {name!r} is there already", hint="rename it")
            built_in[name] = thing
        return built_in

    def _entries(self) -> list[EntryPoint]:
        return list(_installed(tuple(sys.path)).select(group=self.group)) if self.group else []

    def _loaded(self, entry: EntryPoint) -> T:
        try:
            loaded = entry.load()
        except Exception as error:
            raise self._error(
                f"{self.what} {entry.name!r}: its entry point {entry.value!r} cannot be loaded: {error}"
            ) from error
        return cast(T, loaded) if self._accept is None else self._accept(entry, loaded)


@lru_cache(maxsize=1)
def _installed(path: tuple[str, ...]) -> EntryPoints:
    """Return the entry points of all packages on ``sys.path``, read once for all registries."""
    return cast(EntryPoints, entry_points())  # a class of another name that selects too, before Python 3.12
