"""Number of nodules, scenes, pairs or images per background that an expectation is decided on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synnodtest.evidence.arm import OWN, UNTOUCHED_ARM
from synnodtest.evidence.trial import holds
from synnodtest.expectations import find_check
from synnodtest.planning.draw import own_recipes
from synnodtest.planning.recipe import MimicRecipe, NoduleRecipe, Recipe
from synnodtest.planning.variants import Variant
from synnodtest.ports import Background
from synnodtest.spec.model import Behaviour

SAMPLE = 20
"""Backgrounds enumerated to count the units that an expectation selects."""


def units_per_background(behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background], seed: int) -> float:
    """Return the mean number of units per background that an expectation is decided on, by its first backgrounds.

    ``where`` on what is known only later (a region, a stratum of backgrounds not read yet) is taken to hold.
    """
    scenes, parameters = behaviour.scenes, variant.parameters
    kind = find_check(variant.expectation.kind)
    unit = "nodule" if kind is None else kind.unit(kind.read(parameters))
    distractors = kind is not None and kind.judges_distractors
    if unit == "image" or scenes is None or not (scenes.distractors if distractors else scenes.nodules):
        return 1.0
    looked = list(backgrounds[:SAMPLE])
    arm = parameters.get("arm")
    chosen = [r for r in own_recipes(behaviour, looked, seed) if arm in (None, r.arm)]
    if distractors:
        return sum(_selected(parameters, r, m) for r in chosen for m in r.mimics) / max(len(looked), 1)
    selected = [sum(_selected(parameters, recipe, nodule) for nodule in recipe.nodules) for recipe in chosen]
    if unit == "scene":
        selected = [min(count, 1) for count in selected]
    return sum(selected) / max(len(looked), 1)


def scenes_per_background(behaviour: Behaviour, variant: Variant, backgrounds: Sequence[Background]) -> int:
    """Return how many scenes one background costs an expectation that is judged on rates, 1 or more."""
    kind = find_check(variant.expectation.kind)
    arms = (OWN,) if kind is None else kind.arms_for(variant.parameters)
    scenes = behaviour.scenes
    if OWN not in arms or scenes is None or not (scenes.nodules or scenes.distractors):
        return 1
    own = sum(1 for _ in own_recipes(behaviour, backgrounds[:1], 0))
    return max(own + (2 if UNTOUCHED_ARM in arms else 0), 1)


def _selected(parameters: Mapping[str, Any], recipe: Recipe, planted: NoduleRecipe | MimicRecipe) -> bool:
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
    return all(name not in strata or holds(strata[name], condition) for name, condition in where.items())
