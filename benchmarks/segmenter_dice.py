"""Dice of estimated regions: against exact ones of phantoms, and against drawn lungs of real radiographs.

    python benchmarks/segmenter_dice.py                                        # 30 phantoms that trained nothing
    python benchmarks/segmenter_dice.py --images DIR --lungs DIR               # masks of the same names as the images

Drawn lungs mostly end at the diaphragm, so the lung behind the abdomen is left out of both sides there; with
``--weights`` another file of weights is measured, and ``outline`` is the estimator that needs none.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from synnodtest.backgrounds.estimated_regions import REGIONS, regions_of_structures
from synnodtest.backgrounds.lungs import estimate_lungs
from synnodtest.backgrounds.segmenter import segment, shipped_weights
from synnodtest.phantom import PhantomSet

FILM_MM = 380.0
"""Longer side of films whose files do not tell it."""


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / max(np.count_nonzero(a) + np.count_nonzero(b), 1)


def on_phantoms(weights, count, size):
    table = {name: [] for name in REGIONS}
    phantoms = PhantomSet("normal", count, master_seed=77, size=size)
    for background in phantoms.backgrounds:
        exact = phantoms.load(background)
        found = segment(exact.pixels, exact.spacing_mm, weights)
        regions = {} if found is None else regions_of_structures(found.masks, exact.spacing_mm)
        empty = np.zeros(exact.shape, dtype=bool)
        for name in REGIONS:
            table[name].append(dice(regions.get(name, empty), exact.regions[name]))
    print(f"{count} phantoms at {size} pixels: mean and least Dice")
    for name, values in table.items():
        print(f"  {name:17s} {np.mean(values):.3f} {np.min(values):.3f}")


def on_radiographs(weights, images, lungs):
    print("file, Dice of segmenter, Dice without the lung behind the abdomen, Dice of outline, certainty")
    rows = []
    for path in sorted(p for p in images.iterdir() if (lungs / p.name).is_file()):
        pixels = np.asarray(Image.open(path).convert("L"), dtype=np.float32) / 255
        drawn = np.asarray(Image.open(lungs / path.name).convert("L").resize(pixels.shape[::-1])) > 127
        spacing = (FILM_MM / max(pixels.shape), FILM_MM / max(pixels.shape))
        found = segment(pixels, spacing, weights)
        outlined = dice(estimate_lungs(pixels, spacing)["lung"], drawn)
        if found is None:
            rows.append((0.0, 0.0, outlined, 0.0))
        else:
            lung = found.masks["left_lung"] | found.masks["right_lung"]
            rows.append((dice(lung, drawn), dice(lung & ~found.masks["abdomen"], drawn), outlined, found.certainty))
        print(f"  {path.name:24s}", *(f"{value:.3f}" for value in rows[-1]))
    print(f"  {'mean':24s}", *(f"{value:.3f}" for value in np.mean(rows, axis=0)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=shipped_weights())
    parser.add_argument("--phantoms", type=int, default=30)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--lungs", type=Path)
    options = parser.parse_args()
    if options.images:
        on_radiographs(options.weights, options.images, options.lungs)
    else:
        on_phantoms(options.weights, options.phantoms, options.size)


if __name__ == "__main__":
    main()
