"""The credibility report of a synthesizer: everything measured, each figure with its yardstick."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.annotated.split_sources import kept_backgrounds, kept_series, open_folders, series_of
from synnodtest.errors import SynthesizerError
from synnodtest.evaluation.credibility import agreement, of_planted
from synnodtest.evaluation.embedding import Embedding
from synnodtest.evaluation.measured import SIZE, Pair, Planted, features_of, plant, scenes_on, synthesized
from synnodtest.geometry import Array
from synnodtest.matching import Matching, match
from synnodtest.phantom import PhantomSet
from synnodtest.ports import Background, BackgroundSet, Detector, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.radiomics_features import FEATURE_NAMES, PAPER_FEATURES
from synnodtest.record.rejections import kind_of_rejection
from synnodtest.statistics import paired_mean, spearman
from synnodtest.synthesizers.ct_patch import CtPatchSynthesizer
from synnodtest.synthesizers.gaussian import GaussianSynthesizer

Report = Callable[[str], None]
SWEEP_DIAMETER_MM = 14.0
"""Diameter held while another feature is swept, in mm; set by hand near the middle of 4 to 40 mm by ratio."""
SHAM_MARGIN = 0.05
"""A score that shifts by less than this between sham edit and untouched radiograph counts as unchanged."""
PHANTOM_SEED = 9
"""Of phantoms that no training of a synthesizer has seen."""
BATCH = 32
"""Scenes per call of the synthesizer; nothing depends on it but memory and time."""
SIZES_MM = (4.0, 8.0, 12.0, 20.0, 40.0)
"""Edges of bands of diameter in mm: the range of the paper's experiment on size; set by hand, so that small sizes,
where detectors differ, get more bands."""


@dataclass(frozen=True)
class Domain:
    """Backgrounds of one kind that training has not seen."""

    name: str
    parts: Sequence[tuple[BackgroundSet, Sequence[Background]]]

    def scenes(self, count: int, *, seed: int = 0, **options: Any) -> list[Pair]:
        """Return ``count`` scenes of :func:`scenes_on`, spread over all backgrounds."""
        total = sum(len(some) for _, some in self.parts)
        pairs: list[Pair] = []
        taken = 0
        asked: Sequence[Mapping[str, float]] = options.pop("radiomics", ())
        for number, (owner, some) in enumerate(self.parts):
            taken += len(some)
            share = round(count * taken / total) - len(pairs)
            some_asked = asked[len(pairs) : len(pairs) + share]
            pairs += scenes_on(owner, some, share, seed=seed + number, radiomics=some_asked, **options)
        return pairs


def domains(phantoms: int, backgrounds: Path | None) -> list[Domain]:
    """Return held-out phantoms and the held-out patients of a folder, whichever are asked for.

    Raises:
        SynthesizerError: there is nothing to plant nodules in.
    """
    domains: list[Domain] = []
    if phantoms:
        phantom_set = PhantomSet("normal", phantoms, master_seed=PHANTOM_SEED)
        domains.append(Domain("phantoms", [(phantom_set, list(phantom_set.backgrounds))]))
    if backgrounds is not None:
        parts = [(one, some) for one in open_folders(backgrounds) if (some := kept_backgrounds(one, "held-out"))]
        domains += [Domain(backgrounds.name, parts)] if parts else []
    if not domains:
        raise SynthesizerError("nothing to plant nodules in", hint="--phantoms N, --backgrounds DIR, or both")
    return domains


def sweep(
    synthesizer: Synthesizer, on: Sequence[Domain], name: str, bounds: tuple[float, float], count: int, *, seed: int = 0
) -> dict[str, object]:
    """Ask for one feature between two bounds, all others left open, and say how the realised one follows.

    All nodules are of one size, so that the feature and not the size varies. The realised feature is measured in the
    finished radiograph, surroundings included, on the truth mask; ``spearman_on_seen_mask`` is on
    :func:`synnodtest.evaluation.measured.seen_mask`, which texture at a nodule's edge changes.
    """
    rng = np.random.default_rng(seed)
    rows: list[list[float]] = []
    for number, domain in enumerate(on):
        share = count * (number + 1) // len(on) - count * number // len(on)
        values = rng.permutation(np.linspace(*bounds, share))
        same = {"diameter_mm": (SWEEP_DIAMETER_MM, SWEEP_DIAMETER_MM), "contrast": (0.3, 0.3)}
        pairs = domain.scenes(share, seed=seed, radiomics=[{name: float(value)} for value in values], **same)
        for scene, untouched, one in synthesized(synthesizer, pairs, BATCH):
            measured = [features_of(one, one.nodules[0], base, names=(name,)) for base in (None, untouched)]
            rows.append([dict(scene.nodules[0].radiomics)[name], *(math.nan if f is None else f[0] for f in measured)])
    x, y, seen = np.asarray(rows).T
    lower, upper = x <= np.quantile(x, 1 / 3), x >= np.quantile(x, 2 / 3)
    return {
        "n": int(np.isfinite(y).sum()),
        "from": bounds[0],
        "to": bounds[1],
        "spearman": _spearman(x, y),
        "spearman_on_seen_mask": _spearman(x, seen),
        "median_of_lower_third": float(np.nanmedian(y[lower])),
        "median_of_upper_third": float(np.nanmedian(y[upper])),
    }


def _spearman(x: Array, y: Array) -> float:
    there = np.isfinite(y)
    return spearman(x[there], y[there]).value


def alike(pairs: Sequence[Pair], real: Planted) -> list[Pair]:
    """Return scenes that ask for every radiomics feature of the real nodule of the same scene, where it has them.

    So the paper asks its model; size and contrast alone leave the other features to the model.
    """
    asked: list[Pair] = []
    for (scene, radiograph), features in zip(pairs, real.features, strict=True):
        if np.isfinite(features).all():
            (nodule,) = scene.nodules
            named = tuple(sorted(zip(FEATURE_NAMES, map(float, features), strict=True)))
            scene = replace(scene, nodules=(replace(nodule, radiomics=named),))
        asked.append((scene, radiograph))
    return asked


def _score_at(detector: Detector, radiographs: Sequence[Radiograph], places: Sequence[Radiograph]) -> list[float]:
    """Return the best score at the nodules of ``places`` per radiograph, 0 where nothing is found."""
    scores = []
    for start in range(0, len(places), 8):
        detected = detector.detect(list(radiographs[start : start + 8]))
        for findings, place in zip(detected, places[start : start + 8], strict=True):
            hits = match(findings, place.nodules, place.spacing_mm, Matching()).finding_of
            scores.append(max((findings[i].score for i in hits if i is not None), default=0.0))
    return scores


def sham_equivalence(synthesizer: Synthesizer, detector: Detector, pairs: Sequence[Pair]) -> dict[str, object]:
    """Say whether a detector scores sham edits as it scores the untouched radiographs at the same places.

    Two one-sided tests: the 90% interval of the mean difference, clustered on backgrounds, must lie within the margin.
    """
    scenes, before = [replace(scene, sham=True) for scene, _ in pairs], [radiograph for _, radiograph in pairs]
    edited = synthesizer.synthesize(scenes, before)
    after, untouched = (_score_at(detector, radiographs, edited) for radiographs in (edited, before))
    differences = [a - b for a, b in zip(after, untouched, strict=True)]
    estimate = paired_mean(differences, [scene.background for scene in scenes], alpha=0.05)
    return {
        "n": len(pairs),
        "mean_difference": estimate.value,
        "interval_90": [estimate.lower, estimate.upper],
        "margin": SHAM_MARGIN,
        "equivalent": bool(estimate.lower > -SHAM_MARGIN and estimate.upper < SHAM_MARGIN),
        "largest_difference": float(np.max(np.abs(differences))),
    }


def _by_size(detector: Detector, makers: Mapping[str, Synthesizer], pairs: Sequence[Pair]) -> dict[str, object]:
    """Return per synthesizer the sensitivity by diameter at a score of 0.25."""
    sizes = np.asarray([scene.nodules[0].diameter_mm for scene, _ in pairs])
    table: dict[str, object] = {"diameter_mm": list(SIZES_MM)}
    bins = np.digitize(sizes, SIZES_MM[1:-1])
    table["n"] = np.bincount(bins, minlength=len(SIZES_MM) - 1).tolist()
    for name, maker in makers.items():
        radiographs = [one for _, _, one in synthesized(maker, pairs, 8)]
        scores = _score_at(detector, radiographs, radiographs)
        hit = np.asarray(scores) >= 0.25
        table[name] = [float(hit[bins == k].mean()) if (bins == k).any() else None for k in range(len(SIZES_MM) - 1)]
    return table


def _planted_figures(planted: Planted) -> dict[str, object]:
    requested, realised = planted.requested, planted.realised
    accepted = np.asarray([not reason for reason in planted.rejected])
    return {
        "diameter": agreement(requested[:, 0], realised[:, 0]),
        "contrast": agreement(requested[:, 1], realised[:, 1]),
        "contrast_of_accepted": agreement(requested[accepted, 1], realised[accepted, 1]),
        "pairs": {
            "diameter_mm": np.round(np.stack([requested[:, 0], realised[:, 0]], axis=1), 3).tolist(),
            "contrast": np.round(np.stack([requested[:, 1], realised[:, 1]], axis=1), 4).tolist(),
        },
        "rejected": dict(Counter(kind_of_rejection(reason) for reason in planted.rejected if reason)),
        "pixels_changed_far_away": planted.changed_outside,
        "redraws": planted.redraws,
    }


def evaluate_synthesizer(
    synthesizer: Synthesizer,
    on: Sequence[Domain],
    *,
    ct_patches: Path | None = None,
    ranges: Mapping[str, Sequence[float]] | None = None,
    sham: Synthesizer | None = None,
    detector: Detector | None = None,
    embedding: Embedding | None = None,
    scenes: int = 160,
    sweep_scenes: int = 200,
    training_crops: int = 0,
    seed: int = 1,
    report: Report = print,
) -> dict[str, object]:
    """Measure a synthesizer.

    Args:
        synthesizer: What is measured.
        on: Backgrounds that it was not trained on.
        ct_patches: CT nodules; the held-out series, projected, are the real nodules it is compared with, the others
            the baseline ``ct-patch``.
        ranges: Per feature the percentiles (10, 50, 90) to sweep between. Without them no feature is swept, and none is
            named where nodules are compared with real ones.
        sham: The same model in ``inpaint`` composition, for the sham control.
        detector: For sham control and sensitivity by size.
        embedding: A further space in which to compare with real nodules.
        scenes: Scenes per domain.
        sweep_scenes: Scenes per swept feature, all domains together.
        training_crops: Crops of training nodules to compare planted ones with, for memorisation; 0 for none.
        seed: Of places, sizes and contrasts.
        report: Called with one line per step.
    """
    figures: dict[str, Any] = {"synthesizer": synthesizer.identity.as_dict()}
    if embedding is not None:
        figures["embedding"] = {"name": embedding.name, "sha256": embedding.sha256}
    all_planted: list[Planted] = []
    real = None if ct_patches is None else of_series(ct_patches, held_out=True)
    for domain in on:
        pairs = domain.scenes(scenes, seed=seed)
        report(f"{domain.name}: {len(pairs)} scenes")
        planted = plant(synthesizer, pairs)
        all_planted.append(planted)
        figures_of = figures[domain.name] = {"n": len(pairs), **_planted_figures(planted)}
        if real is not None and ct_patches is not None:
            reference, name = plant(real, pairs), synthesizer.identity.name
            beside = {name: planted}
            if ranges:
                beside[f"{name}, all features named"] = plant(synthesizer, alike(pairs, reference))
            beside["gaussian"] = plant(GaussianSynthesizer(), pairs)
            beside["ct-patch"] = plant(of_series(ct_patches, held_out=False), pairs)
            figures_of["against_real"] = {key: of_planted(one, reference, embedding) for key, one in beside.items()}
            report(f"{domain.name}: compared with real nodules")
        if detector is not None and sham is not None:
            figures_of["sham"] = sham_equivalence(sham, detector, pairs)
        if detector is not None and real is not None:
            makers = {synthesizer.identity.name: synthesizer, "real": real}
            figures_of["sensitivity_by_size"] = _by_size(detector, makers, pairs)
    if training_crops and ct_patches is not None:
        figures["memorisation"] = memorised(synthesizer, all_planted, on, ct_patches, training_crops, seed=seed)
        share, (low, high) = (figures["memorisation"][key] for key in ("share", "interval_95"))
        report(
            f"memorisation: {100 * share:.1f}% of planted nodules are copies (95% {100 * low:.1f} to {100 * high:.1f}%)"
        )
    for name in PAPER_FEATURES if ranges and sweep_scenes else ():
        low, _, high = (ranges or {})[name]
        swept = sweep(synthesizer, on, name, (low, high), sweep_scenes, seed=seed)
        figures.setdefault("sweeps", {})[name] = swept
        report(f"{name}: requested against realised Spearman {swept['spearman']:.2f}")
    return figures


def memorised(
    synthesizer: Synthesizer,
    planted: Sequence[Planted],
    on: Sequence[Domain],
    ct_patches: Path,
    count: int,
    *,
    seed: int = 0,
) -> dict[str, object]:
    """Return the share of planted nodules that copy a training nodule; see :mod:`synnodtest.evaluation.memorisation`.

    Training crops are composed as training composes them, of the CT series that it used; the real nodules beside them
    likewise, of the series that it did not. A synthesizer that flattens and softens what it draws (``finished``) does
    so to both: soft nodules are more alike than sharp ones, whoever drew them.

    Args:
        synthesizer: Who planted.
        planted: Its nodules.
        on: Backgrounds to compose on.
        ct_patches: CT nodules.
        count: Training crops; half as many real ones.
        seed: Of both.
    """
    from synnodtest.evaluation.memorisation import copies, crops_of
    from synnodtest.training.patches import compose_windows

    finished = getattr(synthesizer, "finished", None)
    sets = [(owner, list(some)) for domain in on for owner, some in domain.parts]
    crops = []
    for held_out, number in ((False, count), (True, max(count // 2, 1))):
        library = kept_series(ct_patches, held_out=held_out)
        windows = compose_windows(sets, library, number, size=SIZE, seed=seed, report=lambda line: None)
        series = [library.nodules[int(index)].series for _, index in windows.source]
        diameters = windows.features[:, 0].tolist()
        deltas = list(map(finished, windows.delta, windows.mask, diameters)) if finished else list(windows.delta)
        crops.append((deltas, crops_of(deltas, diameters, series)))
    (added, training), (_, real) = crops
    deltas = [delta for one in planted if one.added is not None for delta in one.added]
    realised = [float(d) for one in planted for d in one.realised[:, 0]]
    synthetic = crops_of(deltas, realised, [name for one in planted for name in one.clusters])
    return copies(synthetic, real, training, added, seed=seed)


def of_series(folder: Path, *, held_out: bool) -> CtPatchSynthesizer:
    """Return the projected CT nodules of the series that are held out, or of those that are not."""
    return CtPatchSynthesizer(folder, series=series_of(folder, held_out=held_out))
