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

from synnodtest.canonical import plain, sha256_of
from synnodtest.decoding import decode
from synnodtest.errors import StoreError
from synnodtest.report.figures.canvas import rcparams
from synnodtest.report.model import Figure
from synnodtest.store import Store

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
        key = sha256_of(["figure", _made_by(), name, plain(args), plain(options)])
        data = store.get(KIND, key)
        if data is not None:
            return cast("R", _decoded(json.loads(data)))
        figure = in_look(*args, **options)
        with suppress(StoreError):  # a store that cannot be written only costs the drawing
            store.put(KIND, key, json.dumps(plain(figure)).encode())
        return figure

    return kept


@cache
def _made_by() -> str:
    """Return the sha256 of the code and the version of matplotlib that draw and keep."""
    package = Path(__file__).parents[2]
    sources = [*(package / "report").rglob("*.py"), *(package / "report").rglob("*.mplstyle")]
    sources += [*(package / "statistics").glob("*.py"), *(package / "record/model").glob("*.py")]
    sources += [package / "record/words.py", package / "decoding.py"]
    return sha256_of([version("matplotlib"), *(sha256_of(path.read_bytes()) for path in sorted(sources))])


def _decoded(raw: Any) -> Figure | list[Figure] | None:
    if isinstance(raw, list):
        return [decode(Figure, one) for one in raw]
    return None if raw is None else decode(Figure, raw)
