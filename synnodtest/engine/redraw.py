"""Scenes that acceptance excludes are drawn again from other seeds: blind to every detector, up to a stated limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.engine.acceptance import rejections
from synnodtest.radiograph import Radiograph
from synnodtest.radiograph_codec import Edit
from synnodtest.scene import Scene

LIMIT = 3
"""Times a nodule may be drawn again; what is still rejected then stays excluded, and is counted."""

Synthesize = Callable[[Sequence[Scene], Sequence[Radiograph]], Sequence[Radiograph]]


def redraw_rejected(
    synthesize: Synthesize, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph], made: Sequence[Radiograph]
) -> list[Edit]:
    """Return the radiographs beside their backgrounds, those with rejected nodules replaced by what other seeds gave.

    Only the rejected nodules get another seed, so that the others of the scene stay as they are in all arms. A nodule
    that was replaced says how often in ``truth.requested["redrawn"]``. A synthesizer that gives the same pixels for
    another seed is not asked a second time.

    Args:
        synthesize: Scenes and backgrounds to radiographs.
        scenes: As planned.
        backgrounds: Untouched, one per scene.
        made: What was synthesized, one per scene.
    """
    results = [Edit.of(radiograph, background) for radiograph, background in zip(made, backgrounds, strict=True)]
    waiting = {k: scene for k, scene in enumerate(scenes) if scene.nodules and not scene.sham}
    counts = {k: [0] * len(scene.nodules) for k, scene in waiting.items()}
    for attempt in range(1, LIMIT + 1):
        again: dict[int, Scene] = {}
        for k, scene in waiting.items():
            faults = rejections(backgrounds[k], results[k].radiograph, results[k].crops)
            results[k] = replace(results[k], reason=next(filter(None, faults), ""))
            if any(faults):
                again[k] = _reseeded(scene, scenes[k], faults, attempt)
                counts[k] = [attempt if fault else count for fault, count in zip(faults, counts[k], strict=True)]
        if not again:
            break
        drawn = synthesize(list(again.values()), [backgrounds[k] for k in again])
        waiting = {}
        for (k, scene), radiograph in zip(again.items(), drawn, strict=True):
            if not np.array_equal(radiograph.pixels, results[k].radiograph.pixels):
                waiting[k], results[k] = scene, Edit.of(_counted(radiograph, counts[k]), backgrounds[k])
    return results


def _reseeded(scene: Scene, planned: Scene, faults: Sequence[str], attempt: int) -> Scene:
    """Return the scene with other seeds for its rejected nodules."""
    nodules = []
    for nodule, origin, fault in zip(scene.nodules, planned.nodules, faults, strict=True):
        state = seed_sequence("redraw", planned.seed_of(origin), attempt).generate_state(1, np.uint64)
        nodules.append(replace(nodule, seed=int(state[0]) >> 1) if fault else nodule)
    return replace(scene, nodules=tuple(nodules))


def _counted(radiograph: Radiograph, counts: Sequence[int]) -> Radiograph:
    truths = [
        replace(truth, requested={**truth.requested, "redrawn": count}) if count else truth
        for truth, count in zip(radiograph.nodules, counts, strict=True)
    ]
    return replace(radiograph, nodules=tuple(truths))
