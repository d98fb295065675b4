"""Outcome of an example: its replicates, the crash of a detector, and whether a rate is surely missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synnodtest.errors import DetectorError, DetectorHung
from synnodtest.evidence.trial import Trial
from synnodtest.planning.example import Example
from synnodtest.ports import Background
from synnodtest.statistics.distributions import binom_cdf, binom_sf

UNLIKELY = 0.05
"""Tail of the binomial at which a closer look ends; the usual level. It guides the search alone, and no verdict rests
on it."""
SHALLOW = 0.75
"""A closer look tells the rate asked for from this share of it, which is what a confirmation can show."""

Placement = tuple[Example, Background, int]
"""An example on a background, with the number of the replicate."""


class Crashed(DetectorError):
    """The detector crashed, hung or returned rubbish; ``placements`` are the scenes of which one is to blame."""

    def __init__(self, error: DetectorError, placements: Sequence[Placement]) -> None:
        super().__init__(error.message, hint=error.hint)
        self.placements = tuple(placements)
        self.hung = isinstance(error, DetectorHung)

    @property
    def example(self) -> Example:
        """The example of the first of them."""
        return self.placements[0][0]


@dataclass(frozen=True)
class Replicate:
    """One replicate of an example: its trials by arm and by how much it keeps the claim."""

    example: Example
    background: Background
    trials: dict[str, Trial]
    margin: float
    holds: bool

    @property
    def scene_id(self) -> str:
        """The scene that a report shows: the last arm's."""
        return list(self.trials.values())[-1].scene_id

    @property
    def content(self) -> tuple[str, ...]:
        """The sha256 of the radiographs that the detector saw."""
        return tuple(trial.radiograph_sha256 for trial in self.trials.values())


@dataclass(frozen=True)
class Judged:
    """Outcome of one example.

    Args:
        example: The example.
        replicates: Those that could be planted and were accepted.
        share: Share of them that keep the claim.
        margin: Their mean margin.
        fails: Whether the share is below the rate asked for.
        crash: The crash of the detector, if it crashed.
    """

    example: Example
    replicates: tuple[Replicate, ...]
    share: float
    margin: float
    fails: bool
    crash: Crashed | None = None


def surely(holding: int, n: int, rate: float) -> bool | None:
    """Return whether a claim that holds in so many of n scenes surely fails (or keeps) a rate; None: neither is sure.

    It only guides the search: few scenes are enough where none or all fail.
    """
    if binom_cdf(holding, n, rate) < UNLIKELY:
        return True
    return False if holding and binom_sf(holding - 1, n, SHALLOW * rate) < UNLIKELY else None


def rather(holding: int, n: int, rate: float) -> bool:
    """Return whether it rather fails, where neither is sure."""
    return holding / n < (1 + SHALLOW) / 2 * rate
