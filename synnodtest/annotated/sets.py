"""Radiographs with annotated nodules: what detectors are trained and evaluated on.

Three sources, one interface: a folder in the NODE21 layout, phantoms made on the fly, and nodules that a synthesizer
plants in real radiographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np

from synnodtest.attenuation import draw_density
from synnodtest.canonical import seed_sequence
from synnodtest.datasets.split import is_held_out
from synnodtest.errors import BackgroundError
from synnodtest.geometry import depths_mm
from synnodtest.phantom import PhantomNodule, Projection, expose, project, sample_anatomy
from synnodtest.phantom.nodules import SHAPES
from synnodtest.ports import BackgroundSet, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Nodule, Scene

LEAST_DIAMETER_MM = 3.0
"""A phantom nodule of which less than this met aerated lung is no nodule of the truth."""


@dataclass(frozen=True)
class Case:
    """One annotated radiograph before its pixels are read.

    Args:
        id: Unique within its set; becomes a file name.
        cluster: The patient, else the background: never on both sides of a split.
        exhaustive: Whether every nodule is marked, so that a finding elsewhere is a false positive.
    """

    id: str
    cluster: str
    exhaustive: bool = True


class AnnotatedSet(Protocol):
    """An ordered set of radiographs that carry their truth in ``Radiograph.nodules``."""

    @property
    def name(self) -> str:
        """Name of the set; begins the file names made from it."""
        ...

    @property
    def cases(self) -> Sequence[Case]:
        """All cases in a stable order; cases of one cluster stand together."""
        ...

    def load(self, case: Case) -> Radiograph:
        """Return pixels and truth."""
        ...


@dataclass(frozen=True)
class _Part:
    """Some cases of a set."""

    whole: AnnotatedSet
    cases: Sequence[Case]

    @property
    def name(self) -> str:
        return self.whole.name

    def load(self, case: Case) -> Radiograph:
        return self.whole.load(case)


def part_of(whole: AnnotatedSet, split: str) -> AnnotatedSet:
    """Return the cases of ``split``: ``train``, ``test`` (the held-out clusters) or ``all``.

    Raises:
        ValueError: there is no such split.
    """
    if split not in ("train", "test", "all"):
        raise ValueError(f"split is 'train', 'test' or 'all', not {split!r}")
    if split == "all":
        return whole
    return _Part(whole, [case for case in whole.cases if is_held_out(case.cluster) == (split == "test")])


def first_clusters(whole: AnnotatedSet, most: int | None) -> AnnotatedSet:
    """Return the cases of the first ``most`` patients or backgrounds; all of them if None."""
    if most is None:
        return whole
    clusters = set(list(dict.fromkeys(case.cluster for case in whole.cases))[:most])
    return _Part(whole, [case for case in whole.cases if case.cluster in clusters])


@dataclass(frozen=True)
class Planting:
    """Draw of nodules for training and evaluation.

    Args:
        diameter_mm: Range, log-uniform.
        contrast: Range, uniform, in units of the lung's 5th-to-95th percentile range. None: as nodules of
            their size are that readers marked.
        counts: Probability of 0, 1, 2, ... nodules.
        distance_mm: Least distance between centres, beyond the two radii.
    """

    diameter_mm: tuple[float, float] = (6.0, 32.0)
    contrast: tuple[float, float] | None = None
    counts: tuple[float, ...] = (0.25, 0.45, 0.2, 0.1)
    distance_mm: float = 10.0

    def draw(self, background: Radiograph, rng: np.random.Generator) -> tuple[Nodule, ...]:
        """Return nodules whose centres lie in the lung, at least a third of the radius from its edge.

        Raises:
            BackgroundError: the background has no lung mask.
        """
        lung = background.lung
        if lung is None:
            raise BackgroundError(f"{background.source}: no lung mask, so no place for a nodule")
        depth = depths_mm(lung, background.spacing_mm)
        nodules: list[Nodule] = []
        for number in range(int(rng.choice(len(self.counts), p=self.counts))):
            diameter = float(np.exp(rng.uniform(*np.log(self.diameter_mm))))
            centre = _place(np.asarray(depth), diameter, nodules, background.spacing_mm, self.distance_mm, rng)
            contrast = None if self.contrast is None else float(rng.uniform(*self.contrast))
            if centre is not None:
                density = draw_density("", diameter, rng) if contrast is None else None
                name, seed = f"nodule-{number}", int(rng.integers(2**31))
                nodules.append(Nodule(diameter, centre, contrast, name=name, seed=seed, density=density))
        return tuple(nodules)


def _place(
    depth_mm: np.ndarray,
    diameter_mm: float,
    earlier: Sequence[Nodule],
    spacing_mm: tuple[float, float],
    distance_mm: float,
    rng: np.random.Generator,
) -> tuple[float, float] | None:
    """Return a free place ``(x, y)`` in mm, or None after fifty tries."""
    rows, columns = np.nonzero(depth_mm >= min(diameter_mm / 6, 0.5 * float(depth_mm.max())))
    for _ in range(50):
        pick = int(rng.integers(rows.size))
        x, y = (columns[pick] + 0.5) * spacing_mm[1], (rows[pick] + 0.5) * spacing_mm[0]
        reach = [np.hypot(x - n.centre_mm[0], y - n.centre_mm[1]) - (diameter_mm + n.diameter_mm) / 2 for n in earlier]
        if all(gap >= distance_mm for gap in reach):
            return float(x), float(y)
    return None


@dataclass
class SynthesizedSet:
    """Nodules that a synthesizer plants in a set of nodule-free radiographs.

    Args:
        name: Name of the set.
        backgrounds: Where they are planted.
        synthesizer: What plants them.
        per_background: Radiographs made from each background.
        planting: Sizes, contrasts and counts.
        seed: Master seed.
    """

    name: str
    backgrounds: BackgroundSet
    synthesizer: Synthesizer
    per_background: int = 6
    planting: Planting = field(default_factory=Planting)
    seed: int = 0

    def __post_init__(self) -> None:
        self._by_id = {background.id: background for background in self.backgrounds.backgrounds}
        self._read = lru_cache(maxsize=1)(lambda name: self.backgrounds.load(self._by_id[name]))

    @property
    def cases(self) -> Sequence[Case]:
        """``per_background`` cases of every background."""
        return [
            Case(f"{background.id}#{number}", background.cluster)
            for background in self._by_id.values()
            for number in range(self.per_background)
        ]

    def load(self, case: Case) -> Radiograph:
        """Return one background with its planted nodules."""
        background = self._read(case.id.rpartition("#")[0])
        rng = np.random.default_rng(seed_sequence("annotated", self.name, self.seed, case.id))
        scene = Scene(background.background, self.planting.draw(background, rng), seed=int(rng.integers(2**31)))
        return self.synthesizer.synthesize([scene], [background])[0]


@dataclass
class PhantomSet:
    """Nodules planted in the built-in chest phantom, before projection.

    Args:
        chests: Number of chests; one in ``1 / pneumothorax`` has an air leak.
        per_chest: Exposures of each chest, each with other nodules and other noise.
        seed: Of the first chest; chest ``i`` has the anatomy ``seed + i``.
        planting: Sizes, contrasts and counts.
        natural: Share of the nodules whose contrast follows from their density, that of marked nodules of their
            size, even where ``planting`` names contrasts.
        pneumothorax: Share of the chests with an air leak.
        size: Pixels along each side.
    """

    chests: int
    per_chest: int = 4
    seed: int = 0
    planting: Planting = field(default_factory=Planting)
    natural: float = 0.7
    pneumothorax: float = 0.15
    size: int = 1024
    name: str = "phantom"

    def __post_init__(self) -> None:
        self._projected = lru_cache(maxsize=1)(self._projection)

    @property
    def cases(self) -> Sequence[Case]:
        """``per_chest`` cases of every chest."""
        return [
            Case(f"{chest}#{number}", f"phantom-{chest}")
            for chest in range(self.seed, self.seed + self.chests)
            for number in range(self.per_chest)
        ]

    def load(self, case: Case) -> Radiograph:
        """Return one exposure; nodules that met no lung are left out of the truth."""
        chest, _, number = case.id.partition("#")
        projection = self._projected(int(chest))
        rng = np.random.default_rng(seed_sequence("phantom set", self.seed, case.id))
        nodules = [self._solid(nodule, rng) for nodule in self.planting.draw(expose(projection), rng)]
        radiograph = expose(projection, nodules, noise_seed=1 + int(number))
        visible = tuple(truth for truth in radiograph.nodules if truth.diameter_mm >= LEAST_DIAMETER_MM)
        return radiograph.with_pixels(radiograph.pixels, visible)

    def _projection(self, chest: int) -> Projection:
        rng = np.random.default_rng(seed_sequence("phantom set", "pneumothorax", chest))
        leaking = bool(rng.random() < self.pneumothorax)
        return project(sample_anatomy(chest, pneumothorax=leaking), self.size)

    def _solid(self, nodule: Nodule, rng: np.random.Generator) -> PhantomNodule:
        return PhantomNodule(
            nodule.diameter_mm,
            nodule.centre_mm,
            depth=float(rng.uniform(0.05, 0.95)),
            shape=SHAPES[int(rng.choice(len(SHAPES), p=(0.4, 0.25, 0.2, 0.15)))],
            density=draw_density("", nodule.diameter_mm, rng),
            contrast=None if rng.random() < self.natural else nodule.contrast,
            seed=int(rng.integers(2**31)),
            name=nodule.name,
        )
