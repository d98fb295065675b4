"""From an estimator held against a bound to the ruling, and what judges need of the evidence beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from synnodtest.evidence.ruling import Component, Role, Ruling, Side, Status, combine, decide
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial, predicate, value_of
from synnodtest.expectations.language import Selection
from synnodtest.expectations.sentences import counts_phrase, sentence_for
from synnodtest.statistics import Estimate
from synnodtest.statistics.estimate import agreeing_bounds, halved

Estimator = Callable[[float], Estimate]
"""From the one-sided error rate to the estimate, so that the 95% interval can be shown beside the decision."""

_LEAST_P = 1e-8
"""Smallest p value that is told; smaller ones would rest on tails that bootstraps and approximations do not know."""
_HALVINGS = 12
"""Halvings on the scale of logarithms: a p value to within 0.5%, erring upwards; each takes an estimate anew."""


def no_narrower(drawn: Estimate, exact: Estimate) -> Estimate:
    """Return an estimate whose bounds reach at least as far as those of an exact one."""
    lower, upper = min(drawn.lower, exact.lower), max(drawn.upper, exact.upper)
    return replace(drawn, lower=lower, upper=upper, method=f"{drawn.method}, no narrower than {exact.method}")


def with_unseen(estimate: Estimate, units: float, low: float, high: float) -> Estimate:
    """Return an estimate whose bounds allow for a share of so many units that was not seen, at ``low`` or ``high``."""
    lower, upper = agreeing_bounds(estimate.value, units, estimate.alpha, low, high)
    return replace(estimate, lower=min(estimate.lower, lower), upper=max(estimate.upper, upper))


@dataclass(frozen=True)
class Held:
    """An estimator held against a bound.

    Args:
        part: What the ruling says of it.
        estimate: The estimate at the expectation's error rate.
        estimator: Makes it for any error rate.
    """

    part: Component
    estimate: Estimate
    estimator: Estimator

    @property
    def p_value(self) -> float:
        """One-sided p against the bound, on the failing side; NaN where nothing can be decided."""
        if not self.estimate.usable:
            return math.nan
        return alarm_p(self.estimator, self.part.bound, self.part.side)


def hold(
    name: str,
    label: str,
    estimator: Estimator,
    alpha: float,
    bound: float,
    side: Side,
    *,
    role: Role = "decides",
    unit: str = "rate",
) -> Held:
    """Hold an estimator's bounds at error rate ``alpha`` against ``bound``.

    An estimate on which no decision may rest (one cluster, too little data) is INCONCLUSIVE whatever its bounds.
    """
    estimate, wide = estimator(alpha), estimator(0.025)
    status = decide(estimate.lower, estimate.upper, bound, side) if estimate.usable else Status.INCONCLUSIVE
    part = Component(
        name=name,
        label=label,
        value=estimate.value,
        lower=estimate.lower,
        upper=estimate.upper,
        bound=bound,
        side=side,
        status=status,
        method=estimate.method,
        lower95=wide.lower,
        upper95=wide.upper,
        role=role,
        unit=unit,
    )
    return Held(part, estimate, estimator)


def alarm_p(estimator: Estimator, bound: float, side: Side) -> float:
    """Return the smallest error rate at which the interval lies wholly on the wrong side of the bound.

    It is searched between 1e-8 and 0.5 and rounded up by less than half a percent; 1 where 0.5 would not do.
    """

    def fails(alpha: float) -> bool:
        estimate = estimator(alpha)
        return estimate.usable and decide(estimate.lower, estimate.upper, bound, side) is Status.FAILED

    value = estimator(0.05).value
    good = {"above": value >= bound, "below": value <= bound, "within": abs(value) <= bound}[side]
    if math.isnan(value) or good or not fails(0.4999):
        return 1.0
    low, high = math.log(_LEAST_P), math.log(0.4999)
    if fails(_LEAST_P):
        return _LEAST_P
    return math.exp(halved(low, high, lambda log: not fails(math.exp(log)), _HALVINGS)[1])


def rule(
    held: Sequence[Held],
    evidence: Evidence,
    criterion: str,
    trials: Sequence[Trial],
    *,
    noun: str = "nodule",
    counts: str = "",
    reasons: Sequence[str] = (),
    notes: Iterable[str] = (),
    intraclass: float = math.nan,
    figure: Mapping[str, object] | None = None,
    details: Mapping[str, object] | None = None,
) -> Ruling:
    """Return the ruling on estimates held against their bounds.

    Args:
        held: The first is the primary.
        evidence: What was judged.
        criterion: The pre-specified criterion in a sentence.
        trials: The scene of every unit that was counted.
        noun: What a unit is called: ``nodule``, ``scene``, ``pair``, ``image``.
        counts: Follows the counts in the sentence.
        reasons: Why nothing can be decided; any makes the ruling INCONCLUSIVE.
        notes: Cautions.
        intraclass: Intra-cluster correlation.
        figure: Data of the figure.
        details: Tables by title.
    """
    parts = tuple(h.part for h in held)
    status = Status.INCONCLUSIVE if reasons else combine(parts)
    backgrounds, _ = sizes(trials)
    missing = [h.estimate.reason for h in held if h.part.role != "shown" and h.estimate.reason]
    counted = counts_phrase(len(trials), backgrounds, noun) + counts
    sentence = sentence_for(status, parts, evidence.alpha, counted, dict.fromkeys([*reasons, *missing]))
    deciding = [h.p_value for h in held if h.part.role == "decides"] if not reasons else []
    estimated = [p for p in deciding if not math.isnan(p)]
    return replace(
        ruling_on(trials, evidence, status, sentence, criterion),
        components=parts,
        icc=intraclass,
        p_value=min(1.0, len(deciding) * min(estimated)) if estimated else math.nan,
        notes=tuple(dict.fromkeys([*notes, *not_made(evidence), *(flag for h in held for flag in h.estimate.flags)])),
        figure=figure or {},
        details=details or {},
    )


def ruling_on(trials: Sequence[Trial], evidence: Evidence, status: Status, sentence: str, criterion: str) -> Ruling:
    """Return a ruling on units with these scenes, with what was not made among its notes."""
    backgrounds, clusters = sizes(trials)
    return Ruling(
        status, sentence, criterion, (), len(trials), backgrounds, clusters, evidence.alpha, notes=not_made(evidence)
    )


def not_made(evidence: Evidence) -> tuple[str, ...]:
    """Return what was asked for and not made, with counts: the claim is made of less than was planned."""
    return tuple(f"not made: {count} x {reason}" for reason, count in evidence.shortfall.items())


def selected(parameters: Selection, evidence: Evidence) -> list[tuple[Trial, NoduleTrial]]:
    """Return the nodules that an expectation judges, by its ``arm``, ``of`` and ``where``."""
    return evidence.nodules(parameters.arm, of=parameters.of, where=parameters.where)


def no_data(criterion: str, what: str, evidence: Evidence) -> Ruling:
    """Return the INCONCLUSIVE ruling of an expectation without a single trial."""
    why = "; ".join(f"{reason} ({count})" for reason, count in evidence.shortfall.items())
    return Ruling(
        status=Status.INCONCLUSIVE,
        sentence=f"INCONCLUSIVE no {what} to judge" + (f": {why}" if why else ""),
        criterion=criterion,
        alpha=evidence.alpha,
    )


def naming_unheard(
    ruling: Ruling, where: Mapping[str, Any] | None, evidence: Evidence, *, key: str = "where"
) -> Ruling:
    """Return a ruling on nothing with the names in ``where`` that left nothing: no nodule has them, or such values.

    ``key`` is what they stand under in the spec.
    """
    if ruling.n_nodules or not where:
        return ruling
    pairs = [(trial, nodule) for trial in evidence.trials for nodule in trial.nodules]
    if not pairs:
        return ruling
    unheard = [name for name in where if all(value_of(name, *pair) is None for pair in pairs)]
    barren = [name for name in where if not any(predicate({name: where[name]})(*pair) for pair in pairs)]
    there = [f"{name!r} than {key!r} asks for{_range_of([value_of(name, *pair) for pair in pairs])}" for name in barren]
    named = ""
    if unheard:
        named = f"; no nodule has {' or '.join(map(repr, unheard))}, which {key!r} asks for"
    elif there:
        named = f"; every nodule has another {' and another '.join(there)}"
    return replace(ruling, sentence=ruling.sentence + named)


def _range_of(values: Sequence[Any]) -> str:
    """Return what values there are, after a colon: from least to most, or the first few texts; else nothing."""
    if all(isinstance(value, int | float) for value in values):
        low, high = min(values), max(values)
        return f": {low:g}" if low == high else f": {low:g} to {high:g}"
    texts = sorted({value for value in values if isinstance(value, str)})
    return f": {', '.join(texts[:6])}{', ...' if len(texts) > 6 else ''}" if texts else ""


def sizes(trials: Iterable[Trial]) -> tuple[int, int]:
    """Return how many distinct backgrounds and clusters stand behind trials."""
    trials = list(trials)
    return len({t.background for t in trials}), len({t.cluster for t in trials})
