"""Settings stored beside the weights: how the model is to be used, and the fit of realised to requested."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.errors import SynthesizerError
from synnodtest.files import write_atomic
from synnodtest.geometry import Array

FILE_NAME = "calibration.json"
BALL = 2 / 3
"""Flatness of a ball's shadow."""


@dataclass(frozen=True)
class Calibration:
    """Default use of a trained model.

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
        shape_mm: Diameters at which the shapes of nodules were gathered.
        elongations: Per such diameter, quantiles, evenly spaced from 0 to 1, of the nodules' short axis over their long
            one; an elongation that is not asked for is drawn from them.
        sphericities: The same of their sphericity.
        flatness: Quantiles, evenly spaced from 0 to 1, of the profiles of the nodules trained on; see
            :func:`synnodtest.synthesizers.diffusion.segment.flatness_of`.
        drawn_flatness: The same of nodules that the model drew.
        flatter: How much flatter than those trained on a planted nodule's profile is made. Projected CT nodules are
            peaked, because segmentation takes their soft rim in; nodules that readers mark on films are not
            (``synnodtest evaluate realism --data`` prints both profiles).
        softer: By what Gaussian the edge of a planted nodule is softened, as a share of its diameter, where neither a
            margin nor a calcified nodule is asked for: marked nodules reach beyond their outline, which the same
            profiles show.
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
    shape_mm: tuple[float, ...] = (12.0,)
    elongations: tuple[tuple[float, ...], ...] = ((0.6, 0.8, 0.95),)
    sphericities: tuple[tuple[float, ...], ...] = ()
    flatness: tuple[float, ...] = ()
    drawn_flatness: tuple[float, ...] = ()
    flatter: float = 1.0
    softer: float = 0.0
    ranges: Mapping[str, Sequence[float]] = field(default_factory=dict)
    requested_mm: tuple[float, ...] = ()
    drawn_mm: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for table in (self.elongations, self.sphericities):
            if table and (len(table) != len(self.shape_mm) or not all(isinstance(row, tuple) for row in table)):
                raise ValueError("elongations and sphericities are lists of quantiles, one per diameter of shape_mm")

    def asked_mm(self, diameter_mm: float) -> float:
        """Return the diameter to ask the model for, so that it draws ``diameter_mm``."""
        if len(self.requested_mm) < 2:
            return diameter_mm
        drawn = np.maximum.accumulate(np.asarray(self.drawn_mm)) + 1e-6 * np.arange(len(self.drawn_mm))
        inside = float(np.interp(diameter_mm, drawn, self.requested_mm))
        return float(np.clip(inside, 0.7 * diameter_mm, 1.5 * diameter_mm))

    def elongation(self, diameter_mm: float, share: float) -> float:
        """Return the elongation at a share (0..1) of the nodules of a diameter."""
        return float(np.interp(share, *self._shapes(self.elongations, diameter_mm)))

    def shape_for(
        self, named: Mapping[str, float], diameter_mm: float, shares: tuple[float, float]
    ) -> tuple[float, float]:
        """Return elongation and sphericity to draw: those named, else at ``shares`` of the nodules of a diameter.

        Where the sphericity alone is named the elongation is as rare. Without sphericities it is 1: nothing is bent.
        """
        if not self.sphericities:
            return named.get("Elongation", self.elongation(diameter_mm, shares[0])), named.get("Sphericity", 1.0)
        places, round_ = self._shapes(self.sphericities, diameter_mm)
        first = float(np.interp(named["Sphericity"], round_, places)) if "Sphericity" in named else shares[0]
        elongation = named.get("Elongation", self.elongation(diameter_mm, first))
        return elongation, named.get("Sphericity", float(np.interp(shares[1], places, round_)))

    def _shapes(self, table: Sequence[Sequence[float]], diameter_mm: float) -> tuple[Array, Array]:
        """Return shares and the quantiles at them, between those of the nearest diameters."""
        columns = np.asarray(table, dtype=np.float64).T
        at = [float(np.interp(math.log(diameter_mm), np.log(self.shape_mm), column)) for column in columns]
        return np.linspace(0, 1, len(at)), np.asarray(at)

    def flat_as(self, drawn: float) -> float:
        """Return the flatness to plant: as rare among the nodules trained on as ``drawn`` is among those drawn.

        It is ``flatter`` times that, and at most a ball's, which is two thirds of its diameter thick on average.
        """
        if min(len(self.flatness), len(self.drawn_flatness)) < 2:
            return drawn
        rank = np.interp(drawn, self.drawn_flatness, np.linspace(0, 1, len(self.drawn_flatness)))
        return self.flat_as_planted(float(np.interp(rank, np.linspace(0, 1, len(self.flatness)), self.flatness)))

    def flat_as_planted(self, trained: float) -> float:
        """Return the flatness with which a nodule of training is planted."""
        return max(trained, min(self.flatter * trained, BALL))

    def save(self, folder: Path) -> None:
        """Write it into a model's folder."""
        write_atomic(folder / FILE_NAME, json.dumps(asdict(self), indent=1) + "\n")

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
            lists = {key: _frozen(value) for key, value in data.items() if isinstance(value, list)}
            return cls(**{**data, **lists})
        except (OSError, TypeError, ValueError, AttributeError) as error:
            hint = "`synnodtest train diffusion` with the same --out writes it again from the trained model"
            raise SynthesizerError(f"{path}: not a calibration: {error}", hint=hint) from error


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
