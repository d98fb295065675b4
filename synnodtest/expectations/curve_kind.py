"""The declaration that expectations on a curve over all thresholds share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from synnodtest.evidence.arm import OWN, UNTOUCHED_ARM
from synnodtest.evidence.ruling import Ruling
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.fewest import curve_backgrounds
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import CURVE
from synnodtest.expectations.parameters import Selection


class Bounded(Protocol):
    """Parameters with a bound to exceed."""

    @property
    def at_least(self) -> float:
        """The bound."""


P = TypeVar("P", bound=Selection)


def curve_kind(
    name: str,
    about: str,
    parameters: type[P],
    ruling: Callable[[P, Evidence], Ruling],
    *,
    title: str,
    **further: Any,
) -> Kind[P]:
    """Return the kind: it needs all scores of a behaviour's own images and of untouched ones.

    Args:
        name: Its name in specs.
        about: What it asks, in a sentence.
        parameters: Class of its parameters.
        ruling: Its judge.
        title: Its name in the report.
        further: Other fields of :class:`Kind`.
    """
    return Kind(
        name=name,
        about=about,
        parameters=parameters,
        ruling=ruling,
        title=title,
        common=CURVE,
        rules={"required": ["at_least"]},
        arms=lambda p: (OWN, UNTOUCHED_ARM),
        threshold_free=lambda p: True,
        fewest=lambda p, alpha, per_background: curve_backgrounds(float(cast(Bounded, p).at_least), alpha),
        all_scores=True,
        curve=True,
        **further,
    )
