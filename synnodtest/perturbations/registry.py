"""Kinds of perturbation by name."""

from __future__ import annotations

from collections.abc import Mapping

from synnodtest.perturbations import kinds
from synnodtest.perturbations.kind import PerturbationKind
from synnodtest.registry import Registry

_KINDS: Registry[PerturbationKind] = Registry("perturbation", folder=kinds, name=lambda kind: kind.name)


def perturbation_kinds() -> Mapping[str, PerturbationKind]:
    """Return all kinds by name."""
    return _KINDS.all()
