"""Rulings of checks that are not synnodtest's own: a pass must be borne out by its own numbers."""

from __future__ import annotations

from dataclasses import replace

from synnodtest.counted import counted
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.evidence.ruling import Component, Ruling, Status, decide
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.rule import sizes


def taken(answer: object, check: str, evidence: Evidence) -> Ruling:
    """Return the ruling of somebody else's check; a pass on a single cluster, or on few of its scenes, is INCONCLUSIVE.

    Raises:
        InvalidEvidence: it is INVALID: that is no verdict, which a waiver could cover.
        SynnodError: it is no ruling, its status is none, its sentence begins with another, or it says PASSED where one
            of its own estimates does not.
    """
    if not isinstance(answer, Ruling) or answer.status not in list(Status):
        raise SynnodError(
            f"check {check!r} returned {answer.status if isinstance(answer, Ruling) else type(answer).__name__}",
            hint=f"return a Ruling with one of {', '.join(Status)}",
        )
    ruling = replace(answer, status=Status(answer.status))
    first = ruling.sentence.partition(" ")[0]
    if first in set(Status) - {ruling.status}:
        raise SynnodError(f"check {check!r} says {ruling.status}, but its sentence begins with {first}")
    if ruling.status is Status.INVALID:
        raise InvalidEvidence(ruling.sentence)
    if ruling.status is not Status.PASSED:
        return ruling
    for part in ruling.components:
        if part.role != "shown" and not _bears_out(part):
            raise SynnodError(
                f"check {check!r} says PASSED, but its {part.label!r}, {part.value:g} ({part.lower:g} to "
                f"{part.upper:g}), is not {part.side} {part.bound:g} or not PASSED itself",
                hint="make it with synnodtest.checks.hold and rule; what does not decide has the role 'shown'",
            )
    why = _alone(evidence)
    return ruling.held_open(why) if why else ruling


def _alone(evidence: Evidence) -> str:
    """Return why no pass can rest on this evidence; nothing where it can."""
    own = evidence.own() or evidence.trials
    excluded = sum(trial.arm.is_own for trial in evidence.rejected)
    if excluded >= len(own):
        return f"{counted(excluded, 'scene was', 'scenes were')} excluded and {len(own)} judged"
    return "" if sizes(own)[1] > 1 else "a single background never decides"


def _bears_out(part: Component) -> bool:
    by_value = decide(part.value, part.value, part.bound, part.side)
    return part.status == Status.PASSED == decide(part.lower, part.upper, part.bound, part.side) == by_value
