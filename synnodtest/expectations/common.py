"""What checks share: from an estimator to a component, and the sentences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from synnodtest.evidence.ruling import Component, Ruling, Side, Status, combine, decide
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.expectations.parameters import Selection
from synnodtest.statistics import Estimate

__all__ = [
    "Held",
    "alarm_p",
    "counts_phrase",
    "hold",
    "no_data",
    "not_made",
    "number",
    "outcome_phrase",
    "percent",
    "rule",
    "selected",
    "sentence_for",
    "sizes",
]

Estimator = Callable[[float], Estimate]
"""From the one-sided error rate to the estimate, so that the 95% interval can be shown beside the decision."""

_LEAST_P = 1e-8
_HALVINGS = 12


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
    *,
    alpha: float,
    bound: float,
    side: Side,
    role: Literal["decides", "gate", "shown"] = "decides",
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
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if fails(math.exp(middle)):
            high = middle
        else:
            low = middle
    return math.exp(high)


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
    backgrounds, clusters = sizes(trials)
    missing = [h.estimate.reason for h in held if h.part.role != "shown" and h.estimate.reason]
    sentence = sentence_for(
        status,
        parts,
        evidence.alpha,
        counts_phrase(len(trials), backgrounds, noun) + counts,
        dict.fromkeys([*reasons, *missing]),
    )
    deciding = [h.p_value for h in held if h.part.role == "decides"] if not reasons else []
    known = [p for p in deciding if not math.isnan(p)]
    return Ruling(
        status=status,
        sentence=sentence,
        criterion=criterion,
        components=parts,
        n_nodules=len(trials),
        n_backgrounds=backgrounds,
        n_clusters=clusters,
        alpha=evidence.alpha,
        icc=intraclass,
        p_value=min(1.0, len(deciding) * min(known)) if known else math.nan,
        notes=tuple(dict.fromkeys([*notes, *not_made(evidence), *(flag for h in held for flag in h.estimate.flags)])),
        figure=figure or {},
        details=details or {},
    )


def not_made(evidence: Evidence) -> Iterable[str]:
    """Yield what was asked for and not made, with counts: the claim is made of less than was planned."""
    return (f"not made: {count} x {reason}" for reason, count in evidence.shortfall.items())


def selected(parameters: Selection, evidence: Evidence) -> list[tuple[Trial, NoduleTrial]]:
    """Return the nodules that an expectation judges, by its ``arm``, ``of`` and ``where``."""
    return evidence.nodules(parameters.arm, of=parameters.of, where=parameters.where)


def percent(alpha: float) -> str:
    """Return the confidence of a one-sided bound in words: 0.05 -> ``95%``."""
    return f"{100 * (1 - alpha):g}%"


def number(value: float) -> str:
    """Return a number as sentences print it."""
    return "not estimable" if math.isnan(value) else f"{value:.2f}" if abs(value) < 99.5 else f"{value:.0f}"


def outcome_phrase(part: Component, alpha: float) -> str:
    """Return ``sensitivity 0.93 (one-sided 95% lower bound 0.88) exceeds the pre-specified 0.80``."""
    head = f"{part.label} {number(part.value)}"
    bound = ("±" if part.side == "within" else "") + number(part.bound)
    interval = f"{percent(2 * alpha)} interval {number(part.lower)} to {number(part.upper)}"
    if part.side == "within":
        words = {
            Status.PASSED: f"lies inside the pre-specified {bound}",
            Status.FAILED: f"lies outside the pre-specified {bound}",
        }.get(part.status, f"does not settle the pre-specified {bound}")
        return f"{head} ({interval}) {words}"
    lower = f"one-sided {percent(alpha)} lower bound {number(part.lower)}"
    upper = f"one-sided {percent(alpha)} upper bound {number(part.upper)}"
    if part.status is Status.INCONCLUSIVE:
        return f"{head} ({interval}) does not settle the pre-specified {bound}"
    if part.side == "above":
        passed = part.status is Status.PASSED
        return (
            f"{head} ({lower}) exceeds the pre-specified {bound}"
            if passed
            else (f"{head} ({upper}) falls short of the pre-specified {bound}")
        )
    if part.status is Status.PASSED:
        return f"{head} ({upper}) stays below the pre-specified {bound}"
    return f"{head} ({lower}) exceeds the pre-specified limit of {bound}"


def counts_phrase(n: int, backgrounds: int, noun: str = "nodule") -> str:
    """Return ``n = 124 nodules on 124 backgrounds``."""
    plural = "" if n == 1 else "s"
    if noun == "image":
        return f"n = {n} image{plural}"
    return f"n = {n} {noun}{plural} on {backgrounds} background{'' if backgrounds == 1 else 's'}"


def sentence_for(
    status: Status, parts: Sequence[Component], alpha: float, counts: str, reasons: Iterable[str] = ()
) -> str:
    """Return the verdict in one sentence: the decisive component first, then counts, then reservations."""
    deciding = [p for p in parts if p.role != "shown"]
    if status is Status.FAILED:
        told = [p for p in deciding if p.status is Status.FAILED and p.role == "decides"]
    elif status is Status.INCONCLUSIVE:
        told = [p for p in deciding if p.status is not Status.PASSED]
    else:
        told = deciding
    text = ", and ".join(outcome_phrase(p, alpha) for p in told or deciding)
    extra = "".join(f"; {reason}" for reason in reasons if reason)
    return f"{status} {text}; {counts}{extra}"


def no_data(criterion: str, what: str, evidence: Evidence) -> Ruling:
    """Return the INCONCLUSIVE ruling of an expectation without a single trial."""
    why = "; ".join(f"{reason} ({count})" for reason, count in evidence.shortfall.items())
    return Ruling(
        status=Status.INCONCLUSIVE,
        sentence=f"INCONCLUSIVE no {what} to judge" + (f": {why}" if why else ""),
        criterion=criterion,
        alpha=evidence.alpha,
    )


def sizes(trials: Iterable[Trial]) -> tuple[int, int]:
    """Return how many distinct backgrounds and clusters stand behind trials."""
    trials = list(trials)
    return len({t.background for t in trials}), len({t.cluster for t in trials})
