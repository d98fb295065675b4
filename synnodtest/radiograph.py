"""The radiograph and the truth planted in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from synnodtest.canonical import DigestedArray, sha256_of, sha256_of_array
from synnodtest.geometry import BoolArray, Box, Crop, FloatArray, bits_of, box_of_mask, cut_of, mask_of
from synnodtest.masks import digests_of, shown_among
from synnodtest.quantiles import quantile_after, quantile_in


class _AsBits:
    """An attribute that holds a mask as one bit a pixel: a campaign keeps the masks of all its nodules."""

    def __get__(self, instance: object, owner: type) -> BoolArray:
        return mask_of(*vars(instance)["_bits"])

    def __set__(self, instance: object, mask: BoolArray) -> None:
        mask = np.asarray(mask, dtype=np.bool_)
        vars(instance)["_bits"] = bits_of(mask), mask.shape


@dataclass(frozen=True, eq=False)
class Truth:
    """A planted nodule as realised.

    Args:
        name: The nodule's name in its scene.
        crop: Boolean mask (h, w) of the nodule, cut to its surroundings; read, it is a new array each time.
        origin: ``(row, column)`` of the crop's first pixel in the radiograph.
        diameter_mm: Equal-area diameter of the realised mask.
        contrast: Realised contrast (mean added brightness over the mask / p5..p95 range of the lung).
        requested: The nodule as it was asked for, in plain JSON values.
        contrast_in_place: Brightness over its surroundings, anatomy included, in the same unit; NaN until the engine
            has looked at the finished radiograph (:mod:`synnodtest.conspicuity`).
        conspicuity: How visible it is there to a model observer, blind to every detector; likewise.
    """

    name: str
    crop: BoolArray
    origin: tuple[int, int]
    diameter_mm: float
    contrast: float
    requested: Mapping[str, Any] = field(default_factory=dict)
    contrast_in_place: float = math.nan
    conspicuity: float = math.nan

    @property
    def box(self) -> Box:
        """The tight box ``(x_min, y_min, x_max, y_max)`` in pixels of the radiograph."""
        tight = box_of_mask(self.crop)
        row, column = self.origin
        if tight is None:
            return (float(column), float(row), float(column), float(row))
        return (tight[0] + column, tight[1] + row, tight[2] + column, tight[3] + row)

    @property
    def cut(self) -> tuple[slice, slice]:
        """The rows and columns of the crop in the radiograph."""
        return cut_of((*self.origin, *self.crop.shape))

    def mask(self, shape: tuple[int, int]) -> BoolArray:
        """Return the mask on the whole radiograph (``shape``)."""
        full = np.zeros(shape, dtype=np.bool_)
        full[self.cut] = self.crop
        return full


Truth.crop = _AsBits()  # type: ignore[assignment]  # after the class: a dataclass takes a value for a default


LEAST_RANGE = 1e-6
"""Of a lung without any structure, so that contrasts stay finite."""


def is_derived(region: str) -> bool:
    """Return whether a region is derived from others, such as the control of one under test."""
    return region.startswith("@")


@dataclass(frozen=True)
class Exposure:
    """Rule by which pixels came from exposure, where that is known.

    A pixel is ``(c(L) - c(0)) / (1 - c(0))`` with the curve ``c(L) = 1 / (1 + exp((start - L) / width))``. ``log`` is
    minus the natural logarithm of the exposure over that of the open beam; ``L`` is ``log`` plus ``equalise`` times its
    difference from itself smoothed.

    Args:
        start: Middle of the curve.
        width: Its width, in log exposure.
        equalise: Share of the difference from the surroundings that is added.
        smooth_mm: Standard deviation of the smoothing.
        quanta_per_mm2: Detected quanta per mm^2 in the open beam.
    """

    start: float
    width: float
    equalise: float
    smooth_mm: float
    quanta_per_mm2: float


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One chest radiograph.

    Args:
        pixels: float32, H x W, 0..1, air dark.
        spacing_mm: Distance between pixel centres, ``(row, column)``; the two may differ.
        regions: Named boolean masks (H x W).
        background: Identifier of the background it was made from.
        patient: The statistical cluster if known.
        strata: Whatever else is known (view, sex, age, ...), as text.
        estimated: Names of the regions that were estimated rather than given.
        source: Where the pixels come from (file or recipe); never patient data from a header.
        nodules: Truth of the nodules planted in it, in planting order.
        notes: What reading its file corrected or applied, in plain words.
        exposure: How its pixels came from exposure, where known (phantoms); no part of the content.
        instance: Key of the DICOM instance that it was read from, unturned; never the UID itself.
        altered: Whether it is no longer as it came from its file: perturbed, or touched by a synthesizer.
        mimics: Truth of what was drawn into it that looks like a nodule and is none, in order.
        prior: An earlier radiograph of the same chest, if there is one.
    """

    pixels: FloatArray
    spacing_mm: tuple[float, float]
    regions: Mapping[str, BoolArray] = field(default_factory=dict)
    background: str = ""
    patient: str = ""
    strata: Mapping[str, str] = field(default_factory=dict)
    estimated: frozenset[str] = frozenset()
    source: str = ""
    nodules: tuple[Truth, ...] = ()
    notes: tuple[str, ...] = ()
    exposure: Exposure | None = None
    instance: str = ""
    altered: bool = False
    mimics: tuple[Truth, ...] = ()
    prior: Radiograph | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return int(self.pixels.shape[0]), int(self.pixels.shape[1])

    @property
    def size_mm(self) -> tuple[float, float]:
        """Height and width in mm."""
        return self.shape[0] * self.spacing_mm[0], self.shape[1] * self.spacing_mm[1]

    @property
    def lung(self) -> BoolArray | None:
        """The lung's mask; None where there is none, or nothing in it."""
        mask = self.regions.get("lung")
        return mask if mask is not None and mask.any() else None

    @property
    def lung_or_all(self) -> BoolArray:
        """The lung's mask; the whole radiograph where no lung is known."""
        return np.ones(self.shape, dtype=np.bool_) if (lung := self.lung) is None else lung

    @property
    def named_regions(self) -> dict[str, BoolArray]:
        """The regions without those derived from them, whose names begin with ``@``."""
        return {name: mask for name, mask in self.regions.items() if not is_derived(name)}

    @cached_property
    def shown_regions(self) -> frozenset[str]:
        """Names of the regions of which any pixel is there; looked at once."""
        return shown_among(self.regions)

    @cached_property
    def is_finite(self) -> bool:
        """True where every pixel is a finite number; looked at once."""
        return bool(np.isfinite(self.pixels).all())

    @cached_property
    def _region_digests(self) -> dict[str, str]:
        return self._digests_of_regions()

    @cached_property
    def _digested_pixels(self) -> DigestedArray:
        return DigestedArray(self.pixels)

    @cached_property
    def _ordered_lung(self) -> FloatArray:
        if (lung := self.lung) is not None:
            return np.sort(self.pixels[lung])
        height, width = self.shape
        return np.sort(self.pixels[height // 4 : -(height // 4), width // 4 : -(width // 4)].ravel())

    @cached_property
    def _lung_range(self) -> float:
        return _range(self.lung_quantile(0.05), self.lung_quantile(0.95))

    def lung_quantile(self, share: float) -> float:
        """Return a quantile of the lung's pixels, which are put in order once; see :func:`lung_range`.

        Args:
            share: From 0 to 1.
        """
        return quantile_in(self._ordered_lung, share)

    def content_sha256(self, like: Radiograph | None = None, same_rows: int = 0) -> str:
        """Return the sha256 of pixels, spacing, regions and truth.

        Derived regions stay out.

        Args:
            like: A radiograph that is not changed any more, such as the background: what is digested of it once serves
                all radiographs made from it.
            same_rows: How many rows at the top hold the pixels of ``like``, bit by bit.
        """
        same = like if like is not None and self.regions is like.regions else None
        return sha256_of(
            {
                "pixels": self._pixels_sha256(like, same_rows),
                "spacing_mm": list(self.spacing_mm),
                "regions": self._digests_of_regions() if same is None else same._region_digests,
                "nodules": _contents(self.nodules),
                **({"mimics": _contents(self.mimics)} if self.mimics else {}),
                **({} if self.prior is None else {"prior": self.prior.content_sha256()}),
            }
        )

    def _digests_of_regions(self) -> dict[str, str]:
        return digests_of(self.regions, (name for name in self.regions if not is_derived(name)))

    def _pixels_sha256(self, like: Radiograph | None, same_rows: int) -> str:
        if like is None or not same_rows:
            return sha256_of_array(self.pixels)
        return like._digested_pixels.sha256_of(self.pixels, same_rows)

    def with_pixels(self, pixels: FloatArray, nodules: tuple[Truth, ...] | None = None) -> Radiograph:
        """Return a copy with other pixels and, if given, other planted truth."""
        return replace(self, pixels=pixels, nodules=self.nodules if nodules is None else nodules)

    def with_notes(self, notes: Sequence[str]) -> Radiograph:
        """Return a copy with further notes."""
        return replace(self, notes=(*self.notes, *notes)) if notes else self


def _contents(truths: Sequence[Truth]) -> list[list[Any]]:
    return [[truth.name, list(truth.origin), sha256_of_array(truth.crop)] for truth in truths]


def with_truth(radiograph: Radiograph, seen: Callable[[Truth], Truth | None]) -> Radiograph:
    """Return the radiograph with what becomes of the truth of each nodule and mimic; None drops it."""
    nodules, mimics = (
        tuple(visible for truth in truths if (visible := seen(truth)) is not None)
        for truths in (radiograph.nodules, radiograph.mimics)
    )
    return replace(radiograph, nodules=nodules, mimics=mimics)


def lung_range(radiograph: Radiograph) -> float:
    """Return the 5th-to-95th percentile range of the lung's pixels, the unit of contrast; looked at once.

    Without a lung mask the middle half of the radiograph stands in.
    """
    return radiograph._lung_range


def _range(low: float, high: float) -> float:
    return max(high - low, LEAST_RANGE)


def lung_range_after(radiograph: Radiograph, background: Radiograph, crops: Sequence[Crop]) -> float:
    """Return :func:`lung_range` of a radiograph that differs from its background within crops alone.

    Args:
        radiograph: With the background's regions.
        background: Its lung is put in order once.
        crops: Disjoint.
    """
    if radiograph.regions is not background.regions or "lung" not in background.shown_regions:
        return lung_range(radiograph)
    lung = background.regions["lung"]

    def within(one: Radiograph) -> FloatArray:
        values = [one.pixels[cut][lung[cut]] for cut in map(cut_of, crops)]
        return np.sort(np.concatenate(values)) if values else np.zeros(0, dtype=np.float32)

    before, gone, come = background._ordered_lung, within(background), within(radiograph)
    return _range(*(quantile_after(before, gone, come, share) for share in (0.05, 0.95)))
