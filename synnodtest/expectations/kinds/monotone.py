"""``monotone``: a response rises or falls with a swept quantity."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from synnodtest.counted import counted
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.fewest import rising_backgrounds
from synnodtest.expectations.kind import Kind
from synnodtest.expectations.language import Asked, Complaint, choice, number, option, share
from synnodtest.expectations.limits import LEAST_CLUSTERS, LEAST_LEVELS, fewer, reached_by_chance, too_many_left_out
from synnodtest.expectations.power import rising_power
from synnodtest.expectations.rates import Pairs, diameter_at, where_phrase
from synnodtest.expectations.rule import Held, hold, no_data, rule, selected
from synnodtest.expectations.sentences import beside
from synnodtest.expectations.trend import Trend, Watched, against_silence, against_trend, watched
from synnodtest.expectations.worst import with_worst_case
from synnodtest.statistics import Estimate, drawdown
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
    criterion = (
        f"{parameters.response} is {parameters.direction} with {over}: mean within-background Spearman "
        f"correlation exceeds {least:g}, and the mean curve drops by less than {most:g}{where_phrase(parameters)}"
    )
    pairs = selected(parameters, evidence)
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    seen = watched(parameters, pairs, evidence)
    signed = seen if rising else replace(seen, y=-seen.y)
    curves = signed.curves
    complete, clusters = len(curves), len(set(seen.clusters))
    risen, drop = signed.within(evidence, least, "above"), largest_drop(signed, evidence, most)
    return rule(
        [risen, drop, *against_silence(pairs, evidence, least, "above")],
        evidence,
        criterion,
        [t for t, _ in pairs],
        reasons=[
            *fewer(len(seen.levels), LEAST_LEVELS, "level is", "levels are"),
            *fewer(
                complete, LEAST_CLUSTERS, "complete independent background is", "complete independent backgrounds are"
            ),
            *too_many_left_out(complete, clusters),
            *([] if risen.part.status is Status.FAILED else _no_room(seen, most)),
        ],
        notes=[
            *seen.barely_moves(risen),
            *_lacking(clusters - complete),
            *_unseen_losses(drop, complete, evidence.alpha),
        ],
        figure=seen.figure(over, curves if rising else -curves, evidence.operating_point)
        | {"d50": d50(over, pairs, evidence)},
    )


def _no_room(seen: Watched, most: float) -> list[str]:
    """Return why the mean curve cannot turn by more than allowed, whatever is lost; one that may turn by 1 may."""
    highest = float(seen.curves.mean(axis=0).max()) if len(seen.curves) else math.inf
    if highest >= most or most >= 1:
        return []
    return [f"the mean curve, at most {beside(highest, most)}, is too low to go the wrong way by {most:g}"]


def largest_drop(seen: Watched, evidence: Evidence, most: float) -> Held:
    """Hold the largest drop of the mean curve under ``most``, by a cluster bootstrap."""
    limits = min(0.0, float(seen.y.min())), max(1.0, float(seen.y.max()))

    def estimator(alpha: float) -> Estimate:
        return drawdown(seen.curves, alpha=alpha, seed=evidence.seed, limits=limits)

    return hold("drawdown", "largest drop of the mean curve", estimator, evidence.alpha, most, "below", unit="score")


def d50(over: str, pairs: Pairs, evidence: Evidence) -> dict[str, float] | None:
    """Return the diameter at which half of the nodules are found, for the figure; None where it cannot be told."""
    if over != "diameter_mm":
        return None
    estimate = diameter_at(pairs, evidence, 0.5, 0.05)
    return {"value": estimate.value, "lower": estimate.lower, "upper": estimate.upper} if estimate.usable else None


def _lacking(backgrounds: int) -> list[str]:
    """Return what is to be said of so many backgrounds that lack a level."""
    lacking = counted(
        backgrounds, "independent background lacks a level and is", "independent backgrounds lack a level and are"
    )
    return [f"{lacking} left out of the mean curve"] if backgrounds else []


def _unseen_losses(drop: Held, backgrounds: int, alpha: float) -> Iterator[str]:
    """Say of a drop that passes how many backgrounds unlike all seen might drop the curve further than allowed."""
    most = drop.part.bound
    if drop.part.status is Status.PASSED and (unseen := unseen_share(backgrounds, alpha)) >= most:
        yield (
            f"a detector that loses the nodule at some level on {unseen:.0%} of all radiographs may have lost it on "
            f"none of these {backgrounds}; its mean curve drops by up to {unseen:.2g}, where {most:g} is allowed"
        )


def _asks(parameters: Monotone, asked: Asked) -> Iterator[Complaint]:
    name = parameters.over
    levels, left = asked.sweeps.get(name, 0), asked.left.get(name, LEAST_LEVELS)
    if asked.has_scenes and name not in asked.sweeps:
        hint = f"give it {{sweep: [..]}} with at least {LEAST_LEVELS} levels"
        yield Complaint("over", f"{name!r} is not swept", hint)
    elif asked.has_scenes and levels < LEAST_LEVELS:
        yield Complaint("over", f"{name!r} has {counted(levels, 'level')}; {_NEEDS}")
    elif asked.has_scenes and 0 < left < LEAST_LEVELS:
        yield Complaint("where", f"leaves {counted(left, 'level')} of {name!r}; {_NEEDS}")


_NEEDS = f"'monotone' needs at least {LEAST_LEVELS}"


KIND = Kind(
    name="monotone",
    about="The response rises (or falls) with a swept quantity on every background.",
    parameters=Monotone,
    ruling=monotone,
    title="Monotone response",
    rules={"required": ["over", "min_spearman", "max_drop"]},
    threshold_free=lambda p: p.response == "confidence",
    hits_alone=lambda p: True,
    asks_little=lambda p: reached_by_chance(p.min_spearman),
    asks=_asks,
    fewest=lambda p, alpha, per_background: rising_backgrounds(float(p.min_spearman), alpha),
    power=rising_power(lambda p: (float(p.min_spearman), float(p.max_drop))),
    bootstrapped=True,
)
