"""The control of claims that a silent detector would keep: it finds easy nodules on the held-out backgrounds.

So would one that marks everything, all of the region that is searched, or one place of every radiograph, whatever is
planted; what it finds there tells nothing. So would one whose scores are so low that nothing is lost with all of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from synnodtest.evidence.chance import MIRRORED, mostly_chance, share_hit
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.sentences import beside
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.confirm import rate_of
from synnodtest.fuzzing.judged import Replicate
from synnodtest.fuzzing.places import Places
from synnodtest.fuzzing.recipes import RecipeMaker
from synnodtest.fuzzing.stage import Stage
from synnodtest.planning.example import Example
from synnodtest.spec.model import Location
from synnodtest.statistics import Estimate

EASY = Example.of({"diameter_mm": 20.0, "contrast": 1.0})
"""The nodule where examples have none: 20 mm, dense, anywhere in the lungs."""
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
        by_noise: Share of places without a nodule that are hit by findings which hit no nodule.
        where: Which places, in words: those of which most are hit.
        confidence: Mean confidence of those that were found.
        fall: The largest fall of confidence that the claim allows; 0 where it speaks of none.
    """

    found: int
    scenes: int
    estimate: Estimate
    by_noise: float = 0.0
    where: str = MIRRORED
    confidence: float = math.inf
    fall: float = 0.0

    @property
    def cramped(self) -> bool:
        """True where no more than the fall that is allowed could be lost; one that may fall by 1 may be lost."""
        return self.confidence <= self.fall < 1

    @property
    def noisy(self) -> bool:
        """True where most of what it finds may be chance."""
        return mostly_chance(self.by_noise, self.found / max(self.scenes, 1))

    @property
    def passed(self) -> bool:
        """True where it surely finds more than the least share, with confidence to lose, not by marking everything."""
        return self.estimate.usable and self.estimate.lower > LEAST and not self.noisy and not self.cramped

    def sentence(self) -> str:
        """Return it in words."""
        bound = f"lower bound {beside(self.estimate.lower, LEAST)}" if self.estimate.usable else "no bound"
        found = f"{self.found} of {self.scenes} easy nodules found ({bound}; more than {LEAST:g} is asked for)"
        noise = (
            f"; sight or noise cannot be told: {self.by_noise:.0%} of {self.where}, where nothing was planted, are hit"
        )
        there = f"; their confidence, {beside(self.confidence, self.fall)}, leaves no room for a fall of {self.fall:g}"
        return found + (noise if self.noisy else "") + (there if self.cramped else "")


def control_stage(stage: Stage, maker: RecipeMaker) -> Stage:
    """Return the stage that plants the control's nodule and asks whether it is found, with seeds of its own."""
    claim = Claim("detected", {"operating_point": maker.claim.point})
    places = maker.places if maker.plants else Places(stage.engine.load, Location())
    mine = RecipeMaker(maker.behaviour, claim, places, plants=True, seed=maker.seed)
    return Stage(stage.engine, mine, stage.matching, stage.backgrounds, "control")


def responds(stage: Stage, example: Example, alpha: float, enough: Callable[[], bool], fall: float = 0.0) -> Control:
    """Run the control on as many held-out backgrounds as there are, 30 scenes in all.

    Args:
        stage: From :func:`control_stage`.
        example: The easy nodule.
        alpha: Of its sensitivity's bound.
        enough: Whether time is up.
        fall: The largest fall of confidence that the claim allows.
    """
    pool = stage.pool(example)
    done: list[Replicate] = []
    for number in range(TRIALS if pool else 0):
        if enough():
            break
        done += stage.run(example, [(pool[number % len(pool)], number // len(pool))])
    shown = Evidence(tuple(t for r in done for t in r.trials.values()), operating_point=stage.claim.point)
    elsewhere = stage.unplanted(shown)
    where = max(elsewhere, key=lambda name: share_hit([elsewhere[name]]))
    estimate, by_noise = rate_of(done, alpha), share_hit([elsewhere[where]])
    confidences = [n.confidence for r in done if r.holds for t in r.trials.values() for n in t.nodules]
    confidence = sum(confidences) / len(confidences) if confidences else math.inf
    return Control(sum(r.holds for r in done), len(done), estimate, by_noise, where, confidence, fall)
