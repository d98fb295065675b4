"""Crops around annotated and planted nodules, by one rule, and what is measured on them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.conspicuity import visibility
from synnodtest.errors import SynnodError
from synnodtest.evaluation.transfer.places import across
from synnodtest.evaluation.transfer.scenes import Counterpart
from synnodtest.geometry import Array, Box, FloatArray, centre_of, moved_to, px_to_mm
from synnodtest.planning.place import Placer
from synnodtest.ports import BackgroundSet, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.radiomics_features import GROUPS, measure_features, standard_gray
from synnodtest.scene import Scene
from synnodtest.synthesizers.window import Window, lung_window

SIDE = 48
"""Pixels along each side of a crop; the nodule takes a third of it, whatever its size."""
SPAN = 3.0
"""Diameters along each side."""
RINGS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""Edges of the rings of the profile, in half outlines."""
SEEN = 3
"""Features before the profile: contrast in place, conspicuity, diameter."""
GRAY = tuple(name for group, names in GROUPS.items() if group != "shape2D" for name in names)
"""Radiomics features without those of the shape: outlines are ellipses, of real nodules and of planted ones."""

Advance = Callable[[], object]


@dataclass(frozen=True, eq=False)
class Crop:
    """One nodule and its surroundings.

    Args:
        cluster: Patient of the film.
        pixels: (SIDE, SIDE) in units of the lung's range about the mean of the rim.
        features: What is measured, the same names for every crop.
        film: The radiograph's identifier.
    """

    cluster: str
    pixels: FloatArray
    features: Array
    film: str


def annotated_crops(films: AnnotatedFilms, advance: Advance = lambda: None) -> list[Crop]:
    """Return a crop of every annotated nodule of at most 45 mm."""
    crops = []
    for film in films.backgrounds:
        nodules = films.counted(film.id)
        radiograph = films.load(film) if nodules else None
        crops += [_crop(radiograph, one.outline, film.cluster) for one in nodules if radiograph is not None]
        advance()
    return crops


def planted_crops(
    scenes: Sequence[Counterpart],
    hosts: BackgroundSet | AnnotatedFilms,
    synthesizer: Synthesizer,
    advance: Advance = lambda: None,
) -> list[Crop]:
    """Return a crop of every planted nodule of matched scenes, which come host by host."""
    crops = []
    for radiograph, cluster, planned in _by_host(scenes, hosts):
        for one in synthesizer.synthesize(planned, [radiograph] * len(planned)):
            crops += [_crop(one, truth.box, cluster) for truth in one.nodules if truth.crop.any()]
            advance()
    return crops


def bare_crops(
    films: AnnotatedFilms, scenes: Sequence[Counterpart], negatives: BackgroundSet
) -> tuple[list[Crop], list[Crop]]:
    """Return crops without a nodule: of annotated films on the other side, and of the negatives where one was planted.

    They say how well the films alone are told apart, disease and exposure included.
    """
    ill, well = [], []
    for film in films.backgrounds:
        nodules = films.counted(film.id)
        if nodules:
            radiograph = films.load(film)
            ill += [_crop(radiograph, _moved_across(one.outline, radiograph), film.cluster) for one in nodules]
    for radiograph, cluster, planned in _by_host(scenes, negatives):
        there = (nodule for scene in planned for nodule in scene.nodules)
        well += [_crop(radiograph, _around(n.centre_mm, n.diameter_mm, radiograph), cluster) for n in there]
    return ill, well


def _by_host(
    scenes: Sequence[Counterpart], hosts: BackgroundSet | AnnotatedFilms
) -> Iterator[tuple[Radiograph, str, list[Scene]]]:
    """Yield each host, its patient, and its scenes with their places; scenes come host by host."""
    for host, group in itertools.groupby(scenes, key=lambda scene: scene.recipe.background):
        radiograph = hosts.load(host)
        placer = Placer(radiograph)
        yield radiograph, host.cluster, [placer.place(scene.recipe) for scene in group]


def _moved_across(outline: Box, radiograph: Radiograph) -> Box:
    """Return the outline at the corresponding place of the other lung."""
    there, _ = across(centre_of(outline), radiograph)
    return moved_to(outline, there)


def _around(centre_mm: tuple[float, float], diameter_mm: float, radiograph: Radiograph) -> Box:
    row_mm, column_mm = radiograph.spacing_mm
    half = diameter_mm / 2
    x, y = centre_mm
    return (x - half) / column_mm, (y - half) / row_mm, (x + half) / column_mm, (y + half) / row_mm


def _crop(radiograph: Radiograph, outline: Box, cluster: str) -> Crop:
    row_mm, column_mm = radiograph.spacing_mm
    size = ((outline[2] - outline[0]) * column_mm, (outline[3] - outline[1]) * row_mm)
    diameter = math.sqrt(size[0] * size[1])
    centre = px_to_mm(centre_of(outline), radiograph.spacing_mm)
    window = Window(centre, SIDE, SPAN * diameter / SIDE)
    values = lung_window(radiograph, window)
    away = _away(size, window)
    values = np.asarray(values - values[away > RINGS[-1]].mean(), dtype=np.float32)
    visible = visibility(radiograph, outline)
    features = np.concatenate([[visible.contrast, visible.conspicuity, diameter], features_of_crop(values, away)])
    return Crop(cluster, values, features, radiograph.background)


def _away(size_mm: tuple[float, float], window: Window) -> Array:
    """Return how far each pixel of a crop is from its middle, in half axes of the outline."""
    offsets = (np.arange(SIDE) + 0.5 - SIDE / 2) * window.spacing_mm
    return np.asarray(np.hypot(offsets[:, None] / (size_mm[1] / 2), offsets[None, :] / (size_mm[0] / 2)))


def features_of_crop(values: FloatArray, away: Array) -> Array:
    """Return profile, sharpness and texture of a crop, and its radiomics features where PyRadiomics is installed.

    Args:
        values: (SIDE, SIDE).
        away: Distance from the middle in half outlines.
    """
    inside, outside = away <= 1, (away > 1.25) & (away <= RINGS[-1] * 1.5)
    profile = [_mean(values, (away >= low) & (away < high)) for low, high in itertools.pairwise(RINGS)]
    slope = np.hypot(*np.gradient(ndimage.gaussian_filter(values.astype(np.float64), 1.0)))
    fine = values - ndimage.gaussian_filter(values, 1.5)
    edge = (away > 0.7) & (away <= 1.3)
    textures = [float(part[mask].std()) for part in (values, fine) for mask in (inside, outside)]
    slopes = [float(slope[mask].mean()) for mask in (inside, edge, outside)]
    skewed = float(np.mean((values[inside] - values[inside].mean()) ** 3)) / (float(values[inside].std()) ** 3 + 1e-9)
    handmade = [*profile, *textures, *slopes, skewed, float(values[inside].max()), float(values[inside].min())]
    return np.array([*handmade, *_radiomics(values, inside)], dtype=np.float64)


def profile_of(crops: Sequence[Crop]) -> list[float]:
    """Return the median brightness of crops in each ring of :data:`RINGS`, over the mean of the rim."""
    rings = slice(SEEN, SEEN + len(RINGS) - 1)
    return [float(value) for value in np.median([crop.features[rings] for crop in crops], axis=0)]


def _mean(values: FloatArray, mask: NDArray[np.bool_]) -> float:
    return float(values[mask].mean()) if mask.any() else 0.0


def _radiomics(values: FloatArray, inside: NDArray[np.bool_]) -> Iterator[float]:
    """Yield the gray-value features; none without PyRadiomics."""
    try:
        measured = measure_features(standard_gray(values), inside, spacing_mm=1.0, names=GRAY)
    except SynnodError:
        return
    yield from np.nan_to_num(measured)
