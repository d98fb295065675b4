"""The engine: recipes -> outcomes. Only here do batches, caches and their keys exist."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice

from synnodtest.canonical import canonical_json, sha256_of
from synnodtest.engine.acceptance import rejection
from synnodtest.engine.outcome import Outcome, Snapshot, decode_sightings, encode_sightings, regions_at
from synnodtest.engine.overlap import ahead
from synnodtest.engine.redraw import redraw_rejected
from synnodtest.errors import SynnodError, SynthesizerError
from synnodtest.evidence.regions import RegionExpression, control_name
from synnodtest.evidence.trial import Sighting
from synnodtest.perturbations import perturb
from synnodtest.planning.control import with_controls
from synnodtest.planning.place import MissingRegion, NoPlace, Placer
from synnodtest.planning.recipe import Recipe
from synnodtest.ports import Background, BackgroundSet, Detector, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.radiograph_codec import decode_radiograph, encode_radiograph
from synnodtest.scene import Scene
from synnodtest.stages import stage
from synnodtest.store import Store

__all__ = ["Engine", "Tally", "Unplaced"]

FORMAT = 1
"""Version of what stands in the store; part of every key."""
SNAPSHOT = 3
"""Version of the snapshots alone, which are made from stored radiographs again."""
BATCH = 16
"""Scenes per synthesizer call: the networks gain nothing from more on a CPU, and two batches are held at a time."""
DETECT_BATCH = 8
"""Radiographs per detector call."""
BACKGROUNDS_IN_MEMORY = 12


@dataclass(frozen=True)
class Unplaced:
    """A recipe that has no scene: its region is missing, or nothing in it satisfies the request."""

    recipe: Recipe
    reason: str
    missing_region: str = ""


@dataclass
class Tally:
    """What the engine has done so far."""

    requested: int = 0
    synthesized: int = 0
    inferred: int = 0
    from_cache: int = 0
    synthesis_seconds: float = 0.0
    detection_seconds: float = 0.0


class Engine:
    """Turns recipes into outcomes, each radiograph synthesized once and inferred once.

    Args:
        backgrounds: The set that recipes stand on.
        synthesizer: Makes the nodules.
        detector: The system under test.
        store: What was finished before, and where the finished goes.
        controls: Regions whose area-matched control region is wanted.
        batch: Scenes per synthesizer call; in no key.
    """

    def __init__(
        self,
        backgrounds: BackgroundSet,
        synthesizer: Synthesizer,
        detector: Detector,
        store: Store,
        *,
        controls: tuple[RegionExpression, ...] = (),
        batch: int = BATCH,
    ) -> None:
        self.backgrounds = backgrounds
        self.synthesizer = synthesizer
        self.detector = detector
        self.tally = Tally()
        self._store = store
        self._batch = batch
        self._controls = controls
        self._tested = sorted(map(control_name, controls))
        self._detector_key = detector.identity.key()
        self._synthesizer_key = synthesizer.identity.key()
        self._loaded: OrderedDict[str, Radiograph] = OrderedDict()

    def run(self, recipes: Iterable[Recipe]) -> Iterator[Outcome | Unplaced]:
        """Yield one outcome (or the reason why there is none) per recipe, in order.

        The next batch is synthesized while the detector looks at the last one. Memory is bounded by the batch: at most
        three times ``batch`` radiographs and a few backgrounds are held.

        Raises:
            BackgroundError, SynthesizerError, DetectorError: whatever is broken; all finished scenes are stored.
        """
        for chunk in ahead(self._chunks(recipes)):
            self.tally.requested += len(chunk.items)
            yield from self._finish(chunk)

    def _chunks(self, recipes: Iterable[Recipe]) -> Iterator[_Chunk]:
        """Yield batches of scenes with their radiographs, those of finished scenes left out."""
        placed = self._place(recipes)
        while items := list(islice(placed, self._batch)):
            yield self._prepared(items)

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

    def _parts(
        self, recipes: Sequence[Recipe], wanted: Sequence[int]
    ) -> Iterator[list[tuple[Recipe, Scene] | Unplaced]]:
        chosen = set(wanted)
        placed = (item for number, item in enumerate(self._place(recipes)) if number in chosen)
        while items := list(islice(placed, self._batch)):
            yield items

    def finished(self, recipes: Iterable[Recipe]) -> tuple[int, int]:
        """Return how many recipes there are, and how many need no work; reads the store, never a radiograph.

        Memory is bounded by the recipes of one background.
        """
        count = done = 0
        for _, group in groupby(recipes, key=lambda r: r.background.id):
            members = list(group)
            count += len(members)
            data = self._store.get("placements", self._placement_key(members))
            if data is None:
                continue
            for recipe, entry in zip(members, json.loads(data), strict=True):
                if "scene" in entry:
                    job = _Job(Scene.from_dict(entry["scene"]), recipe.background)
                    self._recall(job)
                    done += job.done
                else:
                    done += 1
        return count, done

    def radiograph(self, scene: Scene, background: Background) -> Radiograph:
        """Return the pixels of one scene: the stored ones, else newly synthesized and stored."""
        job = _Job(scene, background)
        self._obtain([job])
        assert job.radiograph is not None
        return job.radiograph

    def load(self, background: Background) -> Radiograph:
        """Return a background, from memory if it was read lately."""
        if background.id in self._loaded:
            self._loaded.move_to_end(background.id)
        else:
            with stage("backgrounds"):
                self._loaded[background.id] = with_controls(self.backgrounds.load(background), self._controls)
            if len(self._loaded) > BACKGROUNDS_IN_MEMORY:
                self._loaded.popitem(last=False)
        return self._loaded[background.id]

    # --- places -------------------------------------------------------------------------------------------------

    def _place(self, recipes: Iterable[Recipe]) -> Iterator[tuple[Recipe, Scene] | Unplaced]:
        for _, group in groupby(recipes, key=lambda r: r.background.id):
            members = list(group)
            key = self._placement_key(members)
            data = self._store.get("placements", key)
            if data is None:
                data = self._store.put("placements", key, self._draw_places(members))
            for recipe, entry in zip(members, json.loads(data), strict=True):
                if "scene" in entry:
                    yield recipe, Scene.from_dict(entry["scene"])
                else:
                    yield Unplaced(recipe, entry["reason"], entry.get("missing_region", ""))

    def _placement_key(self, members: Sequence[Recipe]) -> str:
        return sha256_of(["placement", FORMAT, [r.key() for r in members]])

    @stage("places")
    def _draw_places(self, members: Sequence[Recipe]) -> bytes:
        placer = Placer(self.load(members[0].background))
        entries: list[dict[str, object]] = []
        for recipe in members:
            try:
                entries.append({"scene": placer.place(recipe).as_dict()})
            except MissingRegion as missing:
                entries.append({"reason": str(missing), "missing_region": missing.region})
            except NoPlace as nowhere:
                entries.append({"reason": str(nowhere)})
        return canonical_json(entries).encode()

    # --- radiographs and findings -------------------------------------------------------------------------------

    def _prepared(self, items: Sequence[tuple[Recipe, Scene] | Unplaced]) -> _Chunk:
        jobs: dict[str, _Job] = {}
        for item in items:
            if not isinstance(item, Unplaced):
                jobs.setdefault(item[1].key(), _Job(item[1], item[0].background))
        for job in jobs.values():
            self._recall(job)
        pending = [job for job in jobs.values() if not job.done]
        self._obtain(pending)
        for job in pending:
            if job.done:
                job.radiograph = None
        return _Chunk(items, jobs, pending)

    def _finish(self, chunk: _Chunk) -> Iterator[Outcome | Unplaced]:
        for job in chunk.pending:
            if not job.done:
                self._recall_findings(job)  # a batch before this one, inferred since, may hold the same radiograph
        self._detect([job for job in chunk.pending if not job.done])
        for item in chunk.items:
            if isinstance(item, Unplaced):
                yield item
                continue
            job = chunk.jobs[item[1].key()]
            assert job.snapshot is not None
            cached = job not in chunk.pending
            self.tally.from_cache += cached
            yield Outcome(item[0], item[1], self.synthesizer.identity.name, job.snapshot, job.sightings or (), cached)

    @stage("store: reading")
    def _recall(self, job: _Job) -> None:
        data = self._store.get("snapshots", self._snapshot_key(job))
        if data is not None:
            job.snapshot = Snapshot.decode(data)
            self._recall_findings(job)

    def _recall_findings(self, job: _Job) -> None:
        assert job.snapshot is not None
        data = self._store.get("findings", self._findings_key(job.snapshot))
        if data is not None:
            job.sightings = decode_sightings(data)

    def _obtain(self, jobs: Sequence[_Job]) -> None:
        plain = {job.scene.key(): replace(job.scene, perturbations=()) for job in jobs}
        edited = [job for job in jobs if job.scene.nodules]
        stored: dict[str, bytes] = {}
        for job in edited:
            data = self._store.get("radiographs", self._key(plain[job.scene.key()], job.background))
            if data is not None:
                stored[job.scene.key()] = data
        missing = [job for job in edited if job.scene.key() not in stored]
        for job, made in zip(missing, self._synthesize(missing, plain), strict=True):
            stored[job.scene.key()] = made
        for job in jobs:
            self._look_at(job, stored.get(job.scene.key()))

    @stage("radiographs: decoding, perturbing, hashing")
    def _look_at(self, job: _Job, data: bytes | None) -> None:
        background = self.load(job.background)
        base = background if data is None else replace(decode_radiograph(data, background), altered=True)
        reason = rejection(background, base, sham=job.scene.sham)
        job.radiograph = perturb(base, job.scene.perturbations, job.scene.seed) if job.scene.perturbations else base
        encoded = Snapshot.of(job.radiograph, reason).encode()
        job.snapshot = Snapshot.decode(self._store.put("snapshots", self._snapshot_key(job), encoded))
        self._recall_findings(job)

    def _synthesize(self, jobs: Sequence[_Job], plain: Mapping[str, Scene]) -> list[bytes]:
        unique: dict[str, _Job] = {}
        for job in jobs:
            unique.setdefault(self._key(plain[job.scene.key()], job.background), job)
        if not unique:
            return []
        backgrounds = [self.load(job.background) for job in unique.values()]
        started = time.perf_counter()
        call, scenes = partial(_call_synthesizer, self.synthesizer), [plain[j.scene.key()] for j in unique.values()]
        with stage("synthesis"):
            radiographs = redraw_rejected(call, scenes, backgrounds, call(scenes, backgrounds))
        self.tally.synthesis_seconds += time.perf_counter() - started
        self.tally.synthesized += len(unique)
        with stage("store: encoding and writing"):
            data = {
                key: self._store.put("radiographs", key, encode_radiograph(radiograph, background))
                for key, radiograph, background in zip(unique, radiographs, backgrounds, strict=True)
            }
        return [data[self._key(plain[job.scene.key()], job.background)] for job in jobs]

    def _detect(self, jobs: Sequence[_Job]) -> None:
        waiting = [job for job in jobs if not job.done]
        for start in range(0, len(waiting), DETECT_BATCH):
            batch = waiting[start : start + DETECT_BATCH]
            radiographs = [job.radiograph for job in batch if job.radiograph is not None]
            started = time.perf_counter()
            with stage("detection"):
                findings = self.detector.detect(radiographs)
            self.tally.detection_seconds += time.perf_counter() - started
            self.tally.inferred += len(batch)
            for job, radiograph, found in zip(batch, radiographs, findings, strict=True):
                assert job.snapshot is not None
                sightings = [Sighting(f, regions_at(radiograph, f.centre)) for f in found]
                data = self._store.put("findings", self._findings_key(job.snapshot), encode_sightings(sightings))
                job.sightings = decode_sightings(data)
                job.radiograph = None

    # --- keys ---------------------------------------------------------------------------------------------------

    def _key(self, scene: Scene, background: Background) -> str:
        synthesizer = self._synthesizer_key if scene.nodules else ""
        return sha256_of(["radiograph", FORMAT, scene.key(), background.content, synthesizer])

    def _snapshot_key(self, job: _Job) -> str:
        return sha256_of(["snapshot", SNAPSHOT, self._key(job.scene, job.background), self._tested])

    def _findings_key(self, snapshot: Snapshot) -> str:
        return sha256_of(["findings", FORMAT, snapshot.sha256, self._detector_key, self._tested])


@dataclass(eq=False)
class _Job:
    """One unique scene on its way."""

    scene: Scene
    background: Background
    snapshot: Snapshot | None = None
    sightings: tuple[Sighting, ...] | None = None
    radiograph: Radiograph | None = None

    @property
    def done(self) -> bool:
        return self.snapshot is not None and (bool(self.snapshot.rejected) or self.sightings is not None)


@dataclass(frozen=True)
class _Chunk:
    """A batch between synthesis and detection: its items in order, unique scenes by key, those not finished."""

    items: Sequence[tuple[Recipe, Scene] | Unplaced]
    jobs: Mapping[str, _Job]
    pending: Sequence[_Job]


def _call_synthesizer(
    synthesizer: Synthesizer, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]
) -> list[Radiograph]:
    name = synthesizer.identity.name
    try:
        radiographs = synthesizer.synthesize(scenes, backgrounds)
    except SynnodError:
        raise
    except Exception as error:
        raise SynthesizerError(f"synthesizer {name!r} raised {type(error).__name__}: {error}") from error
    if len(radiographs) != len(scenes):
        raise SynthesizerError(f"synthesizer {name!r} returned {len(radiographs)} radiographs for {len(scenes)} scenes")
    for scene, radiograph in zip(scenes, radiographs, strict=True):
        asked, made = [n.name for n in scene.nodules], [t.name for t in radiograph.nodules]
        if asked != made:
            raise SynthesizerError(
                f"synthesizer {name!r} returned the truth of {made} where {asked} was asked for",
                hint="every nodule keeps its truth, with an empty mask if nothing came of it, so that it is counted",
            )
    return radiographs
