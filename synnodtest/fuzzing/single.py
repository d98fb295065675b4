"""One example on one background, for tests written in Python."""

from __future__ import annotations

from synnodtest.engine import Unplaced
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.outcome import to_trial
from synnodtest.evidence.trial import Trial
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.places import Places
from synnodtest.fuzzing.recipes import RecipeMaker
from synnodtest.matching import Matching
from synnodtest.planning.example import Example
from synnodtest.planning.place import MissingRegion, NoPlace
from synnodtest.spec.model import Behaviour, Location, Scenes

NAME = "python"
LEAST_COUNT = 20
"""Backgrounds that are opened at least, so that tests share one set."""


def plant(
    campaign: Campaign, example: Example, set_name: str, number: int, matching: Matching
) -> tuple[Trial | None, str]:
    """Return the trial of an example on the background of this number, or None and why there is none.

    Args:
        campaign: Detector, synthesizer and backgrounds.
        example: What to plant.
        set_name: Of the background set.
        number: Of the background, from 0; wraps around where the set is shorter.
        matching: The localization criterion.
    """
    behaviour = Behaviour(NAME, "", scenes=Scenes(set=set_name, count=max(LEAST_COUNT, number + 1)))
    backgrounds = campaign.backgrounds(behaviour)
    engine = campaign.engine(behaviour, campaign.providers.default_synthesizer)
    claim = Claim("detected", {"operating_point": 0.0})
    maker = RecipeMaker(NAME, claim, Places(engine.load, Location()), plants=True, seed=campaign.seed)
    try:
        recipes = maker.recipes(example, backgrounds[number % len(backgrounds)], 0, NAME)
    except (MissingRegion, NoPlace) as nowhere:
        return None, str(nowhere)
    (outcome,) = engine.run(recipes)
    if isinstance(outcome, Unplaced):
        return None, outcome.reason
    trial = to_trial(outcome, matching)
    return (None, trial.rejected) if trial.rejected else (trial, "")
