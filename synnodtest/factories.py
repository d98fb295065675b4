"""Loading what a user names as ``package.module:factory`` or ``file.py:factory``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from synnodtest.canonical import sha256_of
from synnodtest.errors import SynnodError
from synnodtest.identity import DeclaredIdentity, Identity
from synnodtest.source_files import changed_since_import, code_sha256, file_of_module, holds_assert

T = TypeVar("T")


class Made(NamedTuple):
    """A factory's product, its identity, and whether that is known by its source alone: weights may change unseen."""

    thing: Any
    identity: Identity
    by_source: bool


@dataclass(frozen=True)
class Loader:
    """Makes what a user's factory returns, and says whose fault it is where that fails.

    Args:
        text: ``module:factory``, ``package.module:factory`` or ``path/to/file.py:factory``.
        what: What is being loaded (``detector``, ``synthesizer``), for messages.
        error: The class of the errors raised.
        base: Relative paths start here, and modules are sought here too.
    """

    text: str
    what: str
    error: type[SynnodError]
    base: Path

    def make(self) -> Made:
        """Call the factory; return what it made, its identity, and whether that says nothing of weights.

        Without a declared ``identity`` (a mapping of which only ``name`` is required, on the object or on the factory)
        the identity is the factory's name and the sha256 of its code, which is part of the keys beside a declared one,
        too, so that an edit never meets stale results.

        Raises:
            SynnodError: of the class ``error``: the module or factory is not there, raises or wants arguments, or the
                identity is malformed.
        """
        factory = self.find()
        required = _required_arguments(factory)
        if required:
            raise self._broken(
                f"the factory requires the argument(s) {', '.join(required)}",
                hint=self._remedy("a factory takes no required argument"),
            )
        try:
            product = factory()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # it may call sys.exit, and pytest.skip, which would leave out the item
            raise self._broken(f"the factory raised {type(error).__name__}: {error}") from error
        self._refuse_old(factory)  # loading weights takes a minute, in which a file may be saved
        declared = getattr(product, "identity", None) or getattr(factory, "identity", None)
        code = source_sha256(factory)
        identity = self._identity(declared, code)
        return Made(product, identity, identity.sha256 in ("", code))

    def _broken(self, reason: str, hint: str = "") -> SynnodError:
        return self.error(f"{self.what} {self.text!r}: {reason}", hint=hint)

    def _remedy(self, rule: str) -> str:
        name = self.text.rpartition(":")[2]
        return (
            f"{rule}; if {name} is the {self.what} itself, name a function that returns it: def make(): return {name}"
        )

    def find(self) -> Any:
        """Return the function or class that the text names.

        Raises:
            SynnodError: of the class ``error``: the module or the name is not there, cannot be called, or is the old
                code of a file that was changed since.
        """
        module_name, _, attribute = self.text.rpartition(":")
        target: Any = self._settled(module_name)
        for part in attribute.split("."):
            if not hasattr(target, part):
                raise self._broken(f"{module_name!r} has no {attribute!r}", hint=_callables_of(target))
            target = getattr(target, part)
        if not callable(target):
            reason = f"{attribute!r} is {type(target).__name__}, not a factory that can be called"
            raise self._broken(reason, hint=self._remedy("a factory is a function"))
        self._refuse_old(target)
        return target

    def _refuse_old(self, target: Any) -> None:
        if changed := _of_file(target, changed_since_import, None):
            raise self._broken(
                f"{changed} was changed after this process had imported it, and its old code would run",
                hint="begin a new process (in a notebook, restart the kernel), or importlib.reload the module",
            )

    def source(self) -> str:
        """Return a sha256 of the files in which the function stands: that of its module and that which defines it.

        Raises:
            SynnodError: as :meth:`find` does.
        """
        target, module = self.find(), self._module(self.text.rpartition(":")[0])
        return sha256_of([source_sha256(module), source_sha256(target)])

    def _settled(self, name: str) -> ModuleType:
        """Return a module whose file stayed as it is while it was imported, as torch is at its head."""
        if name.endswith(".py"):
            file: Path | None = self._path(name)
        else:
            base = str(self.base.resolve())
            if base not in sys.path:
                sys.path.insert(0, base)
            file = file_of_module(name)
        before = code_sha256(file) if file and file.is_file() else ""
        module = self._module(name)
        if file and before and code_sha256(file) != before:
            raise self._broken(
                f"{file}, or a file that it imports from beside it, was changed while it was imported",
                hint="run again, once it stays as it is",
            )
        return module

    def _path(self, name: str) -> Path:
        return (self.base / Path(name).expanduser()).resolve()

    def _module(self, name: str) -> ModuleType:
        try:
            return _module_of_file(self._path(name)) if name.endswith(".py") else importlib.import_module(name)
        except FileNotFoundError as error:
            raise self._broken(f"{error.filename} is not there") from error
        except ModuleNotFoundError as error:
            raise self._broken(
                f"no module named {error.name!r}", hint=f"modules are also sought in {self.base}"
            ) from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self._broken(f"importing {name!r} raised {type(error).__name__}: {error}") from error

    def _identity(self, declared: Any, code: str) -> Identity:
        if declared is None:
            return Identity(self.text, sha256=code)
        factory = self.text.rpartition(":")[2]
        if isinstance(declared, Identity):
            fields = declared.name, declared.version, declared.sha256, declared.configuration
            return DeclaredIdentity(*fields, code, factory)
        if not isinstance(declared, Mapping) or not isinstance(declared.get("name"), str):
            raise self._broken(f"its identity must be a mapping with at least a 'name', not {declared!r}")
        unknown = set(declared) - {"name", "version", "sha256", "configuration"}
        if unknown:
            raise self._broken(
                f"its identity has unknown key(s) {', '.join(sorted(map(str, unknown)))}",
                hint="known are name, version, sha256 and configuration",
            )
        version, sha256 = (str(declared.get(key) or "") for key in ("version", "sha256"))
        configuration = dict(declared.get("configuration", {}))
        if sha256 in ("", code):
            return DeclaredIdentity(declared["name"], version, code, configuration, factory=factory)
        return DeclaredIdentity(declared["name"], version, sha256, configuration, code, factory)


def source_sha256(thing: Any) -> str:
    """Return the sha256 of the file that defines a module, function, class or instance, with what it imports beside it.

    Empty where there is no such file.
    """
    return _of_file(thing, code_sha256, "")


def has_asserts(thing: Any) -> bool:
    """Return whether the file that defines a function, with what it imports beside it, holds an ``assert``."""
    return _of_file(thing, holds_assert, False)


def _of_file(thing: Any, read: Callable[[Path], T], otherwise: T) -> T:
    unwrapped: Any = inspect.unwrap(thing)
    while isinstance(unwrapped, partial):  # else the code of functools
        unwrapped = inspect.unwrap(unwrapped.func)
    for candidate in (unwrapped, type(unwrapped)):
        try:
            return read(Path(inspect.getfile(candidate)))
        except (TypeError, OSError):
            continue
    return otherwise


def _module_of_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(2, "not found", str(path))
    name = f"{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _callables_of(module: Any) -> str:
    names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    return f"it has {', '.join(sorted(names))}" if names else ""


def _required_arguments(factory: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return []
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in variable]
