"""The files that a Python file imports from beside it: somebody's code, apart from what is installed.

Read off the text, so that the answer is the same before and after the code has run. Imports whose name is computed are
not seen.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path

from synnodtest.canonical import sha256_of
from synnodtest.files import sha256_of_file

_INSTALLED = {"site-packages", "dist-packages"}
_OURS = Path(__file__).parent


def code_sha256(path: Path) -> str:
    """Return the sha256 of a Python file; where it imports others from beside it, one of all of them.

    Raises:
        OSError: it cannot be read.
    """
    own, *others = map(sha256_of_file, (path, *imported_files(path)))
    return sha256_of([own, sorted(others)]) if others else own


def holds_assert(path: Path) -> bool:
    """Return whether a Python file, or one that it imports from beside it, holds an ``assert``.

    Raises:
        OSError: it cannot be read.
    """
    files = (path, *imported_files(path))
    return any(isinstance(node, ast.Assert) for file in files for node in _nodes(file.read_bytes()))


def changed_since_import(path: Path) -> Path | None:
    """Return the file, of a Python file and those that it imports from beside it, whose old code this process has.

    The first call takes what is there for what was imported; ``importlib.reload`` makes a module a new one.

    Raises:
        OSError: one cannot be read.
    """
    files = {path.resolve(), *imported_files(path)}
    names = tuple(file.name for file in files)
    for spec in [getattr(module, "__spec__", None) for module in list(sys.modules.values())]:
        origin = str(getattr(spec, "origin", None))
        if origin.endswith(names) and (file := Path(origin).resolve()) in files:  # thousands of paths take 20 ms
            now = sha256_of_file(file)
            if vars(spec).setdefault("synnodtest_sha256", now) != now:
                return file
    return None


def file_of_module(name: str) -> Path | None:
    """Return the file of a module, of which nothing is imported for that; None where there is none."""
    places, parts = None, name.split(".")
    for depth, part in enumerate(parts, 1):
        spec = PathFinder.find_spec(part, places)  # a dotted name asks for packages that are not imported yet
        if spec is None or (spec.submodule_search_locations is None and depth < len(parts)):
            return None
        places = spec.submodule_search_locations
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def imported_files(path: Path) -> list[Path]:
    """Return the files that a Python file imports from beside it, and what those import, sorted.

    Beside it is what lies in its folder, or in that of its outermost package. None are told of installed packages.
    """
    path = path.resolve()
    if path.is_relative_to(_OURS) or _INSTALLED & set(path.parts):
        return []
    root = next(folder for folder in path.parents if not (folder / "__init__.py").is_file())
    files = {path: None}
    for file in (left := [path]):
        new = [one for one in _imports(file, root) if one not in files]
        files |= dict.fromkeys(new)
        left += dict.fromkeys(new)
    return sorted(files.keys() - {path})


def _imports(file: Path, root: Path) -> Iterator[Path]:
    for level, name in _names(file.read_bytes()):
        parts = name.split(".")
        base = file.parents[min(level, len(file.parents)) - 1] if level else root
        for depth in range(1, len(parts) + 1):
            stem = base.joinpath(*parts[:depth])
            either = (one for one in (stem / "__init__.py", stem.with_name(f"{stem.name}.py")) if one.is_file())
            yield from (one.resolve() for one in either if not one.is_relative_to(_OURS))


def _nodes(content: bytes) -> list[ast.AST]:
    try:
        return list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError, RecursionError):
        return []


@lru_cache(maxsize=4096)
def _names(content: bytes) -> tuple[tuple[int, str], ...]:
    """Return how far up each import begins, as of ``ast.ImportFrom``, and what may be the dotted name of a module."""
    nodes = _nodes(content)
    plain = [(0, one.name) for node in nodes if isinstance(node, ast.Import) for one in node.names]
    parts = [(n, one) for n in nodes if isinstance(n, ast.ImportFrom) for one in n.names]
    return (*plain, *((n.level, f"{n.module}.{one.name}" if n.module else one.name) for n, one in parts))
