"""Drawings are kept in the store under the data they show: what did not change is not drawn again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache, wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from markupsafe import Markup

from synnodtest.canonical import plain, sha256_of
from synnodtest.errors import StoreError
from synnodtest.report.figures.canvas import rcparams
from synnodtest.report.model import Cell, Figure, Table
from synnodtest.store import Store

FORMAT = 1
"""Version of how drawings are kept: raised when that changes, so that those kept before do not count."""
KIND = "figures"
_STORE: ContextVar[Store | None] = ContextVar("store of drawings", default=None)
P = ParamSpec("P")
R = TypeVar("R", bound=Figure | list[Figure] | None)


@contextmanager
def kept_in(store: Store | None) -> Iterator[None]:
    """Take drawings from a store within the block, and keep new ones there; None draws everything."""
    token = _STORE.set(store)
    try:
        yield
    finally:
        _STORE.reset(token)


def drawn(draw: Callable[P, R]) -> Callable[P, R]:
    """Let a function, whose figures follow from its arguments alone, draw each once per store, in the report's look."""
    in_look = rcparams()(draw)

    @wraps(draw)
    def kept(*args: P.args, **options: P.kwargs) -> R:
        store = _STORE.get()
        if store is None:
            return in_look(*args, **options)
        name = f"{draw.__module__}.{draw.__qualname__}"
        key = sha256_of(["figure", FORMAT, _made_by(), name, plain(args), plain(options)])
        data = store.get(KIND, key)
        if data is not None:
            return cast("R", _decoded(json.loads(data)))
        figure = in_look(*args, **options)
        with suppress(StoreError):  # a store that cannot be written only costs the drawing
            store.put(KIND, key, json.dumps(_encoded(figure)).encode())
        return figure

    return kept


@cache
def _made_by() -> str:
    """Return the sha256 of the code and the version of matplotlib that draw."""
    package = Path(__file__).parents[2]
    sources = [*(package / "report").rglob("*.py"), *(package / "report").rglob("*.mplstyle")]
    sources += [*(package / "statistics").glob("*.py"), *(package / "record/model").glob("*.py")]
    sources += [package / "record/words.py", package / "decoding.py"]
    return sha256_of([version("matplotlib"), *(sha256_of(path.read_bytes()) for path in sorted(sources))])


def _encoded(made: Figure | list[Figure] | None) -> Any:
    if isinstance(made, list):
        return [_encoded(one) for one in made]
    if made is None:
        return None
    twin = made.twin
    table = None if twin is None else {**plain(twin), "rows": [[_cell(c) for c in row] for row in twin.rows]}
    return {**vars(made), "svg": None if made.svg is None else str(made.svg), "twin": table}


def _cell(cell: Cell | str) -> Any:
    return (
        vars(cell) | {"markup": None if cell.markup is None else str(cell.markup)} if isinstance(cell, Cell) else cell
    )


def _decoded(raw: Any) -> Figure | list[Figure] | None:
    if isinstance(raw, list):
        return [one for one in map(_decoded, raw) if isinstance(one, Figure)]
    if raw is None:
        return None
    twin = raw["twin"]
    if twin is not None:
        rows = [[_told(cell) for cell in row] for row in twin["rows"]]
        twin = Table(**{**twin, "rows": rows, "numeric": frozenset(twin["numeric"])})
    return Figure(**{**raw, "svg": _markup(raw["svg"]), "twin": twin})


def _told(cell: Any) -> Cell | str:
    return Cell(**{**cell, "markup": _markup(cell["markup"])}) if isinstance(cell, dict) else str(cell)


def _markup(text: str | None) -> Markup | None:
    return None if text is None else Markup(text)
