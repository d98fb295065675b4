"""The ruling on one expectation: status, estimates against bounds, and the sentence that says it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

Side = Literal["above", "below", "within"]
Role = Literal["decides", "gate", "shown"]


class Status(StrEnum):
    """Status of an expectation. Only PASSED is a pass."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"


@dataclass(frozen=True)
class Component:
    """One estimate held against one bound; an expectation has one or more, the first is the primary.

    Args:
        name: Machine name, such as ``sensitivity``.
        label: What a reader calls it.
        value: Point estimate; NaN if there is none.
        lower: One-sided lower bound at error rate alpha.
        upper: One-sided upper bound at error rate alpha.
        bound: The pre-specified bound (for ``within``: the margin, on either side of 0).
        side: Where the estimate must lie.
        status: PASSED, FAILED or INCONCLUSIVE.
        method: The estimator, in words.
        lower95: Lower end of the two-sided 95% interval, for display.
        upper95: Upper end of the two-sided 95% interval, for display.
        role: ``decides``, ``gate`` (a failed gate can only withhold a pass) or ``shown``.
        unit: ``rate``, ``difference``, ``per image``, ``correlation``, ``score`` or ``mm``.
    """

    name: str
    label: str
    value: float
    lower: float
    upper: float
    bound: float
    side: Side
    status: Status
    method: str
    lower95: float = math.nan
    upper95: float = math.nan
    role: Role = "decides"
    unit: str = "rate"


@dataclass(frozen=True)
class Ruling:
    """The ruling on one expectation; everything a report needs, as plain values.

    Args:
        status: PASSED, FAILED, INCONCLUSIVE or INVALID.
        sentence: The verdict in one sentence, for people.
        criterion: The pre-specified criterion in one sentence.
        components: Estimates against bounds.
        n_nodules: Nodules (or images, where images are counted) behind the primary estimate.
        n_backgrounds: Distinct backgrounds behind it.
        n_clusters: Statistical clusters (patients where known).
        alpha: One-sided error rate of each bound.
        icc: Intra-cluster correlation where clusters repeat, else NaN.
        p_value: One-sided p against the bound where the method has one, else NaN.
        notes: Cautions and sensitivity analyses, a sentence each.
        figure: Data of the figure (``kind`` says which), plain JSON values.
        details: Tables by title: list of rows, each a mapping of column to value.
    """

    status: Status
    sentence: str
    criterion: str
    components: tuple[Component, ...] = ()
    n_nodules: int = 0
    n_backgrounds: int = 0
    n_clusters: int = 0
    alpha: float = 0.05
    icc: float = math.nan
    p_value: float = math.nan
    notes: tuple[str, ...] = ()
    figure: Mapping[str, object] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)

    def held_open(self, why: str, *notes: str) -> Ruling:
        """Return the pass as INCONCLUSIVE, with the reason behind its sentence."""
        passed = self.sentence.removeprefix(f"{Status.PASSED} ")
        sentence = f"{Status.INCONCLUSIVE} {passed}; {why}"
        return replace(self, status=Status.INCONCLUSIVE, sentence=sentence, notes=(*self.notes, *notes))

    def withdrawn(self, why: str, *remedies: str) -> Ruling:
        """Return the pass as INCONCLUSIVE, with the reason in place of its sentence, which becomes a note."""
        notes = (f"Without this: {self.sentence}", *remedies, *self.notes)
        return replace(self, status=Status.INCONCLUSIVE, sentence=f"{Status.INCONCLUSIVE} {why}", notes=notes)


def decide(lower: float, upper: float, bound: float, side: Side) -> Status:
    """Rule on one interval against one bound.

    ``above``: PASSED if lower > bound, FAILED if upper < bound. ``below``: the mirror image. ``within``: PASSED if the
    interval lies inside ±bound, FAILED if wholly outside. Anything else, NaN included, is INCONCLUSIVE.
    """
    if math.isnan(lower) or math.isnan(upper):
        return Status.INCONCLUSIVE
    if side == "above":
        passed, failed = lower > bound, upper < bound
    elif side == "below":
        passed, failed = upper < bound, lower > bound
    else:
        passed, failed = -bound < lower and upper < bound, upper < -bound or lower > bound
    return Status.PASSED if passed else Status.FAILED if failed else Status.INCONCLUSIVE


def combine(components: tuple[Component, ...]) -> Status:
    """Rule on several components at once: all must pass; one that decides and fails, fails; a failed gate withholds."""
    deciding = [c for c in components if c.role == "decides"]
    if any(c.status is Status.FAILED for c in deciding):
        return Status.FAILED
    judged = [c for c in components if c.role != "shown"]
    if judged and all(c.status is Status.PASSED for c in judged):
        return Status.PASSED
    return Status.INCONCLUSIVE
