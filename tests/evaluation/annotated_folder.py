"""Folders of small films with nodules of known size, boxes of a known margin, and every region mask."""

import csv
import io
from functools import cache

import numpy as np
from PIL import Image
from scipy import ndimage

SIZE = 200
SPACING = 1.5
"""Millimetres per pixel."""
MARGIN = {"tight": 0.85, "loose": 0.6}
"""Diameter of the nodule over that of the box, by who annotated."""


@cache
def masks():
    """Return every built-in region of a chest that is two boxes; the patient's left is on the right."""
    rows, columns = np.indices((SIZE, SIZE))
    right = (rows >= 20) & (rows < 180) & (columns >= 15) & (columns < 90)
    left = (rows >= 20) & (rows < 180) & (columns >= 110) & (columns < 185)
    lung = left | right
    outer = (columns < 30) | (columns >= 170)
    made = {
        "lung": lung,
        "left_lung": left,
        "right_lung": right,
        "apical": lung & (rows < 45),
        "hilar": lung & (rows >= 80) & (rows < 110) & (columns > 75) & (columns < 125),
        "retrocardiac": left & (rows >= 120) & (columns < 135),
        "subdiaphragmatic": lung & (rows >= 165),
        "peripheral": lung & outer,
        "mediastinum": (columns >= 90) & (columns < 110),
    }
    for mask in made.values():
        mask.setflags(write=False)
    return made


def film(seed, nodules=()):
    """Return pixels with smooth anatomy; ``nodules`` are ``(column, row, diameter in pixels, brightness)`` balls."""
    rng = np.random.default_rng(seed)
    structure = ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), 4)
    pixels = 0.4 + 0.04 * structure / structure.std()
    pixels += 0.3 * ~masks()["lung"]
    rows, columns = np.indices((SIZE, SIZE)) + 0.5
    for x, y, diameter, brightness in nodules:
        away = ((rows - y) ** 2 + (columns - x) ** 2) / (diameter / 2) ** 2
        pixels += brightness * np.sqrt(np.clip(1 - away, 0, None))
    return np.clip(pixels, 0, 1)


def save(folder, name, pixels):
    """Write one film with all its masks."""
    Image.fromarray(np.uint8(np.round(255 * pixels))).save(folder / f"{name}.png")
    for region, written in _written_masks().items():
        (folder / f"{name}.{region}.png").write_bytes(written)


@cache
def _written_masks():
    """Return the files of the masks, which are those of every film."""
    files = {}
    for region, mask in masks().items():
        Image.fromarray(np.uint8(255 * mask)).save(written := io.BytesIO(), "PNG")
        files[region] = written.getvalue()
    return files


def place(rng):
    """Return a place in a lung, well inside."""
    column = rng.uniform(35, 70) if rng.random() < 0.5 else rng.uniform(130, 165)
    return float(column), float(rng.uniform(50, 150))


def write_annotated(folder, count, *, brightness=0.15, seed=0, diameters=(8, 14, 22), exhaustive=("yes", "no")):
    """Write ``count`` films with one nodule each, ``boxes.csv`` and ``manifest.csv``; return the truth by film."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for k in range(count):
        x, y = place(rng)
        diameter = float(diameters[k % len(diameters)])
        annotation = list(MARGIN)[k % 2]
        side = diameter / MARGIN[annotation]
        name = f"real{k:03d}"
        save(folder, name, film(1000 * seed + k, [(x, y, diameter, brightness)]))
        truth[name] = (x, y, diameter, annotation)
        corner = {"x": round(x - side / 2, 2), "y": round(y - side / 2, 2), "width": side, "height": side}
        rows.append(
            {"file": f"{name}.png", "annotation": annotation, **corner, "exhaustive": exhaustive[k % len(exhaustive)]}
        )
    _table(folder / "boxes.csv", rows)
    _manifest(folder, truth)
    return truth


def write_negatives(folder, count, *, seed=7):
    """Write ``count`` films without a nodule and their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"plain{k:03d}" for k in range(count)]
    for k, name in enumerate(names):
        save(folder, name, film(5000 * seed + k))
    _manifest(folder, names)


def write_copy(folder, name):
    """Save a film of a folder anew, smaller and with loss, as again.jpg of nobody; all get grain that tells them apart.

    Without it the edge of the lungs, which they share, makes copies of them.
    """
    for seed, path in enumerate(sorted(folder.glob("*[0-9].png"))):
        grain = ndimage.gaussian_filter(np.random.default_rng([seed, SIZE]).normal(scale=80, size=(SIZE, SIZE)), 1.5)
        Image.fromarray(np.uint8(np.clip(np.asarray(Image.open(path)) + grain, 0, 255))).save(path)
    with Image.open(folder / f"{name}.png") as pixels:
        pixels.resize((180, 180), Image.Resampling.BOX).save(folder / "again.jpg", quality=80)
    with (folder / "manifest.csv").open("a") as manifest:
        manifest.write(f"again.jpg,,{SPACING * SIZE / 180},{SPACING * SIZE / 180},0,normal\n")


def _manifest(folder, names):
    step = {
        "mm_per_px_x": SPACING,
        "mm_per_px_y": SPACING,
        "rotate_deg": 0,  # a drawn chest turns the check of upright ones
        "polarity": "normal",
    }
    _table(folder / "manifest.csv", [{"file": f"{name}.png", "patient": f"p-{name}", **step} for name in names])


def _table(path, rows):
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def remembered(load):
    """Return what reads each film once, however many tests begin with all of them."""
    known = {}

    def reading(background):
        if background.id not in known:
            known[background.id] = load(background)
        return known[background.id]

    return reading
