"""Power of an expectation on planned units, and the number of units that reach the planned one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from synnodtest.evidence.ruling import Side
from synnodtest.expectations.assumed import Assumed
from synnodtest.expectations.fewest import rate_units
from synnodtest.statistics import miettinen_nurminen
from synnodtest.statistics.power import power_paired, power_rate, sample_size_paired, sample_size_rate, smallest_n
from synnodtest.statistics.power_counts import power_count, power_drop, power_mean, sample_size_count

P = TypeVar("P")
_MOST = 10_000
"""Units beyond which no plan goes."""


@dataclass(frozen=True)
class Plan:
    """The units that an expectation is planned on.

    Args:
        assume: What is assumed of the detector.
        alpha: One-sided error rate of each bound.
        units: Nodules, scenes, pairs or images.
        backgrounds: Backgrounds they stand on.
        effective: Units after the design effect of clusters.
        power: The planned power.
        icc: Correlation of the units of a background.
        per_cluster: Units of a background, at least 1.
    """

    assume: Assumed
    alpha: float
    units: int = 0
    backgrounds: int = 1
    effective: float = 0.0
    power: float = 0.8
    icc: float = 0.0
    per_cluster: float = 1.0

    @property
    def each(self) -> float:
        """Units of a background in the mean, at least 1."""
        return max(self.units / self.backgrounds, 1.0)

    @property
    def correlated(self) -> str:
        """The correlation that was assumed, in words, where a background gives several units."""
        return f", units of a background correlated by {self.icc:g} (sampling.icc)" if self.each > 1 else ""


@dataclass(frozen=True)
class Forecast:
    """Forecast of one item: its units and its power.

    Args:
        smallest: Fewest backgrounds with which PASSED is possible at all; None where no formula says.
        power: Probability of PASSED under ``assumption``; None where no formula says.
        assumption: What power was computed for, in words.
        unsaid: Names under ``sampling: {assume: ..}`` by which the spec could have said it, and did not.
        warning: Why it can only end INCONCLUSIVE; empty if it can pass.
        whole: False where ``smallest`` and ``warning`` are still to come from the best data there can be.
        units: Nodules, scenes, pairs or images that it is decided on.
        backgrounds: Backgrounds they stand on.
        effective: Units after the design effect of clusters.
        needed: Backgrounds that reach the planned power under ``assumption``; None where no formula says, or no
            number does.
    """

    smallest: int | None = None
    power: float | None = None
    assumption: str = ""
    unsaid: tuple[str, ...] = ()
    warning: str = ""
    whole: bool = True
    units: int = 0
    backgrounds: int = 0
    effective: float = 0.0
    needed: int | None = None


@dataclass(frozen=True)
class Power(Generic[P]):
    """The power of a kind of expectation.

    Args:
        shown: From parameters and plan to what can be shown; None: nothing is known but ``fewest``.
        needed: From parameters and plan to the units that reach the planned power; None where no formula says.
        assumes: What of ``sampling: {assume: ..}`` it plans with: ``value``, ``pairs``, or nothing of either.
        by_background: Whether ``needed`` counts backgrounds, however many units each gives.
    """

    shown: Callable[[P, Plan], Forecast | None]
    needed: Callable[[P, Plan], int | None]
    assumes: Callable[[P], Literal["value", "pairs", ""]] = lambda p: ""
    by_background: bool = False


def rate_power(bound_of: Callable[[P], tuple[float, Side]]) -> Power[P]:
    """Return the power of a rate held against a bound, which the parameters give with its side."""

    def shown(p: P, plan: Plan) -> Forecast | None:
        bound, side = bound_of(p)
        if not 0 < bound < 1:
            return Forecast()
        true, why = plan.assume.true_rate(bound, side == "below")
        power = power_rate(plan.units, bound, true, alpha=plan.alpha, per_cluster=plan.each, icc=plan.icc)
        words = f"a true rate of {true:g} ({why}){plan.correlated}"
        return Forecast(power=power, assumption=words, unsaid=why.unsaid, whole=False)

    def needed(p: P, plan: Plan) -> int | None:
        bound, side = bound_of(p)
        true, _ = plan.assume.true_rate(bound, side == "below")
        shape = {"per_cluster": plan.per_cluster, "icc": plan.icc}
        return sample_size_rate(bound, true, alpha=plan.alpha, power=plan.power, **shape)

    return Power(shown, needed, lambda p: "value")


def count_power(bound_of: Callable[[P], float]) -> Power[P]:
    """Return the power of a mean number per image that must stay below a bound."""

    def shown(p: P, plan: Plan) -> Forecast:
        bound = bound_of(p)
        rate, why = plan.assume.true_count(bound)
        shape = {"per_cluster": plan.each, "icc": plan.icc}
        power = power_count(plan.units, bound, rate, alpha=plan.alpha, **shape)
        words = f"a true rate of {rate:g} per image ({why}){plan.correlated}"
        return Forecast(power=power, assumption=words, unsaid=why.unsaid, whole=False)

    def needed(p: P, plan: Plan) -> int | None:
        bound = bound_of(p)
        rate, _ = plan.assume.true_count(bound)
        shape = {"per_cluster": plan.per_cluster, "icc": plan.icc}
        return sample_size_count(bound, rate, alpha=plan.alpha, power=plan.power, **shape)

    return Power(shown, needed, lambda p: "value")


def paired_power(margin_of: Callable[[P], float | None], *, both: bool) -> Power[P]:
    """Return the power of a difference of paired rates within a margin.

    Args:
        margin_of: From the parameters to the margin; None where the metric is no rate.
        both: Whether it must hold either way.
    """

    def shown(p: P, plan: Plan) -> Forecast | None:
        margin = margin_of(p)
        if margin is None:
            return None
        share, why = plan.assume.discordant_share()
        shape = {"alpha": plan.alpha, "per_cluster": plan.each, "icc": plan.icc}
        power = power_paired(plan.units, share, margin, equivalence=both, **shape)
        words = f"equal arms, {share:g} of the pairs discordant ({why}){plan.correlated}"
        return Forecast(power=power, assumption=words, unsaid=why.unsaid, whole=False)

    def needed(p: P, plan: Plan) -> int | None:
        margin = margin_of(p)
        if margin is None:
            return None
        share, _ = plan.assume.discordant_share()
        shape = {"per_cluster": plan.per_cluster, "icc": plan.icc}
        return sample_size_paired(share, margin, alpha=plan.alpha, power=plan.power, equivalence=both, **shape)

    return Power(shown, needed, lambda p: "" if margin_of(p) is None else "pairs")


def rising_power(bounds_of: Callable[[P], tuple[float, float]]) -> Power[P]:
    """Return the power of a mean correlation within backgrounds that must exceed a bound, and of a curve without drop.

    Args:
        bounds_of: From the parameters to the least correlation and the largest drop. The curve is taken to be flat
            between two levels, as where a detector is sure of either, and the one to tell nothing of the other.
    """

    def power_of(p: P, plan: Plan) -> Callable[[int], float]:
        least, most = bounds_of(p)
        mean, spread, _ = plan.assume.true_correlation(least)
        apart, _ = plan.assume.drop_spread()

        def power_at(n: int) -> float:
            return power_mean(n, least, mean, spread, alpha=plan.alpha) * power_drop(n, most, apart, alpha=plan.alpha)

        return power_at

    def shown(p: P, plan: Plan) -> Forecast | None:
        bound, _ = bounds_of(p)
        mean, spread, why = plan.assume.true_correlation(bound)
        apart, known = plan.assume.drop_spread()
        return Forecast(
            power=power_of(p, plan)(plan.backgrounds) if mean > bound else None,
            assumption=f"a mean correlation of {mean:g} that varies by {spread:g} between backgrounds ({why}), and two "
            f"levels alike in the mean whose difference of scores varies by {apart:g} ({known})",
            unsaid=(*why.unsaid, *known.unsaid),
            whole=False,
        )

    def needed(p: P, plan: Plan) -> int | None:
        try:
            return smallest_n(power_of(p, plan), plan.power, 2, smooth=True)
        except ValueError:
            return None

    return Power(shown, needed, by_background=True)


def parity_power(asked: Callable[[P], tuple[float, int] | None]) -> Power[P]:
    """Return what groups of equal size that agree fully would show; their real sizes are known only later.

    Where backgrounds give several units, those of each group may all be unlike another: they may be shared by the
    groups, but must be as many as show that these are rarer than the margin.

    Args:
        asked: From the parameters to margin and number of groups; None where the metric is no rate.
    """

    def shown(p: P, plan: Plan) -> Forecast:
        power = asked(p)
        if power is None:
            return Forecast()
        (margin, named), alpha = power, plan.alpha
        groups = max(named, 2)
        least = next((n for n in range(2, _MOST) if miettinen_nurminen(n, n, n, n, alpha=alpha).upper < margin), None)
        if least is None:
            return Forecast()
        units = math.ceil(groups * least * plan.backgrounds / plan.effective)
        shared = rate_units(1 - margin, alpha) if plan.each > 1 else 2
        warning = f"at least {least} independent units in each of {groups} groups are needed to pass"
        if plan.backgrounds >= units:
            warning = f"at least {shared} backgrounds in each group are needed to pass"
        smallest = max(units, shared)
        return Forecast(smallest=smallest, warning=warning if plan.backgrounds < smallest else "")

    return Power(shown, lambda p, plan: None)
