"""The studio's model, without a page: what is opened, made, explored, exported, and taken out as a spec."""

import json
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synnodtest import SynnodError
from synnodtest.backgrounds import open_backgrounds
from synnodtest.cli import main
from synnodtest.phantom import PhantomSet
from synnodtest.spec import load_spec
from synnodtest.studio import spec_run
from synnodtest.studio.bench import BATCH, SEED, Bench
from synnodtest.studio.case import Catalogue
from synnodtest.studio.explore import SWEPT, levels_between, usual_range
from synnodtest.studio.spec_run import bundle, run_spec
from tests.backgrounds.radiograph_files import chest, write_dicom, write_mha, write_png
from tests.remembered import UNDRAWN


def test_what_was_read_of_a_file_is_noted(session, film):
    case = session.open_file(film, film.name, (0.8, 0.9))
    assert case.file == "some-film.png"
    assert case.radiograph.spacing_mm == (0.8, 0.9)
    assert any("360 x 300 pixels" in note for note in case.notes)
    assert any("regions estimated" in note and "lung" in note for note in case.notes)


def test_a_dicom_film_knows_its_own_pixel_size(session, tmp_path):
    pytest.importorskip("pydicom", reason="DICOM needs the extra 'dicom'")
    path = write_dicom(tmp_path / "IM0001", chest(300, 360, bits=12), ImagerPixelSpacing=["0.8", "0.9"])
    case = session.open_file(path, "IM0001", None)
    assert case.file == "IM0001.dcm"
    assert case.radiograph.spacing_mm == (0.8, 0.9)


def oversized_png(path):
    header = struct.pack(">IIBBBBB", 46341, 46341, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    empty = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + empty)
    return path


def renamed_text(path):
    path.write_text("no radiograph at all\n" * 50)
    return path


def coloured(path):
    return write_png(path, np.random.default_rng(0).integers(0, 255, (300, 360, 3), dtype=np.uint8), colour_type=2)


def truncated_dicom(path):
    pytest.importorskip("pydicom", reason="DICOM needs the extra 'dicom'")
    write_dicom(path, chest(300, 360, bits=12))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def dicom_without_its_image(path):
    pytest.importorskip("pydicom", reason="DICOM needs the extra 'dicom'")
    write_dicom(path, chest(300, 360, bits=12))
    path.write_bytes(path.read_bytes()[:200])
    return path


def lateral_dicom(path):
    pytest.importorskip("pydicom", reason="DICOM needs the extra 'dicom'")
    return write_dicom(path, chest(300, 360, bits=12), ViewPosition="LL")


def volume(path):
    return write_mha(path, np.zeros((40, 300, 360), np.uint16), spacing=(0.9, 0.9, 1))


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("notes.png", renamed_text, "not a readable PNG"),
        ("notes.dcm", renamed_text, "not a DICOM file"),
        ("notes.txt", renamed_text, "no radiograph by its name"),
        ("huge.png", oversized_png, "2147488281 pixels exceed"),
        ("short.dcm", truncated_dicom, "short.dcm: "),
        ("header.dcm", dicom_without_its_image, "header.dcm: a DICOM file without an image"),
        ("side.dcm", lateral_dicom, "side.dcm: view LL"),
        ("holiday.png", coloured, "colour"),
        ("ct.mha", volume, "volume"),
    ],
)
def test_what_is_no_radiograph_is_refused_in_words_and_nothing_else_is_touched(opened, tmp_path, name, make, said):
    before = opened.case
    with pytest.raises(SynnodError) as refused:
        opened.open_file(make(tmp_path / "upload"), name, (0.9, 0.9))
    assert said in str(refused.value)
    assert refused.value.hint
    assert str(opened.folder) not in str(refused.value)
    assert opened.case is before


def test_a_png_without_a_pixel_size_is_asked_for_it(session, film):
    with pytest.raises(SynnodError, match="size of a pixel") as refused:
        session.open_file(film, film.name, None)
    assert "type the size" in refused.value.hint


@pytest.mark.parametrize("box", [(300, 20, 400, 60), (-9, 20, 40, 60), (50, 60, 40, 70), (400, 400, 450, 450)])
def test_a_box_outside_the_radiograph_is_refused(opened, box):
    with pytest.raises(SynnodError, match=r"outside the radiograph|is empty"):
        opened.add(box)
    assert opened.requests == {}


def test_nodules_are_named_changed_and_removed(opened):
    opened.add((100, 100, 120, 120))
    opened.add((200, 100, 220, 120))
    opened.change("nodule", diameter_mm=12.0, contrast=0.5)
    opened.remove("nodule-2")
    assert [(w.name, w.diameter_mm, w.contrast) for w in opened.requests.values()] == [("nodule", 12.0, 0.5)]
    assert opened.selected == "nodule"
    with pytest.raises(SynnodError, match="no nodule"):
        opened.remove("nodule-2")


def test_nothing_to_make_is_said(opened):
    with pytest.raises(SynnodError, match="no nodule yet"):
        opened.plant()


def made(session):
    session.add((100, 100, 124, 124))
    session.add((220, 140, 250, 164))
    session.change("nodule", contrast=0.6)
    return session.plant()


def test_two_nodules_are_made_and_two_detectors_look(opened, detectors):
    result = made(opened)
    assert [truth.name for truth in result.after.nodules] == ["nodule", "nodule-2"]
    assert tuple(result.findings) == detectors
    strong, faint = (result.findings[name][0][1] for name in detectors)
    assert faint == pytest.approx(strong / 2)
    diameter = next(row for row in result.rows[0] if row.name == "diameter_mm")
    assert diameter.realised == pytest.approx(24 * 0.9, rel=0.03)
    assert result.rejected == ""


def test_a_sham_leaves_the_film_as_it_is(opened):
    opened.add((100, 100, 124, 124))
    opened.sham = True
    result = opened.plant()
    assert np.array_equal(result.after.pixels, result.before.pixels)


def test_the_export_holds_the_uploads_pixels_outside_the_nodules(opened, film):
    result = made(opened)
    with Image.open(opened.export("PNG, 8 bits", size=None, mark=False)) as image:
        stored = np.asarray(image)
    with Image.open(film) as image:
        uploaded = np.asarray(image)
    same = result.after.pixels == result.before.pixels
    assert np.array_equal(stored[same], uploaded[same])
    assert not np.array_equal(stored[~same], uploaded[~same])


@pytest.mark.parametrize("kind", ["PNG, 16 bits", "MHA", "DICOM secondary capture"])
def test_every_export_says_synthetic(opened, kind):
    if "DICOM" in kind:
        pytest.importorskip("pydicom", reason="DICOM needs the extra 'dicom'")
    made(opened)
    assert b"SYNTHETIC" in opened.export(kind, size=1024, mark=True).read_bytes()


# --- as a spec --------------------------------------------------------------------------------------------------------


def test_the_scenes_spec_runs_under_pytest_to_the_same_pixels_and_findings(opened, detectors, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p tests.remembered -p no:hypothesispytest --synnod-conform off")
    monkeypatch.setenv(UNDRAWN, "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    result = made(opened)
    run = run_spec(opened, opened.text("scene"), "scene.yaml", lambda: False)
    assert run.report is not None, run.lines
    (scene,) = json.loads((run.report / "results.json").read_text())["scenes"].values()
    assert scene["radiograph_sha256"] == result.after.content_sha256()
    told = sorted((found["score"], *found["box"]) for found in scene["findings"])
    seen = sorted((score, *box) for box, score in result.findings[detectors[0]])
    assert told == [pytest.approx(one) for one in seen[-len(told) :]]
    assert len(told) == len(seen)
    with Image.open(opened.export("PNG, 16 bits", size=None, mark=False)) as image:
        assert np.array_equal(np.asarray(image), np.rint(result.after.pixels.astype(float) * 65535))
    assert any("INCONCLUSIVE" in line for line in run.lines)


def test_the_bundle_is_the_spec_and_the_very_background(opened, tmp_path):
    made(opened)
    with zipfile.ZipFile(bundle(opened, opened.text("scene"), "scene.yaml")) as archive:
        archive.extractall(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "scene.yaml").read_text() == opened.text("scene")
    (there,) = open_backgrounds(tmp_path / "elsewhere" / "cxr", "studio").backgrounds
    (here,) = opened.case.backgrounds.backgrounds
    assert (there.id, there.content) == (here.id, here.content)


def test_the_python_makes_the_same_picture(opened, tmp_path):
    result = made(opened)
    code = opened.python_text().replace("write_radiograph(made", "print(made.content_sha256())\nwrite_radiograph(made")
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=opened.case.folder, capture_output=True, text=True, check=True
    )
    with Image.open(opened.case.folder / "made.png") as image:
        stored = np.asarray(image)
    assert np.array_equal(stored, np.rint(result.after.pixels.astype(float) * 65535)), ran.stdout


@pytest.mark.parametrize(
    "what", ["scene", "fuzz", "sweep", "sweep of a density", "sweep of a feature", "map", "companion", "leak"]
)
def test_every_text_is_a_valid_spec(opened, tmp_path, what):
    leak = np.zeros((300, 360), bool)
    leak[60:120, 40:100] = True
    opened.paint("air_leak", leak)
    opened.add((100, 100, 124, 124))
    opened.change("nodule", radiomics={"Sphericity": 0.9})
    texts = {
        "scene": lambda: opened.text("scene"),
        "fuzz": lambda: opened.text("fuzz"),
        "sweep": lambda: opened.text("sweep", "diameter_mm", [6, 10, 14, 20, 30]),
        "sweep of a density": lambda: opened.text("sweep", "density", [0.5, 1, 1.5, 2, 3]),
        "sweep of a feature": lambda: opened.text("sweep", "Sphericity", [0.7, 0.8, 0.9]),
        "map": lambda: opened.text("map", "lung", 12),
        "companion": lambda: opened.text("companion", 20, 40),
        "leak": lambda: opened.text("leak", 9.5),  # as one may type it beside the slider
    }
    path = tmp_path / "made.yaml"
    path.write_text(texts[what]())
    (behaviour,) = load_spec(path).behaviours
    assert behaviour.gate == "exploratory"


@pytest.mark.parametrize("over", SWEPT)
def test_every_quantity_can_be_swept_over_its_usual_range(opened, tmp_path, over):
    opened.add((100, 100, 124, 124))
    low, high = usual_range(over)
    path = tmp_path / "made.yaml"
    path.write_text(opened.text("sweep", over, levels_between(low, high, 5)))
    (behaviour,) = load_spec(path).behaviours
    assert low < high
    assert behaviour.id == "studio-sweep"


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ({"contrast": 0.4}, "contrast: 0.4"),
        ({"density": 1.5}, "density: 1.5"),
        ({"attenuation": "part-solid"}, 'attenuation: "part-solid"'),
        ({"margin": "spiculated"}, "margin: spiculated"),
        ({}, "density: "),
    ],
)
def test_brightness_and_margin_stand_in_the_spec_as_they_were_asked_for(opened, asked, written):
    opened.add((100, 100, 124, 124))
    opened.change("nodule", **asked)
    assert written in opened.text("scene")
    (nodule,) = opened.plant().scene.nodules
    assert (nodule.attenuation, nodule.margin) == (asked.get("attenuation", ""), asked.get("margin", ""))
    if "density" in asked:
        assert nodule.density == 1.5


def test_what_a_spec_does_not_take_is_said_without_the_folder_of_the_session(opened):
    opened.add((100, 100, 130, 130))
    opened.change("nodule", contrast=30.0)
    with pytest.raises(SynnodError, match="contrast: must be at most 1, not 30") as refused:
        opened.plant()
    assert str(refused.value).startswith("scene.yaml:")


def test_brightness_is_said_once(opened):
    opened.add((100, 100, 124, 124))
    opened.change("nodule", density=1.0)
    with pytest.raises(SynnodError, match="each say how bright"):
        opened.change("nodule", contrast=0.3)
    assert opened.requests["nodule"].contrast is None


def test_a_seed_in_a_spec_is_the_nodules_seed(opened, tmp_path):
    opened.add((100, 100, 124, 124))
    opened.change("nodule", seed=77)
    (planted,) = [opened.plant().scene]
    assert [nodule.seed for nodule in planted.nodules] == [77]


# --- exploring --------------------------------------------------------------------------------------------------------


def explored(session, detectors, kind, text):
    *_, last = session.explore(kind, kind, text, detectors[0])
    return last


def test_a_sweep_holds_place_and_changes_size_alone(opened, detectors):
    opened.add((150, 100, 174, 124))
    opened.change("nodule", contrast=0.6)
    last = explored(opened, detectors, "sweep", opened.text("sweep", "diameter_mm", [8, 16, 24]))
    assert [point.level for point in last.points] == [8, 16, 24]
    assert [point.diameter_mm for point in last.points] == pytest.approx([8, 16, 24], rel=0.06)
    assert len({scene.scene.nodules[0].centre_mm for scene in last.scenes}) == 1
    assert len({point.contrast for point in last.points}) <= 3


def test_a_map_stays_in_its_region_and_can_be_cancelled(opened, detectors):
    opened.add((150, 100, 162, 112))
    steps = opened.explore("map", "map", opened.text("map", "lung", 12), detectors[0])
    first = next(steps)
    opened.cancelled.set()
    last = list(steps)[-1]
    lung = opened.case.radiograph.regions["lung"]
    assert first.total == 12
    assert last.cancelled
    assert 0 < last.done < 12
    assert all(lung[int(point.y), int(point.x)] for point in last.points)


def test_the_studio_draws_places_by_the_seed_of_a_run_that_names_none(pytestconfig):
    assert pytestconfig.getoption("--synnod-seed") == SEED


def test_a_companion_is_judged_by_the_first_nodule_alone(opened, detectors):
    opened.add((60, 100, 72, 112))
    last = explored(opened, detectors, "companion", opened.text("companion", 20, 60))
    assert [point.label for point in last.points] == ["single", "double"]
    assert [len(scene.scene.nodules) for scene in last.scenes] == [1, 2]
    assert last.points[0].x == pytest.approx(last.points[1].x, abs=1)


def test_nodules_lie_in_a_painted_leak(opened, detectors):
    leak = np.zeros((300, 360), bool)
    leak[60:140, 60:140] = True
    with pytest.raises(SynnodError, match="no air leak"):
        opened.text("leak", 4)
    opened.paint("air_leak", leak)
    opened.add((90, 90, 100, 100))
    last = explored(opened, detectors, "leak", opened.text("leak", 5))
    assert last.done == 5
    assert all(leak[int(point.y), int(point.x)] for point in last.points)


# --- the end ----------------------------------------------------------------------------------------------------------


def test_nothing_of_a_closed_session_is_left(opened):
    made(opened)
    opened.export("MHA", size=None, mark=False)
    assert opened.folder.exists()
    opened.close()
    assert not opened.folder.exists()


def test_work_that_outlasts_its_session_leaves_nothing(opened, detectors):
    opened.add((150, 100, 162, 112))
    steps = opened.explore("map", "map", opened.text("map", "lung", 12), detectors[0])
    for _ in range(BATCH):
        next(steps)
    opened.close()
    with pytest.raises(SynnodError, match="cannot be written"):
        list(steps)
    with pytest.raises(SynnodError, match="no such file"):
        opened.plant()
    assert not opened.folder.exists()


def test_the_report_of_an_earlier_run_is_not_shown_as_that_of_one_without(opened, monkeypatch):
    opened.add((100, 100, 124, 124))
    wrote = iter([["20260101T000000Z-aaaaaa"], []])

    def run(command, output, stopped):
        output.write_text("")
        for name in next(wrote):
            folder = opened.case.folder / "reports" / name
            folder.mkdir(parents=True)
            (folder / "report.html").write_text("")
        return 0

    monkeypatch.setattr(spec_run, "_run", run)
    first, second = (run_spec(opened, opened.text("scene"), "scene.yaml", lambda: False) for _ in range(2))
    assert first.report.name == "20260101T000000Z-aaaaaa"
    assert second.report is None


def test_a_run_that_is_stopped_ends_with_all_that_it_started(opened):
    opened.add((100, 100, 124, 124))
    with pytest.raises(SynnodError, match="stopped before its end"):
        run_spec(opened, opened.text("scene"), "scene.yaml", lambda: True)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(opened.case.folder) not in listed


def test_what_a_manifest_says_of_a_film_counts_when_it_is_picked(session, tmp_path):
    upright = chest(300, 360)
    films = tmp_path / "films"
    films.mkdir()
    write_png(films / "a.png", np.rot90(255 - upright))
    (films / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y,polarity,rotate_deg\na.png,0.8,0.9,inverted,90\n")
    session.catalogue = Catalogue(films, tmp_path / "cache")
    case = session.pick("a.png")
    assert np.array_equal(np.rint(case.radiograph.pixels * 255), upright)


def test_a_file_that_a_manifest_would_explain_is_told_where_the_manifest_goes(session, tmp_path):
    write_png(tmp_path / "dark.png", chest(300, 360) // 64)
    with pytest.raises(SynnodError, match="its values was misread") as told:
        session.open_file(tmp_path / "dark.png", "dark.png", (0.8, 0.8))
    assert told.value.hint.startswith(
        "put the film into a folder with a manifest (--backgrounds), and there write into"
    )


def test_phantoms_can_be_picked_with_their_masks(session, monkeypatch):
    monkeypatch.setitem(PhantomSet.__init__.__kwdefaults__, "size", 128)  # of 1024, it takes seconds
    label = next(label for label in session.catalogue.labels if label.startswith("phantom normal"))
    case = session.pick(label)
    assert {"lung", "rib", "clavicle"} <= set(case.radiograph.regions)
    assert not case.radiograph.estimated


def test_a_model_that_raises_while_it_is_loaded_does_not_keep_the_page_waiting(tmp_path):
    raising = tmp_path / "raising.py"
    raising.write_text("def make():\n    def work(*given):\n        raise KeyError('weights')\n    return work\n")
    Bench((f"{raising}:make",), (f"{raising}:make",)).preload()  # told when it is used


@pytest.mark.parametrize(
    ("named", "said"),
    [(["--detector", "no-such"], "no-such"), (["--synthesizer", "no-such"], "no-such"), (["--port", "99999"], "99999")],
)
def test_a_slip_in_the_command_is_told_before_anything_is_served(capsys, named, said):
    assert main(["studio", "--no-browser", *named]) == 1
    assert said in capsys.readouterr().err
