"""Size and confidence, of planted nodules and beside real ones; average precision of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studies.paper import figures
from studies.paper.job import Drawn, Job, crop, plain, told
from studies.paper.points import Point, by_region, correlation, points_of, sampled_correlations
from studies.paper.run import Answered, Bench, annotated_points
from synnodtest.annotated.sets import AnnotatedSet, SynthesizedSet
from synnodtest.errors import SynnodError
from synnodtest.evaluation.detector import evaluate
from synnodtest.evidence.region_names import BUILT_IN_REGIONS
from synnodtest.report.figures.canvas import short
from synnodtest.statistics import Estimate

EDGES = tuple(float(v) for v in range(4, 41, 2))
COARSE_EDGES = (4.0, 8.0, 12.0, 16.0, 20.0, 25.0, 30.0, 40.0)


def size(job: Job) -> Drawn:
    """Plant nodules of all sizes anywhere, and one that grows in its place."""
    answers = job.bench.answers("size")
    pooled, grown = answers[0], answers[-1]
    points = points_of(pooled.pairs())
    rows, estimate = figures.bins(points, EDGES), correlation(points, seed=job.bench.settings.seed)
    note = f"{len(points):,} nodules on {len({p.background for p in points})} chests, Spearman {told(estimate)}"
    files = figures.size_curve(rows, note, job.out / "size")
    note = "a nodule that grows in its place: diameter and confidence, in the chest of median confidence"
    files += figures.strip(_growing(job.bench, grown), note, job.out / "size-examples")
    numbers = {
        "scenes": len(points),
        **_left_out(pooled),
        "spearman": plain(estimate),
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
            title = f"{nodule.requested_mm:g} mm: {nodule.confidence:.2f}"
            crops.append((title, crop(bench, answered, trial)))
    return crops


def small_against_large(job: Job) -> Drawn:
    """Correlate size and confidence of some real nodules and of many synthetic ones, the scenes of ``size``.

    Raises:
        SynnodError: there are fewer than 30 real nodules.
    """
    planted = job.bench.answers("size", ["confidence-and-size"])[0]
    synthetic = points_of(planted.pairs())
    data = job.real()
    real = annotated_points(job.bench.run.campaign.providers.detector, data, job.nodules, job.bench.settings.seed)
    if len(real) < 30:
        raise SynnodError(f"{data.name}: {len(real)} nodules of 4 to 40 mm; a correlation needs 30 or more")
    seed = job.bench.settings.seed
    estimates = {"real": correlation(real, seed=seed), "synthetic": correlation(synthetic, seed=seed)}
    panels = {
        _title(f"{job.stands_for_real}: {data.name}", real, estimates["real"]): figures.bins(real, COARSE_EDGES),
        _title("synthetic", synthetic, estimates["synthetic"]): figures.bins(synthetic, COARSE_EDGES),
    }
    files = figures.two_curves(panels, job.out / "correlation")
    small = [n for n in (144, len(real)) if n < len(synthetic)]
    numbers = {
        "real_like_set": _made_of(data),
        "real": {"nodules": len(real), "spearman": plain(estimates["real"])},
        "synthetic": {"nodules": len(synthetic), "spearman": plain(estimates["synthetic"]), **_left_out(planted)},
        "synthetic_in_small_samples": [sampled_correlations(synthetic, n, seed=seed) for n in small],
    }
    return Drawn(numbers, files)


def _left_out(answered: Answered) -> dict[str, Any]:
    """Return how many scenes were excluded before any detector saw them, and why fewer were made than asked for."""
    return {"excluded": len(answered.evidence.rejected), "shortfall": dict(answered.evidence.shortfall)}


def _title(name: str, points: Sequence[Point], estimate: Estimate) -> str:
    return f"{short(name, 48)}: {len(points):,} nodules\nSpearman {told(estimate)}"


def average_precision(job: Job) -> Drawn:
    """Measure average precision on real and on synthetic nodules.

    Raises:
        SynnodError: one of the sets has no nodule on a film of which all are marked.
    """
    detector = job.bench.run.campaign.providers.detector
    sets = {"real": job.real(), "synthetic": job.synthetic()}
    measured = {kind: evaluate(detector, data, alpha=0.025) for kind, data in sets.items()}
    for found in measured.values():
        if not found["average_precision"]["at_0.50"]["nodules"]:
            marked = f"{found['images'] - found['images_partly_marked']} images marked in full"
            raise SynnodError(f"{found['data']}: {marked}, none with a nodule: no average precision")
    rows = []
    for kind, found in measured.items():
        at_half = found["average_precision"]["at_0.50"]
        side = job.stands_for_real if kind == "real" else kind
        name = f"{side}: {short(found['data'], 30)}\n{at_half['nodules']} nodules, {at_half['images']} images"
        rows.append((name, at_half["value"], at_half["lower"], at_half["upper"]))
    files = figures.bars(rows, "average precision at an IoU of 0.5 (95% interval)", job.out / "average-precision")
    kept = ("data", "images", "images_with_nodules", "nodules", "average_precision", "sensitivity_at_1_fp")
    numbers = {
        kind: {**{key: found[key] for key in kept}, "made_of": _made_of(sets[kind])} for kind, found in measured.items()
    }
    return Drawn(numbers, files)


def _made_of(data: AnnotatedSet) -> dict[str, object]:
    """Return who made the radiographs of a set, for a record: name, backgrounds and synthesizer where there are any."""
    facts: dict[str, object] = {"name": data.name, "cases": len(data.cases)}
    whole = data
    while (larger := getattr(whole, "whole", None)) is not None:
        whole = larger
    if isinstance(whole, SynthesizedSet):
        facts |= {"backgrounds": whole.backgrounds.identity.as_dict(), "seed": whole.seed}
        facts["synthesizer"] = whole.synthesizer.identity.as_dict()
    return facts
