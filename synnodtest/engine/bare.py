"""Scenes shown again without their nodules: is a place reported whatever lies there?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synnodtest.detectors.recorded import recorded_in
from synnodtest.engine.engine import Engine
from synnodtest.engine.outcome import Outcome, to_trial
from synnodtest.evidence.arm import UNTOUCHED_ARM
from synnodtest.evidence.chance import BARE, EXCHANGED, MIRRORED, bare, exchanged, mirrored, without_nodules
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.matching import Matching
from synnodtest.planning.recipe import MimicRecipe, Recipe
from synnodtest.ports import Background
from synnodtest.scene import Mimic, Scene
from synnodtest.spec.model import Location


def unplanted(
    engine: Engine, backgrounds: Sequence[Background], evidence: Evidence, matching: Matching
) -> dict[str, Evidence]:
    """Return by places without a nodule, in words, the evidence as it would be had its nodules lain there."""
    return {
        MIRRORED: mirrored(evidence, matching),
        EXCHANGED: exchanged(evidence, matching),
        BARE: shown_bare(engine, backgrounds, evidence, matching),
    }


def shown_bare(engine: Engine, backgrounds: Sequence[Background], evidence: Evidence, matching: Matching) -> Evidence:
    """Return the evidence as it would be had every planted nodule been met by what is found without any.

    The detector is shown each of the scenes without its nodules, those that are then alike once. A record of findings
    is asked for those that it holds.

    Args:
        engine: Shows scenes to the detector.
        backgrounds: All that the scenes stand on.
        evidence: Of an expectation.
        matching: The localization criterion.
    """
    by_id = {background.id: background for background in backgrounds}
    keys = [without_nodules(trial.scene).key() if trial.scene.nodules else "" for trial in evidence.trials]
    planted = {key: t.scene for key, t in zip(reversed(keys), reversed(evidence.trials), strict=True) if key}
    recipes = [recipe_of(scene, by_id[scene.background]) for scene in planted.values()]
    if recorded := recorded_in(engine.detector):
        recipes = [r for r in recipes if (shown := engine.first_radiograph([r])) and recorded.holds(shown)]
    found = {without_nodules(trial.scene).key(): trial for trial in _trials(engine, recipes, matching)}
    return bare(evidence, matching, [found.get(key) for key in keys])


def _trials(engine: Engine, recipes: Sequence[Recipe], matching: Matching) -> Iterator[Trial]:
    trials = (to_trial(outcome, matching) for outcome in engine.run(recipes) if isinstance(outcome, Outcome))
    return (trial for trial in trials if not trial.rejected)


def recipe_of(scene: Scene, background: Background) -> Recipe:
    """Return the recipe of a scene without its nodules, with its distractors in their places."""
    prior = () if scene.prior is None else scene.prior.perturbations
    return Recipe(
        "", background, UNTOUCHED_ARM, 0, (), (), perturbations=scene.perturbations, seed=scene.seed,
        mimics=tuple(map(_placed, scene.mimics)), pair=scene.prior is not None, prior_perturbations=prior,
    )  # fmt: skip


def _placed(mimic: Mimic) -> MimicRecipe:
    location = Location(region=None, at_mm=mimic.centre_mm)
    return MimicRecipe(mimic.kind, mimic.size_mm, mimic.name, mimic.seed, location=location, place_seed=0)
