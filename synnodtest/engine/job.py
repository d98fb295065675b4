"""Jobs of the engine: unique scenes, and batches of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synnodtest.attenuation.outline import SPICULES_VERSION
from synnodtest.canonical import sha256_of
from synnodtest.engine.outcome import Snapshot
from synnodtest.evidence.sightings import Sightings
from synnodtest.planning.recipe import Recipe
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Scene

FORMAT = 1
"""Version of what stands in the store; part of every key. ``test_pinned_pixels.py`` tells when to raise it."""
SNAPSHOT = 3
"""Version of the snapshots alone, which are made from stored radiographs again."""
MIMICS = 2
"""The same of scenes with mimics: since 2 one that shows nowhere excludes its scene."""


@dataclass(frozen=True)
class Unplaced:
    """A recipe that has no scene: its region is missing, or nothing in it satisfies the request."""

    recipe: Recipe
    reason: str
    missing_region: str = ""

    @property
    def background(self) -> Background:
        """The background it was to stand on."""
        return self.recipe.background


Placed = tuple[Recipe, Scene] | Unplaced
"""A recipe with its scene, or why it has none."""


@dataclass(eq=False)
class Job:
    """One unique scene on its way."""

    scene: Scene
    background: Background
    snapshot: Snapshot | None = None
    sightings: Sightings | None = None
    radiograph: Radiograph | None = None

    @property
    def done(self) -> bool:
        """True where the detector's findings are known, or the scene was rejected before it."""
        return self.snapshot is not None and (bool(self.snapshot.rejected) or self.sightings is not None)


@dataclass(frozen=True)
class Chunk:
    """A batch between synthesis and detection: its items in order, unique scenes by key, those not finished.

    ``again`` are finished scenes with their radiographs and the findings that the store has on them, to be compared.
    """

    items: Sequence[Placed]
    jobs: Mapping[str, Job]
    pending: Sequence[Job]
    again: Sequence[tuple[Job, Sightings]] = ()


@dataclass(frozen=True)
class Keys:
    """Keys of finished work in the store.

    Args:
        synthesizer: Key of the synthesizer's identity.
        detector: Key of the detector's identity.
        tested: Names of the control regions, sorted.
        told: Whether the detector may read what is told of a film beside its content: view, sex, age.
    """

    synthesizer: str
    detector: str
    tested: list[str]
    told: bool = False

    @staticmethod
    def placement(recipes: Sequence[Recipe]) -> str:
        """Return the key of the places of all recipes of one background."""
        return sha256_of(["placement", FORMAT, [r.key() for r in recipes]])

    def radiograph(self, scene: Scene, background: Background) -> str:
        """Return the key of a radiograph; without a nodule it is of no synthesizer."""
        synthesizer = self.synthesizer if scene.nodules else ""
        drawn = [SPICULES_VERSION] * any(nodule.margin == "spiculated" for nodule in scene.nodules)
        return sha256_of(["radiograph", FORMAT, scene.key(), background.content, synthesizer, *drawn])

    def snapshot(self, job: Job) -> str:
        """Return the key of what is remembered of a radiograph."""
        drawn = [MIMICS] * bool(job.scene.mimics)
        return sha256_of(["snapshot", SNAPSHOT, self.radiograph(job.scene, job.background), self.tested, *drawn])

    def findings(self, job: Job) -> str:
        """Return the key of the findings on a radiograph, by its content and what else the detector may read of it."""
        assert job.snapshot is not None
        told = [dict(job.background.strata)] * bool(self.told and job.background.strata)
        return sha256_of(["findings", FORMAT, job.snapshot.sha256, self.detector, self.tested, *told])
