"""Phantoms as a background set."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from synnodtest.canonical import seed_sequence, sha256_of
from synnodtest.errors import BackgroundError
from synnodtest.identity import Identity
from synnodtest.phantom.anatomy import RENDERING, VERSION, Anatomy, sample_anatomy
from synnodtest.phantom.exposure import expose, exposure_of
from synnodtest.phantom.projection import Projection, project
from synnodtest.ports import Background
from synnodtest.radiograph import Exposure, Radiograph
from synnodtest.radiograph_codec import decode_radiograph, encode_radiograph
from synnodtest.store import Store

SET_NAMES = ("normal", "pneumothorax")
_NOTHING = Radiograph(np.zeros((0, 0), dtype=np.float32), (1.0, 1.0))
"""The background that phantoms are stored against: none, so that they are stored whole."""


def seed_of(name: str, master_seed: int, index: int) -> int:
    """Return the anatomy seed of one phantom of a set; sets and master seeds share no persons."""
    return int(seed_sequence("phantom-set", name, master_seed, index).generate_state(1)[0])


class PhantomSet:
    """As many phantoms as asked for, made when loaded; each is its own patient.

    Args:
        name: ``normal`` or ``pneumothorax``.
        count: How many.
        master_seed: Another master seed gives other persons.
        size: Pixels along each side.
        cache: Root of a store that keeps them: projecting one takes thirty times as long as reading it.

    Raises:
        BackgroundError: ``name`` is neither set, or ``count`` is negative.
    """

    def __init__(
        self, name: str, count: int, master_seed: int = 0, *, size: int = 1024, cache: Path | None = None
    ) -> None:
        if name not in SET_NAMES:
            raise BackgroundError(f"there is no phantom set {name!r}", hint=f"one of {', '.join(SET_NAMES)}")
        if count < 0:
            raise BackgroundError(f"a phantom set cannot hold {count} radiographs")
        self.name, self._count, self._master_seed, self._size = name, count, master_seed, size
        self._store = None if cache is None else Store(cache)

    @cached_property
    def identity(self) -> Identity:
        """The phantom's version and the set's seed and size."""
        configuration = {"set": self.name, "master_seed": self._master_seed, "size": self._size}
        return Identity(name="phantom", version=VERSION, configuration=configuration)

    @cached_property
    def _anatomies(self) -> Mapping[str, Anatomy]:
        """The chests by the identifiers of their phantoms."""
        seeds = (seed_of(self.name, self._master_seed, index) for index in range(self._count))
        leaking = self.name == "pneumothorax"
        return {
            f"phantom-{self.name}-{index:04d}": sample_anatomy(seed, pneumothorax=leaking)
            for index, seed in enumerate(seeds)
        }

    @cached_property
    def backgrounds(self) -> Sequence[Background]:
        """All phantoms, known without rendering: ``phantom-normal-0000`` and so on."""
        return tuple(
            Background(
                id=identifier,
                patient=identifier,
                strata={"sex": a.sex, "age": str(a.age), "view": "PA"},
                content=sha256_of(["phantom", VERSION, RENDERING, self.name, a.seed, self._size]),
            )
            for identifier, a in self._anatomies.items()
        )

    def load(self, background: Background) -> Radiograph:
        """Return one phantom of this set: the stored one, else rendered and stored.

        Raises:
            BackgroundError: the background is not of this set.
            StoreError: the store cannot be read or written.
        """
        if background.id not in self._anatomies:
            raise BackgroundError(f"{background.id!r} is no background of the phantom set {self.name!r}")
        store = self._store
        if store is None:
            return self._rendered(background)
        data = self._stored(background, store, lambda: self._another(background, store))
        # The store compares the sha256 of the whole entry; nothing is gained by that of the pixels.
        radiograph = decode_radiograph(data, _NOTHING, verify=False)
        return replace(radiograph, exposure=self._exposure(background, store))

    def _stored(self, background: Background, store: Store, meanwhile: Callable[[], bool] | None = None) -> bytes:
        def made() -> bytes:
            phantom = self._rendered(background)
            assert phantom.exposure is not None
            store.put("exposures", background.content, json.dumps(asdict(phantom.exposure)).encode())
            return encode_radiograph(phantom, _NOTHING)

        return store.obtain("phantoms", background.content, made, meanwhile)

    def _another(self, before: Background, store: Store) -> bool:
        """Make a later phantom that nobody makes yet; return whether there was one.

        Workers that go through one set all want the same phantom next. Where others wait for the one that makes it, a
        hundred phantoms take as long on sixteen cores as on one.
        """
        for later in self.backgrounds[list(self._anatomies).index(before.id) + 1 :]:
            if not store.has("phantoms", later.content) and not store.in_work("phantoms", later.content):
                self._stored(later, store)
                return True
        return False

    def _exposure(self, background: Background, store: Store) -> Exposure:
        """Return the stored exposure, else that of the phantom projected again (stores of earlier versions)."""
        data = store.get("exposures", background.content)
        if data is None:
            exposure = exposure_of(self._projected(background))
            data = store.put("exposures", background.content, json.dumps(asdict(exposure)).encode())
        return Exposure(**json.loads(data))

    def _rendered(self, background: Background) -> Radiograph:
        return expose(self._projected(background), name=self.name, background=background.id)

    def _projected(self, background: Background) -> Projection:
        return project(self._anatomies[background.id], self._size)
