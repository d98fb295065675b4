"""One nodule on its way through the model, and which nodules can be drawn together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.geometry import FloatArray
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.diffusion.calibration import Calibration
from synnodtest.synthesizers.diffusion.compose import Place
from synnodtest.synthesizers.diffusion.segment import Drawn, Region
from synnodtest.synthesizers.requests import twins
from synnodtest.synthesizers.window import Window

ATTEMPTS = 4
"""Noises that a nodule is drawn from before it counts as missing."""


@dataclass
class Job:
    """One nodule of one scene on its way through the model.

    Args:
        scene: Number of its scene in the batch.
        nodule: What is asked for.
        window: Where the model looks.
        region: What it may redraw.
        mask: (size, size) the region on the window.
        seed: Of the nodule.
        sphericity: To be drawn.
        base: (size, size) what stands in the window, relative to the region's surroundings, in lung ranges.
        attempt: Number of the noise that the nodule was drawn from.
        drawn: What the model drew.
        misfit: Ratio of the drawn diameter to the one asked for, as a logarithm; infinite where nothing was drawn.
        change: (size, size) what the redrawn region with the nodule adds to what stood there.
        plain: (size, size) what the region redrawn without a nodule adds.
    """

    scene: int
    nodule: Nodule
    window: Window
    region: Region
    mask: FloatArray
    seed: int
    sphericity: float
    base: FloatArray
    attempt: int = 0
    drawn: Drawn | None = None
    misfit: float = math.inf
    change: FloatArray | None = None
    plain: FloatArray | None = None

    def offer(self, drawn: Drawn | None, attempt: int) -> None:
        """Keep what an attempt drew, where it is nearer to the diameter asked for than those before."""
        if drawn is None:
            return
        misfit = abs(math.log(self.nodule.diameter_mm / self.window.spacing_mm / drawn.diameter_px))
        if misfit < self.misfit:
            self.drawn, self.attempt, self.misfit = drawn, attempt, misfit

    def noise_seed(self, attempt: int) -> int:
        """Return the seed of the noise that an attempt starts from."""
        return int(np.random.SeedSequence([self.seed, attempt]).generate_state(1, np.uint64)[0])

    def place(self, shape: tuple[int, int], spacing_mm: tuple[float, float]) -> Place:
        """Return where its region lies on a radiograph of a shape and spacing."""
        return Place(self.nodule.centre_mm, self.region.side_mm, shape, spacing_mm, self.window)

    def overlaps(self, other: Job) -> bool:
        """True where the redrawn squares of two nodules share a point."""
        reach = (self.region.side_mm + other.region.side_mm) / 2
        a, b = self.nodule.centre_mm, other.nodule.centre_mm
        return abs(a[0] - b[0]) < reach and abs(a[1] - b[1]) < reach


def jobs_of(number: int, scene: Scene, calibration: Calibration, size: int, step_mm: float) -> list[Job]:
    """Return the nodules of a scene, each with its shape drawn.

    Args:
        number: Of the scene in its batch.
        scene: Resolved: every nodule has its contrast.
        calibration: How the model is used.
        size: Edge of the model's window in pixels.
        step_mm: Their distance.
    """
    jobs = []
    for nodule, twin in twins(scene):
        seeds = seed_sequence("diffusion", scene.seed_of(nodule), nodule.name, twin)
        seed = int(seeds.generate_state(1, np.uint64)[0])
        shape = np.random.default_rng(seed_sequence("diffusion-shape", seed)).uniform(size=3)
        shares = (float(shape[0]), float(shape[2]))
        elongation, roundness = calibration.shape_for(dict(nodule.radiomics), nodule.diameter_mm, shares)
        region = Region(nodule.diameter_mm, elongation, math.pi * float(shape[1]), size, step_mm)
        window = Window(nodule.centre_mm, size, step_mm)
        empty = np.zeros((0, 0), dtype=np.float32)
        jobs.append(Job(number, nodule, window, region, region.mask(), seed, roundness, empty))
    return jobs


def rounds_of(scenes: Sequence[Sequence[Job]], *, together: bool) -> Iterator[list[Job]]:
    """Yield nodules that can be drawn together: all at once, or one after another where regions overlap.

    Args:
        scenes: The nodules of each scene.
        together: Whether nodules that overlap may be drawn at once.
    """
    pending: list[list[Job]] = []
    for jobs in scenes:
        rounds = [0] * len(jobs)
        for later in () if together else range(len(jobs)):
            earlier = [rounds[k] for k in range(later) if jobs[k].overlaps(jobs[later])]
            rounds[later] = 1 + max(earlier) if earlier else 0
        for job, number in zip(jobs, rounds, strict=True):
            pending.extend([] for _ in range(number + 1 - len(pending)))
            pending[number].append(job)
    yield from pending
