"""Planting of what the model drew: a nodule of the radiograph, with its truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from synnodtest.attenuation import Display, Planted, contrast_asked, outline_of
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import FloatArray, disc_mask
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.scene import Scene
from synnodtest.synthesizers.diffusion.adhere import BRIGHTNESS_FEATURES, Variant, adhere, can_adhere, tone_for
from synnodtest.synthesizers.diffusion.calibration import Calibration
from synnodtest.synthesizers.diffusion.compose import Place, fit, redraw
from synnodtest.synthesizers.diffusion.jobs import ATTEMPTS, Job
from synnodtest.synthesizers.diffusion.outline import bend_for
from synnodtest.synthesizers.diffusion.segment import flatness_of
from synnodtest.synthesizers.patch import Patch
from synnodtest.synthesizers.requests import nothing_covered, truth_of

if TYPE_CHECKING:
    from synnodtest.synthesizers.diffusion.tabular import Tabular


@dataclass(frozen=True)
class Planter:
    """Plants drawn nodules.

    Args:
        calibration: How the model is used.
        fitted: Whether size, contrast and features are brought to what was asked for.
        added_alone: Whether the nodule alone is added (``counterfactual``), not the redrawn region with it.
        encoder: Returns the model's encoder of features.
    """

    calibration: Calibration
    fitted: bool
    added_alone: bool
    encoder: Callable[[], Tabular]

    def plant(self, job: Job, scene: Scene, background: Radiograph, canvas: FloatArray, display: Display) -> Truth:
        """Add a drawn nodule to the canvas in place and return its truth.

        Raises:
            SynthesizerError: the model drew none, or it covers no pixel.
        """
        spacing, place = background.spacing_mm, job.place(background.shape, background.spacing_mm)
        patch = self._patch(job, place, scene, canvas, display)
        if not patch.mask.any():
            raise nothing_covered("diffusion", job.nodule, scene, background)
        patch, notes = self._finished(job, place, patch, canvas, display) if self.fitted else (patch, {})
        planted = self._added(patch, canvas, display)
        return truth_of(job.nodule, patch, planted, spacing, zoom=round(patch.zoom, 4), redraws=job.attempt, **notes)

    def _patch(self, job: Job, place: Place, scene: Scene, canvas: FloatArray, display: Display) -> Patch:
        """Return the nodule at its place and size; the region without it, redrawn, is added to the canvas before."""
        nodule = job.nodule
        if job.drawn is None or job.change is None:
            raise SynthesizerError(
                f"diffusion: the model drew no nodule of {nodule.diameter_mm:g} mm on background "
                f"{scene.background!r} in {ATTEMPTS} attempts",
                hint="another seed, or a model trained longer",
            )
        if not (self.fitted or self.added_alone):
            return redraw(job.change, job.drawn, place)
        if not self.added_alone and job.plain is not None:
            redraw(job.plain, None, place).add(canvas, display.unit)
        outline = outline_of(nodule.margin, nodule.attenuation, job.seed)
        if not self.fitted:
            return fit(job.drawn, job.drawn.diameter_px * job.window.spacing_mm, place, None, None, outline)
        own_shape = not nodule.margin or "Sphericity" in dict(nodule.radiomics)
        bend = bend_for(job.drawn, job.sphericity, job.seed) if own_shape else None
        return fit(job.drawn, nodule.diameter_mm, place, job.region.elongation, bend, outline)

    def _added(self, patch: Patch, canvas: FloatArray, display: Display) -> Planted:
        """Add a nodule; a region redrawn as a whole, which need not be brighter, is added as it is."""
        if self.fitted or self.added_alone:
            return patch.plant(canvas, display)
        before = canvas[patch.where].copy()
        patch.add(canvas, display.unit)
        return display.planted(before, canvas[patch.where], patch.mask)

    def _finished(
        self, job: Job, place: Place, patch: Patch, canvas: FloatArray, display: Display
    ) -> tuple[Patch, dict[str, float]]:
        """Return the nodule at the contrast asked for, and with the features asked for where these can be measured."""
        named = dict(job.nodule.radiomics)
        flatness = self.calibration.flat_as(flatness_of(patch.added, patch.mask))
        sharp = bool(job.nodule.margin) or job.nodule.attenuation == "calcified"
        soft_mm = 0.0 if sharp else self.calibration.softer * job.nodule.diameter_mm
        variant = Variant(contrast_asked(job.nodule), tone_for(patch, flatness), soft_mm=soft_mm)
        if named and can_adhere():
            variant = adhere(patch, named, variant, self.encoder(), canvas, display, place, job.seed)
        elif BRIGHTNESS_FEATURES & set(named):
            return patch, {}
        notes = {"tone": variant.tone, "texture": variant.texture, "grain_mm": variant.grain_mm} if named else {}
        return variant.of(patch, job.seed, place.spacing_mm), notes


def plant_sham(job: Job, background: Radiograph, canvas: FloatArray, unit: float) -> Truth:
    """Add the region redrawn without a nodule, if it was, and return where the nodule would be: a disc."""
    nodule, spacing = job.nodule, background.spacing_mm
    blank = np.zeros((job.window.size, job.window.size), dtype=np.float32)
    patch = redraw(blank if job.plain is None else job.plain, None, job.place(background.shape, spacing))
    if job.plain is not None:
        patch.add(canvas, unit)
    corner = (
        nodule.centre_mm[0] - patch.origin[1] * spacing[1],
        nodule.centre_mm[1] - patch.origin[0] * spacing[0],
    )
    disc = disc_mask(patch.mask.shape, corner, nodule.diameter_mm, spacing)
    return truth_of(nodule, replace(patch, mask=disc), Planted(0.0, {}), spacing)
