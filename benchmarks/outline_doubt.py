"""What an outline of the lungs drawn without the segmenter would add to the segmenter's own doubt.

    python benchmarks/outline_doubt.py                                          # phantoms, also spoilt
    python benchmarks/outline_doubt.py --manifest FILE --images DIR --masks DIR # films with drawn lungs
    python benchmarks/outline_doubt.py --manifest FILE --images DIR             # films: who doubts which

An estimate is wrong where its Dice with the true lungs (visible ones, without what lies behind heart and abdomen) is
below 0.85. It is told by the segmenter where it sees no two lungs, is unsure, or finds one lung much smaller than the
other; by the outline where it disagrees with the segmenter or finds no clear borders.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from synnodtest.backgrounds.estimates import LEAST_AGREEMENT, LEAST_BALANCE, LEAST_CERTAINTY
from synnodtest.backgrounds.lungs import estimate_lungs_of
from synnodtest.backgrounds.segmenter import segment, shipped_weights
from synnodtest.phantom import PhantomSet

WRONG = 0.85
"""Least Dice of an estimate that places may be drawn from: readers agree with each other to 0.93 and more."""


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / max(np.count_nonzero(a) + np.count_nonzero(b), 1)


def looked_at(pixels, spacing, truth=None):
    """Return the Dice of the segmenter's visible lungs with the truth, and who doubts them."""
    found = segment(pixels, spacing, shipped_weights())
    outlined = estimate_lungs_of(pixels, spacing)
    outline = outlined.left_lung | outlined.right_lung
    unclear = outlined.doubtful
    if found is None:
        return {"dice": 0.0, "own": True, "outline": unclear, "why": "no lungs", "outlined": dice(outline, truth)
                if truth is not None else np.nan}  # fmt: skip
    covered = found.masks["heart"] | found.masks["mediastinum"] | found.masks["abdomen"]
    visible = (found.masks["left_lung"] | found.masks["right_lung"]) & ~covered
    agreement = dice(visible, outline & ~covered)
    sizes = [np.count_nonzero(found.masks[name]) for name in ("left_lung", "right_lung")]
    own = found.certainty < LEAST_CERTAINTY or min(sizes) < LEAST_BALANCE * max(sizes)
    return {
        "dice": np.nan if truth is None else dice(visible, truth & ~covered),
        "own": own,
        "outline": agreement < LEAST_AGREEMENT or unclear,
        "why": f"certainty {found.certainty:.2f}, agreement {agreement:.2f}, quality {outlined.quality:.2f}",
        "outlined": np.nan if truth is None else dice(outline & ~covered, truth & ~covered),
    }


def turned(degrees):
    return lambda x: ndimage.rotate(x, degrees, reshape=False, order=1)


def windowed(low, high):
    return lambda x: np.clip((x - low) / (high - low), 0, 1).astype(np.float32)


def covered(x):
    white = x.copy()
    white[: int(0.8 * x.shape[0]), : x.shape[1] // 2] = 0.8
    return white


def shifted(x):
    return np.roll(x, x.shape[1] // 4, axis=1)


SPOILT = {
    "as it is": (lambda x: x, lambda m: m),
    "turned by 15 degrees": (turned(15), lambda m: turned(15)(m.astype(np.float32)) > 0.5),
    "turned by 35 degrees": (turned(35), lambda m: turned(35)(m.astype(np.float32)) > 0.5),
    "on its side": (lambda x: np.ascontiguousarray(np.rot90(x)), np.rot90),
    "inverted": (lambda x: 1 - x, lambda m: m),
    "too narrow a window": (windowed(0.35, 0.5), lambda m: m),
    "too wide a window": (windowed(-6.0, 7.0), lambda m: m),
    "noise": (lambda x: (x + 0.35 * np.random.default_rng(0).standard_normal(x.shape)).astype(np.float32), lambda m: m),
    "blurred": (lambda x: ndimage.gaussian_filter(x, 12), lambda m: m),
    "half white": (covered, lambda m: m),
    "half of it cut off": (lambda x: x[:, : x.shape[1] // 2], lambda m: m[:, : m.shape[1] // 2]),
    "lower half cut off": (lambda x: x[: x.shape[0] // 2], lambda m: m[: m.shape[0] // 2]),
    "wrapped sideways": (shifted, shifted),
}


def on_phantoms(count, size):
    rows = []
    phantoms = PhantomSet("normal", count, master_seed=78, size=size)
    for background in phantoms.backgrounds:
        exact = phantoms.load(background)
        truth = exact.regions["left_lung"] | exact.regions["right_lung"]
        for name, (spoil, follow) in SPOILT.items():
            pixels = np.ascontiguousarray(spoil(exact.pixels), dtype=np.float32)
            rows.append((name, looked_at(pixels, exact.spacing_mm, np.asarray(follow(truth)))))
    return rows


def on_films(manifest, images, masks, stride):
    rows = []
    with manifest.open(newline="") as text:
        for row in list(csv.DictReader(text))[::stride]:
            path = next((p for p in (images / row["file"], images / Path(row["file"]).name) if p.is_file()), None)
            if path is None:
                continue
            pixels = np.asarray(Image.open(path).convert("L"), dtype=np.float32) / 255
            spacing = tuple(float(row.get(f"mm_per_px_{axis}") or 380 / max(pixels.shape)) for axis in "yx")
            truth = None
            if masks is not None:
                drawn = Image.open(next(p for p in masks.iterdir() if p.stem == path.stem)).convert("L")
                truth = np.asarray(drawn.resize(pixels.shape[::-1])) > 127
            rows.append((path.name, looked_at(pixels, spacing, truth)))
    return rows


WHO = {"segmenter": "own", "outline": "outline"}


def told(rows):
    for name, one in rows:
        if one["own"] or one["outline"] or one["dice"] < WRONG:
            who = "+".join(word for word, key in WHO.items() if one[key]) or "nobody"
            print(
                f"  {name:40s} Dice {one['dice']:.2f} (outline's {one['outlined']:.2f}); doubted by {who}; {one['why']}"
            )
    wrong = [one for _, one in rows if one["dice"] < WRONG]
    right = [one for _, one in rows if not one["dice"] < WRONG]
    for word, some in (("wrong", wrong), ("right, or not known", right)):
        own = sum(one["own"] for one in some)
        alone = sum(one["outline"] and not one["own"] for one in some)
        print(f"{word}: {len(some)}; doubted by the segmenter itself {own}, by the outline alone {alone}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phantoms", type=int, default=8)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--manifest", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--masks", type=Path)
    parser.add_argument("--stride", type=int, default=1, help="take every so many films")
    options = parser.parse_args()
    if options.manifest:
        told(on_films(options.manifest, options.images, options.masks, options.stride))
    else:
        told(on_phantoms(options.phantoms, options.size))


if __name__ == "__main__":
    main()
