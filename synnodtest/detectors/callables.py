"""Detectors that are Python: ``package.module:factory`` or ``file.py:factory``.

The factory takes no required argument and returns a function ``radiographs -> list of lists of Finding`` or an object
with ``detect``. An ``identity`` mapping on either (only ``name`` is required) is optional; without one the identity is
the factory's name and the sha256 of its source file, so that an edited detector never meets stale findings.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from synnodtest.detectors.registry import Options
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph

__all__ = ["CallableDetector", "load_callable"]

Detect = Callable[[Sequence[Radiograph]], list[list[Finding]]]


class CallableDetector:
    """A detector that is a plain function.

    Args:
        function: ``radiographs -> list of lists of Finding``, one list per radiograph, in order.
        identity: Who it is. None: the function's name and the sha256 of its source file.
    """

    def __init__(self, function: Detect, identity: Identity | None = None) -> None:
        self._function = function
        self._identity = identity or Identity(_name_of(function), sha256=_source_sha256(function))

    @property
    def identity(self) -> Identity:
        """Who it is."""
        return self._identity

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return one list of findings per radiograph, in order."""
        return self._function(radiographs)


def load_callable(text: str, options: Options) -> CallableDetector:
    """Return the detector that the factory ``module:factory`` makes.

    Args:
        text: ``module:factory``, ``package.module:factory`` or ``path/to/file.py:factory``.
        options: ``base`` is put on the import path.

    Raises:
        DetectorError: the module or factory is not there, raises, wants arguments, or returns no detector.
    """
    module_name, _, attribute = text.rpartition(":")
    factory: Any = _import(module_name, text, options)
    for part in attribute.split("."):
        if not hasattr(factory, part):
            raise DetectorError(f"detector {text!r}: {module_name!r} has no {attribute!r}", hint=_names(factory))
        factory = getattr(factory, part)
    made = _make(factory, text)
    declared = getattr(made, "identity", None) or getattr(factory, "identity", None)
    function = made.detect if hasattr(made, "detect") else made
    if not callable(function):
        raise DetectorError(
            f"detector {text!r}: the factory returned {type(made).__name__}, no function and no object with detect",
            hint="return a function that takes a list of radiographs and returns a list of lists of Finding",
        )
    return CallableDetector(function, _identity(declared, text, factory))


def _import(name: str, text: str, options: Options) -> ModuleType:
    try:
        if name.endswith(".py"):
            return _import_file(options.path(name))
        base = str(options.base.resolve())
        if base not in sys.path:
            sys.path.insert(0, base)
        return importlib.import_module(name)
    except FileNotFoundError as error:
        raise DetectorError(f"detector {text!r}: {error.filename} is not there") from error
    except ModuleNotFoundError as error:
        raise DetectorError(
            f"detector {text!r}: no module named {error.name!r}", hint=f"modules are also sought in {options.base}"
        ) from error
    except Exception as error:
        raise DetectorError(f"detector {text!r}: importing {name!r} raised {type(error).__name__}: {error}") from error


def _import_file(path: Path) -> ModuleType:
    path = path.resolve()
    if not path.is_file():
        raise FileNotFoundError(2, "not found", str(path))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _names(module: Any) -> str:
    names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    return f"it has {', '.join(sorted(names))}" if names else ""


def _make(factory: Any, text: str) -> Any:
    if not callable(factory):
        raise DetectorError(f"detector {text!r}: is {type(factory).__name__}, not a factory that can be called")
    wanted = _required_arguments(factory)
    if wanted:
        raise DetectorError(
            f"detector {text!r}: the factory requires the argument(s) {', '.join(wanted)}",
            hint="a factory takes none and returns the function (or object with detect) that takes the radiographs",
        )
    try:
        return factory()
    except Exception as error:
        raise DetectorError(f"detector {text!r}: the factory raised {type(error).__name__}: {error}") from error


def _required_arguments(factory: Callable[..., Any]) -> list[str]:
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return []
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in variable]


def _identity(declared: Any, text: str, factory: Any) -> Identity:
    if declared is None:
        return Identity(text, sha256=_source_sha256(factory))
    if isinstance(declared, Identity):
        return declared
    if not isinstance(declared, Mapping) or not isinstance(declared.get("name"), str):
        raise DetectorError(
            f"detector {text!r}: its identity must be a mapping with at least a 'name', not {declared!r}"
        )
    unknown = set(declared) - {"name", "version", "sha256", "configuration"}
    if unknown:
        raise DetectorError(
            f"detector {text!r}: its identity has unknown key(s) {', '.join(sorted(map(str, unknown)))}",
            hint="known are name, version, sha256 and configuration",
        )
    return Identity(
        declared["name"],
        version=str(declared.get("version", "")),
        sha256=str(declared.get("sha256", "") or _source_sha256(factory)),
        configuration=dict(declared.get("configuration", {})),
    )


def _name_of(function: Any) -> str:
    return f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', type(function).__name__)}"


def _source_sha256(function: Any) -> str:
    """Return the sha256 of the file that defines a function, class or instance; empty where there is none."""
    for candidate in (inspect.unwrap(function), type(function)):
        try:
            return hashlib.sha256(Path(inspect.getfile(candidate)).read_bytes()).hexdigest()
        except (TypeError, OSError):
            continue
    return ""
