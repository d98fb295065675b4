"""Statements of the shipped specs and clauses of the shipped plan that a seeded fault violates: ``violations.yaml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import yaml

_READ: Any = yaml.safe_load((files("synnodtest.shell") / "violations.yaml").read_text(encoding="utf-8"))


def _statements(listed: Mapping[str, Any]) -> Iterator[str]:
    """Yield ``behaviour::expectation`` for all that is listed, groups first."""
    for behaviour, expectations in listed.items():
        if behaviour == "of":
            for group in expectations:
                yield from _statements(_READ["groups"][group])
        else:
            yield from (f"{behaviour}::{expectation}" for expectation in expectations.split())


VIOLATED: dict[str, tuple[str, ...]] = {fault: tuple(_statements(of)) for fault, of in _READ["violated"].items()}
"""Mutant -> statements it violates; either part may end in ``*``."""
BROKEN: dict[str, tuple[str, ...]] = {fault: tuple(clauses) for fault, clauses in _READ["broken"].items()}
"""Mutant -> clauses of the shipped change control plan that it breaks as a new version; the others break none."""


def violates(mutant: str, behaviour: str, expectation: str) -> bool:
    """Return whether a mutant violates the statement of an expectation."""
    return any(_fits(behaviour, p.split("::")[0]) and _fits(expectation, p.split("::")[1]) for p in VIOLATED[mutant])


def _fits(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def breaks(mutant: str, clause: str) -> bool:
    """Return whether a mutant, as a new version, violates a clause of the shipped plan."""
    return clause in BROKEN.get(mutant, ())


def breaks_something(mutant: str) -> bool:
    """Return whether a mutant, as a new version, violates any clause of the shipped plan."""
    return mutant in BROKEN
