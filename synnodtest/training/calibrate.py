"""Fits what a trained model draws to what is asked for, and stores it with the model."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import ndimage

from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import Array, FloatArray, Indices
from synnodtest.radiomics_features import FEATURE_NAMES, about_surroundings, features_or_none
from synnodtest.synthesizers.diffusion.calibration import Calibration
from synnodtest.synthesizers.diffusion.segment import Drawn, Region, flatness_of, segment, softened
from synnodtest.training.windows import COMPOSED, NODULE, PLAIN, TrainingWindows, mean_outside

if TYPE_CHECKING:
    from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline

EDGES = tuple(float(edge) for edge in np.round(np.arange(0.1, 0.42, 0.02), 2))
STRENGTHS = (1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05, 0.025)
"""Strengths tried, strongest first; set by hand, each a half to three quarters of the one before: finer steps take
redraws and gain little."""
LARGEST_BLOB = 0.02
"""Contrast of a blob that may remain; set by hand: a quarter of the median of small marked nodules (0.08,
attenuation/rule.py)."""
SHAPES_MM = (5.0, 8.0, 12.0, 18.0, 26.0, 36.0)
"""Diameters at which shapes are kept, in mm; set by hand, about evenly by ratio: what lies between is interpolated."""
ALIKE = 120
"""Nodules near each of the six diameters, of at most 800 measured; fewer make 21 quantiles rough, more blend sizes."""
EACH = 12
"""Nodules drawn of every diameter, of which the median counts; set by hand: more take time in proportion."""
ENOUGH = EACH // 2
"""Nodules that must be seen of them; set by hand, half: a diameter of which the model draws mostly nothing is not
fitted."""
EDGE_WINDOWS, SHAPE_WINDOWS = 300, 800
"""Windows that are looked at for the edge and for shapes, at most."""
REDRAWN = 8
"""Windows per diameter that are redrawn without a nodule."""
DIAMETERS_MM = (4.0, 6.0, 8.0, 12.0, 16.0, 22.0, 30.0, 40.0)
"""Diameters drawn, in mm: the range of the paper's experiment on size, a third to a half apart. Larger ones than fit a
window are left out."""


def edge_of(windows: TrainingWindows) -> float | None:
    """Return the share of the peak at which nodules of known mask keep their size in the median, or None."""
    rows = np.flatnonzero(windows.kind == COMPOSED)
    if not rows.size:
        return None
    rows = _spread(rows, EDGE_WINDOWS)
    size = windows.base.shape[1]
    bias = []
    for edge in EDGES:
        ratios = []
        for row in rows:
            diameter = float(2 * np.sqrt(windows.mask[row].sum() / np.pi))
            region = np.ones((size, size), dtype=np.float32)
            outline = segment(windows.delta[row].astype(np.float32), region, edge, diameter)
            ratios.append(np.nan if outline is None else outline.diameter_px / diameter)
        bias.append(abs(float(np.nanmedian(ratios)) - 1))
    return EDGES[int(np.argmin(bias))]


def _spread(rows: Indices, most: int) -> Indices:
    """Return so many of the rows, evenly spaced."""
    chosen: Indices = rows[np.linspace(0, rows.size - 1, min(most, rows.size)).astype(int)]
    return chosen


def drawn_nodules(
    pipeline: NodulePipeline, windows: TrainingWindows, calibration: Calibration, diameters_mm: tuple[float, ...]
) -> dict[float, list[Drawn]]:
    """Return what the model draws of :data:`EACH` nodules of every diameter, as far as it draws anything."""
    step = float(pipeline.config.window_spacing_mm)
    rng = np.random.default_rng(seed_sequence("calibrate", 0))
    drawn = {}
    for diameter in diameters_mm:
        base, regions = _plain_windows(pipeline, windows, calibration, diameter, EACH, rng)
        request = {"diameter_mm": diameter, "contrast": 0.4}
        values, named = pipeline.tabular_encoder.encode_request(request)
        out = pipeline(
            torch.from_numpy(base)[:, None],
            torch.from_numpy(regions)[:, None],
            torch.from_numpy(values).expand(EACH, -1),
            torch.from_numpy(named).expand(EACH, -1),
            [int(value) for value in rng.integers(2**62, size=EACH)],
            steps=calibration.steps,
            sampler=calibration.sampler,
            guidance=calibration.guidance,
        )
        differences = (out.nodule - out.plain)[:, 0].numpy()
        pairs = zip(differences, regions, strict=True)
        nodules = [segment(change, region, calibration.edge, diameter / step) for change, region in pairs]
        drawn[diameter] = [one for one in nodules if one is not None]
    return drawn


def _plain_windows(
    pipeline: NodulePipeline,
    windows: TrainingWindows,
    calibration: Calibration,
    diameter_mm: float,
    count: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Return windows free of nodules and regions to redraw in them, (count, size, size) each."""
    size, step = int(pipeline.config.window_size), float(pipeline.config.window_spacing_mm)
    regions = np.stack(
        [
            Region(
                diameter_mm, calibration.elongation(diameter_mm, rng.random()), math.pi * rng.random(), size, step
            ).mask()
            for _ in range(count)
        ]
    )
    rows = np.flatnonzero(windows.kind != NODULE)
    base = windows.base[rng.choice(rows if rows.size else len(windows), count)].astype(np.float32)
    return np.clip(base - mean_outside(base, regions), -3, 3), regions


def strength_of(
    pipeline: NodulePipeline,
    windows: TrainingWindows,
    calibration: Calibration,
    *,
    diameters_mm: tuple[float, ...] = DIAMETERS_MM,
) -> float:
    """Return the largest strength at which a region redrawn without a nodule shows none in nine windows of ten.

    What the redrawing changed is smoothed by a quarter of a diameter, which leaves blobs as large as the nodule; their
    peak is about the contrast of a nodule that would look like them, and grows with the strength. No detector is asked.
    """
    step = float(pipeline.config.window_spacing_mm)

    def blob(strength: float) -> float:
        rng = np.random.default_rng(seed_sequence("strength", 0))
        peaks: list[float] = []
        for diameter in diameters_mm:
            base, regions = _plain_windows(pipeline, windows, calibration, diameter, REDRAWN, rng)
            redrawn = pipeline.redraw(
                torch.from_numpy(base)[:, None],
                torch.from_numpy(regions)[:, None],
                [int(value) for value in rng.integers(2**62, size=REDRAWN)],
                steps=calibration.steps,
                sampler=calibration.sampler,
                strength=strength,
            )
            changes = (redrawn[:, 0].numpy() - base) * np.stack([softened(region) for region in regions])
            peaks += [float(np.abs(ndimage.gaussian_filter(c, 0.25 * diameter / step)).max()) for c in changes]
        return float(np.percentile(peaks, 90))

    weaker = bisect_left(range(len(STRENGTHS) - 1), True, key=lambda k: blob(STRENGTHS[k]) <= LARGEST_BLOB)
    return STRENGTHS[weaker]


def as_drawn(windows: TrainingWindows, edge: float, spacing_mm: float) -> tuple[Array, list[float]]:
    """Return features (n, 67) and flatness of training nodules on masks found as those of drawn nodules are.

    A mask is where the brightness a nodule adds exceeds ``edge`` of its peak, not the shadow of a segmentation, which
    has dim outskirts that nobody sees. Annotated nodules, whose added brightness is not known, keep their features and
    have no flatness.
    """
    rows = np.flatnonzero(windows.kind != PLAIN)
    rows = _spread(rows, SHAPE_WINDOWS)
    region = np.ones(windows.base.shape[1:], dtype=np.float32)
    table, flat = [], []
    for row in rows:
        measured: Array | None = windows.features[row, 2:]
        if windows.kind[row] == COMPOSED:
            base, added = windows.base[row].astype(np.float32), windows.delta[row].astype(np.float32)
            outline = segment(added, region, edge, windows.features[row, 0] / spacing_mm)
            if outline is None:
                continue
            flat.append(flatness_of(outline.added, outline.mask))
            values = about_surroundings(base, outline.mask) + added
            measured = features_or_none(values, outline.mask, spacing_mm=spacing_mm)
        if measured is not None and np.isfinite(measured).all():
            table.append(measured)
    if not table:
        raise SynthesizerError("no training nodule can be measured, so the model cannot be calibrated")
    return np.stack(table), flat


def _quantiles(values: ArrayLike) -> tuple[float, ...]:
    """Return 21 quantiles, evenly spaced; none of no values."""
    table = np.asarray(values, dtype=np.float64)
    return tuple(round(float(q), 3) for q in np.quantile(table, np.linspace(0, 1, 21))) if table.size else ()


def _by_size(table: Array, name: str) -> tuple[tuple[float, ...], ...]:
    """Return quantiles of a feature over the nodules nearest in size to each diameter of :data:`SHAPES_MM`."""
    sizes = np.log(2 * np.sqrt(table[:, FEATURE_NAMES.index("PixelSurface")] / math.pi))
    column = table[:, FEATURE_NAMES.index(name)]
    return tuple(_quantiles(column[np.argsort(np.abs(sizes - math.log(mm)))[:ALIKE]]) for mm in SHAPES_MM)


def calibrate(folder: Path, windows: TrainingWindows, *, report: Callable[[str], None] = print) -> Calibration:
    """Measure a model on training windows and write its calibration."""
    from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline

    pipeline = NodulePipeline.from_pretrained(folder)
    calibration = Calibration.load(folder)
    step = float(pipeline.config.window_spacing_mm)
    edge = edge_of(windows)
    calibration = replace(calibration, edge=calibration.edge if edge is None else edge)
    table, flat = as_drawn(windows, calibration.edge, step)
    calibration = replace(
        calibration,
        shape_mm=SHAPES_MM,
        elongations=_by_size(table, "Elongation"),
        sphericities=_by_size(table, "Sphericity"),
        ranges={
            name: tuple(float(f"{q:.5g}") for q in np.percentile(column, [10, 50, 90]))
            for name, column in zip(FEATURE_NAMES, table.T, strict=True)
        },
    )
    tried = tuple(diameter for diameter in DIAMETERS_MM if diameter <= 0.6 * int(pipeline.config.window_size) * step)
    every = drawn_nodules(pipeline, windows, calibration, tried)
    drawn = {diameter_mm: nodules for diameter_mm, nodules in every.items() if len(nodules) >= ENOUGH}
    calibration = replace(
        calibration,
        requested_mm=tuple(drawn),
        drawn_mm=tuple(round(step * float(np.median([n.diameter_px for n in some])), 3) for some in drawn.values()),
        flatness=_quantiles(flat),
        drawn_flatness=_quantiles([flatness_of(n.added, n.mask) for some in drawn.values() for n in some]),
        strength=strength_of(pipeline, windows, calibration, diameters_mm=tried),
    )
    calibration.save(folder)
    report(
        f"calibrated: edge {calibration.edge}, drawn {calibration.drawn_mm} mm for {calibration.requested_mm} mm, "
        f"strength of inpainting {calibration.strength}"
    )
    return calibration
