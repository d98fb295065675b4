"""Groups of scenes that an expectation needs: the behaviour's own arms, and those it plans by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from synnodtest.evidence.arm import CONTROL_ARM, OWN, PRIOR_ARM, SHAM_ARM, UNDER_ARM, UNTOUCHED_ARM, Arm
from synnodtest.evidence.conditions import holds
from synnodtest.evidence.regions import RegionExpression
from synnodtest.planning.draw import control_recipes, own_recipes, sham_recipes, under_recipes, untouched_recipes
from synnodtest.planning.recipe import Recipe
from synnodtest.ports import Background
from synnodtest.spec.model import ArmSpec, Behaviour, PerturbationSpec, Scenes


@dataclass(frozen=True)
class Group:
    """Scenes that are made together and shared by every expectation that needs them.

    Args:
        kind: ``own``, or one of the arms of :mod:`synnodtest.evidence.arm` that expectations plan.
        region: Of a control group: the region that its nodules keep out of.
        under: Of ``@under``: the perturbations that are added to every scene.
        arm: Of ``@untouched``: the arm whose perturbations the backgrounds carry; empty: none at all. Of a control
            group: the arm whose nodules are moved; empty: all arms.
        untouched: Of ``@under``: perturb untouched backgrounds in place of the behaviour's own scenes.
    """

    kind: Arm
    region: RegionExpression | None = None
    under: tuple[PerturbationSpec, ...] = ()
    arm: str = ""
    untouched: bool = False

    def recipes(self, behaviour: Behaviour, backgrounds: Sequence[Background], seed: int) -> Iterator[Recipe]:
        """Yield its recipes, background by background.

        Args:
            behaviour: With scenes.
            backgrounds: Those that the behaviour stands on.
            seed: The master seed.
        """
        if self.kind == UNTOUCHED_ARM:
            return untouched_recipes(behaviour, backgrounds, seed, self.arm)
        if self.kind == CONTROL_ARM:
            assert self.region is not None
            return control_recipes(behaviour, backgrounds, seed, self.region, self.arm)
        if self.kind == UNDER_ARM:
            plain = replace(self, kind=UNTOUCHED_ARM if self.untouched else OWN)
            return under_recipes(behaviour, plain.recipes(behaviour, backgrounds, seed), seed, self.under)
        if self.kind == SHAM_ARM:
            return sham_recipes(behaviour, backgrounds, seed)
        own = own_recipes(behaviour, backgrounds, seed)
        if self.kind == PRIOR_ARM:  # before their nodules grew, each alone
            return (replace(recipe, arm=PRIOR_ARM.of(recipe.arm), alone=True) for recipe in own)
        return own


PLAIN = Group(UNTOUCHED_ARM)
"""The backgrounds as they are."""
SHAM = Group(SHAM_ARM)
"""The nodules' masks, inpainted without a nodule."""


def groups_for(arms: Iterable[Arm], scenes: Scenes, parameters: Mapping[str, Any]) -> tuple[Group, ...]:
    """Return the groups behind the arms that a check asks for.

    Untouched backgrounds carry the perturbations of the arm that the expectation judges, of several arms those of each,
    so that only the nodule tells them from its scenes. Where it compares two arms with different nodules or
    distractors, untouched backgrounds would be equal by construction: then the arms' own scenes stand for themselves.

    Args:
        arms: ``own`` and those that expectations plan by themselves.
        scenes: Of the behaviour.
        parameters: Of the expectation.
    """
    groups: list[Group] = []
    needed = tuple(arms)
    for arm in needed:
        if arm == CONTROL_ARM:
            groups.append(Group(CONTROL_ARM, region=parameters["region"], arm=parameters.get("arm") or ""))
        elif arm == UNDER_ARM:
            under, untouched = tuple(parameters["under"]), UNTOUCHED_ARM in needed
            names = _untouched(scenes, parameters) if untouched else [""]
            groups += [Group(UNDER_ARM, under=under, arm=name, untouched=untouched) for name in names]
        elif arm == UNTOUCHED_ARM:
            groups += [Group(UNTOUCHED_ARM, arm=name) for name in _untouched(scenes, parameters)]
        else:
            groups.append(Group(arm))
    return tuple(dict.fromkeys(groups))


def _untouched(scenes: Scenes, parameters: Mapping[str, Any]) -> Iterator[str]:
    arm, reference = parameters.get("arm"), parameters.get("reference")
    if reference is not None:
        one, other = scenes.arms[arm or ""], scenes.arms[reference]
        if set(one.nodules) != set(other.nodules) or set(one.distractors) != set(other.distractors):
            return
        yield from (_carried(scenes, arm), _carried(scenes, reference))
    else:
        yield from {_perturbed(scenes, name): _carried(scenes, name) for name in _judged(scenes, parameters)}.values()


def _judged(scenes: Scenes, parameters: Mapping[str, Any]) -> list[str | None]:
    """Return the arms that an expectation judges, None for all that perturb nothing by themselves."""
    if parameters.get("arm"):
        return [parameters["arm"]]
    asked = (parameters.get("where") or {}).get("arm", {})
    judged = [arm for arm in scenes.arms if holds(arm, asked)]
    return [arm if scenes.arms[arm].perturbations else None for arm in judged] or [None]


def _perturbed(scenes: Scenes, arm: str | None) -> tuple[PerturbationSpec, ...]:
    return scenes.perturbations + scenes.arms.get(arm or "", ArmSpec(())).perturbations


def _carried(scenes: Scenes, arm: str | None) -> str:
    """Return the arm by whose name untouched backgrounds are perturbed; empty where nothing perturbs them."""
    return (arm or "*") if _perturbed(scenes, arm) else ""
