"""What is stored beside the weights: how the model is to be used, and the fit of realised to requested."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from synnodtest.errors import SynthesizerError

__all__ = ["FILE_NAME", "Calibration"]

FILE_NAME = "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """How a trained model is used by default.

    Args:
        edge: Share of the peak at which a nodule ends, such that nodules of known mask keep their size.
        composition: ``counterfactual`` or ``inpaint``.
        sampler: ``dpm++`` or ``ddim``.
        steps: Denoising steps.
        guidance: Against the "no nodule" condition.
        strength: How much noise the region is redrawn from under ``inpaint``, as a share of the steps: the most at
            which the redrawn region alone shows no blob like a nodule; see
            :func:`synnodtest.training.calibrate.strength_of`. 1 is from pure noise.
        drawn_contrast: Bounds of the contrast that the model is asked to draw; the difference is scaled to the
            requested one afterwards.
        elongations: Quantiles, evenly spaced from 0 to 1, of the nodules' short axis over their long one; an
            elongation that is not asked for is drawn from them.
        sphericities: Quantiles, evenly spaced likewise, of the nodules' sphericity.
        ranges: Per radiomics feature the 10th, 50th and 90th percentile of the nodules trained on, measured as they are
            in a finished radiograph.
        requested_mm: Diameters at which the model was tried.
        drawn_mm: The median diameters it then drew.
    """

    edge: float = 0.3
    composition: str = "counterfactual"
    sampler: str = "dpm++"
    steps: int = 15
    guidance: float = 1.0
    strength: float = 1.0
    drawn_contrast: tuple[float, float] = (0.3, 1.0)
    elongations: tuple[float, ...] = (0.6, 0.8, 0.95)
    sphericities: tuple[float, ...] = ()
    ranges: Mapping[str, Sequence[float]] = field(default_factory=dict)
    requested_mm: tuple[float, ...] = ()
    drawn_mm: tuple[float, ...] = ()

    def asked_mm(self, diameter_mm: float) -> float:
        """Return the diameter to ask the model for, so that it draws ``diameter_mm``."""
        if len(self.requested_mm) < 2:
            return diameter_mm
        drawn = np.maximum.accumulate(np.asarray(self.drawn_mm)) + 1e-6 * np.arange(len(self.drawn_mm))
        inside = float(np.interp(diameter_mm, drawn, self.requested_mm))
        return float(np.clip(inside, 0.7 * diameter_mm, 1.5 * diameter_mm))

    def elongation(self, share: float) -> float:
        """Return the elongation at a share (0..1) of the nodules."""
        return float(np.interp(share, np.linspace(0, 1, len(self.elongations)), self.elongations))

    def elongation_for(self, named: Mapping[str, float], share: float) -> float:
        """Return the elongation to draw: the one named, else one as rare as the sphericity named, else by ``share``."""
        if "Elongation" in named:
            return float(named["Elongation"])
        if "Sphericity" in named and len(self.sphericities) > 1:
            places = np.linspace(0, 1, len(self.sphericities))
            share = float(np.interp(named["Sphericity"], self.sphericities, places))
        return self.elongation(share)

    def save(self, folder: Path) -> None:
        """Write it into a model's folder."""
        path = folder / FILE_NAME
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self), indent=1) + "\n")
        os.replace(temporary, path)

    @classmethod
    def load(cls, folder: Path) -> Calibration:
        """Read it from a model's folder; the defaults where there is none.

        Raises:
            SynthesizerError: the file is not a calibration.
        """
        path = folder / FILE_NAME
        if not path.exists():
            return cls()
        try:
            data = json.loads(path.read_text())
            lists = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
            return cls(**{**data, **lists})
        except (OSError, TypeError, ValueError, AttributeError) as error:
            raise SynthesizerError(f"{path}: not a calibration: {error}") from error
