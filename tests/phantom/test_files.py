"""Phantom data sets on disk: NODE21 layout, folders of PNGs, contact sheets."""

import csv
import re
import zlib
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest
from PIL import Image

from synnodtest.backgrounds import FolderSet
from synnodtest.cli import main
from synnodtest.errors import BackgroundError
from synnodtest.phantom import PhantomSet, contact_sheet, sets, write_dataset
from synnodtest.phantom.mha_writer import write_picture
from synnodtest.planning.cases import Case
from synnodtest.planning.variants import variants
from synnodtest.shell.run import Run
from synnodtest.shell.settings import Settings
from synnodtest.spec import load_spec
from synnodtest.store import Store


@pytest.fixture(scope="module")
def node21(tmp_path_factory):
    out = tmp_path_factory.mktemp("node21")
    write_dataset(out, count=4, nodules=True, size=128)
    return out


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def opened(path):
    with Image.open(path) as picture:
        picture.load()
        return picture


def parsed(path):
    """Read an .mha by its published format, independently of the package."""
    raw = path.read_bytes()
    head, _, data = raw.partition(b"ElementDataFile = LOCAL\n")
    fields = dict(line.split(" = ", 1) for line in head.decode("ascii").splitlines())
    width, height = map(int, fields["DimSize"].split())
    assert int(fields["CompressedDataSize"]) == len(data)
    pixels = np.frombuffer(zlib.decompress(data), "<u2").reshape(height, width)
    return fields, pixels


def test_an_mha_file_is_a_text_header_and_compressed_pixels(tmp_path):
    pixels = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300
    assert write_picture(tmp_path / "a.mha", (pixels / 4095).astype(np.float32), (0.5, 0.25)) == 12
    fields, read = parsed(tmp_path / "a.mha")
    np.testing.assert_array_equal(read, pixels)
    assert fields["ElementType"] == "MET_USHORT"
    assert fields["NDims"] == "2"
    assert fields["ElementSpacing"] == "0.25 0.5"
    assert fields["CompressedData"] == "True"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mha"]


def test_simpleitk_reads_what_was_written(node21):
    simpleitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    path = node21 / "cxr_images/proccessed_data/images/n0001.mha"
    image = simpleitk.ReadImage(str(path))
    fields, pixels = parsed(path)
    np.testing.assert_array_equal(simpleitk.GetArrayFromImage(image), pixels)
    assert image.GetSpacing() == pytest.approx(tuple(map(float, fields["ElementSpacing"].split())))


def test_the_node21_layout_is_node21s(node21):
    base = node21 / "cxr_images" / "proccessed_data"
    assert (base / "metadata.csv").read_text().splitlines()[0] == ",height,img_name,label,width,x,y"
    names = sorted(path.name for path in (base / "images").glob("*.mha"))
    assert names == ["c0001.mha", "c0002.mha", "n0001.mha", "n0002.mha"]
    rows = table(base / "metadata.csv")
    assert [row[""] for row in rows] == [str(k) for k in range(len(rows))]
    for row in rows:
        box = [int(row[key]) for key in ("x", "y", "width", "height")]
        if row["img_name"].startswith("c"):
            assert row["label"] == "0"
            assert box == [0, 0, 0, 0]
        else:
            assert row["label"] == "1"
            assert 0 < box[0] < box[0] + box[2] < 128
            assert 0 < box[1] < box[1] + box[3] < 128
    assert {row["img_name"] for row in rows} == set(names)


def test_pixels_are_12_bit_with_their_spacing_and_boxes_hold_something_bright(node21):
    base = node21 / "cxr_images" / "proccessed_data"
    spacing = {row["img_name"]: float(row["mm_per_px_x"]) for row in table(base / "phantoms.csv")}
    for path in (base / "images").glob("*.mha"):
        fields, pixels = parsed(path)
        assert pixels.dtype == np.uint16
        assert 2000 < pixels.max() <= 4095
        assert [float(v) for v in fields["ElementSpacing"].split()] == pytest.approx([spacing[path.name]] * 2)


def test_truth_tells_diameter_and_contrast_of_every_box(node21):
    base = node21 / "cxr_images" / "proccessed_data"
    boxes = [row for row in table(base / "metadata.csv") if row["label"] == "1"]
    truths = table(base / "truth.csv")
    assert len(boxes) == len(truths)
    spacing = {row["img_name"]: float(row["mm_per_px_x"]) for row in table(base / "phantoms.csv")}
    for box, truth in zip(boxes, truths, strict=True):
        assert (box["img_name"], float(box["x"])) == (truth["img_name"], float(truth["x_min"]))
        side = max(int(box["width"]), int(box["height"])) * spacing[box["img_name"]]
        assert side > 0.8 * float(truth["diameter_mm"])
        assert float(truth["contrast"]) > 0


def test_masks_beside_the_images_are_the_regions(node21):
    images = node21 / "cxr_images" / "proccessed_data" / "images"
    phantoms = PhantomSet("normal", 4, size=128)
    radiograph = phantoms.load(phantoms.backgrounds[1])
    for name, mask in radiograph.regions.items():
        np.testing.assert_array_equal(np.asarray(opened(images / f"c0001.{name}.png")), mask)
    _, pixels = parsed(images / "c0001.mha")
    np.testing.assert_array_equal(pixels, np.rint(radiograph.pixels * 4095).astype(np.uint16))


def test_an_interrupted_data_set_is_continued_and_finished_files_stay(tmp_path):
    def only_one(indices):
        yield from list(indices)[:1]

    order = {"count": 2, "size": 128, "masks": False}
    images = write_dataset(tmp_path, **order, progress=only_one)
    first = images / "c0001.mha"
    stamp = first.stat().st_mtime_ns
    write_dataset(tmp_path, **order)
    assert first.stat().st_mtime_ns == stamp
    assert len(table(images.parent / "metadata.csv")) == 2
    first.unlink()
    write_dataset(tmp_path, **order)
    assert first.is_file()
    content = first.read_bytes()
    write_dataset(tmp_path, **{**order, "seed": 1})
    assert first.read_bytes() != content


def test_another_call_leaves_nothing_of_the_one_before(tmp_path):
    """A radiograph that no table lists any more would count as free of nodules; old masks are of other persons."""
    write_dataset(tmp_path / "set", count=3, nodules=True, size=128)
    write_dataset(tmp_path / "set", count=1, seed=1, nodules=True, size=128, masks=False)
    write_dataset(tmp_path / "new", count=1, seed=1, nodules=True, size=128, masks=False)
    left, expected = (
        sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*")) for name in ("set", "new")
    )
    assert left == expected


def test_a_folder_of_phantoms_is_a_background_set(tmp_path):
    write_dataset(tmp_path, count=2, pneumothorax=True, layout="folder", size=128)
    folder = FolderSet(tmp_path, "pneumothorax")
    phantoms = PhantomSet("pneumothorax", 2, size=128)
    expected = {background.patient: background for background in phantoms.backgrounds}
    assert len(folder.backgrounds) == 2
    for background in folder.backgrounds:
        assert background.strata["sex"] == expected[background.patient].strata["sex"]
        read, made = folder.load(background), phantoms.load(expected[background.patient])
        np.testing.assert_allclose(read.pixels, made.pixels, atol=1e-5)
        assert read.spacing_mm == pytest.approx(made.spacing_mm)
        assert not read.estimated
        for name, mask in made.regions.items():
            if mask.any():
                np.testing.assert_array_equal(read.regions[name], mask)


def test_impossible_requests_are_refused(tmp_path):
    with pytest.raises(BackgroundError, match="shows no nodules"):
        write_dataset(tmp_path, count=1, nodules=True, layout="folder")
    with pytest.raises(BackgroundError, match="no layout"):
        write_dataset(tmp_path, count=1, layout="coco")
    with pytest.raises(BackgroundError, match="one or more"):
        write_dataset(tmp_path, count=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(BackgroundError, match="cannot be written"):
        write_dataset(tmp_path / "file", count=1, size=128)


def test_the_command_writes_a_data_set_and_a_contact_sheet(tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    words = ["phantom", "--out", str(tmp_path / "set"), "--count", "2", "--size", "128", "--pneumothorax"]
    assert main([*words, "--sheet", str(sheet), "--outlines", "air_leak", "--no-masks"]) == 0
    assert re.search(r"2 radiographs in .*images", capsys.readouterr().out)
    assert opened(sheet).size == (4 * 480, 500)  # one row of tiles and the legend
    assert not list((tmp_path / "set").rglob("*.png"))


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["phantom", "--out", str(tmp_path / "set"), "--count", "1", "--outlines", "lung", "hiler"])
    assert "'hiler'" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()
    assert main(["phantom", "--out", str(tmp_path), "--count", "0"]) == 1
    assert "one or more" in capsys.readouterr().err


def test_a_contact_sheet_has_a_tile_per_radiograph(tmp_path):
    phantoms = PhantomSet("normal", 3, size=128)
    radiographs = [phantoms.load(background) for background in phantoms.backgrounds]
    path = contact_sheet(radiographs, tmp_path / "sheets" / "a.png", columns=2, tile=100, regions=["lung"])
    assert opened(path).size == (200, 220)  # two rows of tiles and the legend of what is outlined


@pytest.fixture
def projections(monkeypatch):
    """The anatomy seeds whose projection a set asked for; made is each but once for all tests."""
    seen, project = [], sets.project

    def counted(anatomy, size):
        seen.append(anatomy.seed)
        return project(anatomy, size)

    monkeypatch.setattr(sets, "project", counted)
    return seen


def facts(radiograph):
    return {key: value for key, value in vars(radiograph).items() if key not in ("pixels", "regions")}


def test_a_phantom_is_projected_once_for_all_sets_runs_and_processes_that_share_a_store(tmp_path, projections):
    fresh = PhantomSet("normal", 2, size=128)
    plain = [fresh.load(background) for background in fresh.backgrounds]
    projections.clear()
    for count in (1, 2, 2):
        kept = PhantomSet("normal", count, size=128, cache=tmp_path)
        for background, expected in zip(kept.backgrounds, plain, strict=False):
            again = kept.load(background)
            assert again.content_sha256() == expected.content_sha256()
            assert facts(again) == facts(expected)
            assert {name: mask.tobytes() for name, mask in again.regions.items()} == {
                name: mask.tobytes() for name, mask in expected.regions.items()
            }
    assert len(projections) == 2


def test_while_another_process_makes_a_phantom_the_later_ones_are_made(tmp_path, projections):
    chests, store = PhantomSet("normal", 3, size=128, cache=tmp_path), Store(tmp_path)
    first, *later = chests.backgrounds
    with ThreadPoolExecutor(1) as pool:
        with store.turn("phantoms", first.content):
            loaded = pool.submit(chests.load, first)
            wait([loaded], timeout=0.2)
            for _ in range(600):
                if all(store.has("phantoms", one.content) for one in later):
                    break
                wait([loaded], timeout=0.1)
            made = [store.has("phantoms", one.content) for one in (first, *later)]
        assert made == [False, True, True]
        assert loaded.result(60).content_sha256() == PhantomSet("normal", 1, size=128).load(first).content_sha256()
    assert len(projections) == 4


def test_other_sets_sizes_and_master_seeds_are_other_phantoms_of_a_store(tmp_path, projections):
    made = set()
    for name, seed, size in [("normal", 0, 128), ("normal", 1, 128), ("normal", 0, 192), ("pneumothorax", 0, 128)]:
        kept = PhantomSet(name, 1, seed, size=size, cache=tmp_path)
        made.add(kept.load(kept.backgrounds[0]).content_sha256())
    assert len(made) == len(projections) == 4


def test_every_behaviour_of_a_run_shares_the_phantoms_of_its_store(tmp_path, projections, monkeypatch):
    monkeypatch.setitem(PhantomSet.__init__.__kwdefaults__, "size", 128)  # of 1024, each takes seconds
    behaviour = "{{id: b{n}, statement: s, scenes: {{backgrounds: {{set: normal, count: {n}}}}}, expect: [{what}]}}"
    what = "specificity: {at_least: 0.1}"
    lines = ["synnodtest: 1", "behaviours:", *(f"  - {behaviour.format(n=n, what=what)}" for n in (1, 2))]
    (tmp_path / "spec.yaml").write_text("\n".join(lines))
    (tmp_path / "quiet.py").write_text("def make():\n    return lambda radiographs: [[] for _ in radiographs]\n")
    spec = load_spec(tmp_path / "spec.yaml")
    for _ in range(2):
        run = Run(Settings(tmp_path, f"{tmp_path}/quiet.py:make", "gaussian", cache=tmp_path / "store"))
        for case in (Case(b.id, spec, b, v) for b in spec.behaviours for v in variants(b, b.expectations[0])):
            run.gather(case)
    # Behaviours of one and of two phantoms, and those that a quiet detector is tried on: each projected once.
    assert len(projections) == len(set(projections)) >= 2


def test_no_bar_is_drawn_where_nobody_watches(tmp_path, capsys):
    assert main(["phantom", "--out", str(tmp_path), "--count", "1", "--size", "128"]) == 0
    assert capsys.readouterr().err == ""
