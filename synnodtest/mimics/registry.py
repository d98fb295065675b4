"""Kinds of mimic by name."""

from __future__ import annotations

from collections.abc import Mapping

from synnodtest.errors import SynthesizerError
from synnodtest.mimics import kinds
from synnodtest.mimics.kind import MimicKind
from synnodtest.registry import Registry

_KINDS: Registry[MimicKind] = Registry("mimic", folder=kinds, name=lambda kind: kind.name)


def mimic_kinds() -> Mapping[str, MimicKind]:
    """Return all kinds by name."""
    return _KINDS.all()


def mimic_kind(name: str) -> MimicKind:
    """Return the kind of that name.

    Raises:
        SynthesizerError: there is none.
    """
    known = mimic_kinds()
    if name not in known:
        raise SynthesizerError(f"mimic {name!r} is not known", hint=f"known are {', '.join(known)}")
    return known[name]
