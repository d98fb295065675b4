"""Confidence over the chest, in an air leak, and beside a second nodule."""

from __future__ import annotations

import numpy as np

from studies.paper import figures
from studies.paper.job import Drawn, Job, mean_confidence, primary
from studies.paper.points import by_region, points_of
from studies.paper.run import Answered, Bench
from synnodtest.evidence.trial import Evidence, NoduleTrial, Trial
from synnodtest.geometry import FloatArray
from synnodtest.report.figures.canvas import ORANGE

ARMS = ("single", "double")


def confidence_map(job: Job) -> Drawn:
    """Plant nodules of three sizes all over one chest, and in the paper's hard places over many."""
    answers = job.bench.answers("map")
    maps = [a for a in answers if a.behaviour.id.startswith("confidence-by-place")]
    panels = {f"{a.pairs()[0][1].requested_mm:g} mm": points_of(a.pairs()) for a in maps}
    radiograph = job.bench.radiograph(maps[0])
    files = figures.confidence_map(radiograph, panels, ["lung"], job.out / "map")
    regions = ["lung", "hilar", "subdiaphragmatic", "retrocardiac", "peripheral", "apical"]
    numbers = {
        "chest": maps[0].pairs()[0][0].background,
        "one_chest": {title: by_region(points, regions, figures.THRESHOLDS[0]) for title, points in panels.items()},
        "many_chests": [
            {"place": a.behaviour.id, "nodules": len(a.pairs()), "mean_confidence": mean_confidence(a), **primary(a)}
            for a in answers
            if a not in maps
        ],
    }
    return Drawn(numbers, files)


def companion(job: Job) -> Drawn:
    """Plant a nodule near the heart alone and with a conspicuous second one."""
    answers = job.bench.answers("companion")
    evidence = answers[0].evidence
    pairs = _pairs(evidence)
    scores = {arm: [found[arm][1].confidence for found in pairs] for arm in ARMS}
    arms = {
        arm: {
            "nodules": len(values),
            "mean_confidence": float(np.mean(values)) if values else None,
            "detected": float(np.mean(np.array(values) >= evidence.operating_point)) if values else None,
        }
        for arm, values in scores.items()
    }
    if not pairs:
        return Drawn({"index_nodule": arms}, [])
    most = max(pairs, key=lambda found: abs(found["double"][1].confidence - found["single"][1].confidence))
    shown = [_shown(job.bench, answers[0], most, arm, evidence.operating_point) for arm in ARMS]
    files = figures.pair(shown, scores, job.out / "companion")
    return Drawn({"index_nodule": arms, "shown": most["single"][0].background}, files)


def _pairs(evidence: Evidence) -> list[dict[str, tuple[Trial, NoduleTrial]]]:
    """Return the index nodule of every scene that is there in both arms, by arm."""
    found: dict[tuple[str, int], dict[str, tuple[Trial, NoduleTrial]]] = {}
    for arm in ARMS:
        for trial, nodule in evidence.nodules(arm, of="index"):
            found.setdefault((trial.background, trial.replicate), {})[arm] = (trial, nodule)
    return [pair for pair in found.values() if len(pair) == len(ARMS)]


def _shown(
    bench: Bench, answered: Answered, pair: dict[str, tuple[Trial, NoduleTrial]], arm: str, operating_point: float
) -> tuple[str, FloatArray, list[figures.Mark]]:
    """Return title, pixels and marks of one arm: planted nodules in yellow, findings that count in orange."""
    trial, nodule = pair[arm]
    marks = [figures.Mark(planted.truth.box, figures.YELLOW, planted.name, below=True) for planted in trial.nodules]
    findings = [s.finding for s in trial.sightings if s.finding.score >= operating_point]
    marks += [figures.Mark(f.box, ORANGE, f"{f.score:.2f}") for f in findings]
    title = f"{arm}: the index nodule's confidence {nodule.confidence:.2f}"
    return title, bench.radiograph(answered, trial).pixels, marks


def air_leak(job: Job) -> Drawn:
    """Plant nodules all over the pleural cavity of a pneumothorax."""
    answers = job.bench.answers("air-leak")
    points = [point for answered in answers[:-1] for point in points_of(answered.pairs())]
    chest = job.bench.radiograph(answers[0])
    title = f"nodules of {points[0].diameter_mm:g} mm" if points else "no nodule"
    files = figures.confidence_map(chest, {title: points}, ["lung", "air_leak"], job.out / "air-leak")
    numbers = {
        "chest": answers[0].pairs()[0][0].background,
        "one_chest": by_region(points, ["lung", "air_leak"], answers[0].evidence.operating_point),
        "many_chests": primary(answers[-1]),
    }
    return Drawn(numbers, files)
