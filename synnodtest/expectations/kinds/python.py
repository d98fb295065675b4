"""``python: package.module:function``: a user's own function judges the evidence.

The function is called as ``function(evidence, **with)`` and returns one of

- a truth value: True is PASSED, False is FAILED, None is INCONCLUSIVE;
- a pair ``(truth value, sentence)``, the sentence saying what was found;
- a :class:`~synnodtest.evidence.ruling.Ruling`, with estimates, bounds and figures of its own.

Its :class:`~synnodtest.evidence.trial.Evidence` holds what ``arm``, ``of``, ``where`` and ``by`` select, and the
untouched backgrounds in the arm ``@untouched``; what of it was excluded lies in its ``rejected``. A pass on fewer than
two backgrounds, or with no fewer scenes excluded than judged, is INCONCLUSIVE. Whatever the function raises is a fault
of the harness, never a verdict on the detector.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.errors import SynnodError
from synnodtest.evidence.arm import OWN, UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.foreign import narrowed, shown_to, taken
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import Selection, option
from synnodtest.expectations.rates import where_phrase
from synnodtest.expectations.rule import no_data, ruling_on, sizes
from synnodtest.expectations.sentences import counts_phrase
from synnodtest.factories import Loader, has_asserts

WANTED = "return True, False, None, a pair (truth value, sentence) or a Ruling"


_NAME: Mapping[str, object] = {"pattern": r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$", "x-expected": "package.module:function"}


@dataclass(frozen=True)
class Python(Selection):
    """Parameters of ``python``."""

    function: str = option("package.module:function.", {"type": "string", **_NAME}, "")
    with_: Mapping[str, object] | None = option(
        "Handed to the function as keyword arguments.", {"type": "object"}, key="with"
    )


def python(parameters: Python, evidence: Evidence) -> Ruling:
    """Whatever a user's function says of the selected evidence."""
    text = str(parameters.function)
    function = Loader(text, "check", SynnodError, Path.cwd()).find()
    criterion = f"{text} holds{where_phrase(parameters)}"
    selected = narrow(parameters, evidence)
    if not selected.own():
        return no_data(criterion, "scene", evidence)
    if sys.flags.optimize and has_asserts(function):
        reason = f"check {text!r} asserts, or what it imports does, and Python was told to leave out what is asserted"
        raise SynnodError(reason, hint="run without python -O and PYTHONOPTIMIZE")
    shown = shown_to(selected)
    try:
        answer = function(shown, **(parameters.with_ or {}))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit and pytest.skip, too
        raise SynnodError(f"check {text!r} raised {type(error).__name__}: {error}") from error
    return _ruling(answer, text, criterion, selected, shown.unheard)


def narrow(parameters: Python, evidence: Evidence) -> Evidence:
    """Return the evidence that ``arm``, ``of`` and ``where`` select: scenes with only their judged nodules."""
    selected = narrowed(parameters, evidence)
    return replace(
        selected, trials=tuple(replace(t, arm=UNTOUCHED_ARM) if not t.arm.is_own else t for t in selected.trials)
    )


def _ruling(answer: Any, text: str, criterion: str, evidence: Evidence, unheard: Iterable[str]) -> Ruling:
    if isinstance(answer, Ruling):
        return taken(answer, text, evidence, unheard)
    own = evidence.own()
    backgrounds, _ = sizes(own)
    verdict, sentence = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, "")
    if not (verdict is None or isinstance(verdict, (bool, np.bool_))) or not isinstance(sentence, str):
        raise SynnodError(f"check {text!r} returned {type(answer).__name__}", hint=WANTED)
    status = Status.INCONCLUSIVE if verdict is None else Status.PASSED if verdict else Status.FAILED
    words = sentence or {Status.PASSED: "holds", Status.FAILED: "does not hold"}.get(status, "is not settled")
    sentence = f"{status} {text}: {words}; {counts_phrase(len(own), backgrounds, 'scene')}"
    ruling = replace(ruling_on(own, evidence, status, sentence, criterion), figure={"kind": "rate"})
    return taken(ruling, text, evidence, unheard)


KIND = Kind(
    name="python",
    about="Your own check.",
    parameters=Python,
    ruling=python,
    rules={"type": ["string", "object"], "required": ["function"], **_NAME},
    arms=lambda p: (OWN, UNTOUCHED_ARM),
    needs_nodules=False,
    all_scores=True,
)
