"""Composes training windows: CT nodules projected onto radiographs, measured and kept with their masks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy import ndimage

from synnodtest.attenuation import annotated_contrast
from synnodtest.canonical import seed_sequence
from synnodtest.errors import BackgroundError
from synnodtest.geometry import FloatArray, equal_area_diameter_mm
from synnodtest.ports import Background, BackgroundSet
from synnodtest.radiograph import Radiograph
from synnodtest.radiomics_features import about_surroundings, features_or_none
from synnodtest.synthesizers.ct_library import CtLibrary
from synnodtest.synthesizers.projection import Projection, project, random_rotation, stamp
from synnodtest.synthesizers.window import Window, lung_window
from synnodtest.training.windows import COMPOSED, TrainingWindows

DIAMETER_MM = (3.8, 42.0)
"""Log-uniform between these: what the paper's experiment on size asks for, and a little beyond."""
CONTRAST = (0.25, 14.0)
"""Log-uniform between these multiples of the contrast that marked nodules of the diameter show."""
STRETCHED, SHARPENED, TEXTURED = 0.5, 0.25, 0.25
"""Shares of nodules stretched a little (area kept), of a steeper or flatter profile, and of a random internal texture;
set by hand, so that most look as in CT."""


def _log_uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return math.exp(rng.uniform(math.log(bounds[0]), math.log(bounds[1])))


def _varied(added: FloatArray, rng: np.random.Generator) -> FloatArray:
    if rng.random() < SHARPENED:
        top = float(added.max())
        added = np.asarray(top * (np.clip(added, 0, None) / top) ** math.exp(rng.normal(0, 0.4)), dtype=np.float32)
    if rng.random() < TEXTURED:
        texture = ndimage.gaussian_filter(rng.normal(size=added.shape), rng.uniform(0.5, 2.5))
        texture *= rng.uniform(0.05, 0.35) / texture.std()
        added = np.asarray(added * (1 + np.clip(texture, -0.8, 0.8)), dtype=np.float32)
    return added


def _compose(
    radiograph: Radiograph,
    projection: Projection,
    window: Window,
    diameter_mm: float,
    source: tuple[int, int],
    rng: np.random.Generator,
) -> TrainingWindows | None:
    share = rng.random()
    stretch = math.exp(rng.normal(0, 0.15)) if rng.random() < STRETCHED else 1.0
    edge, step = window.size, window.spacing_mm
    diameter = _log_uniform(rng, (diameter_mm, diameter_mm))  # a number is drawn for it, as in earlier versions
    low, high = (bound * annotated_contrast(diameter) for bound in CONTRAST)
    contrast = low * (high / low) ** share
    middle = (edge * step / 2, edge * step / 2)
    added, mask = stamp(
        projection, diameter, middle, (edge, edge), (step, step), stretch=stretch, turn=rng.uniform(0, math.pi)
    )
    added = _varied(added, rng)
    if mask.sum() < 8 or float(added[mask].mean()) <= 0:
        return None
    added = added * np.float32(contrast / added[mask].mean())
    if added.max() > 4 or mask[[0, -1]].any() or mask[:, [0, -1]].any():
        return None
    base = lung_window(radiograph, window)
    measured = features_or_none(about_surroundings(base, mask) + added, mask, spacing_mm=step)
    if measured is None:
        return None
    realised = [equal_area_diameter_mm(float(mask.sum()), (step, step)), float(added[mask].mean())]
    return TrainingWindows.one(base, added, mask, np.concatenate([realised, measured]), source, COMPOSED)


def _of_one(
    radiograph: Radiograph,
    position: int,
    library: CtLibrary,
    count: int,
    grid: tuple[int, float],
    rng: np.random.Generator,
) -> Iterator[TrainingWindows]:
    places = np.argwhere(radiograph.regions["lung"])
    planted = 0
    while planted < count:
        row, column = places[rng.integers(len(places))] + rng.uniform(0, 1, 2)
        centre = (column * radiograph.spacing_mm[1], row * radiograph.spacing_mm[0])
        diameter_mm = _log_uniform(rng, DIAMETER_MM)
        index = int(rng.choice(library.fitting(diameter_mm)))
        projection = project(*library.nodules[index].read(), random_rotation(rng))
        if projection.diameter_mm < 2:
            continue
        composed = _compose(radiograph, projection, Window(centre, *grid), diameter_mm, (position, index), rng)
        if composed is not None:
            planted += 1
            yield composed


def compose_windows(
    sets: Sequence[tuple[BackgroundSet, Sequence[Background]]],
    library: CtLibrary,
    count: int,
    *,
    size: int = 96,
    spacing_mm: float = 0.7,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> TrainingWindows:
    """Compose windows with one projected nodule each, at random places of the lungs.

    Args:
        sets: Background sets and which of their backgrounds to use.
        library: The CT nodules.
        count: Windows in all, spread evenly over the backgrounds.
        size: Edge of the windows in pixels.
        spacing_mm: Distance between their pixel centres.
        seed: Of places, nodules, orientations and variations.
        report: Called with one line per 50 backgrounds.

    Raises:
        BackgroundError: no background has a lung.
    """
    chosen = [(owner, one) for owner, some in sets for one in some]
    rows: list[TrainingWindows] = []
    for position, (owner, background) in enumerate(chosen):
        radiograph = owner.load(background)
        if radiograph.lung is None:
            continue
        share = (count * (position + 1)) // len(chosen) - (count * position) // len(chosen)
        rng = np.random.default_rng(seed_sequence("training-windows", seed, background.id))
        rows += _of_one(radiograph, position, library, share, (size, spacing_mm), rng)
        if (position + 1) % 50 == 0:
            report(f"composed {len(rows)} windows on {position + 1}/{len(chosen)} backgrounds")
    if not rows:
        raise BackgroundError("no background has a lung to plant nodules in")
    return TrainingWindows.join(rows)
