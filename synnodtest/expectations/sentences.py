"""Verdicts in a sentence: the decisive components, their intervals, the counts, the reservations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from synnodtest.counted import counted
from synnodtest.evidence.ruling import Component, Status


def percent(alpha: float) -> str:
    """Return the confidence of a one-sided bound in words: 0.05 -> ``95%``."""
    return f"{100 * (1 - alpha):g}%"


def number(value: float) -> str:
    """Return a number as sentences print it."""
    return "not estimable" if math.isnan(value) else f"{value:z.2f}" if abs(value) < 99.5 else f"{value:.0f}"


def limit(bound: float) -> str:
    """Return a pre-specified bound as it was asked for: ``0.80``, ``0.125``."""
    plain = number(bound)
    return plain if math.isnan(bound) or float(plain) == bound else f"{bound:g}"


def decimals_beside(value: float, bound: float, least: int = 2) -> int:
    """Return the decimals, ``least`` or more, by which a number keeps its side of ``bound`` and ``-bound`` in print."""

    def sides(of: float) -> list[bool]:
        return [of > bound, of < bound, of > -bound, of < -bound]

    exact = sides(value)
    return next((n for n in range(least, 9) if sides(float(f"{value:.{n}f}")) == exact), least)


def beside(value: float, bound: float) -> str:
    """Return a number as sentences print it, never rounded to or across the bound that it is held against."""
    plain = number(value)
    least = len(plain.partition(".")[2])
    return plain if math.isnan(value) else f"{value:z.{decimals_beside(value, bound, least)}f}"


def signed(difference: float | None, bound: float) -> str:
    """Return a difference with its sign, zero without; not rounded to or across the bound that it is held against."""
    text = "none" if difference is None else f"{difference:+z.{decimals_beside(difference, bound, 3)}f}"
    return text if text.strip("+0.") else text.removeprefix("+")


def outcome_phrase(part: Component, alpha: float) -> str:
    """Return ``sensitivity 0.93 (one-sided 95% lower bound 0.88) exceeds the pre-specified 0.80``."""
    words = _OUTCOMES.get((part.side, part.status), "does not settle the pre-specified")
    low, high = beside(part.lower, part.bound), beside(part.upper, part.bound)
    interval = f"one-sided {percent(alpha)} " + (
        f"lower bound {low}" if words[:7] == "exceeds" else f"upper bound {high}"
    )
    if part.side == "within" or part.status is Status.INCONCLUSIVE:
        interval = f"{percent(2 * alpha)} interval {low} to {high}"
    bound = ("±" if part.side == "within" else "") + limit(part.bound)
    return f"{part.label} {number(part.value)} ({interval}) {words} {bound}"


_OUTCOMES = {
    ("above", Status.PASSED): "exceeds the pre-specified",
    ("above", Status.FAILED): "falls short of the pre-specified",
    ("below", Status.PASSED): "stays below the pre-specified",
    ("below", Status.FAILED): "exceeds the pre-specified limit of",
    ("within", Status.PASSED): "lies inside the pre-specified",
    ("within", Status.FAILED): "lies outside the pre-specified",
}


def counts_phrase(n: int, backgrounds: int, noun: str = "nodule") -> str:
    """Return ``n = 124 nodules on 124 backgrounds``."""
    units = f"n = {counted(n, noun)}"
    return units if noun == "image" else f"{units} on {counted(backgrounds, 'background')}"


def sentence_for(
    status: Status, parts: Sequence[Component], alpha: float, counts: str, reasons: Iterable[str] = ()
) -> str:
    """Return the verdict in one sentence: the decisive component first, then counts, then reservations.

    Reservations stand first where they alone are why nothing is decided.
    """
    deciding = [p for p in parts if p.role != "shown"]
    if status is Status.FAILED:
        failing = [p for p in deciding if p.status is Status.FAILED and p.role == "decides"]
    elif status is Status.INCONCLUSIVE:
        failing = [p for p in deciding if p.status is not Status.PASSED]
    else:
        failing = deciding
    phrases = [", and ".join(outcome_phrase(p, alpha) for p in failing or deciding), counts]
    extra = [reason for reason in reasons if reason]
    settled = all(p.status is not Status.INCONCLUSIVE for p in failing)
    ordered = [*extra, *phrases] if status is Status.INCONCLUSIVE and settled else [*phrases, *extra]
    return f"{status} {'; '.join(ordered)}"
