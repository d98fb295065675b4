"""Scenes to radiographs by diffusion, a batch of nodules at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synnodtest.attenuation import Display, contrast_asked, resolved_scene
from synnodtest.errors import SynthesizerError
from synnodtest.files import sha256_with_names
from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.diffusion.adhere import BRIGHTNESS_FEATURES, Variant, can_adhere, tone_for
from synnodtest.synthesizers.diffusion.calibration import FILE_NAME, Calibration
from synnodtest.synthesizers.diffusion.jobs import ATTEMPTS, Job, jobs_of, rounds_of
from synnodtest.synthesizers.diffusion.planter import Planter, plant_sham
from synnodtest.synthesizers.diffusion.segment import flatness_of, segment, softened
from synnodtest.synthesizers.patch import Patch
from synnodtest.synthesizers.requests import refuse_impossible, refuse_misplaced, refuse_unpaired
from synnodtest.synthesizers.window import cut_window

if TYPE_CHECKING:
    import torch

    from synnodtest.synthesizers.diffusion.drawing import Drawing

VERSION = "7"
COMPOSITIONS = ("counterfactual", "inpaint")
MODEL_INDEX = "model_index.json"
BATCHES = {"cpu": 8}
"""Nodules per call of the model, by device: on a CPU more leave its caches, and each takes a fifth longer."""
BATCH = 32
"""Nodules per call of the model on other devices; set by hand: memory and time hang on it, pixels by no more than
rounding."""
MOST_MM = 60.0
"""Larger nodules leave the model's window."""
EASY_ZOOM = math.log(1.35)


def weights_sha256(folder: Path) -> str:
    """Return the sha256 of a model folder's weights, configurations and calibration."""
    told = ("config.json", "scheduler_config.json", FILE_NAME)
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix == ".safetensors" or path.name in told)
    return sha256_with_names((path.relative_to(folder).as_posix(), path) for path in paths)


class DiffusionSynthesizer:
    """Plants nodules with a model that :class:`NodulePipeline` trains and keeps.

    ``counterfactual``: what the model draws with the nodule's condition minus what it draws without, from the same
    noise, is added to the untouched radiograph, resized and scaled to the diameter and contrast asked for; nodules
    add up where they overlap, and an edit without a nodule changes nothing. ``inpaint``: the region around the nodule
    is redrawn as a whole, without a nodule first, and the nodule, made in the same way, on top; an edit without a
    nodule is that same redrawn region alone, and contrast is relative to it. Either way pixels outside the regions are
    bit-identical to the background's. How much of the region is drawn anew is the model's ``strength``.

    A contrast that is not given follows from the density at the nodule's place; above the lung's brightness the
    radiograph bends towards white, so that nothing is clipped. A margin takes the place of the outline that the model's
    shapes would give it, unless the sphericity is named; without one, and unless it is calcified, a nodule's edge is
    as soft as the model's calibration says.

    The truth mask is where the added brightness exceeds a share of its peak, the share being calibrated on nodules of
    known mask. A nodule's pixels depend on its own request, seed and background alone, not on the batch, to within
    1e-4 of the brightness scale.

    Args:
        path: A model folder, as ``synnodtest train diffusion`` writes it.
        composition: ``counterfactual`` or ``inpaint``; None takes the model's own default, as for the next three.
        steps: Denoising steps.
        sampler: ``dpm++`` or ``ddim``.
        guidance: Strength of the nodule's condition against the "no nodule" condition; 1 is none.
        strength: How much noise ``inpaint`` redraws the region from, in (0, 1]; 1 is pure noise.
        device: Where to run it.
        batch_size: Nodules per call of the model; None suits the device.
        fitted: Whether size and contrast are brought to what was asked for; False shows the model as it is.

    Raises:
        SynthesizerError: the folder holds no such model, or an option is unknown.
    """

    gives_pixels_away = True

    def __init__(
        self,
        path: str | Path,
        *,
        composition: str | None = None,
        steps: int | None = None,
        sampler: str | None = None,
        guidance: float | None = None,
        strength: float | None = None,
        device: str = "cpu",
        batch_size: int | None = None,
        fitted: bool = True,
    ) -> None:
        self.path = Path(path)
        named = {"composition": composition, "steps": steps, "sampler": sampler, "guidance": guidance}
        given: Any = {name: value for name, value in {**named, "strength": strength}.items() if value is not None}
        self.calibration = replace(Calibration.load(self.path), **given)
        if self.calibration.composition not in COMPOSITIONS:
            raise SynthesizerError(
                f"unknown composition {self.calibration.composition!r}", hint=f"known: {', '.join(COMPOSITIONS)}"
            )
        self.batch_size = BATCHES.get(device, BATCH) if batch_size is None else batch_size
        if self.calibration.steps < 1 or self.batch_size < 1:
            raise SynthesizerError("steps and batch_size must be at least 1")
        if not 0 < self.calibration.strength <= 1:
            raise SynthesizerError(f"strength must lie above 0 and be at most 1, not {self.calibration.strength}")
        self.device, self.fitted = device, fitted
        if not (self.path / MODEL_INDEX).is_file():
            raise SynthesizerError(
                f"{self.path} holds no nodule pipeline: there is no {MODEL_INDEX}",
                hint="`synnodtest train diffusion` writes one",
            )

    @cached_property
    def pipeline(self) -> Drawing:
        """The model, loaded when the first nodule is drawn; without diffusers where it is of the shipped kind.

        Raises:
            SynthesizerError: the folder holds no such model.
        """
        import torch

        from synnodtest.synthesizers.diffusion.light import LightPipeline

        loaded: Any = LightPipeline.read(self.path)
        if loaded is None:
            from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline

            loaded = NodulePipeline.from_pretrained(self.path)
        pipeline: Drawing = loaded.to(self.device)
        pipeline.unet.to(memory_format=torch.channels_last)
        return pipeline

    @cached_property
    def identity(self) -> Identity:
        """Name, version, sha256 of the weights, and everything that changes pixels."""
        used = self.calibration
        return Identity(
            name="diffusion",
            version=VERSION,
            sha256=weights_sha256(self.path),
            configuration={
                "composition": used.composition,
                "sampler": used.sampler,
                "steps": used.steps,
                "guidance": used.guidance,
                **({} if self.sham_is_identity else {"strength": used.strength}),
                "fitted": self.fitted,
                "features_fitted": self.fitted and can_adhere(),
                **({} if self.calibrated else {"calibration": "none, the defaults"}),
            },
        )

    @property
    def calibrated(self) -> bool:
        """True where a file of the model says how it is used; else all of :class:`Calibration` are its defaults."""
        return (self.path / FILE_NAME).is_file()

    @property
    def sham_is_identity(self) -> bool:
        """True in counterfactual composition."""
        return self.calibration.composition == "counterfactual"

    def synthesize(self, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]) -> list[Radiograph]:
        """Return one radiograph per scene, in order, with its truth.

        Raises:
            SynthesizerError: a nodule lies outside its radiograph, asks for an impossible size or an unknown feature,
                or the model draws nothing in several attempts.
        """
        refuse_unpaired("diffusion", scenes, backgrounds)
        canvases = [background.pixels.copy() for background in backgrounds]
        displayed = list(map(cache(Display.of), backgrounds))
        for scene, background in zip(scenes, backgrounds, strict=True):
            for nodule in scene.nodules:
                refuse_impossible("diffusion", nodule, scene, most_mm=MOST_MM)
                refuse_misplaced("diffusion", nodule, scene, background)
        scenes = [resolved_scene(scene, background) for scene, background in zip(scenes, backgrounds, strict=True)]
        truths: list[list[Truth]] = [[] for _ in scenes]
        config, own = self.pipeline.config, self.calibration
        planned = [
            jobs_of(number, scene, own, int(config.window_size), float(config.window_spacing_mm))
            for number, scene in enumerate(scenes)
        ]
        planter = Planter(own, self.fitted, self.sham_is_identity, lambda: self.pipeline.tabular_encoder)
        for jobs in rounds_of(planned, together=self.sham_is_identity):
            needed = [job for job in jobs if not (scenes[job.scene].sham and self.sham_is_identity)]
            for job in needed:
                self._look(job, canvases[job.scene], backgrounds[job.scene].spacing_mm, displayed[job.scene].unit)
            self._draw(needed, scenes)
            for job in jobs:
                scene, background, canvas = scenes[job.scene], backgrounds[job.scene], canvases[job.scene]
                if scene.sham:
                    truth = plant_sham(job, background, canvas, displayed[job.scene].unit)
                else:
                    truth = planter.plant(job, scene, background, canvas, displayed[job.scene])
                truths[job.scene].append(truth)
        return [
            background.with_pixels(canvas, background.nodules + tuple(planted)) if scene.nodules else background
            for scene, background, canvas, planted in zip(scenes, backgrounds, canvases, truths, strict=True)
        ]

    def finished(self, added: FloatArray, mask: BoolArray, diameter_mm: float) -> FloatArray:
        """Return a nodule of training with its profile and edge as it would be planted, had the model drawn it so.

        Args:
            added: (h, w) brightness that it adds, on the model's grid.
            mask: (h, w) the nodule.
            diameter_mm: Its diameter.
        """
        patch = Patch((0, 0), np.asarray(added, dtype=np.float32), mask)
        if not mask.any():
            return patch.added
        tone = tone_for(patch, self.calibration.flat_as_planted(flatness_of(patch.added, mask)))
        spacing = float(self.pipeline.config.window_spacing_mm)
        soft_mm = self.calibration.softer * diameter_mm
        return Variant(1.0, tone, soft_mm=soft_mm).of(patch, 0, (spacing, spacing)).added

    def _look(self, job: Job, pixels: FloatArray, spacing_mm: tuple[float, float], unit: float) -> None:
        window = cut_window(pixels, spacing_mm, job.window) / np.float32(unit)
        job.base = np.asarray(window - window[job.mask == 0].mean(), dtype=np.float32)

    def _request(self, nodule: Nodule) -> Mapping[str, float]:
        request = {"diameter_mm": self.calibration.asked_mm(nodule.diameter_mm), **dict(nodule.radiomics)}
        if not BRIGHTNESS_FEATURES & set(request):
            request["contrast"] = float(np.clip(contrast_asked(nodule), *self.calibration.drawn_contrast))
        return request

    def _draw(self, jobs: Sequence[Job], scenes: Sequence[Scene]) -> None:
        """Run the model; again, from other noise, for nodules that came out missing or far from their size."""
        plain = [] if self.sham_is_identity else [job for job in jobs if self.fitted or scenes[job.scene].sham]
        for start in range(0, len(plain), self.batch_size):
            self._redraw(plain[start : start + self.batch_size])
        waiting = [job for job in jobs if not scenes[job.scene].sham]
        for attempt in range(ATTEMPTS if self.fitted else 1):
            for start in range(0, len(waiting), self.batch_size):
                self._run(waiting[start : start + self.batch_size], attempt)
            waiting = [job for job in waiting if job.misfit > EASY_ZOOM]

    def _redraw(self, jobs: Sequence[Job]) -> None:
        """Redraw the regions without a nodule."""
        drawn = self.pipeline.redraw(
            *self._windows(jobs),
            [job.noise_seed(0) for job in jobs],
            steps=self.calibration.steps,
            sampler=self.calibration.sampler,
            strength=self.calibration.strength,
        )
        for job, plain in zip(jobs, drawn[:, 0].cpu().numpy(), strict=True):
            job.plain = (plain - job.base) * softened(job.mask)

    def _run(self, jobs: Sequence[Job], attempt: int) -> None:
        import torch

        encoder = self.pipeline.tabular_encoder
        requests = [encoder.encode_request(self._request(job.nodule)) for job in jobs]
        out = self.pipeline(
            *self._windows(jobs),
            torch.from_numpy(np.stack([values for values, _ in requests])).to(self.device),
            torch.from_numpy(np.stack([named for _, named in requests])).to(self.device),
            [job.noise_seed(attempt) for job in jobs],
            steps=self.calibration.steps,
            sampler=self.calibration.sampler,
            guidance=self.calibration.guidance,
        )
        nodules, plains = out.nodule[:, 0].cpu().numpy(), out.plain[:, 0].cpu().numpy()
        for job, nodule, plain in zip(jobs, nodules, plains, strict=True):
            diameter_px = job.nodule.diameter_mm / job.window.spacing_mm
            job.offer(segment(nodule - plain, job.mask, self.calibration.edge, diameter_px), attempt)
            job.change = (nodule - job.base) * softened(job.mask)

    def _windows(self, jobs: Sequence[Job]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what stands in the windows, and what of them is to be redrawn."""
        import torch

        stacks = np.stack([np.clip(job.base, -3, 3) for job in jobs]), np.stack([job.mask for job in jobs])
        base, masks = (torch.from_numpy(one.astype(np.float32))[:, None].to(self.device) for one in stacks)
        return base, masks
