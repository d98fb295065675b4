"""The code that judges or plants for a spec and does not stand in it: functions that it names, others' checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.expectations.registry import find_check, find_claim
from synnodtest.factories import Loader, source_sha256
from synnodtest.spec.model import Behaviour, Spec
from synnodtest.synthesizers.registry import SYNTHESIZERS


def sources(spec: Spec, *, whole: bool = False) -> dict[str, str]:
    """Return the sha256 of the file of each function, check and claim that a spec uses and this package does not bring.

    A function is known by the file of its module and by that in which it is defined, with what both import from beside
    them. What cannot be loaded has an empty text: it is not known.

    Args:
        spec: The spec.
        whole: What cannot be loaded is an error.

    Raises:
        SynnodError: ``whole`` is asked for, and a function cannot be loaded; says why.
    """
    of_function = _of_function if whole else _if_there
    return dict(sorted(pair for behaviour in spec.behaviours for pair in _of_behaviour(behaviour, of_function)))


def _of_behaviour(behaviour: Behaviour, of_function: Callable[[str, str], str]) -> Iterator[tuple[str, str]]:
    for expectation in behaviour.expectations:
        if expectation.kind == "python":
            named = str(expectation.parameters["function"])
            yield named, of_function(named, "check")
        else:
            claim, kind = find_claim(expectation.kind), find_check(expectation.kind)
            judge = claim.margin if behaviour.fuzz is not None and claim is not None else kind.ruling if kind else None
            if judge is not None and not _is_own(judge):
                yield expectation.kind, source_sha256(judge)
    search_with = behaviour.fuzz.search_with if behaviour.fuzz is not None else None
    for text in filter(None, (*behaviour.synthesizers, search_with)):
        if ":" in text and SYNTHESIZERS.find(text.partition(":")[0]) is None:
            yield text, of_function(text, "synthesizer")


def _of_function(text: str, what: str) -> str:
    return Loader(text, what, SynnodError, Path.cwd()).source()


def _if_there(text: str, what: str) -> str:
    try:
        return _of_function(text, what)
    except SynnodError:
        return ""


def _is_own(judge: Any) -> bool:
    return str(getattr(judge, "__module__", "")).split(".")[0] == "synnodtest"
