"""Six planted holes of different shape, and what a search says of the region that fails.

    python benchmarks/hole_shapes.py                   # six shapes, five seeds each, on phantoms of 256 pixels
    python benchmarks/hole_shapes.py --shapes band --seeds 2

The detectors find every nodule but those in the hole. Of each search is printed the sentence on the region, how far its
boundaries lie from the planted ones, whether a parameter is named that does not matter, and what the walk cost beside
the search before it. Ends with status 1 where anything fell short.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from planted_holes import HEART_MM, Holed, Phantoms, contrast, from_heart_border_mm, search

from synnodtest import Radiograph
from synnodtest.fuzzing.hole.explore import Explorer
from synnodtest.fuzzing.hole.region import Region
from synnodtest.radiograph import Truth

NEAR = 0.1
"""Share of the planted boundary by which a stated one may be off."""


def diameter(truth: Truth) -> float:
    return float(truth.requested["diameter_mm"])


def in_right_lung(radiograph: Radiograph, truth: Truth) -> bool:
    x, y = truth.requested["centre_mm"]
    return bool(radiograph.regions["right_lung"][int(y / radiograph.spacing_mm[0]), int(x / radiograph.spacing_mm[1])])


def tilt(radiograph: Radiograph) -> float:
    """Return the angle in degrees of the line between the lungs' centres."""
    right, left = (np.argwhere(radiograph.regions[name]).mean(axis=0) for name in ("right_lung", "left_lung"))
    return float(np.degrees(np.arctan2(right[0] - left[0], left[1] - right[1])))


def rotated_deg(phantoms: Phantoms) -> Callable[[Radiograph], float]:
    """Return what tells by how much a radiograph is rotated against the untouched phantom."""

    @cache
    def level(background: str) -> float:
        return tilt(phantoms.load(next(b for b in phantoms.backgrounds if b.id == background)))

    return lambda radiograph: tilt(radiograph) - level(radiograph.background)


def gamma_of(phantoms: Phantoms) -> Callable[[Radiograph], float]:
    """Return what tells the exponent between a radiograph and the untouched phantom."""

    def measure(radiograph: Radiograph) -> float:
        plain = phantoms.load(next(b for b in phantoms.backgrounds if b.id == radiograph.background)).pixels
        grey = (plain > 0.1) & (plain < 0.9)
        return float(np.median(np.log(np.maximum(radiograph.pixels[grey], 1e-6)) / np.log(plain[grey])))

    return measure


@dataclass(frozen=True)
class Shape:
    """A planted hole, its boundaries by parameter, and the parameters that matter."""

    detector: Callable[[Phantoms], Holed]
    vary: str
    boundaries: dict[str, tuple[float, ...]]
    levels: frozenset[str] = frozenset()


def rotated(phantoms: Phantoms) -> Holed:
    """Return a detector that finds nothing on a radiograph rotated by more than 6 degrees, either way."""
    angle = rotated_deg(phantoms)
    return Holed("rotation", lambda r, t: abs(angle(r)) > 6)


def bent(phantoms: Phantoms) -> Holed:
    """Return a detector that finds nothing where gamma is above 1.4."""
    exponent = gamma_of(phantoms)
    return Holed("gamma", lambda r, t: exponent(r) > 1.4)


SIZES = "{diameter_mm: [10, 40], contrast: [0.3, 0.8], location: {region: lung}}"
FAINT = "{diameter_mm: [10, 30], contrast: [0.2, 1.0], location: {region: lung}}"
TURNED = (
    "{diameter_mm: [10, 30], contrast: [0.3, 0.8], location: {region: lung}, perturbations: {rotate_deg: [-15, 15]}}"
)
BENT = "{diameter_mm: [10, 30], contrast: [0.3, 0.8], location: {region: lung}, perturbations: {gamma: [0.5, 2.5]}}"
DISTANCE = "mm from the border of retrocardiac"

SHAPES = {
    "size and side": Shape(
        lambda p: Holed("side", lambda r, t: diameter(t) > 25 and in_right_lung(r, t)),
        SIZES, {"diameter_mm": (25.0,)}, frozenset({"place.part"}),
    ),
    "band": Shape(
        lambda p: Holed("band", lambda r, t: 18 < diameter(t) < 26), SIZES, {"diameter_mm": (18.0, 26.0)},
    ),
    "rotation": Shape(
        rotated,
        TURNED, {"perturbations.rotate_deg": (-6.0, 6.0)},
    ),
    "gamma": Shape(
        bent,
        BENT, {"perturbations.gamma": (1.4,)},
    ),
    "heart": Shape(
        lambda p: Holed("heart", lambda r, t: from_heart_border_mm(r, t) <= HEART_MM), FAINT, {DISTANCE: (HEART_MM,)},
    ),
    "contrast": Shape(
        lambda p: Holed("contrast", lambda r, t: contrast(r, t) < 0.3), FAINT, {"contrast": (0.3,)},
    ),
}  # fmt: skip


def stated(region: dict[str, Any]) -> tuple[dict[str, tuple[dict[str, float], ...]], set[str]]:
    """Return the boundaries of a region by name, in order, and the names of its levels."""
    found, levels = {}, set()
    for term in region["terms"]:
        if term["levels"]:
            levels.add(term["name"])
        sides = [b for part in term["parts"] for b in (part["low"], part["high"]) if b]
        found |= {term["name"]: tuple(sides)} if sides else {}
    rule = region["rule"]
    if rule is not None:
        if rule["border"]:
            found[rule["name"]] = (rule["border"],)
        else:
            levels.add(rule["name"])
    return found, levels


def count_before_walk(detector: Holed) -> list[int]:
    """Return a list that the next search fills with the radiographs shown before its walk begins."""
    shown, walk = [], Explorer.region

    def region(self: Explorer) -> Region:
        shown.append(detector.images)
        Explorer.region = walk
        return walk(self)

    Explorer.region = region
    return shown


def row_of(phantoms: Phantoms, name: str, seed: int) -> dict[str, Any]:
    """Search one hole with one seed."""
    shape = SHAPES[name]
    detector = shape.detector(phantoms)
    started = time.perf_counter()
    shown_before = count_before_walk(detector)
    gathered = search(phantoms, detector, seed, vary=shape.vary, expect="detected: {rate_at_least: 0.8}", examples=100)
    region = gathered.entry.get("region") or {}
    row = {"shape": name, "seed": seed, "seconds": time.perf_counter() - started, "before": 0, "walk": 0, "errors": []}
    if not region:
        return row | {"sentence": gathered.entry["sentence"], "near": False, "named": False}
    found, levels = stated(region)
    sides = {n: [b["value"] for b in bs] for n, bs in found.items()}
    near = set(sides) == set(shape.boundaries) and all(
        len(sides[n]) == len(bs) and all(abs(a - b) <= NEAR * abs(b) for a, b in zip(sides[n], bs, strict=True))
        for n, bs in shape.boundaries.items()
    )
    covered = [
        b["lower"] <= true <= b["upper"]
        for n, bs in shape.boundaries.items()
        for b, true in zip(found.get(n, ()), bs, strict=False)
    ]
    return row | {
        "sentence": region["sentence"], "near": near and region["shown"], "covered": covered,
        "named": {*found, *levels} <= {*shape.boundaries, *shape.levels}, "levels": levels == set(shape.levels),
        "before": shown_before[0], "walk": detector.images - shown_before[0],
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--size", type=int, default=256, help="pixels along each side of a phantom")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keeps the phantoms")
    options = parser.parse_args()
    phantoms, rows = Phantoms(options.size, options.cache), []
    for seed in range(options.seeds):
        for name in options.shapes:
            row = row_of(phantoms, name, seed)
            rows.append(row)
            marks = f"{'near' if row['near'] else 'OFF'}, {'named rightly' if row['named'] else 'NAMED WRONGLY'}"
            print(f"{name} seed {seed}: {row['sentence']}\n  {marks}; {row['before']} + {row['walk']} radiographs; "
                  f"{row['seconds']:.0f} s", flush=True)  # fmt: skip
    covered = [c for row in rows for c in row.get("covered", ())]
    cheap = [row["walk"] <= row["before"] for row in rows]
    right = [row["named"] and row.get("levels", False) for row in rows]
    print(
        f"\nwithin 10%: {sum(r['near'] for r in rows)} of {len(rows)}; named rightly: {sum(right)} of {len(rows)}; "
        f"intervals that cover the planted boundary: {sum(covered)} of {len(covered)}; "
        f"walks that show no more radiographs than the search before: {sum(cheap)} of {len(rows)}"
    )
    return 0 if all([*cheap, *right, *(r["near"] for r in rows)]) else 1


if __name__ == "__main__":
    sys.exit(main())
