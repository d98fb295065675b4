"""The engine: recipes -> outcomes. Only in this room do batches, caches and their keys exist."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from synnodtest.detectors.guard import only_reads_pixels
from synnodtest.engine.findings import Findings
from synnodtest.engine.job import Chunk, Job, Keys, Placed, Unplaced
from synnodtest.engine.outcome import Outcome
from synnodtest.engine.overlap import ahead, give_up_if_unwanted
from synnodtest.engine.places import Places, by_background
from synnodtest.engine.radiographs import Radiographs
from synnodtest.engine.recheck import Recheck
from synnodtest.engine.spool import Spool
from synnodtest.engine.tally import Tally
from synnodtest.evidence.regions import RegionExpression, control_name
from synnodtest.perturbations import perturb
from synnodtest.planning.control import with_controls
from synnodtest.planning.recipe import Recipe
from synnodtest.ports import Background, BackgroundSet, Detector, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Scene
from synnodtest.stages import stage
from synnodtest.store import Store

BATCH = 16
"""Scenes per synthesizer call: the networks gain nothing from more on a CPU, and two batches are held at a time."""
BACKGROUNDS_IN_MEMORY = BATCH
"""Each scene of a batch may stand on another background, which is read for its places, its synthesis and its pixels."""


@dataclass(eq=False)
class Engine:
    """Turns recipes into outcomes, each radiograph synthesized once and inferred once.

    Args:
        backgrounds: The set that recipes stand on.
        synthesizer: Makes the nodules.
        detector: The system under test.
        store: What was finished before, and where the finished goes.
        controls: Regions whose area-matched control region is wanted.
        batch: Scenes per synthesizer call; in no key.
        silent: Filled with the content of the radiographs on which the detector was asked and found nothing.
    """

    backgrounds: BackgroundSet
    synthesizer: Synthesizer
    detector: Detector
    store: Store
    controls: tuple[RegionExpression, ...] = ()
    batch: int = BATCH
    silent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        tested = sorted(map(control_name, self.controls))
        detector, told = self.detector.identity.key(), not only_reads_pixels(self.detector)
        keys = Keys(self.synthesizer.identity.key(), detector, tested, told)
        self.tally = Tally()
        self._loaded: OrderedDict[str, Radiograph] = OrderedDict()
        self._places = Places(self.store, self.load)
        self._radiographs = Radiographs(self.synthesizer, self.store, keys, self.load, self.tally)
        self._findings = Findings(self.detector, self.store, keys, self.tally, self.silent)
        self._recheck = Recheck(self.detector)
        self._spool = Spool(self.store.scratch)

    def run(self, recipes: Iterable[Recipe]) -> Iterator[Outcome | Unplaced]:
        """Yield one outcome (or the reason why there is none) per recipe, in order.

        The next batch is synthesized while the detector looks at the last one, if there is more than one. Memory is
        bounded by the batch: at most three times ``batch`` radiographs and a few backgrounds are held.

        Raises:
            BackgroundError, SynthesizerError, DetectorError: whatever is broken; all finished scenes are stored.
        """
        following = iter(recipes)
        first = list(islice(following, self.batch + 1))
        chunks = map(self._with_finished, self._batches(self._places.placed(chain(first, following))))
        for chunk in ahead(chunks) if len(first) > self.batch else chunks:
            self.tally.requested += len(chunk.items)
            yield from self._finish(chunk)

    def synthesize(self, recipes: Sequence[Recipe], wanted: Sequence[int]) -> list[str]:
        """Bring the radiographs of some recipes into the store, without the detector; return their scenes' keys.

        Args:
            recipes: All of some backgrounds, for places are drawn per background.
            wanted: Positions of those that are to be made.
        """
        return [key for part in self._parts(recipes, wanted) for key in self._prepared(part).jobs]

    def detect(self, recipes: Sequence[Recipe], wanted: Sequence[int]) -> list[str]:
        """Bring findings on some recipes into the store and return their scenes' keys; see :meth:`synthesize`."""
        keys = []
        for part in self._parts(recipes, wanted):
            chunk = self._prepared(part)
            keys += [item.scene.key() for item in self._finish(chunk) if isinstance(item, Outcome)]
        return keys

    def finished(self, recipes: Iterable[Recipe]) -> tuple[int, int]:
        """Return how many recipes there are, and how many need no work; reads the store, never a radiograph.

        Memory is bounded by the recipes of one background.
        """
        count = done = 0
        for members in by_background(recipes):
            count += len(members)
            done += sum(map(self._needs_no_work, self._places.known(members)))
        return count, done

    def radiograph(self, scene: Scene, background: Background) -> Radiograph:
        """Return the pixels of one scene: the stored ones, else newly synthesized and stored."""
        job = Job(scene, background)
        self._radiographs.obtain([job])
        assert job.radiograph is not None
        return job.radiograph

    def first_radiograph(self, recipes: Iterable[Recipe]) -> Radiograph | None:
        """Return the radiograph of the first recipe for which there is a place, made if need be; None without one."""
        for item in self._places.placed(recipes):
            if not isinstance(item, Unplaced):
                return self.radiograph(item[1], item[0].background)
        return None

    def load(self, background: Background) -> Radiograph:
        """Return a background, from memory if it was read lately."""
        if background.id in self._loaded:
            self._loaded.move_to_end(background.id)
        else:
            give_up_if_unwanted()  # projecting a phantom takes a second, and a batch may stand on sixteen
            with stage("backgrounds"):
                self._loaded[background.id] = with_controls(self.backgrounds.load(background), self.controls)
            if len(self._loaded) > BACKGROUNDS_IN_MEMORY:
                self._loaded.popitem(last=False)
        return self._loaded[background.id]

    def untouched(self, scene: Scene, background: Background) -> Radiograph:
        """Return a scene's background under the scene's perturbations: what was planted alone tells the two apart."""
        radiograph = self.load(background)
        return perturb(radiograph, scene.perturbations, scene.seed) if scene.perturbations else radiograph

    def _batches(self, placed: Iterator[Placed]) -> Iterator[list[Placed]]:
        while items := list(islice(placed, self.batch)):
            yield items

    def _parts(self, recipes: Sequence[Recipe], wanted: Sequence[int]) -> Iterator[list[Placed]]:
        chosen = set(wanted)
        return self._batches(item for number, item in enumerate(self._places.placed(recipes)) if number in chosen)

    def _needs_no_work(self, item: Placed) -> bool:
        if isinstance(item, Unplaced):
            return True
        job = Job(item[1], item[0].background)
        self._findings.recall_job(job)
        return job.done

    def _prepared(self, items: Sequence[Placed]) -> Chunk:
        """Return a batch with the radiographs of all scenes that are not finished."""
        jobs: dict[str, Job] = {}
        for item in items:
            if not isinstance(item, Unplaced):
                jobs.setdefault(item[1].key(), Job(item[1], item[0].background))
        for job in jobs.values():
            self._findings.recall_job(job)
        pending = [job for job in jobs.values() if not job.done]
        self._radiographs.obtain(pending)
        for job in pending:
            self._findings.recall(job)
            if job.done:
                job.radiograph = None
        return Chunk(items, jobs, pending)

    def _with_finished(self, items: Sequence[Placed]) -> Chunk:
        """Return a prepared batch with the radiographs of a few of whose findings are known, to be shown again."""
        chunk = self._prepared(items)
        finished = [job for job in chunk.jobs.values() if job not in chunk.pending]
        self._radiographs.recheck(finished)
        again = self._recheck.chosen(job for job in chunk.jobs.values() if job.done)
        self._radiographs.obtain([job for job, _ in again])
        return replace(chunk, again=again)

    def _finish(self, chunk: Chunk) -> Iterator[Outcome | Unplaced]:
        for job in chunk.pending:
            if not job.done:
                self._findings.recall(job)  # a batch before this one, inferred since, may hold the same radiograph
        self._findings.detect(chunk.pending)
        for job, stored in chunk.again:
            self._recheck.compare(job, stored)
        maker = self.synthesizer.identity.name
        for item in chunk.items:
            if isinstance(item, Unplaced):
                yield item
                continue
            recipe, scene = item
            job = chunk.jobs[scene.key()]
            assert job.snapshot is not None
            self.tally.from_cache += job not in chunk.pending
            if job.sightings is not None:
                job.sightings = job.sightings.aside(self._spool)
            place = recipe.background, recipe.arm, recipe.replicate, recipe.levels  # the recipe itself is let go of
            yield Outcome(*place, scene, maker, job.snapshot, job.sightings or ())
