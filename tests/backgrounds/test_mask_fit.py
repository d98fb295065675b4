"""Lung masks that were saved along other axes are refused; those that fit their film are taken."""

import numpy as np
import pytest

from synnodtest.backgrounds import FolderSet
from synnodtest.errors import BackgroundError
from synnodtest.phantom import expose, project, sample_anatomy

from .radiograph_files import write_png

SWAPPED = "the mask left_lung lies on the left of the picture, where a patient's right lung is"


@pytest.fixture(scope="module")
def film():
    return expose(project(sample_anatomy(2), 512))


def served(folder, film, masks):
    write_png(folder / "a.png", np.rint(film.pixels * 65535).astype(np.uint16))
    spacing = film.spacing_mm
    (folder / "manifest.csv").write_text(f"file,mm_per_px_x,mm_per_px_y\na.png,{spacing[1]},{spacing[0]}\n")
    for region, mask in masks.items():
        write_png(folder / f"a.{region}.png", np.ascontiguousarray(mask).astype(np.uint8) * 255)
    found = FolderSet(folder, "normal")
    found.load(found.backgrounds[0])
    return found


@pytest.mark.parametrize(
    ("says", "turn"),
    [
        ("upside down", np.flipud),
        ("transposed", np.transpose),
        ("turned by 180 degrees", lambda mask: mask[::-1, ::-1]),
        ("turned by 270 degrees", np.rot90),
    ],
)
@pytest.mark.parametrize("names", [("lung",), ("left_lung", "right_lung")])
def test_lung_masks_that_were_turned_are_refused(tmp_path, film, says, turn, names):
    with pytest.raises(BackgroundError, match=f"lung masks fit the lungs in it better {says}") as caught:
        served(tmp_path, film, {name: turn(film.regions[name]) for name in names})
    assert "pixel grid" in caught.value.hint


@pytest.mark.parametrize("names", [("lung",), ("left_lung",), ("left_lung", "right_lung")])
def test_lung_masks_that_fit_are_taken(tmp_path, film, names):
    notes = " ".join(served(tmp_path, film, {name: film.regions[name] for name in names}).notes)
    assert SWAPPED not in notes
    assert "little in common" not in notes


def test_a_lung_mask_that_lies_elsewhere_is_told(tmp_path, film):
    middle = np.zeros(film.shape, bool)
    middle[150:370, 200:312] = True
    notes = " ".join(served(tmp_path, film, {"lung": middle}).notes)
    assert "lung masks have little in common with the lungs in it" in notes


def test_lungs_named_after_the_sides_of_the_picture_are_told(tmp_path, film):
    left, right = film.regions["left_lung"], film.regions["right_lung"]
    assert SWAPPED in " ".join(served(tmp_path, film, {"left_lung": right, "right_lung": left}).notes)


@pytest.mark.parametrize(
    ("name", "meant"), [("lungs", "lung"), ("mask", "lung"), ("lung_left", "left_lung"), ("ribs", "rib"), ("scar", "")]
)
def test_masks_whose_name_is_nearly_a_regions_are_told(tmp_path, name, meant):
    write_png(tmp_path / "a.png", np.arange(64 * 64, dtype=np.uint16).reshape(64, 64))
    write_png(tmp_path / f"a.{name}.png", np.eye(64, dtype=np.uint8) * 255)
    notes = FolderSet(tmp_path, "normal").notes
    assert [meant in note for note in notes] == ([True] if meant else [])
