"""Detectors with planted holes against the search: what is found, after how many examples, how near the boundary.

    python benchmarks/planted_holes.py                    # five holes, five seeds each, on phantoms of 256 pixels
    python benchmarks/planted_holes.py --holes heart --seeds 20
    python benchmarks/planted_holes.py --false-alarms 40  # no hole, sensitivity 0.92, asked for 0.80
    python benchmarks/planted_holes.py --operating 10     # true failure rates against verdicts

The detectors see the truth of what was planted and the phantom's own anatomy (its heart, not a mask of it), and find
every nodule but those in the hole. Prints one row per search, then what the rows come to.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from synnodtest import Finding, Identity, Radiograph
from synnodtest.canonical import sha256_of
from synnodtest.detectors.guard import Guard
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Providers
from synnodtest.fuzzing import FuzzGathered, fuzz
from synnodtest.phantom.anatomy import Anatomy, sample_anatomy
from synnodtest.phantom.bones import clavicle_axis
from synnodtest.phantom.grid import Grid
from synnodtest.phantom.sets import PhantomSet, seed_of
from synnodtest.phantom.solids import length
from synnodtest.phantom.thorax import Thorax
from synnodtest.planning.variants import variants
from synnodtest.ports import Background
from synnodtest.radiograph import Truth
from synnodtest.scene import Scene
from synnodtest.spec import load_spec
from synnodtest.store import Store
from synnodtest.synthesizers.gaussian import GaussianSynthesizer

HEART_MM, LEAST_CONTRAST, CLOSE_MM, QUALITY = 12.0, 0.3, 30.0, 40.0
FINE = 512
"""Pixels of the grid on which hearts are measured."""
NODULES = "{diameter_mm: [10, 30], contrast: [0.2, 1.0], location: {region: lung}}"
SPEC = """\
synnodtest: 1
behaviours:
  - id: searched
    statement: A detector with a planted hole.
    fuzz: {{vary: {vary}, examples: {examples}, backgrounds: {{set: normal, count: {count}}}}}
    expect: [{expect}]
"""


class Phantoms:
    """Phantoms that are rendered once for all searches."""

    def __init__(self, size: int, cache: Path | None = None) -> None:
        self.size, self.cache = size, cache
        self._loaded: dict[str, Radiograph] = {}

    def open(self, name: str, count: int) -> Phantoms:
        self._set = PhantomSet(name, count, size=self.size, cache=self.cache)
        self.name, self.identity, self.backgrounds = name, self._set.identity, self._set.backgrounds
        return self

    def load(self, background: Background) -> Radiograph:
        if background.id not in self._loaded:
            self._loaded[background.id] = self._set.load(background)
        return self._loaded[background.id]


# --- what the phantom knows of itself -------------------------------------------------------------


def anatomy_of(background: str) -> Anatomy:
    return sample_anatomy(seed_of("normal", 0, int(background.rpartition("-")[2])))


@cache
def _heart(background: str) -> tuple[np.ndarray, float]:
    anatomy = anatomy_of(background)
    grid = Grid(anatomy, FINE)
    heart = length(Thorax(anatomy).heart(grid.x, grid.y)) > 0
    away = distance_transform_edt(~heart, sampling=grid.spacing)
    return away + distance_transform_edt(heart, sampling=grid.spacing), grid.spacing


def from_heart_border_mm(radiograph: Radiograph, truth: Truth) -> float:
    """Distance of a nodule's centre from the border of the heart's silhouette."""
    table, spacing = _heart(radiograph.background)
    x, y = truth.requested["centre_mm"]
    return float(table[int(y / spacing), int(x / spacing)])


@cache
def _clavicle(background: str) -> tuple[np.ndarray, float]:
    anatomy = anatomy_of(background)
    return Grid(anatomy, FINE).to_image_mm(clavicle_axis(Thorax(anatomy), 1)), anatomy.top


def share_of_left_apex(radiograph: Radiograph, truth: Truth) -> float:
    """How far down from the lung's top to the left clavicle a centre lies: below 1 within the left apex."""
    line, top = _clavicle(radiograph.background)
    x, y = truth.requested["centre_mm"]
    order = np.argsort(line[:, 0])
    limit = float(np.interp(x, line[order, 0], line[order, 1]))
    column, row = int(x / radiograph.spacing_mm[1]), int(y / radiograph.spacing_mm[0])
    inside = limit > top and radiograph.regions["left_lung"][row, column]  # the clavicle may begin above the lung
    return (y - top) / (limit - top) if inside else np.inf


def apart_mm(radiograph: Radiograph, truth: Truth) -> float:
    """Distance of the second nodule from the first."""
    if truth.name != "companion":
        return np.inf
    a, b = (np.array(t.requested["centre_mm"]) for t in radiograph.nodules)
    return float(np.hypot(*(a - b)))


def contrast(radiograph: Radiograph, truth: Truth) -> float:
    return float(truth.requested["contrast"])


# --- detectors ------------------------------------------------------------------------------------


class Holed:
    """Finds every nodule but those that ``misses``; marks a corner where ``fires``."""

    def __init__(
        self,
        name: str,
        misses: Callable[[Radiograph, Truth], bool] = lambda r, t: False,
        fires: Callable[[Radiograph], bool] = lambda r: False,
    ) -> None:
        self.identity = Identity(name, "1")
        self.images = 0
        self._misses, self._fires = misses, fires

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        self.images += len(radiographs)
        return [self._one(r) for r in radiographs]

    def _one(self, radiograph: Radiograph) -> list[Finding]:
        found = [Finding(t.box, 0.9) for t in radiograph.nodules if not self._misses(radiograph, t)]
        return [*found, Finding((1.0, 1.0, 9.0, 9.0), 0.8)] if self._fires(radiograph) else found


def chance(radiograph: Radiograph, truth: Truth, seed: int) -> float:
    """A number in 0..1 that hangs on the content of a radiograph, and on which of many such detectors it is."""
    return int(sha256_of([seed, radiograph.content_sha256(), truth.name])[:8], 16) / 16**8


def blockiness(pixels: np.ndarray) -> float:
    """Steps at the borders of JPEG's 8 x 8 blocks against steps elsewhere."""
    steps = np.abs(np.diff(pixels.astype(np.float64), axis=1))
    border = steps[:, 7::8].mean()
    return float(border / np.delete(steps, np.s_[7::8], axis=1).mean())


def fires_on_jpeg(phantoms: Phantoms) -> Callable[[Radiograph], bool]:
    """Fires where blocks are as plain as at the quality of the hole on the same phantom."""
    from synnodtest.perturbations import perturb
    from synnodtest.scene import Perturbation

    @cache
    def limit(background: str) -> float:
        known = next(b for b in phantoms.backgrounds if b.id == background)
        return blockiness(perturb(phantoms.load(known), [Perturbation("jpeg", QUALITY)], 0).pixels)

    return lambda radiograph: blockiness(radiograph.pixels) > limit(radiograph.background)


# --- holes ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hole:
    """A planted hole: the detector, the spec, and what is measured of a failing scene against the boundary."""

    detector: Callable[[Phantoms], Holed]
    vary: str
    expect: str
    matters: frozenset[str]
    boundary: float
    unit: str
    measure: Callable[[Radiograph, Truth], float] | None = None
    parameter: str = ""


HOLES = {
    "heart": Hole(
        lambda p: Holed("heart", lambda r, t: from_heart_border_mm(r, t) <= HEART_MM),
        NODULES, "detected: {rate_at_least: 0.8}", frozenset({"mm from the border of retrocardiac"}),
        HEART_MM, "mm from the heart's border", from_heart_border_mm,
    ),
    "contrast": Hole(
        lambda p: Holed("contrast", lambda r, t: contrast(r, t) < LEAST_CONTRAST),
        NODULES, "detected: {rate_at_least: 0.8}", frozenset({"contrast"}),
        LEAST_CONTRAST, "contrast", None, "contrast",
    ),
    "companion": Hole(
        lambda p: Holed("companion", lambda r, t: apart_mm(r, t) < CLOSE_MM),
        "{diameter_mm: [10, 14], companion: {diameter_mm: 10, distance_mm: [15, 60]}}",
        "detected: {rate_at_least: 0.8}", frozenset({"companion.present", "companion.distance_mm"}),
        CLOSE_MM, "mm apart", None, "companion.distance_mm",
    ),
    "apex": Hole(
        lambda p: Holed("apex", lambda r, t: share_of_left_apex(r, t) < 1),
        NODULES, "detected: {rate_at_least: 0.8}", frozenset({"place.part", "place.height"}),
        1.0, "of the way down to the left clavicle", share_of_left_apex,
    ),
    "jpeg": Hole(
        lambda p: Holed("jpeg", fires=fires_on_jpeg(p)),
        "{perturbations: {jpeg: [10, 100]}}", "silent: {rate_at_least: 0.8}", frozenset({"perturbations.jpeg"}),
        QUALITY, "quality", None, "perturbations.jpeg",
    ),
}  # fmt: skip


def search(
    phantoms: Phantoms, detector: Holed, seed: int, *, vary: str, expect: str, examples: int = 200, count: int = 20
) -> FuzzGathered:
    """Run one search in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "spec.yaml"
        path.write_text(SPEC.format(vary=vary, expect=expect, examples=examples, count=count))
        (behaviour,) = load_spec(path).behaviours
        providers = Providers(
            detector=Guard(detector, 60.0),
            synthesizer=lambda text: GaussianSynthesizer(),
            backgrounds=phantoms.open,
            default_synthesizer="gaussian",
        )
        (variant,) = variants(behaviour, behaviour.expectations[0])
        return fuzz(Campaign(providers, Store(folder / "store"), seed=seed), behaviour, variant)


def shrunk_values(phantoms: Phantoms, hole: Hole, gathered: FuzzGathered) -> list[float]:
    """Return the value of the boundary's quantity in each failing scene of the confirmation, easiest last."""
    example = gathered.entry["example"]
    if hole.measure is None:
        group, _, key = hole.parameter.rpartition(".")
        return [float(example[group][key] if group else example[key])]
    values = []
    known = {b.id: b for b in phantoms.backgrounds}
    for trial in gathered.entry["trials"]:
        if trial["holds"]:
            continue
        scene = Scene.from_dict(trial["scenes"]["example"]["recipe"])
        background = phantoms.load(known[trial["background"]])
        (planted,) = GaussianSynthesizer().synthesize([scene], [background])
        values += [hole.measure(planted, planted.nodules[0])]
    return sorted(values)


def row_of(phantoms: Phantoms, name: str, seed: int) -> dict[str, Any]:
    """Search one hole with one seed."""
    hole = HOLES[name]
    started = time.perf_counter()
    gathered = search(phantoms, hole.detector(phantoms), seed, vary=hole.vary, expect=hole.expect)
    seconds = time.perf_counter() - started
    rows = gathered.entry["counterexamples"]
    first = rows[0] if rows else {"says": "nothing found", "matters": "", "holds": ""}
    values = shrunk_values(phantoms, hole, gathered) if rows else []
    return {
        "hole": name, "seed": seed, "first": gathered.entry["first_failing"], "says": first["says"],
        "holds": first["holds"], "values": values, "boundary": hole.boundary, "unit": hole.unit,
        "matters": first["matters"], "told": first.get("told_by", ""), "expected": hole.matters, "seconds": seconds,
    }  # fmt: skip


def print_row(row: dict[str, Any]) -> None:
    values = row["values"]
    shown = "-" if not values else f"{values[-1]:.3g}" + (f" (median {np.median(values):.3g})" if values[1:] else "")
    print(
        f"{row['hole']:<10} seed {row['seed']:<3} found after {row['first']!s:>3} examples  {row['says']:<12} "
        f"{row['holds']:<9} shrunk to {shown} {row['unit']}, planted {row['boundary']:g}; "
        f"named: {', '.join(filter(None, (row['matters'], row['told'])))}; {row['seconds']:.1f} s",
        flush=True,
    )


def holds(row: dict[str, Any]) -> dict[str, bool]:
    """Return what must be shown of one search, and whether it was."""
    near = row["values"][-1] / row["boundary"] if row["values"] else 0.0
    return {
        "found within 200 examples": bool(row["first"]) and row["first"] <= 200,
        "shrunk to 90..100% of the boundary": 0.9 <= near <= 1.001,
        "confirmed": row["says"] == "confirmed",
        "named": bool(row["expected"] & {*row["matters"].split(", "), row["told"]}),
    }


def planted_holes(phantoms: Phantoms, names: Iterable[str], seeds: range) -> None:
    rows = []
    for name in names:
        for seed in seeds:
            rows.append(row_of(phantoms, name, seed))
            print_row(rows[-1])
    print()
    for name in dict.fromkeys(row["hole"] for row in rows):
        mine = [holds(row) for row in rows if row["hole"] == name]
        print(f"{name:<10} " + ", ".join(f"{key} {sum(h[key] for h in mine)}/{len(mine)}" for key in mine[0]))


def noisy(sensitivity: float, seed: int) -> Holed:
    """A detector without a hole, whose misses are chance."""
    return Holed(f"noisy {sensitivity:g} {seed}", lambda r, t: chance(r, t, seed) >= sensitivity)


def partly(failure: float, seed: int) -> Holed:
    """A detector that misses this share of nodules under contrast 0.5, by chance, and 2% of all others."""

    def misses(radiograph: Radiograph, truth: Truth) -> bool:
        return chance(radiograph, truth, seed) < (failure if contrast(radiograph, truth) < 0.5 else 0.02)

    return Holed(f"partly {failure:g} {seed}", misses)


Make = Callable[[float, int], Holed]


def verdicts(phantoms: Phantoms, make: Make, level: float, seeds: range, examples: int) -> Counter[str]:
    counted: Counter[str] = Counter()
    for seed in seeds:
        gathered = search(
            phantoms, make(level, seed), seed, vary=NODULES, expect="detected: {rate_at_least: 0.8}", examples=examples
        )
        counted[gathered.rulings["gaussian"].status.value] += 1
    return counted


def table(phantoms: Phantoms, make: Make, levels: Sequence[float], seeds: range, what: str, examples: int) -> None:
    print(f"{what:<34} FAILED  PASSED (no confirmed counterexample)  INCONCLUSIVE  seconds a search")
    for level in levels:
        started = time.perf_counter()
        counted = verdicts(phantoms, make, level, seeds, examples)
        took = (time.perf_counter() - started) / len(seeds)
        print(
            f"{level:<34g} {counted['FAILED']:>6}  {counted['PASSED']:>36}  {counted['INCONCLUSIVE']:>12}  {took:.1f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holes", nargs="+", choices=HOLES, default=list(HOLES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--size", type=int, default=256, help="pixels along each side of a phantom")
    parser.add_argument("--false-alarms", type=int, metavar="RUNS", help="a noisy detector of 0.92, asked for 0.80")
    parser.add_argument("--operating", type=int, metavar="RUNS", help="true failure rates against verdicts")
    parser.add_argument("--examples", type=int, default=100, help="of each search of the last two")
    options = parser.parse_args()
    phantoms = Phantoms(options.size)
    everywhere, below = "sensitivity everywhere, 0.80 asked", "failure rate at contrast < 0.5"
    if options.false_alarms:
        table(phantoms, noisy, [0.92], range(options.false_alarms), everywhere, options.examples)
    elif options.operating:
        runs = range(options.operating)
        table(phantoms, noisy, [0.98, 0.92, 0.85], runs, everywhere, options.examples)
        table(phantoms, partly, [0.1, 0.2, 0.3, 0.4, 0.6, 1.0], runs, below, options.examples)
    else:
        planted_holes(phantoms, options.holes, range(options.seeds))


if __name__ == "__main__":
    main()
