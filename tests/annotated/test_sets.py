"""Annotated sets: reproducible, truth inside the lung, and never a patient on both sides."""

import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synnodtest.annotated.dataset_set import DatasetSet
from synnodtest.annotated.sets import PhantomSet, Planting, part_of
from synnodtest.commands.annotated import annotated_sets
from synnodtest.datasets.split import is_held_out
from synnodtest.errors import SynnodError
from synnodtest.training.detection_data import prepare

from ..backgrounds.radiograph_files import chest, write_png

pytestmark = pytest.mark.usefixtures("unturned")


@pytest.fixture(scope="module")
def phantoms():
    return PhantomSet(3, 2, seed=5, size=256)


def test_a_case_is_the_same_whenever_and_in_whatever_order_it_is_loaded(phantoms):
    cases = phantoms.cases
    first = phantoms.load(cases[1])
    phantoms.load(cases[-1])
    again = PhantomSet(3, 2, seed=5, size=256).load(cases[1])
    assert first.content_sha256() == again.content_sha256()
    assert len({phantoms.load(case).content_sha256() for case in cases}) == len(cases)


def test_nodules_have_the_planted_sizes_and_lie_in_the_lung(phantoms):
    sizes = []
    for case in phantoms.cases:
        radiograph = phantoms.load(case)
        for truth in radiograph.nodules:
            sizes.append(truth.diameter_mm)
            assert (truth.mask(radiograph.shape) & radiograph.regions["lung"]).any()
    assert sizes
    assert min(sizes) >= 3.0
    assert max(sizes) <= 33.0


def test_nodules_keep_apart():
    planting = Planting(counts=(0, 0, 0, 1), diameter_mm=(10, 20))
    phantoms = PhantomSet(1, 1, seed=9, size=256)
    background = phantoms.load(phantoms.cases[0])
    for seed in range(5):
        nodules = planting.draw(background, np.random.default_rng(seed))
        for i, a in enumerate(nodules):
            for b in nodules[:i]:
                gap = np.hypot(a.centre_mm[0] - b.centre_mm[0], a.centre_mm[1] - b.centre_mm[1])
                assert gap >= (a.diameter_mm + b.diameter_mm) / 2 + planting.distance_mm


def test_no_cluster_is_on_both_sides_and_none_is_lost():
    phantoms = PhantomSet(200, 2)
    train, test = (part_of(phantoms, split).cases for split in ("train", "test"))
    assert not {case.cluster for case in train} & {case.cluster for case in test}
    assert len(train) + len(test) == len(phantoms.cases)
    assert 0.08 < len(test) / len(phantoms.cases) < 0.22
    with pytest.raises(ValueError, match="'validation'"):
        part_of(phantoms, "validation")


def test_the_folder_for_yolo_has_every_box_where_the_nodule_is(phantoms, tmp_path):
    description = prepare([phantoms], tmp_path, size=128)
    assert description.is_file()
    images = sorted(tmp_path.glob("images/*/*.png"))
    assert len(images) == len(phantoms.cases)
    boxes = 0
    for case in phantoms.cases:
        (image,) = tmp_path.glob(f"images/*/phantom-{case.id.replace('#', '_')}.png")
        lines = (tmp_path / "labels" / image.parent.name / f"{image.stem}.txt").read_text().splitlines()
        radiograph = phantoms.load(case)
        with Image.open(image) as picture:
            assert picture.size == (128, 128)
        assert len(lines) == len(radiograph.nodules)
        for line, truth in zip(lines, radiograph.nodules, strict=True):
            _, x, y, width, height = (float(word) * 256 for word in line.split())
            assert (x - width / 2, y - height / 2) == pytest.approx(truth.box[:2], abs=0.01)
            boxes += 1
    assert boxes > 0


def test_what_is_prepared_is_not_made_again(phantoms, tmp_path):
    prepare([phantoms], tmp_path, size=64)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    prepare([phantoms], tmp_path, size=64)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}


@pytest.mark.parametrize(("degrees", "quarters"), [("", 0), ("180", 2), ("90", -1)])
def test_the_mask_of_a_film_that_the_manifest_turns_is_turned_with_it(tmp_path, degrees, quarters):
    mask = np.zeros((128, 160), dtype=np.uint8)
    mask[30:100, 90:130] = 255
    for name, picture in (("a.png", chest()), ("a.left_lung.png", mask)):
        write_png(tmp_path / name, np.ascontiguousarray(np.rot90(picture, -quarters)))
    (tmp_path / "manifest.csv").write_text(f"file,mm_per_px_x,mm_per_px_y,rotate_deg\na.png,1.5,1.5,{degrees}\n")
    (tmp_path / "boxes.csv").write_text("file,x_min,y_min,x_max,y_max\na.png,,,,\n")
    films = DatasetSet(tmp_path, regions=True)
    np.testing.assert_array_equal(films.load(films.cases[0]).regions["left_lung"], mask > 0)


def test_sets_of_one_name_are_refused_since_one_would_take_the_place_of_the_other(tmp_path):
    folder = tmp_path / "phantom"
    folder.mkdir()
    write_png(folder / "a.png", chest())
    (folder / "boxes.csv").write_text("file,x_min,y_min,x_max,y_max\na.png,40,40,60,60\n")
    asked = Namespace(data=folder, phantoms=1, backgrounds=None)
    with pytest.raises(SynnodError, match="two sets are called 'phantom'"):
        annotated_sets(asked, "all", fresh=True)


def test_a_set_without_one_annotated_nodule_is_refused_by_its_file(tmp_path):
    for name in ("a.png", "b.png"):
        write_png(tmp_path / name, chest())
    content = {"images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}], "annotations": []}
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    asked = Namespace(data=tmp_path, phantoms=0, backgrounds=None)
    with pytest.raises(SynnodError, match=r"annotations\.json: images\[0\]: from here on, none of 2 images has"):
        annotated_sets(asked, "all")


def test_films_without_nodules_are_trained_on_beside_phantoms_that_have_some_and_are_told(tmp_path, capsys):
    for name in ("a.png", "b.png"):
        write_png(tmp_path / name, chest())
    (tmp_path / "boxes.csv").write_text("file,x_min,y_min,x_max,y_max\na.png,,,,\nb.png,,,,\n")
    asked = Namespace(data=tmp_path, phantoms=3, backgrounds=None)
    sets = [*annotated_sets(asked, "train"), *annotated_sets(asked, "test")]
    assert sorted(case.id for one in sets if one.name == tmp_path.name for case in one.cases) == ["a", "b"]
    assert "no nodule is annotated: 2 images taken for such without any" in capsys.readouterr().err
    with pytest.raises(SynnodError, match="none of 2 images has"):  # no figure of these films is defined
        annotated_sets(asked, "all", fresh=True)


def test_a_split_without_an_annotated_nodule_is_refused_where_it_is_measured_on(tmp_path):
    names = [f"{number}.png" for number in range(20)]
    marked = next(name for name in names if not is_held_out(Path(name).stem))
    for name in names:
        write_png(tmp_path / name, chest())
    boxes = "".join(f"{name},40,40,60,60\n" if name == marked else f"{name},,,,\n" for name in names)
    (tmp_path / "boxes.csv").write_text(f"file,x_min,y_min,x_max,y_max\n{boxes}")
    asked = Namespace(data=tmp_path, phantoms=0, backgrounds=None)
    with pytest.raises(SynnodError, match="no image with an annotated nodule belongs to the split 'test'"):
        annotated_sets(asked, "test", fresh=True)
    assert [len(one.cases) for one in annotated_sets(asked, "test")] == [sum(map(is_held_out, map(str, range(20))))]
