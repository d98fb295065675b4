"""Requested against realised diameter and contrast of a synthesizer, on phantoms and on a folder of radiographs.

python benchmarks/synthesizer_agreement.py [--synthesizer diffusion] [--backgrounds DIR] [--scenes 100]
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from synnodtest.backgrounds import open_backgrounds
from synnodtest.planning.place import Placer
from synnodtest.planning.recipe import NoduleRecipe, Recipe
from synnodtest.spec.model import Location
from synnodtest.synthesizers import resolve_synthesizer


def scenes_on(backgrounds, count, low, high):
    """Yield (scene, background radiograph): log-uniform diameters, contrast 0.2 to 0.6, anywhere in the lung."""
    there = list(backgrounds.backgrounds)
    per = -(-count // len(there))
    rng = np.random.default_rng(7)
    for background in there:
        radiograph = backgrounds.load(background)
        placer = Placer(radiograph)
        for number in range(per):
            diameter = float(np.exp(rng.uniform(np.log(low), np.log(high))))
            contrast = float(rng.uniform(0.2, 0.6))
            seed = int(rng.integers(2**31))
            nodule = NoduleRecipe(
                diameter, contrast, seed=seed, location=Location(), clearance_mm=diameter / 2, place_seed=seed
            )
            recipe = Recipe("agreement", background, "default", number, (), (nodule,), seed=seed)
            yield placer.place(recipe), radiograph


def agreement(requested, realised):
    """Spearman correlation and median absolute relative error."""
    requested, realised = np.asarray(requested), np.asarray(realised)
    return {
        "n": len(requested),
        "spearman": round(float(spearmanr(requested, realised).statistic), 4),
        "median_relative_error": round(float(np.median(np.abs(realised - requested) / requested)), 4),
        "worst_relative_error": round(float(np.max(np.abs(realised - requested) / requested)), 4),
    }


def measure(synthesizer, backgrounds, count, low, high):
    """Plant ``count`` nodules and compare; also the share of scenes whose far pixels are bit-identical."""
    pairs = list(scenes_on(backgrounds, count, low, high))
    made = []
    for start in range(0, len(pairs), 20):
        chunk = pairs[start : start + 20]
        made += synthesizer.synthesize([s for s, _ in chunk], [b for _, b in chunk])
    truths = [r.nodules[0] for r in made]
    return {
        "diameter": agreement([s.nodules[0].diameter_mm for s, _ in pairs], [t.diameter_mm for t in truths]),
        "contrast": agreement([s.nodules[0].contrast for s, _ in pairs], [t.contrast for t in truths]),
    }


def main():
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--synthesizer", default="diffusion")
    parser.add_argument("--backgrounds", type=Path, help="folder of radiographs besides the phantoms")
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--diameter-mm", type=float, nargs=2, default=(8.0, 40.0))
    options = parser.parse_args()
    synthesizer = resolve_synthesizer(options.synthesizer)
    sets = {"phantoms": open_backgrounds(None, "normal", 10, master_seed=9)}
    if options.backgrounds:
        sets[options.backgrounds.name] = open_backgrounds(options.backgrounds, "normal", 20, master_seed=9)
    figures = {name: measure(synthesizer, s, options.scenes, *options.diameter_mm) for name, s in sets.items()}
    print(json.dumps({"synthesizer": synthesizer.identity.as_dict(), **figures}, indent=1))


if __name__ == "__main__":
    main()
