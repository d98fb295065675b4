"""Kinds of expectation by name, those of installed packages too; rulings of checks of others, sequential judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from importlib.metadata import EntryPoint
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.evidence.arm import OWN, Arm
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations import claims as own_claims
from synnodtest.expectations import kinds as own_kinds
from synnodtest.expectations.claim import ClaimKind
from synnodtest.expectations.foreign import narrowed, selection_of, shown_to, taken
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import Selection
from synnodtest.expectations.rule import no_data
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


def kind_of(name: str) -> Kind[Any]:
    """Return the kind of that name; of a name that nothing judges here, one that asks for nothing special."""
    return find_check(name) or Kind(name, "", None, lambda p, evidence: no_data(f"{name} holds", "scene", evidence))


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
        return replace(made, ruling=_checked(made.ruling, made.name, distractors=made.judges_distractors))
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
    return Kind(name, about, None, _narrowing(judge, name), arms=lambda p: needed, needs_nodules=False)


def _checked(judge: Judge, name: str, *, distractors: bool = False) -> Judge:
    """Return the judge of somebody else, whose passes must be borne out by their own numbers."""

    @wraps(judge)
    def ruling(parameters: Any, evidence: Evidence) -> Ruling:
        chosen, shown = selection_of(parameters), shown_to(evidence)
        judged = Selection(arm=chosen.arm, reference=chosen.reference) if distractors else chosen
        answer = judge(parameters, shown)
        return taken(answer, name, narrowed(judged, evidence), () if chosen.reference else shown.unheard)

    return ruling


def _narrowing(judge: Judge, name: str) -> Judge:
    """Return the judge of a bare function, which is shown what ``arm``, ``of`` and ``where`` select and no more."""

    @wraps(judge)
    def ruling(parameters: Mapping[str, object], evidence: Evidence) -> Ruling:
        judged = narrowed(selection_of(parameters), evidence)
        if evidence.own() and not judged.own():
            return no_data(f"{name} holds", "scene", judged)
        return _checked(judge, name)(parameters, judged)

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
    kind = kind_of(name)
    stop = kind.early_stop
    if stop is None or not kind.can_stop(parameters):
        what = name if stop is None else f"{name} of {parameters.get('metric')}"
        able = sorted(other.name for other in kinds().values() if other.early_stop is not None)
        raise SynnodError(
            f"'sampling: sequential' is for rates and paired rates, not for {what!r}",
            hint=f"it can stop {', '.join(able)}; give {what!r} a behaviour of its own with fixed n",
        )
    stop.check(name, kind.read(parameters))
    return lambda given, evidence: sequential_ruling(stop, kind.read(given), evidence)
