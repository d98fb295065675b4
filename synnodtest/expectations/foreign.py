"""Somebody else's check: the evidence that it is shown, and what is taken of its answer."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_args

import numpy as np

from synnodtest.canonical import plain
from synnodtest.counted import counted
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.evidence.arm import UNTOUCHED_ARM, Arm
from synnodtest.evidence.conditions import holds
from synnodtest.evidence.ruling import Component, Role, Ruling, Side, Status, decide
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, nodules_of, value_of
from synnodtest.expectations.language import Selection, fields_given
from synnodtest.expectations.rule import sizes
from synnodtest.expectations.worst import concerns


@dataclass(frozen=True)
class Shown(Evidence):
    """Evidence that notes which arms, nodules and quantities it was asked for and does not hold: all is true of none.

    Args:
        there: Arms and nodules of the whole evidence, each after its word; a check may ask a part of it, too.
        planted: Nodules of the whole evidence.
        unheard: What was asked for and is not there, in words.
    """

    there: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False)
    planted: tuple[tuple[Trial, NoduleTrial], ...] = field(default=(), compare=False)
    unheard: dict[str, None] = field(default_factory=dict, compare=False)

    def arm(self, *names: str) -> tuple[Trial, ...]:
        """Return the accepted trials of these arms."""
        self._hear("arm", names)
        return super().arm(*names)

    def own(self, arm: str | None = None) -> tuple[Trial, ...]:
        """Return the accepted trials of the behaviour's own arms, or of one of them."""
        self._hear("arm", [arm] if arm is not None else [])
        return super().own(arm)

    def untouched(
        self, arm: str | None = None, *, where: Mapping[str, object] | None = None, strict: bool = False
    ) -> tuple[Trial, ...]:
        """Return the untouched backgrounds, under the perturbations of an arm where it has any."""
        any_there = any(what == "arm" and Arm(name).is_from(UNTOUCHED_ARM) for what, name in self.there)
        self._hear("arm", [] if any_there else [UNTOUCHED_ARM])
        return Evidence(self.trials).untouched(arm, where=where, strict=strict)

    def nodules(
        self, arm: str | None = None, *, of: str | None = None, where: Mapping[str, object] | None = None
    ) -> list[tuple[Trial, NoduleTrial]]:
        """Return ``(trial, nodule)`` pairs of an arm; all nodules, or those named ``of``; filtered by ``where``."""
        self._hear("nodule", [of] if of is not None else [])
        unknown = [name for name in where or {} if all(value_of(name, *pair) is None for pair in self.planted)]
        self._hear("quantity", unknown)
        return super().nodules(arm, of=of, where=where)

    def _hear(self, what: str, names: Iterable[str]) -> None:
        self.unheard.update({f"{what} {str(name)!r}": None for name in names if (what, name) not in self.there})


def shown_to(evidence: Evidence) -> Shown:
    """Return evidence whose mappings are its own: what a check writes into them reaches no other expectation."""
    given = {one.name: getattr(evidence, one.name) for one in fields(Evidence)}
    planted = tuple((trial, nodule) for trial in evidence.trials for nodule in trial.nodules)
    there = {("arm", trial.arm) for trial in evidence.trials} | {("nodule", nodule.name) for _, nodule in planted}
    own = {name: tuple(map(_apart, given[name])) for name in ("trials", "rejected")}
    return Shown(**given | own, there=frozenset(there), planted=planted)


def _apart(trial: Trial) -> Trial:
    nodules, mimics = (tuple(map(_with_own_request, some)) for some in (trial.nodules, trial.mimics))
    return replace(trial, strata=dict(trial.strata), levels=dict(trial.levels), nodules=nodules, mimics=mimics)


def _with_own_request(nodule: NoduleTrial) -> NoduleTrial:
    requested = copy.deepcopy(dict(nodule.requested))
    return replace(nodule, requested=requested, truth=replace(nodule.truth, requested=requested))


def selection_of(parameters: object) -> Selection:
    """Return what the parameters of somebody else's check select, a plain mapping's too."""
    if isinstance(parameters, Selection):
        return parameters
    return Selection(**fields_given(Selection, parameters)) if isinstance(parameters, Mapping) else Selection()


def narrowed(chosen: Selection, evidence: Evidence) -> Evidence:
    """Return the evidence that ``arm`` (and ``reference``), ``of`` and ``where`` select.

    Of the behaviour's own scenes those with nodules to judge are left, and these nodules; of those that plant none,
    those whose film and arm are as ``where`` asks. What expectations plan from them stays as it is.
    """
    arms, of, where = {chosen.arm, chosen.reference} - {None}, chosen.of, chosen.where
    own = [trial for trial in evidence.own() if not arms or trial.arm in arms]
    selected = []
    for trial in own:
        nodules = tuple(nodule for _, nodule in nodules_of([trial], of, where))
        if nodules or (not (trial.nodules or of) and _scene_holds(trial, where or {})):
            selected.append(replace(trial, nodules=nodules))
    untouched = evidence.untouched(None if chosen.reference else chosen.arm, where=where)
    others = [t for t in evidence.trials if not (t.arm.is_own or t.arm.is_from(UNTOUCHED_ARM))]
    excluded = tuple(t for t in evidence.rejected if concerns(chosen, t))
    return replace(evidence, trials=(*selected, *untouched, *others), rejected=excluded)


def _scene_holds(trial: Trial, where: Mapping[str, object]) -> bool:
    known = {**trial.strata, "arm": trial.arm}
    return all(holds(known.get(name), condition) for name, condition in where.items())


def taken(answer: object, check: str, evidence: Evidence, unheard: Iterable[str] = ()) -> Ruling:
    """Return the ruling of somebody else's check.

    A pass on a single cluster, on few of its scenes, or of arms or nodules that are not there, is INCONCLUSIVE.

    Args:
        answer: What it returned.
        check: Its name.
        evidence: What of the evidence it judged.
        unheard: What it asked for and is not there.

    Raises:
        InvalidEvidence: it is INVALID: that is no verdict, which a waiver could cover.
        SynnodError: it is no ruling, its status is none, a field is nothing that a record could hold, its sentence
            begins with another status, or it says PASSED where one of its own estimates does not.
    """
    if not isinstance(answer, Ruling) or answer.status not in list(Status):
        raise SynnodError(
            f"check {check!r} returned {answer.status if isinstance(answer, Ruling) else type(answer).__name__}",
            hint=f"return a Ruling with one of {', '.join(Status)}",
        )
    if faults := [*unlike(answer)]:
        raise SynnodError(f"check {check!r} returned a Ruling that no record can hold: {'; '.join(faults)}")
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
    absent = " and ".join(unheard)
    why = f"it asked for the {absent}, of which no scene was judged" if absent else _alone(evidence)
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
    return (
        part.lower <= part.upper
        and part.status == Status.PASSED == decide(part.lower, part.upper, part.bound, part.side) == by_value
    )


_LARGEST_COUNT = 2**53
"""Whole numbers below it are what they are in every reader of JSON."""
_MOST_DIGITS = 300
"""Of a whole number, as in a record that is read; set by hand below those of the largest float."""
_MOST_SHOWN = 60
"""Characters of a value in a message; set by hand for one line."""


def unlike(ruling: Ruling) -> Iterator[str]:
    """Yield in words which fields are not what they have to be, those of its components too."""
    parts = ruling.components if _are(Component, ruling.components) else ()
    owners: list[tuple[Ruling | Component, str]] = [(ruling, ""), *((part, "a component's ") for part in parts)]
    for owner, of in owners:
        for one in fields(owner):
            value, (wanted, fits) = getattr(owner, one.name), _FORMS[str(one.type)]
            if not fits(value):
                yield f"{of}{one.name} is {_told(value)}, not {wanted}"


def _told(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # a repr of somebody else's, or a number of too many digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _are(kind: type, values: object) -> bool:
    return isinstance(values, (tuple, list)) and all(isinstance(value, kind) for value in values)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return False
    return isinstance(value, (float, np.generic)) or bool(abs(value) < 10**_MOST_DIGITS)


def _is_count(value: Any) -> bool:
    return _is_number(value) and bool(0 <= value < _LARGEST_COUNT and value == int(value))


def _is_table(value: object) -> bool:
    """Return whether something is a mapping that a record can hold, and read again."""
    try:
        json.loads(json.dumps(plain(value)), parse_int=_whole)
    except (TypeError, ValueError, RecursionError):
        return False
    return isinstance(value, Mapping)


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("no number that a drawing or a mean could hold")
    return int(digits)


def _one_of(words: tuple[str, ...]) -> tuple[str, Callable[[Any], bool]]:
    return f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words


_FORMS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "str": ("a text", lambda value: isinstance(value, str)),
    "int": ("a whole number of at least 0", _is_count),
    "float": ("a number, or NaN where there is none", _is_number),
    "Status": _one_of(tuple(Status)),
    "Side": _one_of(get_args(Side)),
    "Role": _one_of(get_args(Role)),
    "tuple[str, ...]": ("a tuple of texts", lambda value: _are(str, value)),
    "tuple[Component, ...]": ("a tuple of Components", lambda value: _are(Component, value)),
    "Mapping[str, object]": ("a mapping of plain JSON values", _is_table),
}
