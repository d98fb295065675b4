"""Forecast of an item before anything runs: units, power, the fewest backgrounds that can pass."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.expectations import Kind, find_check
from synnodtest.expectations.assumed import Assumed
from synnodtest.expectations.power import Forecast, Plan
from synnodtest.forecast.units import SAMPLE, scenes_per_background, units_per_background
from synnodtest.planning.cases import variants_of
from synnodtest.planning.variants import Variant
from synnodtest.ports import Background
from synnodtest.spec.model import Behaviour
from synnodtest.statistics import design_effect

UNFLAGGED = 30
"""Backgrounds from which a bootstrap over them goes unflagged."""


def forecast(behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background], seed: int = 0) -> Forecast:
    """Return the forecast of one item on these backgrounds.

    Raises:
        SynnodError: the spec assumes what can never show the bound.
    """
    per_background = units_per_background(behaviour, variant, backgrounds, seed)
    count = len({b.cluster for b in backgrounds})
    units = round(per_background * len(backgrounds))
    effect = design_effect(max(units / max(count, 1), 1.0), behaviour.sampling.icc)
    plain = Forecast(units=units, backgrounds=count, effective=units / effect)
    if not units:
        return replace(plain, warning="no nodule satisfies `where`")
    if count < 2:
        return replace(plain, warning=_alone(backgrounds))
    kind = _kind(variant)
    if behaviour.sampling.sequential:
        return _sequential(plain, kind, behaviour, variant, backgrounds)
    plan = _plan(behaviour, variant, units=units, backgrounds=count, effective=plain.effective)
    return replace(
        kind.forecast(variant.parameters, plan),
        units=units,
        backgrounds=count,
        effective=plain.effective,
        needed=_needed(behaviour, variant, units / count),
    )


def _alone(backgrounds: Sequence[Background]) -> str:
    if len(backgrounds) < 2:
        return "a single background never decides"
    return (
        f"all {len(backgrounds)} backgrounds are of one patient ({backgrounds[0].cluster}), and one patient never "
        "decides; if they are of several, name them in the manifest's column 'patient'"
    )


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
        counts.append(UNFLAGGED if _kind(variant).bootstrapped else 2)
        counts.append(_fewest(behaviour, variant, per_background))
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
    every = list(variants_of(trial))
    return replace(behaviour, scenes=replace(scenes, count=auto_count(trial, every)))


def _needed(behaviour: Behaviour, variant: Variant, per_background: float) -> int | None:
    """Return the backgrounds that reach the planned power and can pass; None where no formula or no number does."""
    try:
        needed = _backgrounds_needed(behaviour, variant, per_background)
    except SynnodError:
        return None
    return None if needed is None else max(needed, _fewest(behaviour, variant, per_background))


def _fewest(behaviour: Behaviour, variant: Variant, per_background: float) -> int:
    kind = _kind(variant)
    return kind.fewest(kind.read(variant.parameters), _alpha(behaviour, variant), per_background) or 2


def _backgrounds_needed(behaviour: Behaviour, variant: Variant, per_background: float) -> int | None:
    """Return the backgrounds that reach the planned power; None where no formula says."""
    kind, plan = _kind(variant), _plan(behaviour, variant, per_cluster=max(per_background, 1.0))
    try:
        needed = kind.units_needed(variant.parameters, plan)
        if needed is None or (kind.power is not None and kind.power.by_background):
            return needed
        return math.ceil(needed / per_background)
    except ValueError as error:
        raise SynnodError(
            f"behaviour {behaviour.id!r}, {variant.id}: no number of backgrounds reaches the planned power: {error}",
            hint="assume a value farther from the bound (sampling: {assume: ..}), or give count a number",
        ) from error


def _kind(variant: Variant) -> Kind[Any]:
    kind = find_check(variant.expectation.kind)
    if kind is None:
        raise SynnodError(f"there is no expectation {variant.expectation.kind!r}", hint="install what brings it")
    return kind


def _plan(behaviour: Behaviour, variant: Variant, **units: Any) -> Plan:
    sampling, expectation = behaviour.sampling, variant.expectation
    assumed = Assumed(behaviour.id, expectation.id, expectation.kind, sampling.assumed_for)
    return Plan(assumed, _alpha(behaviour, variant), power=sampling.power, icc=sampling.icc, **units)


def _sequential(
    plain: Forecast, kind: Kind[Any], behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background]
) -> Forecast:
    """Forecast the fewest backgrounds after which e-values can decide; each background is one unit."""
    most, within = behaviour.sampling.max_scenes, plain.backgrounds
    if most is not None:
        within = min(within, most // scenes_per_background(behaviour, variant, backgrounds))
    stop = kind.early_stop
    least = None if stop is None else stop.soonest(kind.read(variant.parameters), _alpha(behaviour, variant))
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


def _alpha(behaviour: Behaviour, variant: Variant) -> float:
    return float(variant.parameters.get("alpha", behaviour.sampling.alpha))
