"""Nodules by diffusion: an inpainting pipeline conditioned on radiomics, and two ways to compose its output.

torch and diffusers are imported when a nodule is drawn: a run that finds its radiographs in the store needs neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synnodtest.errors import require
from synnodtest.synthesizers.diffusion.calibration import Calibration
from synnodtest.synthesizers.diffusion.synthesizer import DiffusionSynthesizer

if TYPE_CHECKING:
    from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline

__all__ = ["Calibration", "DiffusionSynthesizer", "NodulePipeline"]

for _name in ("diffusers", "torch"):
    require(_name, "diffusion", "synthesizing nodules by diffusion")


def __getattr__(name: str) -> Any:
    """Load the pipeline when it is asked for."""
    if name == "NodulePipeline":
        from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline

        return NodulePipeline
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
