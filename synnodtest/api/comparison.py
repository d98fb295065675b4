"""Requested and realised values of a nodule, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from synnodtest.engine.acceptance import contrast_to_noise
from synnodtest.evaluation.measured import features_of
from synnodtest.geometry import centre_of, px_to_mm
from synnodtest.radiograph import Radiograph, Truth


@dataclass(frozen=True)
class Compared:
    """One quantity of a nodule; None stands for what was not asked for or cannot be measured."""

    name: str
    requested: float | None
    realised: float | None
    unit: str = ""

    @property
    def words(self) -> str:
        """Name and unit as a reader would write them."""
        words = self.name.removesuffix("_mm").replace("_", " ") if self.unit else self.name.replace("_", " ")
        return f"{words}, {self.unit}" if self.unit else words


def compared(before: Radiograph, after: Radiograph, truth: Truth) -> list[Compared]:
    """Return diameter, contrast, place and the named radiomics features of a nodule, requested and realised.

    Features are measured in the radiograph on what the nodule visibly adds; without PyRadiomics they stay None.

    Args:
        before: The untouched radiograph.
        after: With the nodule.
        truth: The nodule.
    """
    asked = dict(truth.requested)
    features = dict(asked.get("radiomics") or {})
    rows = [
        Compared("diameter_mm", _number(asked.get("diameter_mm")), _number(truth.diameter_mm), "mm"),
        Compared("contrast", _number(asked.get("contrast")), _number(truth.contrast)),
        Compared("contrast_to_noise", None, _number(contrast_to_noise(truth, before))),
        *_centre(truth, after),
    ]
    measured = _measured(before, after, truth, features)
    return rows + [Compared(name, _number(features.get(name)), measured.get(name)) for name in sorted(features)]


def _centre(truth: Truth, after: Radiograph) -> list[Compared]:
    requested, got = truth.requested.get("centre_mm") or (None, None), px_to_mm(centre_of(truth.box), after.spacing_mm)
    return [Compared(f"centre_{'xy'[k]}_mm", _number(requested[k]), got[k], "mm") for k in (0, 1)]


def _measured(before: Radiograph, after: Radiograph, truth: Truth, asked: dict[str, float]) -> dict[str, float]:
    from synnodtest.radiomics_features import FEATURE_NAMES

    names = tuple(name for name in FEATURE_NAMES if name in asked)
    if not names or find_spec("radiomics") is None or not truth.crop.any():
        return {}
    values = features_of(after, truth, before, names=names)
    return {} if values is None else dict(zip(names, map(float, values), strict=True))


def table(rows: Sequence[Compared]) -> str:
    """Return the rows as text in columns."""
    lines = [f"{'':<34}{'requested':>12}{'realised':>12}"]
    return "\n".join([*lines, *(f"{r.words:<34}{_text(r.requested):>12}{_text(r.realised):>12}" for r in rows)])


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float, np.number)) and math.isfinite(value) else None
