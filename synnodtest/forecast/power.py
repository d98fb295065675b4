"""What an item will cost and can show, before anything runs: units, power, the fewest backgrounds that can pass."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from synnodtest.errors import SynnodError
from synnodtest.forecast.assumed import discordant_share, true_correlation, true_count, true_rate
from synnodtest.forecast.fewest import (
    RATE_METRICS,
    RATES,
    rate_bound,
    smallest_backgrounds,
    smallest_sequential_pairs,
)
from synnodtest.forecast.units import SAMPLE, scenes_per_background, units_per_background
from synnodtest.planning.variants import Variant, variants
from synnodtest.ports import Background
from synnodtest.spec.model import Behaviour
from synnodtest.statistics import (
    design_effect,
    miettinen_nurminen,
    power_count,
    power_mean,
    power_paired,
    power_rate,
    sample_size_count,
    sample_size_mean,
    sample_size_paired,
    sample_size_rate,
)
from synnodtest.statistics.sequential import log_e_above

__all__ = ["Forecast", "auto_count", "forecast", "with_count"]

PAIRED = frozenset({"non_inferior", "equivalent", "invariant"})
UNFLAGGED = 30
"""Backgrounds from which a bootstrap over them goes unflagged."""
_MOST = 10_000


@dataclass(frozen=True)
class Forecast:
    """What one item will cost and can show.

    Args:
        units: Nodules, scenes, pairs or images that it is decided on.
        backgrounds: Backgrounds they stand on.
        effective: Units after the design effect of clusters.
        smallest: Fewest backgrounds with which PASSED is possible at all; None where no formula says.
        power: Probability of PASSED under ``assumption``; None where no formula says.
        assumption: What power was computed for, in words.
        warning: Why it can only end INCONCLUSIVE; empty if it can pass.
        needed: Backgrounds that reach the planned power under ``assumption``; None where no formula says, or no
            number does.
    """

    units: int
    backgrounds: int
    effective: float
    smallest: int | None = None
    power: float | None = None
    assumption: str = ""
    warning: str = ""
    needed: int | None = None


def forecast(behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background], seed: int = 0) -> Forecast:
    """Return the forecast of one item on these backgrounds.

    Raises:
        SynnodError: the spec assumes what can never show the bound.
    """
    per_background = units_per_background(behaviour, variant, backgrounds, seed)
    count = len({b.cluster for b in backgrounds})
    units = round(per_background * len(backgrounds))
    effect = design_effect(max(units / max(count, 1), 1.0), behaviour.sampling.icc)
    plain = Forecast(units, count, units / effect)
    if not units:
        return replace(plain, warning="no nodule satisfies `where`")
    if count < 2:
        return replace(plain, warning="a single background never decides")
    if behaviour.sampling.sequential:
        return _sequential(plain, behaviour, variant, backgrounds)
    return replace(_by_kind(plain, behaviour, variant), needed=_needed(behaviour, variant, units / count))


def _by_kind(plain: Forecast, behaviour: Behaviour, variant: Variant) -> Forecast:
    kind = variant.expectation.kind
    if _is_paired_rate(variant):
        return _paired(plain, behaviour, variant)
    if kind == "parity":
        return _parity(plain, behaviour, variant)
    if kind == "false_positives_per_image" and "at_most" in variant.parameters:
        return _count(plain, behaviour, variant)
    if kind == "monotone":
        return _rising(plain, behaviour, variant)
    return _rate(plain, behaviour, variant) if kind in RATES else _best(plain, behaviour, variant)


def auto_count(behaviour: Behaviour, variants: Iterable[Variant]) -> int:
    """Return the backgrounds that give every expectation with a formula the planned power (``count: auto``).

    Expectations that are decided with a bootstrap get 30, with which it goes unflagged.
    """
    fake = [Background(f"plan-{i}", content="plan") for i in range(SAMPLE)]
    counts = [2]
    for variant in variants:
        per_background = units_per_background(behaviour, variant, fake, 0)
        if not per_background:
            continue
        needed = _backgrounds_needed(behaviour, variant, per_background)
        counts.append(UNFLAGGED if needed is None else needed)
        counts.append(UNFLAGGED if variant.expectation.kind == "monotone" else 2)
        counts.append(smallest_backgrounds(variant, _alpha(behaviour, variant), per_background) or 2)
    return max(counts)


def with_count(behaviour: Behaviour) -> Behaviour:
    """Return the behaviour with ``count: auto`` replaced by the number that reaches the planned power.

    Raises:
        SynnodError: the spec assumes what can never show the bound.
    """
    scenes = behaviour.scenes
    if scenes is None or isinstance(scenes.count, int):
        return behaviour
    trial = replace(behaviour, scenes=replace(scenes, count=SAMPLE))
    every = [v for expectation in trial.expectations for v in variants(trial, expectation)]
    return replace(behaviour, scenes=replace(scenes, count=auto_count(trial, every)))


def _needed(behaviour: Behaviour, variant: Variant, per_background: float) -> int | None:
    """Return the backgrounds that reach the planned power and can pass; None where no formula or no number does."""
    try:
        needed = _backgrounds_needed(behaviour, variant, per_background)
    except SynnodError:
        return None
    if needed is None:
        return None
    return max(needed, smallest_backgrounds(variant, _alpha(behaviour, variant), per_background) or 2)


def _backgrounds_needed(behaviour: Behaviour, variant: Variant, per_background: float) -> int | None:
    if variant.expectation.kind == "monotone":
        return _rising_needed(behaviour, variant)
    units = _units_needed(behaviour, variant, max(per_background, 1.0))
    return None if units is None else math.ceil(units / per_background)


def _rising_needed(behaviour: Behaviour, variant: Variant) -> int | None:
    bound, sampling = float(variant.parameters.get("min_spearman", 0.0)), behaviour.sampling
    mean, spread, _ = true_correlation(behaviour, variant, bound)
    try:
        return sample_size_mean(bound, mean, spread, alpha=_alpha(behaviour, variant), power=sampling.power)
    except ValueError:
        return None


def _units_needed(behaviour: Behaviour, variant: Variant, per_cluster: float) -> int | None:
    """Return the units that reach the planned power; None where no formula says."""
    sampling, kind, alpha = behaviour.sampling, variant.expectation.kind, _alpha(behaviour, variant)
    try:
        if _is_paired_rate(variant):
            return sample_size_paired(
                discordant_share(behaviour, variant)[0],
                float(variant.parameters["margin"]),
                alpha=alpha,
                power=sampling.power,
                equivalence=kind != "non_inferior",
                per_cluster=per_cluster,
                icc=sampling.icc,
            )
        if kind == "false_positives_per_image" and "at_most" in variant.parameters:
            bound = float(variant.parameters["at_most"])
            rate, _ = true_count(behaviour, variant, bound)
            return sample_size_count(bound, rate, alpha=alpha, power=sampling.power)
        if kind in RATES:
            bound, below = rate_bound(variant)
            true, _ = true_rate(behaviour, variant, bound, below)
            return sample_size_rate(
                bound, true, alpha=alpha, power=sampling.power, per_cluster=per_cluster, icc=sampling.icc
            )
    except ValueError as error:
        raise SynnodError(
            f"behaviour {behaviour.id!r}, {variant.id}: no number of backgrounds reaches the planned power: {error}",
            hint="assume a value farther from the bound (sampling: {assume: ..}), or give count a number",
        ) from error
    return None


def _best(plain: Forecast, behaviour: Behaviour, variant: Variant) -> Forecast:
    """Forecast what the best data that there can be would show; no power."""
    least = smallest_backgrounds(variant, _alpha(behaviour, variant), plain.units / plain.backgrounds)
    few = least is not None and plain.backgrounds < least
    return replace(plain, smallest=least, warning=f"at least {least} backgrounds are needed to pass" if few else "")


def _rate(plain: Forecast, behaviour: Behaviour, variant: Variant) -> Forecast:
    (bound, below), alpha = rate_bound(variant), _alpha(behaviour, variant)
    if not 0 < bound < 1:
        return plain
    true, why = true_rate(behaviour, variant, bound, below)
    return replace(
        _best(plain, behaviour, variant),
        power=power_rate(int(plain.effective), bound, true, alpha=alpha),
        assumption=f"a true rate of {true:g} ({why}){_correlated(plain, behaviour)}",
    )


def _rising(plain: Forecast, behaviour: Behaviour, variant: Variant) -> Forecast:
    """Forecast the mean correlation within backgrounds; that the mean curve drops too far is not part of the power."""
    bound = float(variant.parameters.get("min_spearman", 0.0))
    mean, spread, why = true_correlation(behaviour, variant, bound)
    return replace(
        _best(plain, behaviour, variant),
        power=power_mean(plain.backgrounds, bound, mean, spread, alpha=_alpha(behaviour, variant))
        if mean > bound
        else None,
        assumption=f"a mean correlation of {mean:g} that varies by {spread:g} between backgrounds ({why})",
    )


def _paired(plain: Forecast, behaviour: Behaviour, variant: Variant) -> Forecast:
    margin, alpha = float(variant.parameters["margin"]), _alpha(behaviour, variant)
    discordant, why = discordant_share(behaviour, variant)
    both = variant.expectation.kind != "non_inferior"
    return replace(
        _best(plain, behaviour, variant),
        power=power_paired(int(plain.effective), discordant, margin, alpha=alpha, equivalence=both),
        assumption=f"equal arms, {discordant:g} of the pairs discordant ({why}){_correlated(plain, behaviour)}",
    )


def _parity(plain: Forecast, behaviour: Behaviour, variant: Variant) -> Forecast:
    """Forecast two rates of 1: groups of equal size that agree fully; their real sizes are known only later."""
    if variant.parameters.get("metric", "sensitivity") not in RATE_METRICS:
        return plain
    margin, alpha = float(variant.parameters["margin"]), _alpha(behaviour, variant)
    groups = max(len(variant.parameters.get("strata") or ()), 2)
    least = next((n for n in range(2, _MOST) if miettinen_nurminen(n, n, n, n, alpha=alpha).upper < margin), None)
    if least is None:
        return plain
    few = plain.effective / groups < least
    return replace(
        plain,
        smallest=math.ceil(groups * least * plain.backgrounds / plain.effective),
        warning=f"at least {least} independent units in each of {groups} groups are needed to pass" if few else "",
    )


def _count(plain: Forecast, behaviour: Behaviour, variant: Variant) -> Forecast:
    bound, alpha = float(variant.parameters["at_most"]), _alpha(behaviour, variant)
    rate, why = true_count(behaviour, variant, bound)
    smallest = next((n for n in range(2, _MOST) if power_count(n, bound, 0.0, alpha=alpha) > 0), None)
    few = smallest is not None and plain.backgrounds < smallest
    return replace(
        plain,
        smallest=smallest,
        power=power_count(plain.backgrounds, bound, rate, alpha=alpha),
        assumption=f"a true rate of {rate:g} per image ({why})",
        warning=f"at least {smallest} images are needed to pass" if few else "",
    )


def _sequential(plain: Forecast, behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background]) -> Forecast:
    """Forecast the fewest backgrounds after which e-values can decide; each background is one unit."""
    most, within = behaviour.sampling.max_scenes, plain.backgrounds
    if most is not None:
        within = min(within, most // scenes_per_background(behaviour, variant, backgrounds))
    least = _sequential_least(variant, _alpha(behaviour, variant))
    few = least is not None and within < least
    return replace(
        plain,
        effective=within,
        smallest=least,
        warning=f"at least {least} backgrounds are needed before e-values can pass it, and {within} are there"
        + (f" within max_scenes: {most}" if within < plain.backgrounds else "")
        if few
        else "",
    )


def _sequential_least(variant: Variant, alpha: float) -> int | None:
    if variant.expectation.kind == "non_inferior":
        return smallest_sequential_pairs(variant.parameters, alpha)
    bound, below = rate_bound(variant)
    if variant.expectation.kind not in RATES or not 0 < bound < 1:
        return None
    toward = 1 - bound if below else bound
    return next((n for n in range(2, _MOST) if float(log_e_above(float(n), 0.0, toward)) >= -math.log(alpha)), None)


def _is_paired_rate(variant: Variant) -> bool:
    metric = variant.parameters.get("metric", "sensitivity")
    return variant.expectation.kind in PAIRED and metric in RATE_METRICS


def _correlated(plain: Forecast, behaviour: Behaviour) -> str:
    """Return the correlation that was assumed, where a background gives several units."""
    if plain.units <= plain.backgrounds:
        return ""
    return f", units of a background correlated by {behaviour.sampling.icc:g} (sampling.icc)"


def _alpha(behaviour: Behaviour, variant: Variant) -> float:
    return float(variant.parameters.get("alpha", behaviour.sampling.alpha))
