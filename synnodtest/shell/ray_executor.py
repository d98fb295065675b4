"""``--executor ray``: synthesizers and detectors as Ray actors that share the store; only keys travel.

Actors, not Ray Data: a dead actor of a fixed pool hangs a data set for ever, and its order is not kept. Batches are
idempotent by key, so a batch whose actor died is simply done again by the next one.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from synnodtest import errors
from synnodtest.engine.executor import BATCH, Batch, SceneSource, batches_of, halves
from synnodtest.engine.schedule import GivenUp, Lost, Stage, drive
from synnodtest.errors import SynnodError, require
from synnodtest.memory import keep_freed_memory
from synnodtest.planning.recipe import Recipe
from synnodtest.shell.opened_parts import OpenedParts
from synnodtest.shell.settings import Settings
from synnodtest.threads import share_threads

KINDS = ("synthesize", "detect")
"""Of work, each with actors of its own: methods of the engine."""
RESTART_S, PAUSE_S = 300.0, 0.2
"""Seconds that an actor which died may take to work again, as long as one call of a detector may, and between looks."""


@dataclass(frozen=True)
class RayOptions:
    """Options of ``--executor``: ``ray``, ``ray://head:10001``, each with ``?synthesizers=4&detectors=2&gpus=0.25``.

    Args:
        address: Of the cluster; empty for this machine.
        synthesizers, detectors: Actors of each kind.
        gpus: Share of a GPU that each actor takes.
        cpus: Cores that each takes.
        batch: Scenes per batch.
    """

    address: str = ""
    synthesizers: int = 1
    detectors: int = 1
    gpus: float = 0.0
    cpus: float = 1.0
    batch: int = BATCH

    @classmethod
    def parse(cls, text: str) -> RayOptions:
        """Return the options of a text.

        Raises:
            SynnodError: it names an unknown executor or option, or a value that is no number.
        """
        place, _, query = text.partition("?")
        if place != "ray" and not place.startswith("ray://"):
            raise SynnodError(f"--executor {text}: unknown", hint="serial, ray or ray://head:10001")
        known = {"synthesizers": int, "detectors": int, "gpus": float, "cpus": float, "batch": int}
        values: dict[str, Any] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            try:
                values[name] = known[name](value)
            except (KeyError, ValueError):
                hint = f"options are {', '.join(f'{option}=N' for option in known)}, joined by &"
                raise SynnodError(f"--executor {text}: {name}={value} is not understood", hint=hint) from None
        options = cls(address="" if place == "ray" else place, **values)
        if min(options.synthesizers, options.detectors, options.batch) < 1 or options.gpus < 0 or options.cpus < 0:
            raise SynnodError(f"--executor {text}: at least one actor of each kind and one scene a batch are needed")
        return options


class Worker:
    """Work of an actor; of no use outside one, since it settles its process' threads and folder.

    Args:
        settings: Of the run.
        folder: Where relative paths start.
    """

    def __init__(self, settings: Settings, folder: str) -> None:
        share_threads()
        keep_freed_memory()
        if os.path.isdir(folder):
            os.chdir(folder)
        self._opened = OpenedParts(settings)

    def ready(self) -> tuple[str, str, str] | int:
        """Return the worker's process, or what keeps it from working."""
        try:
            _ = self._opened.campaign
            return os.getpid()
        except SynnodError as error:
            return type(error).__name__, error.message, error.hint

    def finish(self, kind: str, batch: Batch) -> list[str] | tuple[str, str, str]:
        """Bring the radiographs of a batch, or the findings on them, into the store.

        Returns:
            The keys of their scenes, or what went wrong.
        """
        try:
            engine = self._opened.campaign.engine_on(batch.source)
            keys: list[str] = getattr(engine, kind)(batch.recipes, batch.wanted)
            return keys
        except SynnodError as error:
            return type(error).__name__, error.message, error.hint


class RayExecutor:
    """Scenes finished by actors of a Ray cluster, or of this machine; all of them see the same store.

    Args:
        settings: Of the run; its paths must mean the same on every machine.
        options: How many actors, and where.

    Raises:
        SynnodError: ray is not installed, no cluster answers, or a worker cannot open what the run needs.
    """

    def __init__(self, settings: Settings, options: RayOptions) -> None:
        require("ray", "ray", "--executor ray")
        self._ray: Any = importlib.import_module("ray")
        self._options, self._started = options, not self._ray.is_initialized()
        if self._started:
            self._connect()
        plain = replace(settings, conform="off", executor="serial", cache=settings.cache.absolute())
        actor = self._ray.remote(Worker).options(
            num_cpus=options.cpus, num_gpus=options.gpus, max_restarts=-1, max_task_retries=0
        )
        counts = (options.synthesizers, options.detectors)
        self.actors = {
            kind: [actor.remote(plain, os.getcwd()) for _ in range(count)]
            for kind, count in zip(KINDS, counts, strict=True)
        }
        self._given_up: dict[str, SynnodError] = {}
        self._asked: dict[Any, Any] = {}
        for answer in self._ray.get([one.ready.remote() for kind in KINDS for one in self.actors[kind]]):
            _raised(answer)

    def _connect(self) -> None:
        where: dict[str, object] = {"address": self._options.address} if self._options.address else {}
        if not where:
            need = self._options.cpus * (self._options.synthesizers + self._options.detectors)
            where = {"num_cpus": max(round(need + 0.5), 1), "include_dashboard": False}
        environment = {"env_vars": {"OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}}
        try:
            self._ray.init(**where, log_to_driver=False, logging_level="ERROR", runtime_env=environment)
        except Exception as error:  # a bare one where its processes do not come up in time
            raise SynnodError(f"--executor {self._options.address or 'ray'}: no cluster answers: {error}") from error

    def finish(self, source: SceneSource, recipes: Sequence[Recipe]) -> Iterator[int]:
        """Yield how many recipes were finished, as they are.

        Raises:
            SynnodError: as a serial run would raise it; a scene that killed its workers again and again is a
                SynthesizerError or DetectorError that names it.
        """
        stages = [self._stage(kind) for kind in KINDS]
        known = next((self._given_up[r.key()] for r in recipes if r.key() in self._given_up), None)
        if known is not None:
            raise known
        for done in drive(batches_of(source, recipes, self._options.batch), stages, self._wait, self._result, halves):
            if isinstance(done, GivenUp):
                raise self._blamed(done)
            yield len(done.wanted)

    def _stage(self, kind: str) -> Stage[Batch, Any, Any]:
        def submit(actor: Any, batch: Batch) -> Any:
            reference = actor.finish.remote(kind, batch)
            self._asked[reference] = actor
            return reference

        return Stage(kind, self.actors[kind], submit)

    def _wait(self, running: Sequence[Any]) -> Any:
        return self._ray.wait(list(running), num_returns=1)[0][0]

    def _result(self, reference: Any) -> None:
        actor = self._asked.pop(reference)
        try:
            _raised(self._ray.get(reference))
        except self._ray.exceptions.RayActorError as error:
            self._await(actor)
            raise Lost(str(error)) from error

    def _await(self, actor: Any) -> None:
        """Wait until an actor that died works again: while it restarts Ray fails each call as if it had died of it."""
        until = time.monotonic() + RESTART_S
        while time.monotonic() < until:
            try:
                _raised(self._ray.get(actor.ready.remote()))
                return
            except self._ray.exceptions.RayActorError:
                time.sleep(PAUSE_S)

    def _blamed(self, given_up: GivenUp[Batch]) -> SynnodError:
        recipe = given_up.batch.recipes[given_up.batch.wanted[0]]
        of, kind = (
            ("synthesizer", errors.SynthesizerError)
            if given_up.stage == "synthesize"
            else ("detector", errors.DetectorError)
        )
        error = kind(
            f"the {of} died {given_up.deaths} times in a row on one scene of behaviour {recipe.behaviour!r}: "
            f"background {recipe.background.id}, arm {recipe.arm!r}, replicate {recipe.replicate}",
            hint="run it with --executor serial to see how it ends; memory is the usual cause",
        )
        self._given_up[recipe.key()] = error
        return error

    def close(self) -> None:
        """End the actors, and Ray where this run started it."""
        for kind in KINDS:
            for actor in self.actors[kind]:
                self._ray.kill(actor)
        if self._started:
            self._ray.shutdown()


def _raised(answer: Any) -> None:
    """Raise what a worker says went wrong."""
    if isinstance(answer, tuple):
        name, message, hint = answer
        kind = getattr(errors, name, SynnodError)
        if not (isinstance(kind, type) and issubclass(kind, SynnodError)) or kind is errors.SpecError:
            kind = SynnodError
        raise kind(message, hint=hint)
