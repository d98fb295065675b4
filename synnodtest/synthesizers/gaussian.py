"""The paper's Gaussian baseline: precise circles with a blurred edge, blended onto the radiograph.

Source: SynNodBench, appendix A.2 ("Gaussian blur was used to create synthetic nodules with precise circular shapes,
which were then blended onto chest X-rays"). Nothing here is random, so scenes that differ in the seed alone are equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy

from synnodtest.attenuation import outline_of
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import around
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph
from synnodtest.scene import LESION_WORDS, Nodule, Scene
from synnodtest.synthesizers.lesions import lesion_patch
from synnodtest.synthesizers.patch import Patch
from synnodtest.synthesizers.requests import nothing_covered, plant_one_by_one

VERSION = "2"
CUT = 2.5
"""Standard deviations of blur after which the edge has ended on either side."""


class GaussianSynthesizer:
    """Plants discs of the exact diameter and contrast, whose edge is blurred by a Gaussian.

    The truth mask is the disc: the pixels whose centre lies within half the diameter, where the profile is at least
    one half. The profile reaches 0 at ``1 + edge`` times the radius; pixels beyond that are bit-identical to the
    background's. Overlapping nodules add up. At the border of the radiograph the disc and its mask are cut.
    Above the lung's brightness the radiograph bends towards white (:class:`synnodtest.attenuation.Display`), so nothing
    is clipped; where white leaves no room the realised contrast, which the truth holds, is lower. A contrast that is
    not given follows from the density. ``lobulated`` and ``spiculated`` bend the disc at equal area; ``part-solid`` has
    a core. A ``mass`` or a ``consolidation`` is drawn as :mod:`synnodtest.synthesizers.lesions` says.

    Args:
        edge: Half the width of the blurred edge, as a fraction of the radius (above 0, at most 1).
    """

    sham_is_identity = True
    gives_pixels_away = True
    lesions = LESION_WORDS

    def __init__(self, *, edge: float = 0.35) -> None:
        if not 0 < edge <= 1:
            raise SynthesizerError(f"gaussian: edge must be above 0 and at most 1, not {edge}")
        self.edge = edge

    @property
    def identity(self) -> Identity:
        """Name, version and edge; a class of yours that draws otherwise has its own."""
        return Identity(name="gaussian", version=VERSION, configuration={"edge": self.edge})

    def synthesize(self, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]) -> list[Radiograph]:
        """Return one radiograph per scene; ``backgrounds[i]`` is the untouched radiograph of ``scenes[i]``.

        A sham scene keeps its background's pixels; its truth masks, of contrast 0, mark the places.

        Raises:
            SynthesizerError: a nodule lies wholly outside the radiograph, covers no pixel, has an impossible diameter
                or contrast, or asks for radiomics features, which a disc does not have to give.
        """
        return plant_one_by_one("gaussian", "a Gaussian disc", scenes, backgrounds, self._draw)

    def _draw(self, nodule: Nodule, _: int, scene: Scene, background: Radiograph) -> tuple[Patch, dict[str, object]]:
        if nodule.lesion:
            patch = lesion_patch(nodule, background, scene.seed_of(nodule))
            if not patch.mask.any():
                raise nothing_covered("gaussian", nodule, scene, background)
            return patch, {}
        radius = nodule.diameter_mm / 2
        outline = outline_of(nodule.margin, nodule.attenuation, scene.seed_of(nodule))
        reach = radius * (1 + self.edge) * (1.0 if outline is None else outline.reach)
        origin, y, x = around(nodule.centre_mm, reach, background.shape, background.spacing_mm)
        squared = y[:, None] ** 2 + x[None, :] ** 2
        if outline is not None:
            squared = squared / outline.radius_at(x[None, :], y[:, None], nodule.diameter_mm) ** 2
        mask = squared <= radius**2
        if not mask.any():
            raise nothing_covered("gaussian", nodule, scene, background)
        tail = float(scipy.special.ndtr(-CUT))
        blurred = scipy.special.ndtr((radius - np.sqrt(squared)) * (CUT / (self.edge * radius)))
        profile = np.clip((blurred - tail) / (1 - 2 * tail), 0.0, 1.0).astype(np.float32)
        if outline is not None:
            profile = (profile * outline.weight_at(x[None, :], y[:, None], nodule.diameter_mm)).astype(np.float32)
        return Patch(origin, profile, mask), {}
