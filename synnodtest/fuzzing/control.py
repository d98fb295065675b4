"""The control of claims that a silent detector would keep: it finds easy nodules on the held-out backgrounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from synnodtest.expectations.sentences import beside
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.confirm import rate_of
from synnodtest.fuzzing.places import Places
from synnodtest.fuzzing.recipes import RecipeMaker
from synnodtest.fuzzing.stage import Replicate, Stage
from synnodtest.planning.example import Example
from synnodtest.spec.model import Location
from synnodtest.statistics import Estimate

EASY = Example.of({"diameter_mm": 20.0, "contrast": 1.0, "place.part": 0, "place.height": 0.0, "place.across": 0.0})
"""The nodule where examples have none: 20 mm, dense, in the middle of a lung."""
LEAST = 0.2
"""The share that must be found, as of the reference arm of paired expectations."""
TRIALS = 30
"""Scenes of the control, as docs/fuzzing.md states; set by hand: some 11 of 30 found show more than :data:`LEAST`."""


@dataclass(frozen=True)
class Control:
    """Outcome of the control.

    Args:
        found: In how many scenes it was found.
        scenes: Of how many.
        estimate: Of its sensitivity.
    """

    found: int
    scenes: int
    estimate: Estimate

    @property
    def passed(self) -> bool:
        """True where the detector surely finds more than the least share."""
        return self.estimate.usable and self.estimate.lower > LEAST

    def sentence(self) -> str:
        """Return it in words."""
        bound = f"lower bound {beside(self.estimate.lower, LEAST)}" if self.estimate.usable else "no bound"
        return f"{self.found} of {self.scenes} easy nodules found ({bound}; more than {LEAST:g} is asked for)"


def control_stage(stage: Stage, maker: RecipeMaker) -> Stage:
    """Return the stage that plants the control's nodule and asks whether it is found, with seeds of its own."""
    claim = Claim("detected", {"operating_point": maker.claim.point})
    places = maker.places if maker.plants else Places(stage.engine.load, Location())
    mine = RecipeMaker(maker.behaviour, claim, places, plants=True, seed=maker.seed)
    return Stage(stage.engine, mine, stage.matching, stage.backgrounds, "control")


def responds(stage: Stage, example: Example, alpha: float, enough: Callable[[], bool]) -> Control:
    """Run the control on as many held-out backgrounds as there are, 30 scenes in all."""
    pool = stage.pool(example)
    done: list[Replicate] = []
    for number in range(TRIALS if pool else 0):
        if enough():
            break
        done += stage.run(example, [(pool[number % len(pool)], number // len(pool))])
    return Control(sum(r.holds for r in done), len(done), rate_of(done, alpha))
