"""Nodules by diffusion: an inpainting pipeline conditioned on radiomics, and two ways to compose its output."""

from __future__ import annotations

from synnodtest.errors import missing_extra

try:
    import diffusers as _diffusers  # noqa: F401
    import torch as _torch  # noqa: F401
except ImportError as _error:
    raise missing_extra(_error.name or "diffusers", "diffusion", "synthesizing nodules by diffusion") from _error

from synnodtest.synthesizers.diffusion.calibration import Calibration
from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline
from synnodtest.synthesizers.diffusion.synthesizer import DiffusionSynthesizer

__all__ = ["Calibration", "DiffusionSynthesizer", "NodulePipeline"]
