"""Kinds of mimic by name."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from synnodtest.errors import SynthesizerError
from synnodtest.mimics import kinds as own_kinds
from synnodtest.mimics.kind import MimicKind

__all__ = ["mimic_kind", "mimic_kinds"]


@cache
def mimic_kinds() -> Mapping[str, MimicKind]:
    """Return all kinds by name."""
    modules = (import_module(f"{own_kinds.__name__}.{m.name}") for m in pkgutil.iter_modules(own_kinds.__path__))
    return {kind.name: kind for kind in (module.KIND for module in modules)}


def mimic_kind(name: str) -> MimicKind:
    """Return the kind of that name.

    Raises:
        SynthesizerError: there is none.
    """
    known = mimic_kinds()
    if name not in known:
        raise SynthesizerError(f"mimic {name!r} is not known", hint=f"known are {', '.join(known)}")
    return known[name]
