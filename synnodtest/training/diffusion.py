"""Training the diffusion synthesizer, from data to a model folder that ``--synthesizer diffusion:FOLDER`` takes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synnodtest.backgrounds.folder_files import node21_folder
from synnodtest.errors import SynthesizerError, require
from synnodtest.ports import Background, BackgroundSet
from synnodtest.training.diffusion_recipe import PRESETS, Preset, Recipe
from synnodtest.training.encoder import train_encoder
from synnodtest.training.windows import TrainingWindows

if TYPE_CHECKING:
    from synnodtest.synthesizers.diffusion.encoder import TabularEncoder
    from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline

Report = Callable[[str], None]
PHANTOM_SEED = 4242
"""Master seed of the phantoms that are trained on; any other gives phantoms the model has not seen."""


def new_pipeline(encoder: TabularEncoder, preset: Preset, *, seed: int = 0) -> NodulePipeline:
    """Return a small untrained pipeline with the lossless codec."""
    import torch

    from synnodtest.synthesizers.diffusion.codec import PixelFoldCodec
    from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline, library

    torch.manual_seed(seed)
    codec = PixelFoldCodec(factor=3)
    latent = int(codec.config.latent_channels)
    levels = len(preset.channels)
    unet = library.UNet2DConditionModel(
        sample_size=preset.size // 3,
        in_channels=2 * latent + 1,
        out_channels=latent,
        block_out_channels=preset.channels,
        down_block_types=(*["DownBlock2D"] * (levels - 1), "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", *["UpBlock2D"] * (levels - 1)),
        layers_per_block=1,
        cross_attention_dim=int(encoder.config.width),
        attention_head_dim=1,
        norm_num_groups=16,
    )
    scheduler = library.DDPMScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        clip_sample=False,
    )
    return NodulePipeline(codec, unet, scheduler, encoder, preset.size, preset.spacing_mm, preset.value_gain)


def pipeline_on_base(
    base: str, encoder: TabularEncoder, preset: Preset, *, local_files_only: bool = True
) -> NodulePipeline:
    """Return a pipeline on an inpainting model of Stable Diffusion 2's layout.

    Its text encoder is left out; the cross-attention of its denoiser, which no longer fits, is initialised anew.

    Args:
        base: A local folder, or a hub id that is in the local cache.
        encoder: Takes the text encoder's place.
        preset: Size and scale of the windows.
        local_files_only: Never download.

    Raises:
        SynthesizerError: ``base`` is not there or is no inpainting model.
    """
    from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline, library

    how = {"local_files_only": local_files_only, "use_safetensors": True}
    try:
        vae = library.AutoencoderKL.from_pretrained(base, subfolder="vae", **how)
        unet, loaded = library.UNet2DConditionModel.from_pretrained(
            base,
            subfolder="unet",
            cross_attention_dim=int(encoder.config.width),
            ignore_mismatched_sizes=True,
            low_cpu_mem_usage=False,
            output_loading_info=True,
            **how,
        )
        _initialise(unet, [str(key) for key, *_ in loaded["mismatched_keys"]] + list(loaded["missing_keys"]))
        scheduler = library.DDPMScheduler.from_pretrained(
            base, subfolder="scheduler", local_files_only=local_files_only
        )
    except (OSError, ValueError) as error:
        raise SynthesizerError(
            f"the base model {base!r} cannot be loaded: {error}",
            hint="give a local folder with vae/, unet/ and scheduler/ as in stable-diffusion-2-inpainting",
        ) from error
    vae.requires_grad_(False).eval()
    return NodulePipeline(vae, unet, scheduler, encoder, preset.size, preset.spacing_mm, preset.value_gain)


def _initialise(unet: Any, keys: Sequence[str]) -> None:
    """Draw the named weights anew: diffusers leaves memory as it found it in those that the base does not fit."""
    for name in sorted({key.rpartition(".")[0] for key in keys}):
        unet.get_submodule(name).reset_parameters()


@dataclass(frozen=True)
class Sources:
    """Data of which training windows are made.

    Args:
        data: A NODE21 layout (or a phantom set in it), or a folder of radiographs free of nodules, or None.
        ct_patches: A folder of segmented CT nodules in the layout of NODE21.
        backgrounds: A further folder of radiographs free of nodules.
        phantoms: How many built-in phantoms to add as backgrounds.
        count: Windows to compose.
    """

    data: Path | None = None
    ct_patches: Path | None = None
    backgrounds: Path | None = None
    phantoms: int = 0
    count: int = 14_000


def prepare_windows(
    sources: Sources, work: Path, preset: Preset, *, seed: int = 0, report: Report = print
) -> TrainingWindows:
    """Return the training windows, from ``work/windows.npz`` where an earlier run left them.

    CT nodules are projected onto radiographs free of nodules. A NODE21 layout adds its own annotated nodules. Patients
    and CT series that :func:`synnodtest.datasets.split.is_held_out` names are left out.

    Raises:
        SynthesizerError: there is nothing to train on.
    """
    from synnodtest.annotated.dataset_set import DatasetSet
    from synnodtest.annotated.split_sources import kept_backgrounds, kept_series, open_folders
    from synnodtest.training.boxed import annotated_windows
    from synnodtest.training.patches import compose_windows

    stored = work / "windows.npz"
    if stored.exists():
        return TrainingWindows.load(stored)
    work.mkdir(parents=True, exist_ok=True)
    parts: list[TrainingWindows] = []
    data, count = sources.data, sources.count
    annotated = data if data is not None and node21_folder(data) is not None else None
    folders = [folder for folder in (data, sources.backgrounds) if folder is not None]
    grid: dict[str, Any] = {"size": preset.size, "spacing_mm": preset.spacing_mm}
    if sources.ct_patches is not None:
        sets: list[tuple[BackgroundSet, list[Background]]] = []
        for folder in folders:
            sets += [(one, kept_backgrounds(one, "train")) for one in open_folders(folder)]
        if sources.phantoms or not sets:
            from synnodtest.phantom import PhantomSet

            phantom_set = PhantomSet("normal", sources.phantoms or 140, master_seed=PHANTOM_SEED)
            sets.append((phantom_set, list(phantom_set.backgrounds)))
        library = kept_series(sources.ct_patches, held_out=False)
        parts.append(compose_windows(sets, library, count, seed=seed, report=report, **grid))
    if annotated is not None:
        parts.append(annotated_windows(DatasetSet(annotated), count, seed=seed, report=report, **grid))
    if not parts:
        raise SynthesizerError(
            "nothing to train on: no annotated nodules and no CT nodules",
            hint="--data a NODE21 layout, or --data a folder of radiographs with --ct-patches a folder of CT nodules",
        )
    windows = TrainingWindows.join(parts)
    windows.save(stored)
    return windows


def train_diffusion(
    sources: Sources,
    out: Path,
    *,
    base: str | None = None,
    preset: str = "small",
    steps: int = 0,
    minutes: float = 0.0,
    resume: bool = True,
    seed: int = 0,
    local_files_only: bool = True,
    report: Report = print,
) -> Path:
    """Train windows to model: features, tabular encoder, denoiser, calibration.

    Everything half done lies in ``out/work`` and is taken up again by the same call with ``resume``.

    Args:
        sources: Data of the windows.
        out: The model folder to write.
        base: An inpainting model of Stable Diffusion 2's layout to fine-tune; None trains the small model.
        preset: One of :data:`PRESETS`.
        steps: Steps of the denoiser, 0 for the preset's limit.
        minutes: Time for the denoiser, 0 for the preset's limit.
        resume: Take up an interrupted run; False starts afresh.
        seed: Of everything random.
        local_files_only: Never download ``base``.
        report: Called with one line now and then.

    Returns:
        ``out``.

    Raises:
        SynthesizerError: nothing to train on, or ``base`` or ``preset`` cannot be used.
    """
    for package in ("diffusers", "torch"):
        require(package, "diffusion", "training the diffusion synthesizer")
    from synnodtest.synthesizers.diffusion.calibration import Calibration
    from synnodtest.training.calibrate import calibrate
    from synnodtest.training.denoiser import fit_denoiser

    if preset not in PRESETS:
        raise SynthesizerError(f"unknown preset {preset!r}", hint=f"known: {', '.join(PRESETS)}")
    chosen = PRESETS[preset]
    work = out / "work"
    if not resume and work.exists():
        shutil.rmtree(work)
    windows = prepare_windows(sources, work, chosen, seed=seed, report=report)
    encoder = _encoder(work, windows, chosen, seed, report)
    if base is None:
        pipeline = new_pipeline(encoder, chosen, seed=seed)
    else:
        pipeline = pipeline_on_base(base, encoder, chosen, local_files_only=local_files_only)
    recipe = _recipe(chosen.recipe, steps, minutes, seed)
    fit_denoiser(pipeline, windows, work, recipe, resume=resume, report=report)
    save_model(pipeline, out)
    own = Calibration.load(out)
    replace(own, steps=chosen.denoising_steps, flatter=chosen.flatter, softer=chosen.softer).save(out)
    calibrate(out, windows, report=report)
    return out


def _recipe(recipe: Recipe, steps: int, minutes: float, seed: int) -> Recipe:
    """Return the recipe within the limits that were asked for, in a precision that the machine can."""
    import torch

    if steps or minutes:
        recipe = replace(recipe, steps=steps, minutes=minutes)
    if recipe.precision == "fp16" and not torch.cuda.is_available():
        recipe = replace(recipe, precision="bf16")
    return replace(recipe, seed=seed)


def _encoder(work: Path, windows: TrainingWindows, chosen: Preset, seed: int, report: Report) -> TabularEncoder:
    """Return the encoder of an earlier call, or one trained now."""
    from synnodtest.synthesizers.diffusion.encoder import TabularEncoder

    if (work / "encoder" / "config.json").exists():
        trained: TabularEncoder = TabularEncoder.from_pretrained(work / "encoder", local_files_only=True)
        return trained.eval().requires_grad_(False)
    unfinished = work / "encoder.tmp"
    encoder = train_encoder(windows.features, unfinished, steps=chosen.encoder_steps, seed=seed, report=report)
    os.replace(unfinished, work / "encoder")
    return encoder


def save_model(pipeline: NodulePipeline, out: Path) -> None:
    """Write a pipeline, its denoiser in half precision, free of the paths it was made at and readable by all."""
    pipeline.unet.half()
    pipeline.save_pretrained(out, safe_serialization=True)
    pipeline.unet.float()
    for path in out.glob("*/config.json"):
        config = json.loads(path.read_text())
        config.pop("_name_or_path", None)
        path.write_text(json.dumps(config, indent=2) + "\n")
    for path in out.glob("*/*.safetensors"):
        path.chmod(0o644)
