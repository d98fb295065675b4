"""Backgrounds of a sequential run, until the judge of its item decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynnodError
from synnodtest.evidence.ruling import Status
from synnodtest.evidence.trial import Evidence
from synnodtest.grouping import grouped
from synnodtest.planning.item import Item
from synnodtest.ports import Background

FEWER_BACKGROUNDS = "backgrounds asked for"
"""Ending of a shortfall's sentence that says how many backgrounds a set has."""


def fewer_backgrounds(reasons: Iterable[str]) -> list[str]:
    """Return those of the reasons why scenes are missing that say that a set has fewer backgrounds than asked for."""
    return [reason for reason in reasons if reason.endswith(FEWER_BACKGROUNDS)]


BATCH = 8
"""Clusters between two looks of a sequential run: two calls of a detector's usual batch; every one of them is looked
at."""

Clusters = Mapping[str, Sequence[Background]]


def until_decided(
    evidence_on: Callable[[Sequence[Background]], Evidence], item: Item, backgrounds: Sequence[Background], seed: int
) -> Evidence:
    """Return the evidence at which the judge of a sequential run decides, or all of it.

    Clusters come in an order fixed before the first scene, a batch at a time.

    Args:
        evidence_on: Gathers the evidence on some of the backgrounds.
        item: Whose evidence.
        backgrounds: All that the behaviour stands on.
        seed: The master seed. The order of the clusters hangs on it and on the behaviour alone.
    """
    clusters = grouped((background.cluster, background) for background in backgrounds)
    rng = np.random.default_rng(seed_sequence("sequential", seed, item.behaviour.id))
    names = sorted(clusters)
    drawn = [names[i] for i in rng.permutation(len(names))]
    order = _within_cap(item, {name: clusters[name] for name in drawn}, seed)
    decided_on: list[Background] = []
    evidence = Evidence(())
    for start in range(0, len(order), BATCH):
        decided_on += [b for name in order[start : start + BATCH] for b in clusters[name]]
        evidence = replace(evidence_on(decided_on), order=order)
        if item.judge(item.variant.parameters, evidence).status is not Status.INCONCLUSIVE:
            break
    return evidence


def _within_cap(item: Item, clusters: Clusters, seed: int) -> tuple[str, ...]:
    """Return the clusters whose scenes together stay within ``max_scenes``."""
    most, within, scenes = item.behaviour.sampling.max_scenes, [], 0
    groups = item.groups
    for name, backgrounds in clusters.items():
        scenes += sum(len(list(g.recipes(item.behaviour, backgrounds, seed))) for g in groups)
        if most is not None and scenes > most:
            break
        within.append(name)
    if not within:
        raise SynnodError(
            f"behaviour {item.behaviour.id!r}: max_scenes: {most} is less than the {scenes} scenes of one background"
        )
    return tuple(within)
