"""A behaviour -> recipes: crosses sweeps, draws values, seeds places and appearances.

Every random number hangs on (master seed, behaviour, background, nodule, replicate) by sha256. Values that are not
swept, and whatever a nodule holds, are equal between the levels of a sweep; arms share all draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from synnodtest.attenuation import draw_density
from synnodtest.canonical import seed_of
from synnodtest.errors import SynnodError
from synnodtest.evidence.arm import CONTROL_ARM, DEFAULT_ARM, UNDER_ARM, UNTOUCHED_ARM, Arm
from synnodtest.evidence.regions import RegionExpression
from synnodtest.mimics import mimic_kind
from synnodtest.planning.recipe import MimicRecipe, NoduleRecipe, Recipe
from synnodtest.ports import Background
from synnodtest.scene import Perturbation
from synnodtest.spec.model import ArmSpec, Behaviour, DistractorSpec, Location, NoduleSpec, PerturbationSpec, Scenes
from synnodtest.spec.values import Amount, Sweep, Value

Level = tuple[tuple[str, float | str], ...]


_Stream = tuple[Any, ...]
"""The seeds of one nodule on one background and replicate hang on these, and on what they are for."""


def background_count(behaviour: Behaviour) -> int:
    """Return how many backgrounds a behaviour asks for."""
    scenes = behaviour.scenes
    if scenes is None:
        return 0
    if isinstance(scenes.count, int):
        return scenes.count
    raise SynnodError(f"behaviour {behaviour.id!r}: count: auto was not resolved", hint="forecast.power.with_count")


def own_recipes(behaviour: Behaviour, backgrounds: Sequence[Background], seed: int) -> Iterator[Recipe]:
    """Yield the recipes of the behaviour's own arms, background by background.

    Args:
        behaviour: With scenes.
        backgrounds: Those that the behaviour stands on.
        seed: The master seed.
    """
    scenes = behaviour.scenes
    assert scenes is not None
    arms: Mapping[str, ArmSpec | None] = scenes.arms or {DEFAULT_ARM: None}
    levels = list(_levels(scenes))
    pair = _are_pairs(scenes)
    for background in backgrounds:
        for replicate in range(scenes.replicates):
            for level in levels:
                nodules = tuple(
                    _nodule((seed, behaviour.id, background.id, index, replicate), nodule, level)
                    for index, nodule in enumerate(scenes.nodules)
                )
                mimics = tuple(
                    _mimic((seed, behaviour.id, background.id, "distractor", index, replicate), one, level)
                    for index, one in enumerate(scenes.distractors)
                )
                stream = _scene_stream(seed, behaviour, background, replicate)
                earlier = _drawn(scenes.prior_perturbations, stream, "prior")
                for name, arm in arms.items():
                    yield Recipe(
                        behaviour=behaviour.id,
                        background=background,
                        arm=Arm(name),
                        replicate=replicate,
                        levels=level,
                        nodules=nodules,
                        ghosts=_ghosts(arm, scenes),
                        perturbations=_perturbations(scenes, arm, stream),
                        seed=seed_of(*stream),
                        mimics=mimics,
                        pair=pair,
                        prior_perturbations=earlier,
                    )


def untouched_recipes(
    behaviour: Behaviour, backgrounds: Sequence[Background], seed: int = 0, arm: str = ""
) -> Iterator[Recipe]:
    """Yield one recipe per background that plants nothing in it; it has a prior where the behaviour's scenes have one.

    Args:
        behaviour: With scenes.
        backgrounds: Those that the behaviour stands on.
        seed: The master seed.
        arm: The background carries the perturbations of this arm's first replicate (``*``: those of every arm);
            empty: it stays as it is.
    """
    scenes = behaviour.scenes
    for background in backgrounds:
        plain = Recipe(behaviour.id, background, UNTOUCHED_ARM, 0, (), ())
        stream = _scene_stream(seed, behaviour, background, 0)
        if scenes is not None and _are_pairs(scenes):
            earlier = _drawn(scenes.prior_perturbations, stream, "prior")
            plain = replace(plain, pair=True, prior_perturbations=earlier, seed=seed_of(*stream))
        if arm:
            assert scenes is not None
            changes = _perturbations(scenes, scenes.arms.get(arm), stream)
            plain = replace(plain, arm=UNTOUCHED_ARM.of(arm), perturbations=changes, seed=seed_of(*stream))
        yield plain


def _are_pairs(scenes: Scenes) -> bool:
    return any(nodule.doubling_days is not None for nodule in scenes.nodules)


def under_recipes(
    behaviour: Behaviour, recipes: Iterable[Recipe], seed: int, under: Sequence[PerturbationSpec]
) -> Iterator[Recipe]:
    """Yield recipes of a behaviour with perturbations added after their own."""
    for recipe in recipes:
        stream = _scene_stream(seed, behaviour, recipe.background, recipe.replicate)
        added = _drawn(under, stream, "under")
        yield replace(
            recipe,
            arm=UNDER_ARM.of(recipe.arm),
            perturbations=recipe.perturbations + added,
            seed=recipe.seed or seed_of(*stream),
        )


def _scene_stream(seed: int, behaviour: Behaviour, background: Background, replicate: int) -> _Stream:
    return seed, behaviour.id, background.id, "scene", replicate


def control_recipes(
    behaviour: Behaviour, backgrounds: Sequence[Background], seed: int, region: RegionExpression, arm: str = ""
) -> Iterator[Recipe]:
    """Yield the own recipes of an arm (empty: of all) with every nodule moved to a place outside ``region``."""
    outside = Location(region="lung", avoid=(region,))
    for recipe in own_recipes(behaviour, backgrounds, seed):
        if arm not in ("", recipe.arm):
            continue
        moved = tuple(replace(n, location=outside, place_seed=n.place_seed ^ 1) for n in recipe.nodules)
        yield replace(recipe, arm=CONTROL_ARM, nodules=moved)


def sham_recipes(behaviour: Behaviour, backgrounds: Sequence[Background], seed: int) -> Iterator[Recipe]:
    """Yield one sham recipe per background: the masks of its first scene with all nodules, without a nodule."""
    edits: set[str] = set()
    for recipe in own_recipes(behaviour, backgrounds, seed):
        if recipe.background.id not in edits and recipe.nodules:
            edits.add(recipe.background.id)
            yield recipe.as_sham()


def _levels(scenes: Scenes) -> Iterator[Level]:
    """Yield the crossed levels of every swept value, first nodule outermost, distractors innermost."""
    every = [(nodule.name, field, value) for nodule in scenes.nodules for field, value in _fields(nodule)]
    every += [(one.name, field, value) for one in scenes.distractors for field, value in one.values().items()]
    swept = [(name, field, value) for name, field, value in every if isinstance(value, Sweep)]
    fields = [field for _, field, _ in swept]
    names = [f"{name}.{field}" if fields.count(field) > 1 else field for name, field, _ in swept]
    values = [[level for level in value.levels if not isinstance(level, tuple)] for _, _, value in swept]
    for combination in product(*values):
        yield tuple(zip(names, combination, strict=True))


def _fields(nodule: NoduleSpec) -> Iterator[tuple[str, Value]]:
    """Yield what is drawn of a nodule, in the order of the draws."""
    named = nodule.values()
    brightness, growth = ("contrast", "density", "attenuation"), ("doubling_days", "interval_days")
    for name in ("diameter_mm", *brightness, *nodule.radiomics, "margin", *growth, "lesion"):
        if name in named:
            yield name, named[name]


def _amounts(
    values: Iterable[tuple[str, Value]], name: str, level: Level, rng: np.random.Generator
) -> Iterator[tuple[str, Amount]]:
    """Yield what is drawn of each value; of a swept one its level, though it is drawn too and shifts no other."""
    chosen = dict(level)
    for field, value in values:
        drawn = value.draw(rng)
        swept = chosen.get(f"{name}.{field}", chosen.get(field))
        yield field, swept if isinstance(value, Sweep) and swept is not None else drawn


def _nodule(stream: _Stream, nodule: NoduleSpec, level: Level) -> NoduleRecipe:
    drawn = dict(_amounts(_fields(nodule), nodule.name, level, _rng(*stream, "values")))
    words = {field: str(drawn.pop(field)) for field in ("attenuation", "margin", "lesion") if field in drawn}
    values = {field: _number(amount) for field, amount in drawn.items()}
    free = [] if not level else [list(level)]
    radius = values["diameter_mm"] / 2
    grown = {name: round(values.pop(name), 4) for name in ("doubling_days", "interval_days") if name in values}
    fixed_place = "location" in nodule.hold
    appearance = seed_of(*stream, "appearance", *([] if "seed" in nodule.hold else free))
    largest = max(nodule.diameter_mm.bounds) / 2 if fixed_place and isinstance(nodule.diameter_mm, Sweep) else radius
    contrast, density = _brightness(values, words.get("attenuation", ""), radius * 2, stream)
    return NoduleRecipe(
        round(values.pop("diameter_mm"), 4),
        contrast=contrast,
        density=density,
        attenuation=words.get("attenuation", "") if contrast is None else "",
        name=nodule.name,
        radiomics=tuple(sorted(values.items())),
        margin=words.get("margin", ""),
        lesion=words.get("lesion", "").removeprefix("nodule"),
        location=nodule.location,
        fills=nodule.location.box_px if nodule.fills_box else None,
        clearance_mm=largest,
        place_seed=seed_of(*stream, "place", *([] if fixed_place else free)),
        seed=appearance if nodule.seed is None else nodule.seed,
        doubling_days=grown.get("doubling_days"),
        interval_days=grown.get("interval_days"),
    )


def _mimic(stream: _Stream, distractor: DistractorSpec, level: Level) -> MimicRecipe:
    drawn = dict(_amounts(distractor.values().items(), distractor.name, level, _rng(*stream, "values")))
    kind = str(drawn["mimic"])
    size = drawn.get("size_mm", _rng(*stream, "size").uniform(*mimic_kind(kind).sizes_mm))
    free = [] if not level else [list(level)]
    return MimicRecipe(
        kind,
        round(_number(size), 4),
        distractor.name,
        location=distractor.location,
        place_seed=seed_of(*stream, "place", *([] if "location" in distractor.hold else free)),
        seed=seed_of(*stream, "appearance", *([] if "seed" in distractor.hold else free)),
    )


def _brightness(
    values: dict[str, float], attenuation: str, diameter_mm: float, stream: _Stream
) -> tuple[float | None, float | None]:
    """Take the contrast or the density out of the drawn values, one of which is None; without either draw a density."""
    if "contrast" in values:
        return round(values.pop("contrast"), 4), None
    density = values.pop("density", None)
    if density is None:
        density = draw_density(attenuation, diameter_mm, _rng(*stream, "density"))
    return None, round(density, 4)


def _rng(*parts: Any) -> np.random.Generator:
    return np.random.default_rng(seed_of(*parts))


def _number(amount: Amount) -> float:
    assert not isinstance(amount, tuple)
    return float(amount)


def _ghosts(arm: ArmSpec | None, scenes: Scenes) -> frozenset[str]:
    names = frozenset((*(one.name for one in scenes.nodules), *(one.name for one in scenes.distractors)))
    return frozenset() if arm is None else names - frozenset((*arm.nodules, *arm.distractors))


def _perturbations(scenes: Scenes, arm: ArmSpec | None, stream: _Stream) -> tuple[Perturbation, ...]:
    perturbations = scenes.perturbations + (arm.perturbations if arm is not None else ())
    return _drawn(perturbations, stream, "perturbation")


def _drawn(wanted: Sequence[PerturbationSpec], stream: _Stream, word: str) -> tuple[Perturbation, ...]:
    return tuple(
        Perturbation(kind, value.draw(_rng(*stream, word, index, kind))) for index, (kind, value) in enumerate(wanted)
    )
