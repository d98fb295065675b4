"""Evidence made by hand: trials with known outcomes."""

from functools import cache

import numpy as np

from synnodtest import Finding, Scene, Truth
from synnodtest.evidence.sightings import Sighting
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial

MASK = np.ones((4, 4), dtype=bool)


@cache
def _truth(name, diameter_mm):
    return Truth(name, MASK, (10, 10), diameter_mm, 0.3, {"diameter_mm": diameter_mm, "contrast": 0.3})


def trial(
    background,
    confidence=None,
    *,
    arm="default",
    diameter_mm=10.0,
    levels=None,
    replicate=0,
    cluster=None,
    name="nodule",
    fires=(),
    false_positives=(),
    rejected="",
    strata=None,
    regions=None,
):
    """One scene: a nodule with this confidence (None: no nodule), findings in regions, false positives by score."""
    sightings, nodules = [], []
    if confidence is not None:
        index = None
        if confidence > 0:
            index = 0
            sightings.append(Sighting(Finding((10, 10, 14, 14), confidence)))
        truth = _truth(name, diameter_mm)
        nodules.append(NoduleTrial(name, diameter_mm, truth, truth.requested, confidence, index))
    for region, score in fires:
        sightings.append(Sighting(Finding((50, 50, 54, 54), score), frozenset({region})))
    start = len(sightings)
    sightings += [Sighting(Finding((80, 80, 84, 84), score)) for score in false_positives]
    return Trial(
        scene=Scene(background),
        scene_id=f"{background}-{arm}-{levels}-{replicate}",
        synthesizer="hand",
        background=background,
        cluster=cluster or background,
        arm=arm,
        replicate=replicate,
        levels=levels or {},
        strata=strata or {},
        spacing_mm=(1.0, 1.0),
        shape=(100, 100),
        sightings=tuple(sightings),
        nodules=tuple(nodules),
        duplicates=(),
        false_positives=tuple(range(start, len(sightings))),
        rejected=rejected,
        regions=regions,
    )


def evidence(trials, **options):
    """Evidence of these trials; rejected ones apart."""
    return Evidence(
        trials=tuple(t for t in trials if not t.rejected), rejected=tuple(t for t in trials if t.rejected), **options
    )
