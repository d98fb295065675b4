"""The declaration that expectations on one rate share: ruling, early stop, fewest backgrounds and power."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from synnodtest.evidence.ruling import Ruling, Side
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations.fewest import rate_backgrounds, sequential_rate
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import Selection
from synnodtest.expectations.power import rate_power
from synnodtest.expectations.rates import Units, by_diameter, hold_rate, intraclass, verb, where_phrase
from synnodtest.expectations.rule import Held, no_data, rule, selected
from synnodtest.expectations.sequential import EarlyStop
from synnodtest.expectations.worst import Judge

P = TypeVar("P", bound=Selection)


def of_sizes(parameters: Selection, evidence: Evidence) -> Mapping[str, object]:
    """Return the table of detected nodules by requested diameter."""
    return {"by requested diameter": by_diameter(selected(parameters, evidence), evidence)}


def rate_kind(
    name: str,
    about: str,
    parameters: type[P],
    *,
    bound: Callable[[P], tuple[float, Side]],
    units: Callable[[P, Evidence], list[tuple[Trial, bool]]],
    criterion: str,
    nothing: str,
    worst_case: Callable[[Judge[P]], Judge[P]] = lambda judge: judge,
    called: str = "",
    label: str = "",
    noun: str = "nodule",
    shown: Callable[[P, Evidence], list[Held]] = lambda p, evidence: [],
    details: Callable[[P, Evidence], Mapping[str, object]] = of_sizes,
    **further: Any,
) -> Kind[P]:
    """Return the kind.

    Args:
        name: Its name in specs.
        about: What it asks, in a sentence.
        parameters: Class of its parameters.
        bound: From the parameters to the bound and its side.
        units: Each unit's scene, and whether it is a success.
        criterion: What is asked for, in words, before the bound; ``{point:g}`` stands for the operating point.
        nothing: What there was none of, where no unit can be judged.
        worst_case: How excluded scenes are counted against the detector.
        called: Name of the estimate; by default the kind's.
        label: What a reader calls the estimate; by default its name.
        noun: What a unit is called.
        shown: Estimates beside it on which nothing is decided.
        details: Tables by title.
        further: Other fields of :class:`Kind`.
    """
    called = called or name

    @worst_case
    def ruling(parameters: P, evidence: Evidence) -> Ruling:
        limit, side = bound(parameters)
        asked = criterion.format(point=evidence.operating_point)
        asked = f"{asked} {verb(side)} {limit:g}{where_phrase(parameters)}"
        judged: Units = units(parameters, evidence)
        if not judged:
            return no_data(asked, nothing, evidence)
        rate = hold_rate(called, label or called, judged, evidence, limit, side)
        return rule(
            [rate, *shown(parameters, evidence)],
            evidence,
            asked,
            [trial for trial, _ in judged],
            noun=noun,
            intraclass=intraclass(judged),
            figure={"kind": "rate"},
            details=details(parameters, evidence),
        )

    return Kind(
        name=name,
        about=about,
        parameters=parameters,
        ruling=ruling,
        early_stop=EarlyStop(
            bound=bound, units=units, label=lambda p: called, soonest=lambda p, alpha: sequential_rate(*bound(p), alpha)
        ),
        fewest=lambda p, alpha, per_background: rate_backgrounds(*bound(p), alpha, per_background),
        power=rate_power(bound),
        **further,
    )
