"""Scenes of a behaviour, as far as a kind may complain of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Complaint(NamedTuple):
    """Something of a spec that cannot work.

    Args:
        parameter: Where it stands; a parameter that is not given stands for the whole expectation.
        message: What is wrong.
        hint: How to mend it.
    """

    parameter: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Asked:
    """Arms, quantities and levels that the scenes give.

    Args:
        has_scenes: False where only the parameters themselves are known.
        fixed: Quantities that the scenes give and that do not vary.
        sweeps: Number of levels of each swept quantity.
        left: Number of levels that ``where`` leaves of a quantity.
        strata: Number of groups; None where the expectation names none.
        varied: Quantities that the scenes give, whether they vary or not.
    """

    has_scenes: bool = True
    fixed: frozenset[str] = frozenset()
    sweeps: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    strata: int | None = None
    varied: frozenset[str] = frozenset()
