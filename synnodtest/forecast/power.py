"""Forecast of an item before anything runs: units, power, the fewest backgrounds that can pass."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.evidence.arm import OWN, UNTOUCHED_ARM
from synnodtest.evidence.conditions import holds
from synnodtest.expectations import Kind, kind_of
from synnodtest.expectations.assumed import Assumed
from synnodtest.expectations.pairing import Compared
from synnodtest.expectations.power import Forecast, Plan
from synnodtest.planning.cases import variants_of
from synnodtest.planning.draw import own_recipes
from synnodtest.planning.groups import groups_for
from synnodtest.planning.item import Item
from synnodtest.planning.recipe import MimicRecipe, NoduleRecipe, Recipe
from synnodtest.planning.variants import Variant
from synnodtest.ports import Background
from synnodtest.spec.model import Behaviour, Scenes
from synnodtest.spec.quantities import FACTS, WORDS, judged_quantities, named_values
from synnodtest.statistics import design_effect

UNFLAGGED = 30
"""Backgrounds from which a bootstrap over them goes unflagged."""


def forecast(behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background], seed: int = 0) -> Forecast:
    """Return the forecast of one item on these backgrounds.

    Raises:
        SynnodError: the spec assumes what can never show the bound.
    """
    column = _column_of_none(behaviour, variant, backgrounds)
    per_background = 0.0 if column else units_per_background(behaviour, variant, backgrounds, seed)
    count = len({b.cluster for b in backgrounds})
    units = round(per_background * len(backgrounds))
    effect = design_effect(max(units / max(count, 1), 1.0), behaviour.sampling.icc)
    plain = Forecast(units=units, backgrounds=count, effective=units / effect)
    if not units:
        none = f"has {column!r}: is it a column of the manifest?" if column else "or nodule on one satisfies `where`"
        return replace(plain, warning=f"no background {none}")
    if count < 2:
        return replace(plain, warning=_alone(backgrounds))
    item = _Planned(behaviour, variant)
    if behaviour.sampling.sequential:
        return item.sequential(plain, backgrounds)
    shown = item.kind.forecast(item.parameters, item.plan(units=units, backgrounds=count, effective=plain.effective))
    return replace(shown, units=units, backgrounds=count, effective=plain.effective, needed=item.needed(units / count))


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
        item = _Planned(behaviour, variant)
        needed = item.backgrounds_needed(per_background)
        counts.append(UNFLAGGED if needed is None or item.kind.bootstrapped else 2)
        counts += [needed or 2, item.fewest(per_background)]
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


class _Planned(Item):
    """An item as its kind is asked about it before a run."""

    def plan(self, **units: Any) -> Plan:
        """Return the plan on so many units."""
        sampling, expectation = self.behaviour.sampling, self.variant.expectation
        assumed = Assumed(self.behaviour.id, expectation.id, expectation.kind, sampling.assumed_for)
        return Plan(assumed, self.alpha, power=sampling.power, icc=sampling.icc, **units)

    def needed(self, per_background: float) -> int | None:
        """Return the backgrounds that reach the planned power and can pass; None where no formula or number does."""
        try:
            needed = self.backgrounds_needed(per_background)
        except SynnodError:
            return None
        return None if needed is None else max(needed, self.fewest(per_background))

    def fewest(self, per_background: float) -> int:
        """Return the fewest backgrounds that can pass, 2 or more."""
        return self.kind.fewest_gated(self.parameters, self.alpha, per_background) or 2

    def backgrounds_needed(self, per_background: float) -> int | None:
        """Return the backgrounds that reach the planned power; None where no formula says."""
        plan = self.plan(per_cluster=max(per_background, 1.0))
        try:
            needed = self.kind.units_needed(self.parameters, plan)
        except ValueError as error:
            raise SynnodError(
                f"behaviour {self.behaviour.id!r}, {self.variant.id}: no number of backgrounds reaches the planned "
                f"power: {error}",
                hint="assume a value farther from the bound (sampling: {assume: ..}), or give count a number",
            ) from error
        if needed is None or (self.kind.power is not None and self.kind.power.by_background):
            return needed
        return math.ceil(needed / per_background)

    def sequential(self, plain: Forecast, backgrounds: Sequence[Background]) -> Forecast:
        """Forecast the fewest backgrounds after which e-values can decide; each background is one unit."""
        most, within = self.behaviour.sampling.max_scenes, plain.backgrounds
        if most is not None:
            within = min(within, most // scenes_per_background(self.behaviour, self.variant, backgrounds))
        stop, warning = self.kind.early_stop, ""
        least = None if stop is None else stop.soonest(self.parameters, self.alpha)
        if least is not None and within < least:
            warning = f"at least {least} backgrounds are needed before e-values can pass it, and {within} are there"
            warning += f" within max_scenes: {most}" if within < plain.backgrounds else ""
        return replace(plain, effective=within, smallest=least, warning=warning)


SAMPLE = 20
"""Backgrounds enumerated to count the units that an expectation selects."""


def units_per_background(behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background], seed: int) -> float:
    """Return the mean number of units per background that an expectation is decided on, by its first backgrounds.

    ``where`` on what is known only later (a region, a stratum where no background has any) is taken to hold.
    """
    scenes, parameters = behaviour.scenes, variant.parameters
    kind = kind_of(variant.expectation.kind)
    unit, distractors = kind.unit(kind.read(parameters)), kind.judges_distractors
    looked = list(backgrounds[:SAMPLE])
    columns = {name for background in backgrounds for name in background.strata}
    if unit == "image" or scenes is None or not (scenes.distractors if distractors else scenes.nodules):
        asked = {name: one for name, one in (parameters.get("where") or {}).items() if name in columns}
        share = sum(_meets(asked, one.strata, columns) for one in looked) / max(len(looked), 1)
        return share if "reference" in parameters else share * _untouched_per_background(kind, scenes, parameters)
    arm = parameters.get("arm")
    chosen = [r for r in own_recipes(behaviour, looked, seed) if arm in (None, r.arm)]
    if distractors:
        return sum(_selected(parameters, r, m, columns) for r in chosen for m in r.mimics) / max(len(looked), 1)
    selected = [sum(_selected(parameters, recipe, nodule, columns) for nodule in recipe.nodules) for recipe in chosen]
    if unit == "scene":
        selected = [min(count, 1) for count in selected]
    return sum(selected) / max(len(looked), 1)


def scenes_per_background(behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background]) -> int:
    """Return how many scenes one background costs an expectation that is judged on rates, 1 or more."""
    kind, scenes = kind_of(variant.expectation.kind), behaviour.scenes
    arms = kind.arms_for(variant.parameters)
    if OWN not in arms or scenes is None or not (scenes.nodules or scenes.distractors):
        return _untouched_per_background(kind, scenes, variant.parameters)
    own = sum(1 for _ in own_recipes(behaviour, backgrounds[:1], 0))
    return max(own + (2 if UNTOUCHED_ARM in arms else 0), 1)


def _untouched_per_background(kind: Kind[Any], scenes: Scenes | None, parameters: Mapping[str, Any]) -> int:
    """Return how many looks of one untouched background are judged, 1 or more."""
    if scenes is None:
        return 1
    groups = groups_for(kind.arms_for(parameters), scenes, parameters)
    return max(sum(group.kind == UNTOUCHED_ARM for group in groups), 1)


def _column_of_none(behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background]) -> str:
    """Return a stratum that ``where`` asks for and no background has; "" if there is none.

    Of images that are compared such a condition chooses none, so that all are judged.
    """
    kind, scenes = kind_of(variant.expectation.kind), behaviour.scenes
    own = kind.read(variant.parameters)
    if scenes is None or (kind.unit(own) == "image" and isinstance(own, Compared)):
        return ""
    planted = named_values(judged_quantities(scenes, distractors=kind.judges_distractors))
    known = {*planted, *WORDS - FACTS, *(name for one in backgrounds for name in one.strata)}
    where: Mapping[str, Any] = variant.parameters.get("where") or {}
    return next((name for name in where if name not in known), "")


def _meets(where: Mapping[str, Any], strata: Mapping[str, object], columns: Collection[str]) -> bool:
    """Return whether what is known meets all conditions; a column that some background has is known of each."""
    return all(holds(strata.get(name), one) for name, one in where.items() if name in strata or name in columns)


def _selected(
    parameters: Mapping[str, Any], recipe: Recipe, planted: NoduleRecipe | MimicRecipe, columns: Collection[str]
) -> bool:
    of, where = parameters.get("of"), parameters.get("where") or {}
    if planted.name in recipe.ghosts or of not in (None, planted.name):
        return False
    strata: dict[str, object] = {**recipe.background.strata}
    if isinstance(planted, MimicRecipe):
        strata |= {**dict(recipe.levels), "mimic": planted.kind, "size_mm": planted.size_mm}
    else:
        strata |= {**dict(planted.radiomics), **dict(recipe.levels), "diameter_mm": planted.diameter_mm}
        strata |= planted.look()
        strata |= {} if planted.contrast is None else {"contrast": planted.contrast}
    strata |= {"name": planted.name, "arm": recipe.arm}
    return _meets(where, strata, columns)
