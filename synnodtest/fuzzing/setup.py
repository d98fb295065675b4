"""Set-up of a search: its claim, space, backgrounds and the two stages that try examples; or of one example alone."""

from __future__ import annotations

import time
from dataclasses import replace

from synnodtest.canonical import seed_of
from synnodtest.engine import Unplaced
from synnodtest.engine.bare import recipe_of
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.outcome import to_trial
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.evidence.trial import Trial
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.clock import Clock
from synnodtest.fuzzing.confirm import held_out
from synnodtest.fuzzing.failures import Failures
from synnodtest.fuzzing.places import Places
from synnodtest.fuzzing.recipes import RecipeMaker
from synnodtest.fuzzing.stage import Stage
from synnodtest.matching import Matching
from synnodtest.planning.difficulty import Difficulties
from synnodtest.planning.example import Example
from synnodtest.planning.example_space import example_of, plants_nodule, space_of
from synnodtest.planning.place import MissingRegion, NoPlace
from synnodtest.planning.recipe import Recipe
from synnodtest.planning.variants import Variant
from synnodtest.scene import Scene
from synnodtest.spec.model import Behaviour, Fuzz, Location, Scenes
from synnodtest.spec.plain import behaviour_dict

PYTHON = "python"
"""Behaviour of examples that a test written in Python plants."""
DOUBLING_DAYS, INTERVAL_DAYS = 40.0, 360.0
"""Growth of a nodule that is planted where there is a prior: from an eighth of its diameter, which nobody reports."""
LEAST_COUNT = 20
"""Backgrounds that are opened at least, so that tests share one set."""


def with_all_backgrounds(behaviour: Behaviour) -> Behaviour:
    """Return a fuzz behaviour with the backgrounds of search and confirmation as its scenes; others as they are."""
    fuzz = behaviour.fuzz
    if fuzz is None:
        return behaviour
    return replace(behaviour, scenes=Scenes(set=fuzz.set, count=fuzz.count + fuzz.confirm_trials))


class SearchSetup:
    """Set-up of one search.

    Args:
        campaign: Detector, synthesizers and backgrounds.
        behaviour: With ``fuzz``.
        variant: The expectation.

    Raises:
        InvalidEvidence: the set lacks the region.
        SynnodError: the behaviour names several synthesizers.
    """

    def __init__(self, campaign: Campaign, behaviour: Behaviour, variant: Variant) -> None:
        assert behaviour.fuzz is not None
        self.fuzz: Fuzz = behaviour.fuzz
        self.clock = Clock(self.fuzz.time_budget_s)
        self.asked, self.variant, self.behaviour = behaviour, variant, with_all_backgrounds(behaviour)
        self.claim = Claim(variant.expectation.kind, variant.parameters)
        self.alpha = float(variant.parameters.get("alpha", behaviour.sampling.alpha))
        names = campaign.synthesizer_names(behaviour)
        if len(names) > 1:
            raise SynnodError(
                f"behaviour {behaviour.id!r}: a search runs on one synthesizer, not {', '.join(names)}",
                hint="name one under 'synthesizers'; 'search_with' may name a cheaper one for the search",
            )
        self.under_test = names[0]
        self.searched_with = self.fuzz.search_with or self.under_test
        self.matching = Matching.from_dict(variant.parameters.get("matching", behaviour.matching))
        plain = behaviour_dict(behaviour)
        self.seed = seed_of("fuzz", campaign.seed, plain, variant.id)
        engine = campaign.engine(self.behaviour, self.under_test)
        self.places = Places(engine.load, self.fuzz.location)
        plants = plants_nodule(self.fuzz, self.claim.kind)
        self.maker = RecipeMaker(behaviour.id, self.claim, self.places, plants, campaign.seed)
        first, held = held_out(campaign.backgrounds(self.behaviour), self.fuzz.count)
        cheap = campaign.engine(self.behaviour, self.searched_with)
        self.search_stage = Stage(cheap, self.maker, self.matching, first, "search", self.fuzz.replicates)
        self.confirm_stage = Stage(engine, self.maker, self.matching, held, "confirm")
        self.space = space_of(behaviour, self.claim.kind, variant.parameters, self._parts())
        self.failures = Failures(campaign.store.root / "fuzz-examples", plain, variant.id, self.space)

    @property
    def easiest(self) -> Example:
        """The easiest example of the space."""
        return self.example(self.space.easiest)

    def example(self, point: Difficulties) -> Example:
        """Return the example at a point of the space."""
        return example_of(self.space, self.fuzz, point)

    def point_of(self, example: Example) -> Difficulties | None:
        """Return the point of the space nearest to an example; None where it says more than a point can."""
        values = example.values
        if set(values) - {d.name for d in self.space} - set(self.fuzz.fixed):
            return None
        values["companion.present"] = bool(example.group("companion"))
        return tuple(d.nearest(values.get(d.name)) for d in self.space)

    def _parts(self) -> int:
        """Return in how many parts the region falls at most: lungs that touch on one background do not on others."""
        if not self.maker.plants or self.fuzz.location.at_mm is not None:
            return 1
        parts, missing = 0, ""
        for background in self.search_stage.backgrounds:
            started = time.perf_counter()
            try:
                parts = max(parts, self.places.parts(background))
            except MissingRegion as error:
                missing = error.region
            except NoPlace:
                continue
            finally:
                self.search_stage.pace.note([background.id], time.perf_counter() - started)
        if parts:
            return parts
        if missing:
            raise InvalidEvidence(
                f"no background of the set {self.fuzz.set!r} has the region {missing!r}",
                hint=f"put a mask beside each radiograph (<stem>.{missing}.png) or name it in the manifest",
            )
        raise InvalidEvidence(f"no place for a nodule on the backgrounds of the set {self.fuzz.set!r}")


def on_set(name: str, count: int) -> Behaviour:
    """Return the behaviour of examples on so many backgrounds of a set, or more."""
    return Behaviour(PYTHON, "", scenes=Scenes(set=name, count=max(LEAST_COUNT, count)))


def plant(
    campaign: Campaign,
    example: Example,
    behaviour: Behaviour,
    number: int,
    matching: Matching,
    synthesizer: str = "",
    scene: Scene | None = None,
) -> tuple[Trial | None, str]:
    """Return the trial of an example on the background of this number, or None and why there is none.

    Args:
        campaign: Detector, synthesizer and backgrounds.
        example: What to plant.
        behaviour: Has the backgrounds, as :func:`on_set` makes it.
        number: Of the background, from 0; wraps around where the set is shorter.
        matching: The localization criterion.
        synthesizer: Plants it; where none is named, that of behaviours that name none.
        scene: Without nodules, on that background: the example is planted among its distractors, under its
            perturbations and, where it has a prior, as a nodule that has grown into sight.
    """
    backgrounds = campaign.backgrounds(behaviour)
    engine = campaign.engine(behaviour, synthesizer or campaign.providers.default_synthesizer)
    claim = Claim("detected", {"operating_point": 0.0})
    maker = RecipeMaker(PYTHON, claim, Places(engine.load, Location()), plants=True, seed=campaign.seed)
    try:
        (recipe,) = maker.recipes(example, backgrounds[number % len(backgrounds)], 0, PYTHON)
    except (MissingRegion, NoPlace) as nowhere:
        return None, str(nowhere)
    (outcome,) = engine.run([recipe if scene is None else _within(scene, recipe)])
    if isinstance(outcome, Unplaced):
        return None, outcome.reason
    trial = to_trial(outcome, matching)
    return (None, trial.rejected) if trial.rejected else (trial, "")


def _within(scene: Scene, recipe: Recipe) -> Recipe:
    """Return the recipe of a planted nodule with everything else as a scene has it."""
    shown = recipe_of(scene, recipe.background)
    nodules = recipe.nodules
    if shown.pair:
        nodules = tuple(replace(n, doubling_days=DOUBLING_DAYS, interval_days=INTERVAL_DAYS) for n in nodules)
    return replace(shown, behaviour=recipe.behaviour, arm=recipe.arm, nodules=nodules, seed=recipe.seed)
