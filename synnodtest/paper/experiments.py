"""The experiments: what each runs, what it draws, and what the paper says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.errors import SynnodError
from synnodtest.paper import figures
from synnodtest.paper.points import Point, by_region, correlation, points_of, sampled_correlations
from synnodtest.paper.run import Answered, Bench, annotated_points
from synnodtest.reporting.figures.kinds import figure_of
from synnodtest.reporting.files import write_atomic
from synnodtest.spec.regions import BUILT_IN_REGIONS
from synnodtest.statistics import Estimate
from synnodtest.training.annotated import AnnotatedSet
from synnodtest.training.evaluate_detector import evaluate

__all__ = ["EXPERIMENTS", "Drawn", "Experiment", "Job"]

EDGES = tuple(float(v) for v in range(4, 41, 2))
COARSE_EDGES = (4.0, 8.0, 12.0, 16.0, 20.0, 25.0, 30.0, 40.0)
ROUND_EDGES = (0.0, 0.55, 0.65, 0.75, 0.85, 1.0)
_CROP_MM = 80.0


@dataclass(frozen=True)
class Job:
    """What an experiment is given.

    Args:
        bench: Runs specs.
        out: Folder for its figures.
        real: Radiographs with nodules that stand for the paper's real ones; a function, because not all need them.
        synthetic: Radiographs with nodules that the synthesizer plants.
        nodules: How many of the real ones to take at most.
    """

    bench: Bench
    out: Path
    real: Callable[[], AnnotatedSet]
    synthetic: Callable[[], AnnotatedSet]
    nodules: int = 863


@dataclass(frozen=True)
class Drawn:
    """What came of an experiment: numbers as plain JSON values, and the files drawn."""

    numbers: dict[str, Any]
    files: list[Path]


@dataclass(frozen=True)
class Experiment:
    """One experiment of the paper.

    Args:
        title: What it is about.
        paper: Where the paper has it, and what it says.
        run: Does it.
        synthesizer: The paper's, taken where the user names none; empty: the user must name one.
        scenes: Scenes of the behaviours with replicates where the user names no number; None: as the spec says.
    """

    title: str
    paper: str
    run: Callable[[Job], Drawn]
    synthesizer: str = "diffusion"
    scenes: int | None = None


def _size(job: Job) -> Drawn:
    answers = job.bench.answers("size")
    pooled, grown = answers[0], answers[-1]
    points = points_of(pooled.pairs())
    rows, estimate = figures.bins(points, EDGES), correlation(points, seed=job.bench.settings.seed)
    told = _rho(estimate)
    note = f"{len(points)} nodules on {len({p.background for p in points})} chests; Spearman {told}"
    files = figures.size_curve(rows, note, job.out / "size")
    files += figures.strip(_growing(job.bench, grown), job.out / "size-examples")
    numbers = {
        "scenes": len(points),
        "spearman": _plain(estimate),
        "by_size": rows,
        "by_region": by_region(points, sorted(BUILT_IN_REGIONS), figures.THRESHOLDS[0]),
    }
    return Drawn(numbers, files)


def _growing(bench: Bench, answered: Answered) -> list[tuple[str, Any]]:
    """Return crops of one chest with the nodule at one place, as it grows; the middle chest by largest confidence."""
    pairs = answered.pairs()
    last = {t.background: n.confidence for t, n in sorted(pairs, key=lambda pair: pair[1].requested_mm)}
    chosen = sorted(last, key=lambda name: last[name])[len(last) // 2]
    crops = []
    for trial, nodule in sorted(pairs, key=lambda pair: pair[1].requested_mm):
        if trial.background == chosen:
            pixels = bench.radiograph(answered, trial).pixels
            x, y = trial.scene.nodules[0].centre_mm
            half = [round(_CROP_MM / 2 / mm) for mm in trial.spacing_mm]
            row, column = round(y / trial.spacing_mm[0]), round(x / trial.spacing_mm[1])
            padded = np.pad(pixels, ((half[0], half[0]), (half[1], half[1])))
            crop = padded[row : row + 2 * half[0], column : column + 2 * half[1]]
            crops.append((f"{nodule.requested_mm:g} mm: {nodule.confidence:.2f}", crop))
    return crops


def _map(job: Job) -> Drawn:
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
            {"place": a.behaviour.id, "nodules": len(a.pairs()), "mean_confidence": _mean(a), **_primary(a)}
            for a in answers
            if a not in maps
        ],
    }
    return Drawn(numbers, files)


def _companion(job: Job) -> Drawn:
    answers = job.bench.answers("companion")
    files = []
    for answered in answers:
        ruling = answered.judgement.ruling
        drawn = figure_of({"figure": ruling.figure, "components": [vars(c) for c in ruling.components]}, "companion")
        if drawn is not None and drawn.svg is not None:
            name = answered.judgement.variant.id
            text = str(drawn.svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
            files.append(write_atomic(job.out / f"companion-{name}.svg", text))
    arms = {}
    for arm in ("single", "double"):
        scores = np.array([n.confidence for _, n in answers[0].evidence.nodules(arm, of="index")])
        arms[arm] = {
            "nodules": len(scores),
            "mean_confidence": float(scores.mean()) if len(scores) else None,
            "detected": float((scores >= answers[0].evidence.operating_point).mean()) if len(scores) else None,
        }
    return Drawn({"index_nodule": arms}, files)


def _air_leak(job: Job) -> Drawn:
    answers = job.bench.answers("air-leak")
    points = [point for answered in answers[:-1] for point in points_of(answered.pairs())]
    chest = job.bench.radiograph(answers[0])
    title = f"nodules of {points[0].diameter_mm:g} mm" if points else "no nodule"
    files = figures.confidence_map(chest, {title: points}, ["lung", "air_leak"], job.out / "air-leak")
    numbers = {
        "chest": answers[0].pairs()[0][0].background,
        "one_chest": by_region(points, ["lung", "air_leak"], answers[0].evidence.operating_point),
        "many_chests": _primary(answers[-1]),
    }
    return Drawn(numbers, files)


def _shape(job: Job) -> Drawn:
    answers = job.bench.answers("shape")
    points = points_of(answers[0].pairs())
    groups: dict[str, list[Point]] = {}
    rows = []
    for size in sorted({p.diameter_mm for p in points}):
        for low, high in pairwise(ROUND_EDGES):
            there = [p for p in points if p.diameter_mm == size and low <= p.roundness < high]
            if there:
                rows.append(
                    {
                        "diameter_mm": size,
                        "roundness_from": low,
                        "roundness_to": high,
                        "nodules": len(there),
                        "mean_confidence": float(np.mean([p.confidence for p in there])),
                    }
                )
    for point in points:
        groups.setdefault(f"{point.diameter_mm:g} mm", []).append(
            Point(point.roundness, point.confidence, point.cluster)
        )
    found = {name: correlation(some, seed=job.bench.settings.seed) for name, some in groups.items()}
    strips = [(name, e.value, e.lower, e.upper) for name, e in found.items()]
    files = figures.bars(strips, "Spearman correlation of confidence and roundness", job.out / "shape")
    files += figures.shape_curves(rows, job.out / "shape-curves")
    return Drawn({"by_shape": rows, "spearman_of_roundness": {k: _plain(e) for k, e in found.items()}}, files)


def _correlation(job: Job) -> Drawn:
    synthetic = points_of(job.bench.answers("size", ["confidence-and-size"])[0].pairs())
    data = job.real()
    real = annotated_points(job.bench.run.campaign.providers.detector, data, job.nodules, job.bench.settings.seed)
    if len(real) < 30:
        raise SynnodError(f"{data.name}: {len(real)} nodules of 4 to 40 mm; a correlation needs 30 or more")
    seed = job.bench.settings.seed
    estimates = {"real": correlation(real, seed=seed), "synthetic": correlation(synthetic, seed=seed)}
    panels = {
        f"{data.name}: {len(real)} nodules, Spearman {_rho(estimates['real'])}": figures.bins(real, COARSE_EDGES),
        f"synthetic: {len(synthetic)}, Spearman {_rho(estimates['synthetic'])}": figures.bins(synthetic, COARSE_EDGES),
    }
    files = figures.two_curves(panels, job.out / "correlation")
    small = [n for n in (144, len(real)) if n < len(synthetic)]
    numbers = {
        "real_like_set": data.name,
        "real": {"nodules": len(real), "spearman": _plain(estimates["real"])},
        "synthetic": {"nodules": len(synthetic), "spearman": _plain(estimates["synthetic"])},
        "synthetic_in_small_samples": [sampled_correlations(synthetic, n, seed=seed) for n in small],
    }
    return Drawn(numbers, files)


def _average_precision(job: Job) -> Drawn:
    detector = job.bench.run.campaign.providers.detector
    measured = {kind: evaluate(detector, make()) for kind, make in (("real", job.real), ("synthetic", job.synthetic))}
    rows = []
    for kind, told in measured.items():
        at_half = told["average_precision"]["at_0.50"]
        value, lower, upper = (float(at_half.get(key) or 0.0) for key in ("value", "lower", "upper"))
        rows.append((f"{kind}: {told['data']}", value, lower, upper))
    files = figures.bars(rows, "average precision at an IoU of 0.5", job.out / "average-precision")
    kept = ("data", "images", "images_with_nodules", "nodules", "average_precision", "sensitivity_at_1_fp")
    return Drawn({kind: {key: told[key] for key in kept} for kind, told in measured.items()}, files)


def _plain(estimate: Estimate) -> dict[str, Any]:
    return {
        "value": estimate.value,
        "lower95": estimate.lower,
        "upper95": estimate.upper,
        "method": estimate.method,
        "clusters": estimate.clusters,
    }


def _rho(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} ({estimate.lower:.2f} to {estimate.upper:.2f})"


def _mean(answered: Answered) -> float:
    return float(np.mean([n.confidence for _, n in answered.pairs()])) if answered.pairs() else float("nan")


def _primary(answered: Answered) -> dict[str, Any]:
    ruling = answered.judgement.ruling
    told: dict[str, Any] = {"sentence": ruling.sentence}
    if ruling.components:
        first = ruling.components[0]
        told |= {"value": first.value, "lower95": first.lower95, "upper95": first.upper95}
    return told


_SIZES = "5,710 nodules of 4 to 40 mm: Spearman 0.58 of size and confidence, which rises steadily"

EXPERIMENTS: Mapping[str, Experiment] = {
    "size": Experiment("Confidence and size", f"3.2, figure 3. {_SIZES}", _size, scenes=5710),
    "map": Experiment(
        "Confidence over the lung", "3.2, figure 3, second row. Lower near the hila and the diaphragm", _map
    ),
    "companion": Experiment(
        "A companion nodule",
        "3.3, figure 4 (a). One example: a nodule near the heart is found when a clear second one is there, and missed "
        "alone",
        _companion,
    ),
    "air-leak": Experiment(
        "Nodules in an air leak",
        "3.3, figure 4 (b). One example: nodules in the leak are not reported",
        _air_leak,
    ),
    "gaussian": Experiment(
        "Gaussian nodules of all sizes",
        "A.2, figure 6. As with diffusion, confidence rises with size; found more easily",
        _size,
        synthesizer="gaussian",
        scenes=5710,
    ),
    "shape": Experiment(
        "Projected CT nodules of one size",
        "A.2, figure 7. Six patches at 20 mm: round and large ones score higher, elongated and small ones lower",
        _shape,
        synthesizer="",
    ),
    "correlation": Experiment(
        "A small real set against a large synthetic one",
        "3.2. Spearman 0.12 on 863 real nodules, 0.58 on 5,710 synthetic ones",
        _correlation,
        scenes=5710,
    ),
    "average-precision": Experiment(
        "Average precision, real against synthetic",
        "3.1. YOLOv8x 0.641 on NODE21 and 0.566 on synthetic images, YOLOv9c 0.673 and 0.578",
        _average_precision,
    ),
}
"""By the name of ``synnodtest paper NAME``."""
