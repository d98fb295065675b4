"""Scenes for evaluating synthesizers, and what their nodules measure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from synnodtest.canonical import seed_sequence
from synnodtest.engine.acceptance import rejection
from synnodtest.engine.synthesis import checked
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import Array, BoolArray, FloatArray
from synnodtest.ports import Background, BackgroundSet, Synthesizer
from synnodtest.radiograph import Radiograph, Truth, lung_range
from synnodtest.radiomics_features import FEATURE_NAMES, WINDOW_SPACING_MM, about_surroundings, features_or_none
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.window import Window, cut_window, lung_window

SIZE = 96
"""Side of a window in pixels, as the shipped synthesizer was trained: 67 mm, in which nodules of 40 mm have
surroundings."""
EDGE = 0.12
"""Share of the peak of the added brightness at which nodules end when they are compared."""
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
        if radiograph.lung is None:
            raise SynthesizerError(f"background {background.id!r} has no lung to plant nodules in")
        places = np.argwhere(radiograph.lung)
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


def synthesized(
    synthesizer: Synthesizer, pairs: Sequence[Pair], batch: int
) -> Iterator[tuple[Scene, Radiograph, Radiograph]]:
    """Yield each scene, its untouched radiograph and what the synthesizer makes of it, so many at a time."""
    for start in range(0, len(pairs), batch):
        scenes = [scene for scene, _ in pairs[start : start + batch]]
        untouched = [radiograph for _, radiograph in pairs[start : start + batch]]
        yield from zip(scenes, untouched, checked(synthesizer, scenes, untouched), strict=True)


def view_of(radiograph: Radiograph, truth: Truth) -> tuple[FloatArray, BoolArray]:
    """Return the window around a nodule, in lung ranges about its surroundings, and the nodule's mask there."""
    mask = truth.mask(radiograph.shape)
    window = _window(radiograph, truth)
    inside = cut_window(mask.astype(np.float32), radiograph.spacing_mm, window) > 0.5
    return about_surroundings(lung_window(radiograph, window), inside), inside


def seen_mask(before: Radiograph, after: Radiograph, truth: Truth) -> BoolArray | None:
    """Return the mask of what a nodule adds, in its window, by one rule for every synthesizer; None if nothing is seen.

    Synthesizers define truth differently (a disc, the shadow of a CT segmentation, a share of the peak). To compare
    nodules and not these definitions, all are cut where the added brightness exceeds :data:`EDGE` of its peak.
    """
    from synnodtest.synthesizers.diffusion.segment import segment

    difference = _difference(before, after, truth)
    everywhere = np.ones(difference.shape, dtype=np.float32)
    outline = segment(difference, everywhere, EDGE, truth.diameter_mm / WINDOW_SPACING_MM)
    return None if outline is None else outline.mask


def _difference(before: Radiograph, after: Radiograph, truth: Truth) -> FloatArray:
    """Return the window of what a nodule adds."""
    added = np.asarray(after.pixels - before.pixels, dtype=np.float32)
    return cut_window(added, after.spacing_mm, _window(after, truth))


def features_of(
    radiograph: Radiograph, truth: Truth, before: Radiograph | None = None, *, names: tuple[str, ...] = FEATURE_NAMES
) -> Array | None:
    """Return a nodule's radiomics features as they appear in the radiograph, or None if it is too small.

    They are measured on the truth mask, or on :func:`seen_mask` where the radiograph ``before`` is given.
    """
    values, inside = view_of(radiograph, truth)
    mask = inside if before is None else seen_mask(before, radiograph, truth)
    if mask is None:
        return None
    return features_or_none(about_surroundings(values, mask), mask, names=names)


def _window(radiograph: Radiograph, truth: Truth) -> Window:
    row, column = ndimage.center_of_mass(truth.crop)
    row, column = row + truth.origin[0] + 0.5, column + truth.origin[1] + 0.5
    return Window((column * radiograph.spacing_mm[1], row * radiograph.spacing_mm[0]), SIZE, WINDOW_SPACING_MM)


@dataclass(frozen=True, eq=False)
class Planted:
    """Measures of what a synthesizer made of some scenes; row i is scene i.

    Args:
        clusters: Background of each scene.
        requested: (n, 2) diameter in mm and contrast.
        realised: (n, 2) the same as realised.
        features: (n, 67) of the nodules in the radiograph on :func:`seen_mask`; NaN where they cannot be measured.
        views: (n, size, size) windows around the nodules, float16.
        changed_outside: Pixels that changed farther from the centre than the redrawn square may reach.
        redraws: Times a nodule was drawn again.
        added: (n, size, size) the brightness that each nodule adds, in lung ranges, float16.
        rejected: Per scene the reason of :func:`synnodtest.engine.acceptance.rejection`, empty if accepted.
    """

    clusters: tuple[str, ...]
    requested: Array
    realised: Array
    features: Array
    views: NDArray[np.float16]
    changed_outside: int
    redraws: int
    rejected: tuple[str, ...] = ()
    added: NDArray[np.float16] | None = None

    @property
    def measurable(self) -> NDArray[np.bool_]:
        """Rows whose features could be measured."""
        return np.asarray(np.isfinite(self.features).all(axis=1))


def plant(synthesizer: Synthesizer, pairs: Sequence[Pair], *, batch: int = 32) -> Planted:
    """Synthesize scenes and measure every nodule."""
    rows: list[tuple[Any, ...]] = []
    outside = redraws = 0
    without = (radiograph for _, radiograph in pairs)
    if not synthesizer.sham_is_identity:
        shams = [(replace(scene, sham=True), radiograph) for scene, radiograph in pairs]
        without = (one for _, _, one in synthesized(synthesizer, shams, batch))
    for (scene, radiograph, one), plain in zip(synthesized(synthesizer, pairs, batch), without, strict=True):
        (nodule,), (truth,) = scene.nodules, one.nodules
        measured = features_of(one, truth, plain)
        features = np.full(len(FEATURE_NAMES), np.nan) if measured is None else measured
        sizes = [nodule.diameter_mm, nodule.contrast], [truth.diameter_mm, truth.contrast]
        added = _difference(plain, one, truth) / np.float32(lung_range(plain))
        windows = (view_of(one, truth)[0].astype(np.float16), added.astype(np.float16))
        rows.append((scene.background, *sizes, features, windows[0], rejection(radiograph, one), windows[1]))
        outside += _changed_outside(radiograph, one, nodule)
        redraws += int(truth.requested.get("redraws", 0))
    names, asked, got, *tables, rejected, differences = zip(*rows, strict=True)
    requested, realised, found, views, added = map(np.asarray, (asked, got, *tables, differences))
    return Planted(names, requested, realised, found, views, outside, redraws, rejected, added)


def _changed_outside(before: Radiograph, after: Radiograph, nodule: Nodule) -> int:
    reach = 2.0 * nodule.diameter_mm + 4.0
    changed = np.argwhere(before.pixels != after.pixels)
    y = (changed[:, 0] + 0.5) * before.spacing_mm[0] - nodule.centre_mm[1]
    x = (changed[:, 1] + 0.5) * before.spacing_mm[1] - nodule.centre_mm[0]
    return int((np.maximum(np.abs(x), np.abs(y)) > reach).sum())
