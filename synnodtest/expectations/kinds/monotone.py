"""``monotone``: a response rises or falls with a swept quantity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synnodtest.counted import counted
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.asked import Asked, Complaint
from synnodtest.expectations.bounds import Held, hold
from synnodtest.expectations.fewest import rising_backgrounds
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import choice, number, option, share
from synnodtest.expectations.limits import LEAST_CLUSTERS, LEAST_LEVELS, reached_by_chance
from synnodtest.expectations.power import rising_power
from synnodtest.expectations.rates import Pairs, diameter_at, where_phrase
from synnodtest.expectations.rule import no_data, rule, selected
from synnodtest.expectations.too_few import too_many_left_out
from synnodtest.expectations.trend import (
    Trend,
    against_silence,
    against_trend,
    curves_of,
    over_of,
    response_of,
    trend_figure,
    within,
)
from synnodtest.expectations.worst import with_worst_case
from synnodtest.statistics import drawdown
from synnodtest.statistics.clusters import unseen_share


@dataclass(frozen=True)
class Monotone(Trend):
    """Parameters of ``monotone``."""

    over: str = option("The swept quantity, such as diameter_mm; at least 5 levels.", {"type": "string"}, "")
    direction: str = option(
        "increasing (default) or decreasing.", choice("increasing", "decreasing"), "increasing", stated=True
    )
    min_spearman: float = option("Mean rank correlation per background must exceed this.", number(-1, 1), 0.0)
    max_drop: float = option("The worst reversal of the mean curve must stay below this.", share(), 0.1)

    @property
    def rising(self) -> bool:
        """True where the response should rise with the quantity."""
        return self.direction == "increasing"


@with_worst_case(against_trend)
def monotone(parameters: Monotone, evidence: Evidence) -> Ruling:
    """Mean per-background Spearman correlation above a bound, and no worse a drop of the mean curve than allowed."""
    over, rising = parameters.over, parameters.rising
    least, most = float(parameters.min_spearman), float(parameters.max_drop)
    response = parameters.response
    criterion = (
        f"{response} is {'increasing' if rising else 'decreasing'} with {over}: mean within-background Spearman "
        f"correlation exceeds {least:g}, and the mean curve drops by less than {most:g}{where_phrase(parameters)}"
    )
    pairs = selected(parameters, evidence)
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    x = np.array([over_of(parameters, t, n) for t, n in pairs])
    y = np.array([response_of(response, n, evidence) for _, n in pairs])
    signed = y if rising else -y
    clusters = [t.cluster for t, _ in pairs]
    levels, curves, names = curves_of(x, signed, clusters)
    drop = largest_drop(curves, signed, evidence, most)
    components = [within(x, signed, clusters, evidence, least, "above"), drop]
    components += against_silence(pairs, evidence, least, "above")
    return rule(
        components,
        evidence,
        criterion,
        [t for t, _ in pairs],
        reasons=[*too_few(len(levels), len(curves)), *too_many_left_out(len(curves), len(names))],
        notes=(*notes_on(len(curves), len(names)), *unseen_losses(drop, len(curves), evidence.alpha)),
        figure=trend_figure(over, levels, curves if rising else -curves, x, y, evidence.operating_point)
        | {"d50": d50(over, pairs, evidence)},
    )


def largest_drop(curves: NDArray[np.float64], y: NDArray[np.float64], evidence: Evidence, most: float) -> Held:
    """Hold the largest drop of the mean curve (B x L, a row a background) under ``most``, by a cluster bootstrap."""
    limits = min(0.0, float(y.min())), max(1.0, float(y.max()))
    return hold(
        "drawdown",
        "largest drop of the mean curve",
        lambda alpha: drawdown(curves, alpha=alpha, seed=evidence.seed, limits=limits),
        alpha=evidence.alpha,
        bound=most,
        side="below",
        unit="score",
    )


def d50(over: str, pairs: Pairs, evidence: Evidence) -> dict[str, float] | None:
    """Return the diameter at which half of the nodules are found, for the figure; None where it cannot be told."""
    if over != "diameter_mm":
        return None
    estimate = diameter_at(pairs, evidence, 0.5, 0.05)
    return {"value": estimate.value, "lower": estimate.lower, "upper": estimate.upper} if estimate.usable else None


def too_few(levels: int, backgrounds: int) -> list[str]:
    """Return why these levels and complete backgrounds allow no verdict."""
    reasons = []
    if levels < LEAST_LEVELS:
        reasons.append(f"{counted(levels, 'level is', 'levels are')} too few, {LEAST_LEVELS} are needed")
    if backgrounds < LEAST_CLUSTERS:
        few = counted(backgrounds, "complete background is", "complete backgrounds are")
        reasons.append(f"{few} too few, {LEAST_CLUSTERS} are needed")
    return reasons


def notes_on(complete: int, clusters: int) -> tuple[str, ...]:
    """Return what is to be said of backgrounds that lack a level."""
    notes = []
    if complete < clusters:
        lacking = counted(clusters - complete, "background lacks a level and is", "backgrounds lack a level and are")
        notes.append(f"{lacking} left out of the mean curve")
    return tuple(notes)


def unseen_losses(drop: Held, backgrounds: int, alpha: float) -> Iterator[str]:
    """Say of a drop that passes how many backgrounds unlike all seen might drop the curve further than allowed."""
    most = drop.part.bound
    if drop.part.status is Status.PASSED and (unseen := unseen_share(backgrounds, alpha)) >= most:
        yield (
            f"a detector that loses the nodule at some level on {unseen:.0%} of all radiographs may have lost it on "
            f"none of these {backgrounds}; its mean curve drops by up to {unseen:.2g}, where {most:g} is allowed"
        )


def _asks(parameters: Monotone, asked: Asked) -> Iterator[Complaint]:
    name = parameters.over
    if not asked.has_scenes:
        return
    if name not in asked.sweeps:
        hint = f"give it {{sweep: [..]}} with at least {LEAST_LEVELS} levels"
        yield Complaint("over", f"{name!r} is not swept", hint)
        return
    levels, left = asked.sweeps[name], asked.left.get(name, LEAST_LEVELS)
    if levels < LEAST_LEVELS:
        yield Complaint("over", f"{name!r} has {counted(levels, 'level')}; 'monotone' needs at least {LEAST_LEVELS}")
    elif 0 < left < LEAST_LEVELS:
        yield Complaint(
            "where", f"leaves {counted(left, 'level')} of {name!r}; 'monotone' needs at least {LEAST_LEVELS}"
        )


KIND = Kind(
    name="monotone",
    about="The response rises (or falls) with a swept quantity on every background.",
    parameters=Monotone,
    ruling=monotone,
    title="Monotone response",
    rules={"required": ["over", "min_spearman", "max_drop"]},
    threshold_free=lambda p: p.response == "confidence",
    asks_little=lambda p: reached_by_chance(p.min_spearman),
    asks=_asks,
    fewest=lambda p, alpha, per_background: rising_backgrounds(float(p.min_spearman), alpha),
    power=rising_power(lambda p: float(p.min_spearman)),
    bootstrapped=True,
)
