"""Checks by the name of their expectation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from synnodtest.checks.ruling import Ruling
from synnodtest.errors import SynnodError
from synnodtest.planning.trial import Evidence

__all__ = ["OWN", "Check", "check", "find_check", "known_checks"]

Judge = Callable[[Mapping[str, Any], Evidence], Ruling]

OWN = "own"
"""Stands for the arms of the behaviour itself."""


@dataclass(frozen=True)
class Check:
    """The function that judges one kind of expectation, and the arms it needs.

    Args:
        kind: Name of the expectation in specs.
        judge: Called with the expectation's parameters and its evidence.
        arms: Arms whose trials it wants: ``own`` and those of :mod:`synnodtest.planning.recipe` that start with ``@``.
    """

    kind: str
    judge: Judge
    arms: frozenset[str]


_CHECKS: dict[str, Check] = {}


def check(kind: str, *, arms: tuple[str, ...] = (OWN,)) -> Callable[[Judge], Judge]:
    """Register the decorated function as the check of an expectation."""

    def register(judge: Judge) -> Judge:
        _CHECKS[kind] = Check(kind, judge, frozenset(arms))
        return judge

    return register


def find_check(kind: str) -> Check | None:
    """Return the check of an expectation: built in, else of an entry point ``synnodtest.checks``, else None."""
    if kind not in _CHECKS:
        for entry in entry_points(group="synnodtest.checks", name=kind):
            try:
                judge = entry.load()
            except Exception as error:
                raise SynnodError(f"the check {kind!r} of {entry.value} cannot be loaded: {error}") from error
            _CHECKS[kind] = Check(kind, judge, getattr(judge, "arms", frozenset({OWN})))
    return _CHECKS.get(kind)


def known_checks() -> tuple[str, ...]:
    """Return the names of the expectations that can be judged."""
    return tuple(sorted({*_CHECKS, *(e.name for e in entry_points(group="synnodtest.checks"))}))
