"""Parameters that kinds of expectation have in common, as classes that theirs derive from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Selection:
    """Nodules and scenes that an expectation judges; the parameters of every kind begin with these.

    Args:
        where: Conditions by name.
        of: Name of a nodule.
        arm: Name of an arm.
        reference: Name of the arm that ``arm`` is compared with.
        strata: Groups that are compared, where the kind has any: each has a ``label`` and conditions, ``where``.
        matching: How findings are assigned to nodules.
    """

    where: Mapping[str, object] | None = None
    of: str | None = None
    arm: str | None = None
    reference: str | None = None
    strata: Sequence[Any] = ()
    matching: Mapping[str, object] | None = None
