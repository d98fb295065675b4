"""The paper's second baseline: projected CT nodules, in float, seeded, blended in the attenuation domain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from synnodtest.attenuation import outline_of
from synnodtest.canonical import seed_sequence
from synnodtest.geometry import Array, around
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.ct_library import CtLibrary
from synnodtest.synthesizers.patch import Patch
from synnodtest.synthesizers.projection import project, random_rotation, stamp
from synnodtest.synthesizers.requests import nothing_covered, plant_one_by_one

VERSION = "2"


class CtPatchSynthesizer:
    """Plants nodules from CT, projected along a random axis, at the diameter and contrast asked for.

    Which nodule, how it is turned and from where it is seen follow from the scene's seed, so the same seed gives the
    same nodule at every size and place. The truth mask is the shadow of the segmentation; the line integral of the
    excess attenuation is added to the radiograph, which is logarithmic in exposure and bends towards white above the
    lung's brightness (:class:`synnodtest.attenuation.Display`), scaled to the contrast; one that is not given follows
    from the density. ``lobulated`` and ``spiculated`` bend the projection at equal area; ``part-solid`` has a
    core. Overlapping nodules add up below the bend; pixels where the nodule adds nothing are bit-identical.

    Args:
        folder: CT nodules in the layout of NODE21 (``ct_nodules.csv``, ``*_dcm_*.mha``, ``*_seg_*.mha``).
        series: Use these CT series only; None uses all.

    Raises:
        SynthesizerError: the folder has no usable nodule.
    """

    sham_is_identity = True
    gives_pixels_away = True

    def __init__(self, folder: str | Path, *, series: Sequence[str] | None = None) -> None:
        self.library = CtLibrary(folder, series=series)

    @cached_property
    def identity(self) -> Identity:
        """Name, version, sha256 of the CT nodules, and the settings by which stored radiographs are known."""
        return Identity(
            name="ct-patch",
            version=VERSION,
            sha256=self.library.content_sha256(),
            configuration={"sharpness": 1.0, "roundness": 0.0},
        )

    def synthesize(self, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]) -> list[Radiograph]:
        """Return one radiograph per scene, in order, with its truth.

        Raises:
            SynthesizerError: a nodule lies outside its radiograph, has an impossible diameter or contrast, asks for
                radiomics features, or the folder has nothing that can be zoomed to its size.
        """
        return plant_one_by_one("ct-patch", "a CT nodule", scenes, backgrounds, self._draw)

    def _draw(
        self, nodule: Nodule, number: int, scene: Scene, background: Radiograph
    ) -> tuple[Patch, dict[str, object]]:
        rng = np.random.default_rng(seed_sequence("ct-patch", scene.seed_of(nodule), nodule.name, number))
        chosen, rotation, u = self._choose(nodule.diameter_mm, rng)
        projection = project(*self.library.nodules[chosen].read(), rotation)
        spacing = background.spacing_mm
        reach = 2.0 * nodule.diameter_mm + 2 * max(spacing)
        origin, y, x = around(nodule.centre_mm, reach, background.shape, spacing, touched=True)
        shape = (y.size, x.size)
        corner = (nodule.centre_mm[0] - origin[1] * spacing[1], nodule.centre_mm[1] - origin[0] * spacing[0])
        if min(shape) < 1:
            raise nothing_covered("ct-patch", nodule, scene, background)
        outline = outline_of(nodule.margin, nodule.attenuation, scene.seed_of(nodule))
        added, mask = stamp(projection, nodule.diameter_mm, corner, shape, spacing, turn=u, outline=outline)
        return Patch(origin, added, mask), {"radiomics": {}, "ct_nodule": self.library.nodules[chosen].image.name}

    def _choose(self, diameter_mm: float, rng: np.random.Generator) -> tuple[int, Array, float]:
        """Return nodule, rotation and in-plane turn; the random numbers drawn do not depend on the diameter."""
        order = rng.permutation(len(self.library.nodules))
        rotation = random_rotation(rng)
        turn = float(rng.uniform(0, 2 * math.pi))
        fitting = set(self.library.fitting(diameter_mm))
        return next(int(i) for i in order if int(i) in fitting), rotation, turn
