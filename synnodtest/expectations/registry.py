"""Kinds of expectation by name, those of installed packages too; rulings of checks of others, sequential judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from importlib.metadata import EntryPoint
from typing import Any

from synnodtest.counted import counted
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.evidence.arm import OWN, Arm
from synnodtest.evidence.ruling import Component, Ruling, Status, decide
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations import claims as own_claims
from synnodtest.expectations import kinds as own_kinds
from synnodtest.expectations.claim import ClaimKind
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.rule import sizes
from synnodtest.expectations.sequential import sequential_ruling
from synnodtest.registry import Registry

GROUP = "synnodtest.checks"
"""Entry points of other packages: a :class:`Kind`, or a function of (parameters, evidence)."""
CLAIM_GROUP = "synnodtest.claims"
"""Entry points of other packages: a :class:`ClaimKind`."""

Judge = Callable[[Mapping[str, object], Evidence], Ruling]


def check(name: str, *, arms: Iterable[str] = (OWN,)) -> Callable[[Judge], Judge]:
    """Register the decorated function as the judge of an expectation of that name, whatever parameters it has.

    Args:
        name: Name of the expectation in specs.
        arms: Arms whose trials it wants.
    """

    def register(judge: Judge) -> Judge:
        _KINDS.register(name, anew=True)(_of_function(name, judge, arms))
        return judge

    return register


def kinds() -> Mapping[str, Kind[Any]]:
    """Return all kinds by name: the built-in ones first, then those of installed packages.

    Raises:
        SynnodError: an installed package's kind cannot be loaded, or takes the name of another.
    """
    return _KINDS.all()


def forget() -> None:
    """Look for kinds anew the next time they are asked for."""
    _KINDS.forget()


def find_check(name: str) -> Kind[Any] | None:
    """Return the kind of that name, or None."""
    return kinds().get(name)


def known_checks() -> tuple[str, ...]:
    """Return the names of the expectations that can be judged."""
    return tuple(sorted(kinds()))


def claims() -> Mapping[str, ClaimKind[Any]]:
    """Return all claims of searches by name: the built-in ones first, then those of installed packages.

    Raises:
        SynnodError: an installed package's claim cannot be loaded, or takes the name of another.
    """
    return _CLAIMS.all()


def find_claim(name: str) -> ClaimKind[Any] | None:
    """Return the claim of that name, or None."""
    return claims().get(name)


def _accept_kind(entry: EntryPoint, made: object) -> Kind[Any]:
    if isinstance(made, Kind):
        if made.name != entry.name:
            raise SynnodError(f"the entry point {entry.name!r} of {entry.value} is a check called {made.name!r}")
        return replace(made, ruling=_checked(made.ruling, made.name))
    if not callable(made):
        raise SynnodError(
            f"the check {entry.name!r} of {entry.value} is a {type(made).__name__}",
            hint="point it at a synnodtest.checks.Kind, or at a function of (parameters, evidence)",
        )
    return _of_function(entry.name, made, getattr(made, "arms", (OWN,)))


def _of_function(name: str, judge: Judge, arms: Iterable[str]) -> Kind[Any]:
    """Return the kind of a bare function: any parameters, no forecast."""
    about = (judge.__doc__ or f"A check of your own: {name}.").strip().splitlines()[0]
    needed = tuple(map(Arm, arms))
    return Kind(name, about, None, _checked(judge, name), arms=lambda p: needed, needs_nodules=False)


def _checked(judge: Judge, name: str) -> Judge:
    """Return the judge of somebody else, whose passes must be borne out by their own numbers."""

    @wraps(judge)
    def ruling(parameters: Any, evidence: Evidence) -> Ruling:
        return taken(judge(parameters, evidence), name, evidence)

    return ruling


def _accept_claim(entry: EntryPoint, made: object) -> ClaimKind[Any]:
    if not isinstance(made, ClaimKind) or made.name != entry.name:
        raise SynnodError(f"{entry.value} is no ClaimKind of the name {entry.name!r}")
    return made


_KINDS: Registry[Kind[Any]] = Registry(
    "check", group=GROUP, folder=own_kinds, name=lambda kind: kind.name, accept=_accept_kind
)
_CLAIMS: Registry[ClaimKind[Any]] = Registry(
    "claim", group=CLAIM_GROUP, folder=own_claims, constant="CLAIM", name=lambda claim: claim.name, accept=_accept_claim
)


def sequential_judge(name: str, parameters: Mapping[str, object]) -> Callable[[Mapping[str, object], Evidence], Ruling]:
    """Return the judge of an expectation in a sequential run.

    Raises:
        SynnodError: it cannot stop early, or its bound leaves nothing to show.
    """
    kind = find_check(name)
    stop = None if kind is None else kind.early_stop
    if kind is None or stop is None or not kind.can_stop(parameters):
        what = name if stop is None else f"{name} of {parameters.get('metric')}"
        able = sorted(other.name for other in kinds().values() if other.early_stop is not None)
        raise SynnodError(
            f"'sampling: sequential' is for rates and paired rates, not for {what!r}",
            hint=f"it can stop {', '.join(able)}; give {what!r} a behaviour of its own with fixed n",
        )
    stop.check(name, kind.read(parameters))
    return lambda given, evidence: sequential_ruling(stop, kind.read(given), evidence)


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
