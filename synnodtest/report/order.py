"""The order of the report's sections, from which their numbers come.

A section is a function of the context. The built-in ones stand in :data:`ORDER`; a module of ``report/sections`` that
defines ``SECTION`` adds one of its own behind another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pkgutil import resolve_name

from synnodtest.errors import SynnodError
from synnodtest.registry import Registry
from synnodtest.report import sections
from synnodtest.report.context import Context
from synnodtest.report.model import Section

Build = Callable[[Context], Section]

ORDER = (
    "verdict",
    "identification",
    "envelope",
    "protocol",
    "sample_size",
    "attrition",
    "scoring",
    "traceability",
    "results",
    "multiplicity",
    "subgroups",
    "curves",
    "fuzzing",
    "credibility",
    "gallery",
    "hazards",
    "anomalies",
    "deviations",
    "waivers",
    "limitations",
    "environment",
    "tool_validation",
    "comparison",
    "sign_off",
    "guide",
)
"""Keys of the sections: each is the name of its module and of the function in it."""
LETTERED = ("guide",)
"""Sections that have a letter in place of a number."""


@dataclass(frozen=True)
class Added:
    """A section that its module adds to the report.

    Args:
        key: Its name, by which others refer to it.
        after: Key of the section that it follows.
        build: Makes it.
    """

    key: str
    after: str
    build: Build


ADDED: Registry[Added] = Registry("section", folder=sections, constant="SECTION", name=lambda added: added.key)


@cache
def builders() -> Mapping[str, Build]:
    """Return the functions that make the sections, by key, in order.

    Raises:
        SynnodError: an added section has the key of another, or follows none that stands before it.
    """
    ordered = [(key, resolve_name(f"{sections.__name__}.{key}:{key}")) for key in ORDER]
    for added in ADDED.all().values():
        keys = [key for key, _ in ordered]
        if added.key in keys or added.after not in keys:
            wrong = "has the key of another" if added.key in keys else f"is to follow {added.after!r}, which is none"
            raise SynnodError(f"the section {added.key!r} of the report {wrong}", hint=f"keys are {', '.join(keys)}")
        ordered.insert(keys.index(added.after) + 1, (added.key, added.build))
    return dict(ordered)


@cache
def number_of(key: str) -> str:
    """Return the number of a section: its place in the order, or a letter."""
    if key in LETTERED:
        return chr(ord("A") + LETTERED.index(key))
    return str([name for name in builders() if name not in LETTERED].index(key))


def anchor_of(key: str) -> str:
    """Return the id of a section in the document."""
    return f"section-{number_of(key).lower()}"
