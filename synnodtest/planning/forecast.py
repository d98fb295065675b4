"""What an item will cost and can show, before anything runs: scenes, power, the fewest units that can pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from synnodtest.planning.draw import arm_names, own_recipes
from synnodtest.planning.recipe import NoduleRecipe, Recipe
from synnodtest.planning.trial import holds
from synnodtest.planning.variants import Variant, variants
from synnodtest.ports import Background
from synnodtest.spec.model import Behaviour
from synnodtest.statistics import (
    design_effect,
    power_count,
    power_paired,
    power_rate,
    sample_size_count,
    sample_size_paired,
    sample_size_rate,
    smallest_n_paired,
    smallest_n_rate,
)

__all__ = ["ASSUMED", "Forecast", "auto_count", "forecast", "with_count"]

ASSUMED: Mapping[str, float] = {"margin_to_bound": 0.1, "discordant": 0.05, "count_share": 0.5}
"""Planned for where a spec assumes nothing: a rate 0.1 better than its bound, 5% discordant, half the allowed count."""
SAMPLE = 20
"""Backgrounds enumerated to count the units that an expectation selects."""
PAIRED = {"non_inferior", "equivalent", "invariant"}


@dataclass(frozen=True)
class Forecast:
    """What one item will cost and can show.

    Args:
        units: Nodules, pairs or images that it is decided on.
        backgrounds: Backgrounds they stand on.
        effective: Units after the design effect of clusters.
        smallest: Fewest backgrounds with which PASSED is possible at all; None where no formula says.
        power: Probability of PASSED under ``assumption``; None where no formula says.
        assumption: What power was computed for, in words.
        warning: Why it can only end INCONCLUSIVE; empty if it can pass.
    """

    units: int
    backgrounds: int
    effective: float
    smallest: int | None = None
    power: float | None = None
    assumption: str = ""
    warning: str = ""


def forecast(behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background], seed: int = 0) -> Forecast:
    """Return the forecast of one item on these backgrounds."""
    per_background = units_per_background(behaviour, variant, backgrounds, seed)
    count = len(backgrounds)
    units = round(per_background * count)
    effect = design_effect(max(per_background, 1.0), behaviour.sampling.icc)
    plain = Forecast(units, count, units / effect)
    if not units:
        return replace(plain, warning="no nodule satisfies `where`")
    if count < 2:
        return replace(plain, warning="a single background never decides")
    kind, alpha = variant.expectation.kind, _alpha(behaviour, variant)
    if kind == "monotone":
        few = "" if count >= 15 else "fewer than 15 backgrounds never decide a trend"
        return replace(plain, smallest=15, warning=few)
    if kind in PAIRED:
        return _paired(plain, behaviour, variant, alpha)
    if kind == "false_positives_per_image" and "at_most" in variant.parameters:
        return _count(plain, behaviour, variant, alpha)
    if kind in {"sensitivity", "specificity", "no_detection", "detected"}:
        return _rate(plain, behaviour, variant, alpha, max(per_background, 1.0))
    return plain


def auto_count(behaviour: Behaviour, variants: Iterable[Variant]) -> int:
    """Return the backgrounds that give every expectation with a formula the planned power (``count: auto``)."""
    fake = [Background(f"plan-{i}", content="plan") for i in range(SAMPLE)]
    counts = [2]
    for variant in variants:
        per_background = max(units_per_background(behaviour, variant, fake, 0), 1e-9)
        units = _units_needed(behaviour, variant, max(per_background, 1.0))
        counts.append(15 if variant.expectation.kind == "monotone" else -(-units // max(round(per_background), 1)))
    return max(counts)


def with_count(behaviour: Behaviour) -> Behaviour:
    """Return the behaviour with ``count: auto`` replaced by the number that reaches the planned power."""
    scenes = behaviour.scenes
    if scenes is None or isinstance(scenes.count, int):
        return behaviour
    trial = replace(behaviour, scenes=replace(scenes, count=SAMPLE))
    every = [v for expectation in trial.expectations for v in variants(trial, expectation)]
    return replace(behaviour, scenes=replace(scenes, count=auto_count(trial, every)))


def _units_needed(behaviour: Behaviour, variant: Variant, per_cluster: float) -> int:
    sampling, kind, alpha = behaviour.sampling, variant.expectation.kind, _alpha(behaviour, variant)
    if kind in PAIRED:
        margin = float(variant.parameters["margin"])
        discordant = _assumed(behaviour, variant, ASSUMED["discordant"])
        return sample_size_paired(
            discordant,
            margin,
            alpha=alpha,
            power=sampling.power,
            equivalence=kind != "non_inferior",
            per_cluster=per_cluster,
            icc=sampling.icc,
        )
    if kind == "false_positives_per_image" and "at_most" in variant.parameters:
        bound = float(variant.parameters["at_most"])
        return sample_size_count(bound, _count_rate(behaviour, variant, bound), alpha=alpha, power=sampling.power)
    if kind in {"sensitivity", "specificity", "no_detection", "detected"}:
        bound, _, true = _rates(behaviour, variant)
        return sample_size_rate(
            bound, true, alpha=alpha, power=sampling.power, per_cluster=per_cluster, icc=sampling.icc
        )
    return 30


def _rate(plain: Forecast, behaviour: Behaviour, variant: Variant, alpha: float, per_cluster: float) -> Forecast:
    bound, below, true = _rates(behaviour, variant)
    if not 0 < bound < 1:
        return plain
    smallest = smallest_n_rate(bound, alpha=alpha, below=below)
    effective = int(plain.effective)
    warning = f"at least {smallest} independent units are needed to pass" if effective < smallest else ""
    return replace(
        plain,
        smallest=-(-smallest // max(int(per_cluster / design_effect(per_cluster, behaviour.sampling.icc)), 1)),
        power=power_rate(effective, bound, true, alpha=alpha),
        assumption=f"true rate {true:g}",
        warning=warning,
    )


def _rates(behaviour: Behaviour, variant: Variant) -> tuple[float, bool, float]:
    parameters = variant.parameters
    below = "at_most" in parameters
    bound = float(parameters["at_most"] if below else parameters.get("at_least", parameters.get("rate_at_least", 0.0)))
    step = ASSUMED["margin_to_bound"]
    default = bound / 5 if below else min(bound + step, (1 + bound) / 2)
    return bound, below, _assumed(behaviour, variant, default)


def _paired(plain: Forecast, behaviour: Behaviour, variant: Variant, alpha: float) -> Forecast:
    margin = float(variant.parameters["margin"])
    smallest = smallest_n_paired(margin, alpha=alpha)
    discordant = _assumed(behaviour, variant, ASSUMED["discordant"])
    effective = int(plain.effective)
    return replace(
        plain,
        smallest=smallest,
        power=power_paired(
            effective, discordant, margin, alpha=alpha, equivalence=variant.expectation.kind != "non_inferior"
        ),
        assumption=f"equal arms, {discordant:g} discordant",
        warning=f"at least {smallest} pairs are needed to pass" if effective < smallest else "",
    )


def _count(plain: Forecast, behaviour: Behaviour, variant: Variant, alpha: float) -> Forecast:
    bound = float(variant.parameters["at_most"])
    rate = _count_rate(behaviour, variant, bound)
    power = power_count(plain.backgrounds, bound, rate, alpha=alpha)
    smallest = next((n for n in range(1, 10_000) if power_count(n, bound, 0.0, alpha=alpha) > 0), None)
    few = smallest is not None and plain.backgrounds < smallest
    return replace(
        plain,
        units=plain.backgrounds,
        effective=plain.backgrounds,
        smallest=smallest,
        power=power,
        assumption=f"true rate {rate:g} per image",
        warning=f"at least {smallest} images are needed to pass" if few else "",
    )


def _count_rate(behaviour: Behaviour, variant: Variant, bound: float) -> float:
    return min(_assumed(behaviour, variant, bound * ASSUMED["count_share"]), bound * 0.999)


def _assumed(behaviour: Behaviour, variant: Variant, default: float) -> float:
    found = behaviour.sampling.assumed(variant.expectation.id, variant.expectation.kind)
    return default if found is None else found


def _alpha(behaviour: Behaviour, variant: Variant) -> float:
    return float(variant.parameters.get("alpha", behaviour.sampling.alpha))


# --- how many units an expectation selects ----------------------------------------------------------------------


def units_per_background(behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background], seed: int) -> float:
    """Return the mean number of nodules (or images) per background that an expectation is decided on."""
    kind, scenes = variant.expectation.kind, behaviour.scenes
    if kind in {"false_positives_per_image", "specificity"} or scenes is None or not scenes.nodules:
        return 1.0
    looked = list(backgrounds[:SAMPLE])
    arm = variant.parameters.get("arm") or arm_names(scenes)[0]
    chosen = [r for r in own_recipes(behaviour, looked, seed) if r.arm == arm]
    if kind == "no_detection":
        return len(chosen) / max(len(looked), 1)
    selected = sum(_selected(variant.parameters, recipe, nodule) for recipe in chosen for nodule in recipe.nodules)
    return selected / max(len(looked), 1)


def _selected(parameters: Mapping[str, Any], recipe: Recipe, nodule: NoduleRecipe) -> bool:
    of, where = parameters.get("of"), parameters.get("where") or {}
    if nodule.name in recipe.ghosts or (of is not None and nodule.name != of):
        return False
    known: dict[str, Any] = {
        **recipe.background.strata,
        **dict(nodule.radiomics),
        **dict(recipe.levels),
        "diameter_mm": nodule.diameter_mm,
        "contrast": nodule.contrast,
        "name": nodule.name,
        "arm": recipe.arm,
    }
    return all(name not in known or holds(known[name], condition) for name, condition in where.items())
