"""Annotated radiographs from the options that ``train detector`` and ``evaluate detector`` share."""

from __future__ import annotations

import argparse
from pathlib import Path

from synnodtest.backgrounds.folder import FolderSet
from synnodtest.errors import SynnodError
from synnodtest.synthesizers.ct_patch import CtPatchSynthesizer
from synnodtest.training.annotated import AnnotatedSet, PhantomSet, SynthesizedSet
from synnodtest.training.node21_set import Node21Set

__all__ = ["annotated_sets"]

PHANTOM_SEED = 100_000
"""Training chests have seeds from here on; the sets of ``pytest --detector`` start elsewhere."""


def annotated_sets(options: argparse.Namespace, *, phantom_seed: int = PHANTOM_SEED) -> list[AnnotatedSet]:
    """Return the sets that ``--data``, ``--phantoms`` and ``--backgrounds`` with ``--ct-patches`` name.

    Raises:
        SynnodError: ``--backgrounds`` without ``--ct-patches``.
    """
    sets: list[AnnotatedSet] = []
    if options.data is not None:
        sets.append(Node21Set(options.data))
    if options.phantoms:
        sets.append(PhantomSet(options.phantoms, seed=phantom_seed))
    if options.backgrounds is not None:
        if options.ct_patches is None:
            raise SynnodError("--backgrounds holds no nodules by itself", hint="add --ct-patches FOLDER")
        folder: Path = options.backgrounds
        backgrounds = FolderSet(folder, folder.name, outer=[folder.parent])
        synthesizer = CtPatchSynthesizer(options.ct_patches)
        sets.append(SynthesizedSet(f"ct-{folder.name}", backgrounds, synthesizer, options.per_background))
    return sets
