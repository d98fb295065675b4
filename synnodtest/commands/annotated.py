"""Annotated radiographs from the options that ``train detector`` and ``evaluate detector`` share."""

from __future__ import annotations

import argparse

from synnodtest.annotated.dataset_set import DatasetSet
from synnodtest.annotated.sets import AnnotatedSet, PhantomSet, part_of
from synnodtest.annotated.split_sources import composites
from synnodtest.commands.options import say_notes
from synnodtest.counted import counted
from synnodtest.datasets import Dataset
from synnodtest.errors import SynnodError

PHANTOM_SEED = 100_000
"""Training chests have seeds from here on; the sets of ``pytest --detector`` start elsewhere."""


FRESH_SEED = 900_000
"""Chests from here on are in no training."""


def annotated_sets(options: argparse.Namespace, split: str, *, fresh: bool = False) -> list[AnnotatedSet]:
    """Return the part ``split`` of what ``--data``, ``--phantoms`` and ``--backgrounds`` with ``--ct-patches`` name.

    Args:
        options: The parsed command line.
        split: ``train``, ``test`` or ``all``.
        fresh: Take phantoms that no training has seen, all of them whatever the split.

    Raises:
        SynnodError: ``--backgrounds`` without ``--ct-patches``, two sets of one name, or ``--data`` without one
            annotated nodule: no figure is defined without any, and nothing is learned where no other set has some.
    """
    sets: list[AnnotatedSet] = []
    if options.data is not None:
        whole = DatasetSet(options.data, regions=fresh)
        say_notes(whole.dataset.notes)
        sets.append(part_of(whole, split))
        if not fresh and (options.phantoms or options.backgrounds) and not _marked(whole.dataset):
            films = counted(len(whole.dataset.images), "image")
            say_notes([f"{whole.dataset.folder}: no nodule is annotated: {films} taken for such without any"])
        else:
            _refuse_without_nodules(whole.dataset, sets[-1] if fresh else whole, split)
    if options.phantoms:
        phantoms = PhantomSet(options.phantoms, seed=FRESH_SEED if fresh else PHANTOM_SEED)
        sets.append(phantoms if fresh else part_of(phantoms, split))
    if options.backgrounds is not None:
        if options.ct_patches is None:
            raise SynnodError("--backgrounds holds no nodules by itself", hint="add --ct-patches FOLDER")
        sets.append(
            composites(options.backgrounds, options.ct_patches, split=split, per_background=options.per_background)
        )
    names = [one.name for one in sets]
    if same := next((name for name in names if names.count(name) > 1), ""):
        raise SynnodError(f"two sets are called {same!r}, and figures and files go by name", hint="rename a folder")
    return sets


def _marked(dataset: Dataset) -> set[str]:
    return {image.id for image in dataset.images if image.boxes}


def _refuse_without_nodules(dataset: Dataset, used: AnnotatedSet, split: str) -> None:
    marked = _marked(dataset)
    if not marked:
        first = dataset.images[0]
        raise SynnodError(
            f"{first.where or first.path}: from here on, none of {counted(len(dataset.images), 'image')} has an "
            f"annotated nodule ({dataset.folder}, read as {dataset.layout})",
            hint="export it with its boxes, and with images that show nodules",
        )
    if used.cases and not any(case.id in marked for case in used.cases):
        raise SynnodError(
            f"{dataset.name}: no image with an annotated nodule belongs to the split {split!r}", hint="--split all"
        )
