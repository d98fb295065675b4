"""Scenes for evaluating synthesizers, and what their nodules measure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.ports import Background, BackgroundSet, Synthesizer
from synnodtest.radiograph import Radiograph, Truth, lung_range
from synnodtest.radiomics_features import FEATURE_NAMES, WINDOW_SPACING_MM, measure_features, standard_gray
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.window import Window, cut_window

__all__ = ["Planted", "features_of", "plant", "scenes_on", "view_of"]

SIZE = 96
Pair = tuple[Scene, Radiograph]


def scenes_on(
    owner: BackgroundSet,
    backgrounds: Sequence[Background],
    count: int,
    *,
    diameter_mm: tuple[float, float] = (4.0, 40.0),
    contrast: tuple[float, float] = (0.1, 1.0),
    radiomics: Sequence[Mapping[str, float]] = (),
    seed: int = 0,
) -> Iterator[Pair]:
    """Yield scenes of one nodule at a random place of the lung, spread over the backgrounds.

    Diameters and contrasts are log-uniform between their bounds; ``radiomics[i]`` is asked for in scene i.
    """
    for position, background in enumerate(backgrounds):
        numbers = range(position, count, len(backgrounds))
        if not numbers:
            continue
        radiograph = owner.load(background)
        lung = radiograph.regions.get("lung")
        if lung is None or not lung.any():
            raise SynthesizerError(f"background {background.id!r} has no lung to plant nodules in")
        places = np.argwhere(lung)
        for number in numbers:
            rng = np.random.default_rng(seed_sequence("evaluation-scene", seed, number))
            row, column = places[rng.integers(len(places))] + 0.5
            nodule = Nodule(
                diameter_mm=math.exp(rng.uniform(*np.log(diameter_mm))),
                centre_mm=(column * radiograph.spacing_mm[1], row * radiograph.spacing_mm[0]),
                contrast=math.exp(rng.uniform(*np.log(contrast))),
                radiomics=tuple(sorted(radiomics[number].items())) if radiomics else (),
            )
            yield Scene(background.id, (nodule,), seed=int(rng.integers(2**62))), radiograph


def view_of(radiograph: Radiograph, truth: Truth) -> tuple[FloatArray, BoolArray]:
    """Return the window around a nodule, in lung ranges about its surroundings, and the nodule's mask there."""
    mask = truth.mask(radiograph.shape)
    row, column = ndimage.center_of_mass(mask)
    centre = ((column + 0.5) * radiograph.spacing_mm[1], (row + 0.5) * radiograph.spacing_mm[0])
    window = Window(centre, SIZE, WINDOW_SPACING_MM)
    values = cut_window(radiograph.pixels, radiograph.spacing_mm, window) / np.float32(lung_range(radiograph))
    inside = cut_window(mask.astype(np.float32), radiograph.spacing_mm, window) > 0.5
    around = ~ndimage.binary_dilation(inside, iterations=3)
    return values - values[around].mean(), inside


def features_of(radiograph: Radiograph, truth: Truth) -> NDArray[np.float64] | None:
    """Return a nodule's radiomics features as they appear in the radiograph, or None if it is too small."""
    values, inside = view_of(radiograph, truth)
    try:
        measured = measure_features(standard_gray(values), inside)
    except SynthesizerError:
        return None
    return measured if np.isfinite(measured).all() else None


@dataclass(frozen=True, eq=False)
class Planted:
    """What a synthesizer made of some scenes; row i is scene i.

    Args:
        clusters: Background of each scene.
        requested: (n, 2) diameter in mm and contrast.
        realised: (n, 2) the same as realised.
        features: (n, 67) of the nodules in the radiograph; NaN where they cannot be measured.
        views: (n, size, size) windows around the nodules, float16.
        changed_outside: Pixels that changed farther from the centre than the redrawn square may reach.
        redraws: Times a nodule was drawn again.
    """

    clusters: tuple[str, ...]
    requested: NDArray[np.float64]
    realised: NDArray[np.float64]
    features: NDArray[np.float64]
    views: NDArray[np.float16]
    changed_outside: int
    redraws: int

    @property
    def measurable(self) -> NDArray[np.bool_]:
        """Rows whose features could be measured."""
        return np.isfinite(self.features).all(axis=1)


def plant(synthesizer: Synthesizer, pairs: Sequence[Pair], *, batch: int = 32) -> Planted:
    """Synthesize scenes and measure every nodule."""
    clusters, requested, realised, features, views = [], [], [], [], []
    outside = redraws = 0
    for start in range(0, len(pairs), batch):
        part = pairs[start : start + batch]
        made = synthesizer.synthesize([scene for scene, _ in part], [radiograph for _, radiograph in part])
        for (scene, radiograph), one in zip(part, made, strict=True):
            (nodule,), (truth,) = scene.nodules, one.nodules
            measured = features_of(one, truth)
            clusters.append(scene.background)
            requested.append([nodule.diameter_mm, nodule.contrast])
            realised.append([truth.diameter_mm, truth.contrast])
            features.append(np.full(len(FEATURE_NAMES), np.nan) if measured is None else measured)
            views.append(view_of(one, truth)[0].astype(np.float16))
            outside += _changed_outside(radiograph, one, nodule)
            redraws += int(truth.requested.get("redraws", 0))
    return Planted(
        tuple(clusters),
        np.asarray(requested),
        np.asarray(realised),
        np.asarray(features),
        np.asarray(views),
        outside,
        redraws,
    )


def _changed_outside(before: Radiograph, after: Radiograph, nodule: Nodule) -> int:
    reach = 2.0 * nodule.diameter_mm + 4.0
    changed = np.argwhere(before.pixels != after.pixels)
    y = (changed[:, 0] + 0.5) * before.spacing_mm[0] - nodule.centre_mm[1]
    x = (changed[:, 1] + 0.5) * before.spacing_mm[1] - nodule.centre_mm[0]
    return int((np.maximum(np.abs(x), np.abs(y)) > reach).sum())
