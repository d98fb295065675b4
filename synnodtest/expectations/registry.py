"""Checks by the name of their expectation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.evidence.arm import OWN
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence

__all__ = ["OWN", "Check", "check", "find_check", "known_checks"]

Judge = Callable[[Mapping[str, Any], Evidence], Ruling]
Needs = Callable[[Mapping[str, Any]], tuple[str, ...]]


@dataclass(frozen=True)
class Check:
    """The function that judges one kind of expectation, and the arms it needs.

    Args:
        kind: Name of the expectation in specs.
        judge: Called with the expectation's parameters and its evidence.
        arms: Arms whose trials it wants: ``own`` and those of :mod:`synnodtest.planning.recipe` that start with ``@``.
        needs: Where that hangs on the expectation's parameters: the arms for these parameters.
    """

    kind: str
    judge: Judge
    arms: frozenset[str]
    needs: Needs | None = None

    def arms_for(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the arms that an expectation with these parameters wants, the behaviour's own first."""
        wanted = self.arms if self.needs is None else frozenset(self.needs(parameters))
        return tuple(sorted(wanted, key=lambda arm: (arm != OWN, arm)))


_CHECKS: dict[str, Check] = {}


def check(kind: str, *, arms: tuple[str, ...] = (OWN,), needs: Needs | None = None) -> Callable[[Judge], Judge]:
    """Register the decorated function as the check of an expectation; see :class:`Check`."""

    def register(judge: Judge) -> Judge:
        _CHECKS[kind] = Check(kind, judge, frozenset(arms), needs)
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
