"""The models that all sessions share, and how a spec's text becomes outcomes on one case."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from synnodtest.detectors import resolve_detector
from synnodtest.engine import Engine, Unplaced
from synnodtest.engine.outcome import Outcome, to_trial
from synnodtest.errors import SpecError, SynnodError
from synnodtest.evidence.trial import Trial
from synnodtest.matching import Matching
from synnodtest.planning.draw import own_recipes
from synnodtest.ports import Detector, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Nodule, Scene
from synnodtest.spec import load_spec
from synnodtest.spec.model import Behaviour
from synnodtest.store import Store
from synnodtest.studio.case import Case
from synnodtest.synthesizers import resolve_synthesizer

Model = TypeVar("Model", Detector, Synthesizer)
SEED = 0
"""The master seed of a run without ``--synnod-seed``, so that pytest draws what the studio draws."""
BATCH = 4
"""Scenes per call while a map is made: each call ends in progress that the page shows, and in a chance to cancel."""


@dataclass
class Bench:
    """Detectors and synthesizers, loaded once; one call of a model at a time, whatever session asks.

    Args:
        detectors: Texts of ``--detector``, the first one being the default of specs.
        synthesizers: Texts of ``--synthesizer``, the first one being the default.
        device: ``cpu`` or ``cuda``.
    """

    detectors: Sequence[str] = ("demo",)
    synthesizers: Sequence[str] = ("diffusion", "gaussian")
    device: str = "cpu"
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _loaded_detectors: dict[str, Detector] = field(default_factory=dict, repr=False)
    _loaded_synthesizers: dict[str, Synthesizer] = field(default_factory=dict, repr=False)

    def preload(self) -> None:
        """Load what is used by default and run it once, so that the first nodule is quick.

        What cannot be loaded is told when it is used.
        """
        blank = _blank()
        scene = Scene("blank", (Nodule(12.0, (100.0, 100.0), contrast=0.3),))
        for name in self.synthesizers[:1]:
            with contextlib.suppress(Exception), self._lock:  # one of one's own may raise anything
                self.synthesizer(name).synthesize([scene], [blank])
        for name in self.detectors:
            with contextlib.suppress(Exception), self._lock:
                self.detector(name).detect([blank])

    @contextlib.contextmanager
    def idle(self, longest_s: float) -> Iterator[None]:
        """Hold the models so that none is at work meanwhile; after ``longest_s`` seconds of waiting go on without."""
        acquired = self._lock.acquire(timeout=longest_s)
        try:
            yield
        finally:
            if acquired:
                self._lock.release()

    def detector(self, name: str) -> Detector:
        """Return a detector of the list, loaded once."""
        return self._once(name, self.detectors, self._loaded_detectors, resolve_detector)

    def synthesizer(self, name: str) -> Synthesizer:
        """Return a synthesizer of the list, loaded once."""
        return self._once(name, self.synthesizers, self._loaded_synthesizers, resolve_synthesizer)

    def _once(self, name: str, names: Sequence[str], loaded: dict[str, Model], resolve: Callable[..., Model]) -> Model:
        if name not in names:
            raise SynnodError(f"{name!r} was not named when the studio was started", hint=f"one of {', '.join(names)}")
        with self._lock:
            if name not in loaded:
                loaded[name] = resolve(name, device=self.device)
            return loaded[name]

    def behaviour(self, text: str, path: Path, case: Case) -> Behaviour:
        """Write a spec's text to ``path`` and return its one behaviour.

        Raises:
            SpecError: the text is no spec; names the file alone, for its folder is the studio's own.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        try:
            (behaviour,) = load_spec(path, frozenset(case.radiograph.regions)).behaviours
        except SpecError as error:
            raise SpecError([replace(problem, file=path.name) for problem in error.problems]) from None
        return behaviour

    def engine(self, case: Case, synthesizer: str, detector: str, store: Path) -> Engine:
        """Return the engine that every run has, on the set of one."""
        return Engine(
            case.backgrounds, self.synthesizer(synthesizer), self.detector(detector), Store(store), batch=BATCH
        )

    def count(self, engine: Engine, behaviour: Behaviour) -> int:
        """Return how many scenes a behaviour has."""
        return sum(1 for _ in own_recipes(behaviour, engine.backgrounds.backgrounds, SEED))

    def planted(self, engine: Engine, behaviour: Behaviour) -> Iterator[Trial | Unplaced]:
        """Yield what comes of each scene of a behaviour, as it is done; ``rejected`` says why a run would exclude it.

        Raises:
            SynnodError: synthesizer or detector failed.
        """
        recipes = list(own_recipes(behaviour, engine.backgrounds.backgrounds, SEED))
        matching = Matching.from_dict(behaviour.matching)
        for start in range(0, len(recipes), BATCH):
            with self._lock:
                outcomes = list(engine.run(recipes[start : start + BATCH]))
            for outcome in outcomes:
                yield to_trial(outcome, matching) if isinstance(outcome, Outcome) else outcome

    def radiograph(self, engine: Engine, scene: Scene, *, sham: bool = False) -> Radiograph:
        """Return the pixels of a scene, from the store where they were made before."""
        (background,) = engine.backgrounds.backgrounds
        with self._lock:
            return engine.radiograph(replace(scene, sham=sham), background)

    def findings(self, radiograph: Radiograph, detector: str) -> list[tuple[tuple[float, float, float, float], float]]:
        """Return what a detector finds in a radiograph, surest first, as boxes and scores."""
        loaded = self.detector(detector)
        with self._lock:
            (findings,) = loaded.detect([radiograph])
        return [(finding.box, finding.score) for finding in sorted(findings, key=lambda finding: -finding.score)]


def _blank() -> Radiograph:
    """Return a picture that is no chest, for the first run of a model, which takes much longer than the next."""
    grey = np.random.default_rng(0).normal(0.5, 0.05, (512, 512))
    pixels = np.clip(grey, 0, 1).astype(np.float32)
    return Radiograph(pixels, (0.4, 0.4), {"lung": np.ones(pixels.shape, dtype=np.bool_)}, background="blank")
