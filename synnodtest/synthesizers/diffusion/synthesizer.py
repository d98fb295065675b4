"""Scenes to radiographs by diffusion, a batch of nodules at a time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synnodtest.attenuation import Display, Planted, contrast_asked, outline_of, resolved_scene
from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynthesizerError
from synnodtest.geometry import BoolArray, FloatArray, disc_mask
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.diffusion.adhere import BRIGHTNESS_FEATURES, Variant, adhere, can_adhere, tone_for
from synnodtest.synthesizers.diffusion.calibration import FILE_NAME, Calibration
from synnodtest.synthesizers.diffusion.canvas import add_patch, displays, plant_patch, truth_of, validate
from synnodtest.synthesizers.diffusion.compose import Patch, fit, redraw
from synnodtest.synthesizers.diffusion.outline import bend_for
from synnodtest.synthesizers.diffusion.segment import BLEND_PX, Drawn, Region, flatness_of, segment, softened
from synnodtest.synthesizers.window import Window, cut_window

if TYPE_CHECKING:
    import torch

    from synnodtest.synthesizers.diffusion.drawing import Drawing

__all__ = ["COMPOSITIONS", "DiffusionSynthesizer", "weights_sha256"]

VERSION = "7"
COMPOSITIONS = ("counterfactual", "inpaint")
MODEL_INDEX = "model_index.json"
ATTEMPTS = 4
BATCHES = {"cpu": 8}
"""Nodules per call of the model, by device: on a CPU more leave its caches, and each takes a fifth longer."""
BATCH = 32
EASY_ZOOM = math.log(1.35)


def weights_sha256(folder: Path) -> str:
    """Return the sha256 of a model folder's weights, configurations and calibration."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".safetensors" or path.name in ("config.json", "scheduler_config.json", FILE_NAME):
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass
class _Job:
    """One nodule of one scene on its way through the model."""

    scene: int
    nodule: Nodule
    window: Window
    base: FloatArray
    region: Region
    mask: FloatArray
    seed: int
    sphericity: float
    attempt: int = 0
    drawn: Drawn | None = None
    change: FloatArray | None = None
    plain: FloatArray | None = None

    @property
    def side_mm(self) -> float:
        return self.region.side_mm

    @property
    def brightness_named(self) -> bool:
        return any(name in BRIGHTNESS_FEATURES for name, _ in self.nodule.radiomics)

    def overlaps(self, other: _Job) -> bool:
        """Whether the redrawn squares of two nodules share a point."""
        reach = (self.side_mm + other.side_mm) / 2
        a, b = self.nodule.centre_mm, other.nodule.centre_mm
        return abs(a[0] - b[0]) < reach and abs(a[1] - b[1]) < reach


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
        own = Calibration.load(self.path)
        self.calibration = replace(
            own,
            composition=composition or own.composition,
            steps=own.steps if steps is None else steps,
            sampler=sampler or own.sampler,
            guidance=own.guidance if guidance is None else guidance,
            strength=own.strength if strength is None else strength,
        )
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

        found: Any = LightPipeline.read(self.path)
        if found is None:
            from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline

            found = NodulePipeline.from_pretrained(self.path)
        pipeline: Drawing = found.to(self.device)
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
            },
        )

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
        if len(scenes) != len(backgrounds):
            raise SynthesizerError(f"diffusion: {len(scenes)} scenes but {len(backgrounds)} backgrounds")
        canvases = [background.pixels.copy() for background in backgrounds]
        shown = displays(backgrounds)
        for scene, background in zip(scenes, backgrounds, strict=True):
            for nodule in scene.nodules:
                validate(nodule, scene, background)
        scenes = [resolved_scene(scene, background) for scene, background in zip(scenes, backgrounds, strict=True)]
        truths: list[list[Truth]] = [[] for _ in scenes]
        for jobs in self._rounds(scenes, backgrounds):
            needed = [job for job in jobs if not (scenes[job.scene].sham and self.sham_is_identity)]
            for job in needed:
                self._look(job, canvases[job.scene], backgrounds[job.scene].spacing_mm, shown[job.scene].unit)
            self._draw(needed, scenes)
            for job in jobs:
                args = (job, scenes[job.scene], backgrounds[job.scene], canvases[job.scene], shown[job.scene])
                truths[job.scene].append(self._plant(*args))
        return [
            background.with_pixels(canvas, background.nodules + tuple(truth)) if scene.nodules else background
            for scene, background, canvas, truth in zip(scenes, backgrounds, canvases, truths, strict=True)
        ]

    def finished(self, added: FloatArray, mask: BoolArray, diameter_mm: float) -> FloatArray:
        """Return a nodule of training with its profile and edge as it would be planted, had the model drawn it so.

        Args:
            added: (h, w) brightness that it adds, on the model's grid.
            mask: (h, w) the nodule.
            diameter_mm: Its diameter.
        """
        patch = Patch((0, 0), np.asarray(added, dtype=np.float32), mask, 1.0)
        if not mask.any():
            return patch.added
        tone = tone_for(patch, self.calibration.flat_as_planted(flatness_of(patch.added, mask)))
        spacing = float(self.pipeline.config.window_spacing_mm)
        soft_mm = self.calibration.softer * diameter_mm
        return Variant(1.0, tone, soft_mm=soft_mm).of(patch, 0, (spacing, spacing)).added

    def _rounds(self, scenes: Sequence[Scene], backgrounds: Sequence[Radiograph]) -> Iterator[list[_Job]]:
        """Yield nodules that can be drawn together: all at once, or one after another where regions overlap."""
        pending: list[list[_Job]] = []
        for index, (scene, background) in enumerate(zip(scenes, backgrounds, strict=True)):
            jobs = self._jobs(index, scene, background)
            rounds = [0] * len(jobs)
            if not self.sham_is_identity:
                for later in range(len(jobs)):
                    earlier = [rounds[k] for k in range(later) if jobs[k].overlaps(jobs[later])]
                    rounds[later] = 1 + max(earlier) if earlier else 0
            for job, number in zip(jobs, rounds, strict=True):
                pending.extend([] for _ in range(number + 1 - len(pending)))
                pending[number].append(job)
        yield from pending

    def _jobs(self, index: int, scene: Scene, background: Radiograph) -> list[_Job]:
        jobs = []
        seen: dict[tuple[int, str], int] = {}
        size, step = int(self.pipeline.config.window_size), float(self.pipeline.config.window_spacing_mm)
        empty = np.zeros((0, 0), dtype=np.float32)
        for nodule in scene.nodules:
            twin = (scene.seed_of(nodule), nodule.name)
            seen[twin] = seen.get(twin, -1) + 1
            seed = int(seed_sequence("diffusion", *twin, seen[twin]).generate_state(1, np.uint64)[0])
            shape = np.random.default_rng(seed_sequence("diffusion-shape", seed)).uniform(size=3)
            shares = (float(shape[0]), float(shape[2]))
            elongation, roundness = self.calibration.shape_for(dict(nodule.radiomics), nodule.diameter_mm, shares)
            region = Region(nodule.diameter_mm, elongation, math.pi * float(shape[1]), size, step)
            window = Window(nodule.centre_mm, size, step)
            jobs.append(_Job(index, nodule, window, empty, region, region.mask(), seed, roundness))
        return jobs

    def _look(self, job: _Job, pixels: FloatArray, spacing_mm: tuple[float, float], unit: float) -> None:
        window = cut_window(pixels, spacing_mm, job.window) / np.float32(unit)
        job.base = np.asarray(window - window[job.mask == 0].mean(), dtype=np.float32)

    def _request(self, nodule: Nodule) -> Mapping[str, float]:
        request = {"diameter_mm": self.calibration.asked_mm(nodule.diameter_mm), **dict(nodule.radiomics)}
        if not BRIGHTNESS_FEATURES & set(request):
            request["contrast"] = float(np.clip(contrast_asked(nodule), *self.calibration.drawn_contrast))
        return request

    def _draw(self, jobs: Sequence[_Job], scenes: Sequence[Scene]) -> None:
        """Run the model; again, from other noise, for nodules that came out missing or far from their size."""
        plain = [] if self.sham_is_identity else [job for job in jobs if self.fitted or scenes[job.scene].sham]
        for start in range(0, len(plain), self.batch_size):
            self._redraw(plain[start : start + self.batch_size])
        waiting = [job for job in jobs if not scenes[job.scene].sham]
        best: dict[int, tuple[float, Drawn]] = {}
        for attempt in range(ATTEMPTS):
            for start in range(0, len(waiting), self.batch_size):
                self._run(waiting[start : start + self.batch_size], attempt)
            again = []
            for job in waiting:
                misfit = self._misfit(job)
                if job.drawn is not None and misfit < best.get(id(job), (math.inf, None))[0]:
                    best[id(job)] = (misfit, job.drawn)
                    job.attempt = attempt
                if misfit > EASY_ZOOM:
                    again.append(job)
            waiting = again if self.fitted else []
            if not waiting:
                break
        for job in jobs:
            if id(job) in best:
                job.drawn = best[id(job)][1]

    def _misfit(self, job: _Job) -> float:
        if job.drawn is None:
            return math.inf
        return abs(math.log(job.nodule.diameter_mm / job.window.spacing_mm / job.drawn.diameter_px))

    def _redraw(self, jobs: Sequence[_Job]) -> None:
        """Redraw the regions without a nodule."""
        drawn = self.pipeline.redraw(
            self._images([np.clip(job.base, -3, 3) for job in jobs]),
            self._images([job.mask for job in jobs]),
            [_noise_seed(job, 0) for job in jobs],
            steps=self.calibration.steps,
            sampler=self.calibration.sampler,
            strength=self.calibration.strength,
        )
        for job, plain in zip(jobs, drawn[:, 0].cpu().numpy(), strict=True):
            job.plain = (plain - job.base) * softened(job.mask, BLEND_PX)

    def _run(self, jobs: Sequence[_Job], attempt: int) -> None:
        import torch

        encoder = self.pipeline.tabular_encoder
        asked = [encoder.encode_request(self._request(job.nodule)) for job in jobs]
        out = self.pipeline(
            self._images([np.clip(job.base, -3, 3) for job in jobs]),
            self._images([job.mask for job in jobs]),
            torch.from_numpy(np.stack([values for values, _ in asked])).to(self.device),
            torch.from_numpy(np.stack([named for _, named in asked])).to(self.device),
            [_noise_seed(job, attempt) for job in jobs],
            steps=self.calibration.steps,
            sampler=self.calibration.sampler,
            guidance=self.calibration.guidance,
        )
        nodules, plains = out.nodule[:, 0].cpu().numpy(), out.plain[:, 0].cpu().numpy()
        for job, nodule, plain in zip(jobs, nodules, plains, strict=True):
            wanted = job.nodule.diameter_mm / job.window.spacing_mm
            job.drawn = segment(nodule - plain, job.mask, self.calibration.edge, wanted)
            job.change = (nodule - job.base) * softened(job.mask, BLEND_PX)

    def _images(self, arrays: Sequence[FloatArray]) -> torch.Tensor:
        import torch

        return torch.from_numpy(np.stack(arrays).astype(np.float32))[:, None].to(self.device)

    def _plant(self, job: _Job, scene: Scene, background: Radiograph, canvas: FloatArray, display: Display) -> Truth:
        if scene.sham:
            return self._sham(job, background, canvas, display.unit)
        nodule, shape, spacing = job.nodule, background.shape, background.spacing_mm
        place = (nodule.centre_mm, job.side_mm, shape, spacing, job.window)
        if job.drawn is None or job.change is None:
            raise SynthesizerError(
                f"diffusion: the model drew no nodule of {nodule.diameter_mm:g} mm on background "
                f"{scene.background!r} in {ATTEMPTS} attempts",
                hint="another seed, or a model trained longer",
            )
        if self.fitted or self.sham_is_identity:
            wanted = nodule.diameter_mm if self.fitted else job.drawn.diameter_px * job.window.spacing_mm
            named = not nodule.margin or "Sphericity" in dict(nodule.radiomics)
            bend = bend_for(job.drawn, job.sphericity, job.seed) if self.fitted and named else None
            outline = outline_of(nodule.margin, nodule.attenuation, job.seed)
            patch = fit(job.drawn, wanted, *place, job.region.elongation if self.fitted else None, bend, outline)
            if not self.sham_is_identity and job.plain is not None:
                add_patch(canvas, redraw(job.plain, None, *place), display.unit)
        else:
            patch = redraw(job.change, job.drawn, *place)
        if not patch.mask.any():
            raise SynthesizerError(
                f"diffusion: nodule {nodule.name!r} covers no pixel of background {scene.background!r}",
                hint="place it inside the radiograph",
            )
        patch, notes = self._fitted(job, patch, canvas, display, spacing) if self.fitted else (patch, {})
        planted = self._added(job, patch, canvas, display)
        notes = {"zoom": round(patch.zoom, 4), "redraws": job.attempt, **notes, **planted.notes}
        return truth_of(nodule, patch, planted.contrast, spacing, notes)

    def _added(self, job: _Job, patch: Patch, canvas: FloatArray, display: Display) -> Planted:
        """Add a nodule; a region redrawn as a whole, which need not be brighter, is added as it is."""
        if self.fitted or self.sham_is_identity:
            return plant_patch(canvas, patch, display)
        before = canvas[patch.where].copy()
        add_patch(canvas, patch, display.unit)
        return display.planted(before, canvas[patch.where], patch.mask)

    def _fitted(
        self, job: _Job, patch: Patch, canvas: FloatArray, display: Display, spacing_mm: tuple[float, float]
    ) -> tuple[Patch, dict[str, float]]:
        """Return the nodule at the contrast asked for, and with the features asked for where these can be measured."""
        named = dict(job.nodule.radiomics)
        flatness = self.calibration.flat_as(flatness_of(patch.added, patch.mask))
        sharp = bool(job.nodule.margin) or job.nodule.attenuation == "calcified"
        soft_mm = 0.0 if sharp else self.calibration.softer * job.nodule.diameter_mm
        variant = Variant(contrast_asked(job.nodule), tone_for(patch, flatness), soft_mm=soft_mm)
        if named and can_adhere():
            where = (canvas, display, spacing_mm, job.window, job.seed)
            variant = adhere(patch, named, variant, self.pipeline.tabular_encoder, *where)
        elif job.brightness_named:
            return patch, {}
        notes = {"tone": variant.tone, "texture": variant.texture, "grain_mm": variant.grain_mm} if named else {}
        return variant.of(patch, job.seed, spacing_mm), notes

    def _sham(self, job: _Job, background: Radiograph, canvas: FloatArray, unit: float) -> Truth:
        nodule = job.nodule
        shape, spacing = background.shape, background.spacing_mm
        where = (nodule.centre_mm, job.side_mm, shape, spacing, job.window)
        blank = np.zeros((job.window.size, job.window.size), dtype=np.float32)
        patch = redraw(blank if job.plain is None else job.plain, None, *where)
        contrast = 0.0
        if job.plain is not None:
            add_patch(canvas, patch, unit)
        corner = (
            nodule.centre_mm[0] - patch.origin[1] * spacing[1],
            nodule.centre_mm[1] - patch.origin[0] * spacing[0],
        )
        height, width = patch.added.shape
        disc = disc_mask((height, width), corner, nodule.diameter_mm, spacing)
        return truth_of(nodule, replace(patch, mask=disc), contrast, spacing, {})


def _noise_seed(job: _Job, attempt: int) -> int:
    return int(np.random.SeedSequence([job.seed, attempt]).generate_state(1, np.uint64)[0])
