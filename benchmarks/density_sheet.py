"""Sheets to look at: planted nodules of one attenuation beside annotated ones of the same size, at the same window.

    python benchmarks/density_sheet.py --data nodule/ --backgrounds verified_negative/ --out sheets/ \
        --synthesizer diffusion --synthesizer ct-patch:ct_nodules_lidc/

Writes one PNG per synthesizer and attenuation: for 6, 12, 20 and 30 mm a row of annotated nodules nearest in size, and
below it planted ones, each in a crop of 80 mm, shown from the 1st to the 99th percentile of the crop.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.attenuation import draw_density
from synnodtest.backgrounds.folder import FolderSet
from synnodtest.planning.place import Placer
from synnodtest.planning.recipe import NoduleRecipe, Recipe
from synnodtest.ports import Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.spec.model import Location
from synnodtest.synthesizers import resolve_synthesizer

SIZES = (6.0, 12.0, 20.0, 30.0)
CROP_MM = 80.0
TILE = 240
COLUMNS = 5


def tile(radiograph: Radiograph, centre_px: tuple[float, float], caption: str) -> Image.Image:
    (row_mm, column_mm), (x, y) = radiograph.spacing_mm, centre_px
    half = (CROP_MM / 2 / column_mm, CROP_MM / 2 / row_mm)
    height, width = radiograph.shape
    left, top = min(max(x - half[0], 0), width - 2 * half[0]), min(max(y - half[1], 0), height - 2 * half[1])
    crop = radiograph.pixels[int(top) : int(top + 2 * half[1]), int(left) : int(left + 2 * half[0])]
    low, high = np.percentile(crop, [1, 99])
    grey = np.clip((crop - low) / max(high - low, 1e-6), 0, 1) * 255
    picture = Image.fromarray(grey.astype(np.uint8)).resize((TILE, TILE), Image.Resampling.BICUBIC)
    draw, corner = ImageDraw.Draw(picture), (4, TILE - 14)
    draw.rectangle(draw.textbbox(corner, caption), fill=0)
    draw.text(corner, caption, fill=255)
    return picture


def real_tiles(films: AnnotatedFilms, size_mm: float) -> Iterator[Image.Image]:
    counted = [(film, one) for film in films.backgrounds for one in films.nodules(film.id) if one.counted]
    for film, one in sorted(counted, key=lambda pair: abs(np.log(pair[1].diameter_mm / size_mm)))[:COLUMNS]:
        middle = ((one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2)
        yield tile(films.load(film), middle, f"annotated {one.diameter_mm:.0f} mm")


def planted_tiles(
    negatives: FolderSet, synthesizer: Synthesizer, attenuation: str, size_mm: float, seed: int
) -> Iterator[Image.Image]:
    for number in range(COLUMNS):
        background = negatives.backgrounds[(seed + 7 * number) % len(negatives.backgrounds)]
        host = negatives.load(background)
        rng = np.random.default_rng([seed, number, int(size_mm)])
        density = draw_density(attenuation, size_mm, rng)
        recipe = NoduleRecipe(
            size_mm,
            seed=seed + number,
            density=density,
            attenuation=attenuation,
            location=Location(),
            clearance_mm=size_mm / 2,
            place_seed=seed + number,
        )
        scene = Placer(host).place(Recipe("sheet", background, "sheet", 0, (), (recipe,), seed=seed + number))
        (made,) = synthesizer.synthesize([scene], [host])
        (truth,) = made.nodules
        box = truth.box
        caption = f"{attenuation or 'default'} {density:.2f}, contrast {truth.contrast:.3f}"
        yield tile(made, ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), caption)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--backgrounds", type=Path, required=True)
    parser.add_argument("--synthesizer", action="append", default=[])
    parser.add_argument("--attenuation", action="append", default=[], help="default: solid, ground-glass, calcified")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path(".synnodtest"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    films = AnnotatedFilms(options.data, cache=options.cache)
    negatives = FolderSet(options.backgrounds, options.backgrounds.name, outer=[options.backgrounds.parent])
    real = {size: list(real_tiles(films, size)) for size in SIZES}
    for name in options.synthesizer or ["diffusion"]:
        synthesizer = resolve_synthesizer(name, device="cpu")
        for attenuation in options.attenuation or ["solid", "ground-glass", "calcified"]:
            sheet = Image.new("L", (COLUMNS * TILE, 2 * len(SIZES) * TILE))
            for k, size in enumerate(SIZES):
                planted = planted_tiles(negatives, synthesizer, attenuation, size, options.seed)
                for row, tiles in ((2 * k, real[size]), (2 * k + 1, planted)):
                    for column, picture in enumerate(tiles):
                        sheet.paste(picture, (column * TILE, row * TILE))
            path = options.out / f"{name.partition(':')[0]}-{attenuation or 'default'}.png"
            sheet.save(path)
            print(path)


if __name__ == "__main__":
    main()
