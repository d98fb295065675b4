"""Description: how often examples around a counterexample fail, by a Latin hypercube."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synnodtest.canonical import seed_of
from synnodtest.fuzzing.judged import Replicate
from synnodtest.fuzzing.stage import Stage, run_in_time
from synnodtest.geometry import Array
from synnodtest.planning.difficulty import Dimension, Space
from synnodtest.planning.example import Example
from synnodtest.statistics.distributions import midranks

RADII = {"diameter_mm": 1.0, "contrast": 0.05, "density": 0.1}
"""Half width of the box around a counterexample; other parameters: this share of their range."""
SHARE = 0.05
"""Half width of other parameters, over their range; set by hand: near enough to be the same failure, wide enough to
differ."""


@dataclass(frozen=True)
class Neighbourhood:
    """The examples around a counterexample.

    Args:
        replicates: One per example that could be planted.
        radii: Half width of the box, by parameter.
        telling: How failing goes with each parameter (absolute rank correlation), strongest first.
    """

    replicates: tuple[Replicate, ...]
    radii: dict[str, float]
    telling: dict[str, float]

    @property
    def failed(self) -> int:
        """Number of those that fail."""
        return sum(not r.holds for r in self.replicates)

    def sentence(self) -> str:
        """Return ``within ±1 mm diameter and ±0.05 contrast 63 of 120 fail``."""
        box = " and ".join(f"±{radius:.3g} {name}" for name, radius in self.radii.items())
        return f"within {box} {self.failed} of {len(self.replicates)} fail" if box else ""

    @property
    def names(self) -> list[str]:
        """The two most telling parameters."""
        return list(self.telling)[:2]

    @property
    def points(self) -> list[list[Any]]:
        """Of every example the values of these parameters, and whether it fails."""
        return [[*(r.example.get(n) for n in self.names), not r.holds] for r in self.replicates]


def neighbourhood(
    stage: Stage, space: Space, example: Example, points: int, seed: int, enough: Callable[[], bool]
) -> Neighbourhood:
    """Try ``points`` examples around one, each once, on held-out backgrounds in turn.

    Args:
        stage: With held-out backgrounds.
        space: Names the continuous parameters and their ranges.
        example: The centre.
        points: How many.
        seed: Of the hypercube.
        enough: Whether time is up.
    """
    around = [d for d in space if not d.levels and isinstance(example.get(d.name), (int, float))]
    radii = {d.name: RADII.get(d.name, SHARE * (d.range[1] - d.range[0])) for d in around}
    pool = stage.pool(example)
    if not around or not pool:
        return Neighbourhood((), radii, {})
    rng = np.random.default_rng(seed_of("hypercube", seed, example.key()))
    slices = np.stack([rng.permutation(points) for _ in around], axis=1)
    unit = (slices + rng.random(slices.shape)) / points  # in every column each of as many equal slices is hit once
    placements = [(_moved(example, around, radii, row), pool[i % len(pool)], 0) for i, row in enumerate(unit)]
    done = run_in_time(stage, placements, enough)
    return Neighbourhood(tuple(done), radii, _telling(done, [d.name for d in around]))


def _moved(example: Example, around: list[Dimension], radii: Mapping[str, float], row: Array) -> Example:
    values = example.values
    for dimension, share in zip(around, row, strict=True):
        centre = float(values[dimension.name])
        moved = np.clip(centre + (2 * share - 1) * radii[dimension.name], *dimension.range)
        values[dimension.name] = round(float(moved), 5)
    return Example.of(values, example.sides_of)


def _telling(done: list[Replicate], names: list[str]) -> dict[str, float]:
    failed, strengths = [float(not r.holds) for r in done], {}
    for name in names:
        values = [float(r.example.get(name)) for r in done]
        spread = len(set(values)) > 1 and len(set(failed)) > 1
        strengths[name] = _rank_correlation(values, failed) if spread else 0.0
    return dict(sorted(strengths.items(), key=lambda pair: (-pair[1], pair[0])))


def _rank_correlation(one: list[float], other: list[float]) -> float:
    """Return the size of Spearman's correlation, to the bit of SciPy's, whose statistics take a second to load."""
    together = np.asarray(np.corrcoef(np.stack([midranks(one), midranks(other)], axis=1), rowvar=False))
    return abs(float(together[1, 0]))
