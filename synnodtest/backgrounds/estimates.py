"""Regions that no mask gives: estimated from the picture, remembered by content, and marked as estimated."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from synnodtest.backgrounds.estimated_regions import (
    GEOMETRY_VERSION,
    LUNGS,
    REGIONS,
    has_lungs,
    regions_of_structures,
    within_lungs,
)
from synnodtest.backgrounds.lungs import ESTIMATOR_VERSION, estimate_lungs_of, split_lung
from synnodtest.backgrounds.segmenter import Segmented, segment, shipped_weights, weights_sha256
from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.radiograph import Radiograph
from synnodtest.store import Store

LEAST_CERTAINTY = 0.8
"""Of 276 adult films every one has 0.82 or more; negatives and films on their side 0.75 at most."""
LEAST_AGREEMENT = 0.75
"""Dice of the segmenter's visible lungs and the outlined ones below which someone should look."""
LEAST_BALANCE = 0.4
"""Smaller by larger lung: a heart leaves the left one more than half of the right."""


@dataclass(frozen=True, eq=False)
class RegionEstimate:
    """Silhouettes estimated from a picture.

    Args:
        structures: H x W masks: ``left_lung``, ``right_lung`` and, where the segmenter saw a chest, ``heart``,
            ``mediastinum``, ``abdomen`` and ``clavicle``.
        doubts: Why someone should look at it, in plain words; nothing where all is well.
    """

    structures: Mapping[str, BoolArray]
    doubts: tuple[str, ...] = ()


def estimator() -> str:
    """Return what stands for the estimator in keys and reports: versions, and the sha256 of the segmenter's weights.

    Where the weights are not there, lungs are outlined without them, and the name says so.
    """
    weights = shipped_weights()
    outline = f"outline {ESTIMATOR_VERSION}, geometry {GEOMETRY_VERSION}"
    return outline if weights is None else f"{outline}, segmenter {weights_sha256(weights)}"


def estimated_for(given: Collection[str]) -> frozenset[str]:
    """Return the regions that are estimated where masks of the regions ``given`` are there."""
    known = REGIONS if shipped_weights() is not None else (*LUNGS, "apical", "hilar", "peripheral")
    both = {"left_lung", "right_lung"} <= set(given)
    return frozenset(name for name in known if name not in given and not (name == "lung" and both))


def estimate_structures(pixels: FloatArray, spacing_mm: tuple[float, float]) -> RegionEstimate:
    """Return the silhouettes of a frontal chest radiograph.

    The segmenter finds them; lungs drawn along the borders of the dark, which know nothing of the segmenter, check it,
    and stand in where it sees no lungs or has no weights. What the check adds to the segmenter's own doubt:
    ``benchmarks/outline_doubt.py``.

    Args:
        pixels: float32, H x W, 0..1, air dark, patient upright, the patient's left on the right.
        spacing_mm: Distance between pixels, ``(row, column)``.
    """
    outlined = estimate_lungs_of(pixels, spacing_mm)
    lungs = {"left_lung": outlined.left_lung, "right_lung": outlined.right_lung}
    unclear = ("the borders of the lungs are unclear",) if outlined.doubtful else ()
    weights = shipped_weights()
    if weights is None:
        return RegionEstimate(lungs, unclear)
    structures = segment(pixels, spacing_mm, weights)
    if structures is None:
        return RegionEstimate(lungs, ("the segmenter sees no two lungs", *unclear))
    return RegionEstimate(structures.masks, (*_doubts(structures, lungs), *unclear))


def _doubts(found: Segmented, outlined: Mapping[str, BoolArray]) -> tuple[str, ...]:
    masks = found.masks
    covered = masks["heart"] | masks["mediastinum"] | masks["abdomen"]
    visible, other = (one["left_lung"] | one["right_lung"] for one in (masks, outlined))
    visible, other = visible & ~covered, other & ~covered
    agreement = 2 * int((visible & other).sum()) / max(int(visible.sum()) + int(other.sum()), 1)
    sizes = [int(masks[name].sum()) for name in ("left_lung", "right_lung")]
    doubts = []
    if found.certainty < LEAST_CERTAINTY:
        doubts.append(f"the segmenter is unsure ({found.certainty:.2f})")
    if agreement < LEAST_AGREEMENT:
        doubts.append(f"two estimators disagree (Dice {agreement:.2f})")
    if min(sizes) < LEAST_BALANCE * max(sizes):
        doubts.append("one lung is much smaller than the other")
    return tuple(doubts)


@dataclass(eq=False)
class Estimates:
    """Completes the regions of radiographs.

    Args:
        cache: Root of a store that keeps estimates between runs.
    """

    cache: Path | None = None
    _remembered: dict[str, bytes] = field(default_factory=dict)

    def completed(self, radiograph: Radiograph, content: str) -> Radiograph:
        """Return the radiograph with every region of :data:`REGIONS` that can be had; given masks win.

        A given lung is the lung: apical, hilar and peripheral lie in it. What lies behind heart and abdomen is taken
        from the estimated lungs, because drawn ones mostly leave it out. A given air leak is no lung. Where the lungs
        are estimated and doubtful, the stratum ``lung_estimate`` says it.

        Args:
            radiograph: With the regions that masks give.
            content: The sha256 that stands for its pixels, spacing and masks.
        """
        masks = radiograph.regions
        if all(name in masks for name in REGIONS):
            return radiograph
        estimate = self._estimate(radiograph, content)
        leak = masks.get("air_leak")
        structures = dict(estimate.structures)
        for name in ("left_lung", "right_lung"):
            structures[name] = structures[name] if leak is None else structures[name] & ~leak
        regions = regions_of_structures(structures, radiograph.spacing_mm)
        regions |= _given_lungs(masks, structures)
        left, right = regions["left_lung"], regions["right_lung"]
        regions |= within_lungs(left, right, structures.get("clavicle"), radiograph.spacing_mm)
        missing = {name: mask for name, mask in regions.items() if name not in masks and mask.any()}
        doubtful = bool(estimate.doubts) and not has_lungs(masks)
        strata = {**radiograph.strata, "lung_estimate": "doubtful"} if doubtful else radiograph.strata
        estimated = frozenset(missing) - ({"lung"} if has_lungs(masks) else set())
        return replace(radiograph, regions={**missing, **masks}, estimated=estimated, strata=strata)

    def doubts(self, radiograph: Radiograph, content: str) -> tuple[str, ...]:
        """Return why someone should look at the estimate for a radiograph."""
        return self._estimate(radiograph, content).doubts

    def _estimate(self, radiograph: Radiograph, content: str) -> RegionEstimate:
        """Return the estimate, remembering it by content, of which the estimator's name is a part."""

        def made() -> bytes:
            return _pack(estimate_structures(radiograph.pixels, radiograph.spacing_mm))

        packed = self._remembered.get(content)
        if packed is None:
            packed = made() if self.cache is None else Store(self.cache).obtain("structures", content, made)
        self._remembered[content] = packed
        return _unpack(packed, radiograph.shape)


def _given_lungs(given: Mapping[str, BoolArray], estimated: Mapping[str, BoolArray]) -> dict[str, BoolArray]:
    """Return both lungs and each: as given, parted or joined where only that is needed, else as estimated."""
    if "lung" in given:
        return {"lung": given["lung"], **split_lung(given["lung"])} | {
            name: given[name] for name in ("left_lung", "right_lung") if name in given
        }
    sides = {name: given.get(name, estimated[name]) for name in ("left_lung", "right_lung")}
    return {"lung": sides["left_lung"] | sides["right_lung"], **sides}


def _pack(estimate: RegionEstimate) -> bytes:
    names = list(estimate.structures)
    head = json.dumps({"names": names, "doubts": list(estimate.doubts)}).encode()
    bits = np.packbits(np.stack([estimate.structures[name] for name in names]))
    return head + b"\n" + zlib.compress(bits.tobytes())


def _unpack(packed: bytes, shape: tuple[int, int]) -> RegionEstimate:
    head, _, body = packed.partition(b"\n")
    header = json.loads(head)
    bits = np.frombuffer(zlib.decompress(body), np.uint8)
    planes = np.unpackbits(bits, count=len(header["names"]) * shape[0] * shape[1]).reshape(-1, *shape).astype(np.bool_)
    return RegionEstimate(dict(zip(header["names"], planes, strict=True)), tuple(header["doubts"]))
