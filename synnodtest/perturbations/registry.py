"""Kinds of perturbation by name."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from synnodtest.perturbations import kinds as own_kinds
from synnodtest.perturbations.kind import PerturbationKind

__all__ = ["perturbation_kinds"]


@cache
def perturbation_kinds() -> Mapping[str, PerturbationKind]:
    """Return all kinds by name."""
    modules = (import_module(f"{own_kinds.__name__}.{m.name}") for m in pkgutil.iter_modules(own_kinds.__path__))
    return {kind.name: kind for kind in (module.KIND for module in modules)}
