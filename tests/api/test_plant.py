"""``from synnodtest import plant, read_radiograph, write_radiograph, open_detector``: one nodule in one radiograph."""

import errno
import json
import math
import os
import warnings
import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synnodtest import (
    BackgroundError,
    Finding,
    Nodule,
    Radiograph,
    SynnodError,
    SynthesizerError,
    Truth,
    open_detector,
    plant,
    read_radiograph,
    write_radiograph,
)
from synnodtest.api.comparison import compared
from synnodtest.backgrounds.listing import list_radiographs
from synnodtest.backgrounds.writers import resized, says_planted
from synnodtest.cli import main
from synnodtest.radiograph import lung_range
from tests.backgrounds.radiograph_files import chest, write_dicom, write_mha, write_png

pytestmark = pytest.mark.usefixtures("unturned")

SPACING = (0.9, 1.1)


@pytest.fixture
def film():
    pixels = (chest(220, 260).astype(np.float64) / 255).astype(np.float32)
    lung = np.zeros(pixels.shape, dtype=bool)
    lung[40:180, 30:230] = True
    return Radiograph(pixels=pixels, spacing_mm=SPACING, regions={"lung": lung}, background="film", source="film")


def test_a_box_means_place_and_size(film):
    made = plant(film, box=(100, 80, 130, 104), contrast=0.4, synthesizer="gaussian")
    (truth,) = made.nodules
    x_min, y_min, x_max, y_max = truth.box
    assert ((x_min + x_max) / 2, (y_min + y_max) / 2) == pytest.approx((115, 92), abs=1)
    assert truth.diameter_mm == pytest.approx(math.sqrt(30 * 1.1 * 24 * 0.9), rel=0.03)
    assert made.pixels[92, 115] > film.pixels[92, 115]


@pytest.mark.parametrize(
    "place", [{"centre": (115, 92)}, {"centre_mm": (115 * 1.1, 92 * 0.9)}, {"box": (115, 92)}], ids=str
)
def test_a_centre_in_pixels_or_millimetres_is_the_same_place(film, place):
    made = plant(film, **place, diameter_mm=20, contrast=0.4, synthesizer="gaussian")
    rows, columns = np.nonzero(made.nodules[0].mask(film.shape))
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((115, 92), abs=0.6)


def test_pixels_away_from_the_nodule_and_the_given_radiograph_stay_as_they_are(film):
    before = film.pixels.copy()
    made = plant(film, centre=(115, 92), diameter_mm=20, contrast=0.4, synthesizer="gaussian")
    y, x = np.mgrid[: film.shape[0], : film.shape[1]]
    near = np.hypot((x + 0.5 - 115) * 1.1, (y + 0.5 - 92) * 0.9) < 20
    assert np.array_equal(film.pixels, before)
    assert np.array_equal(made.pixels[~near], before[~near])


def test_contrast_is_what_was_asked_for_measured_by_hand(film):
    made = plant(film, centre=(115, 92), diameter_mm=20, contrast=0.25, synthesizer="gaussian")
    mask, lung = made.nodules[0].mask(film.shape), film.regions["lung"]
    low, high = np.percentile(film.pixels[lung], [5, 95])
    added = (made.pixels.astype(np.float64) - film.pixels)[mask].mean()
    assert added / (high - low) == pytest.approx(0.25, rel=0.01)


def test_a_second_nodule_keeps_the_first_and_gets_a_name_of_its_own(film):
    one = plant(film, centre=(80, 92), diameter_mm=12, contrast=0.4, synthesizer="gaussian")
    two = plant(one, centre=(160, 92), diameter_mm=16, contrast=0.4, synthesizer="gaussian")
    assert [truth.name for truth in two.nodules] == ["nodule", "nodule-2"]
    assert two.nodules[0] is one.nodules[0]


def test_several_nodules_at_once_are_those_given(film):
    wanted = [Nodule(12, (80, 90), 0.3, name="a"), Nodule(16, (180, 90), 0.4, name="b")]
    made = plant(film, nodules=wanted, synthesizer="gaussian")
    assert [(t.name, round(t.diameter_mm)) for t in made.nodules] == [("a", 12), ("b", 16)]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({}, "where is the nodule"),
        ({"centre": (1, 1)}, "how large"),
        ({"box": (10, 10, 30, 30), "centre": (20, 20)}, "one place"),
        ({"box": (240, 10, 300, 60)}, "260 x 220 pixels"),
        ({"box": (30, 10, 10, 30)}, "empty"),
        ({"centre": (500, 20), "diameter_mm": 9}, "outside the radiograph"),
        ({"centre": (20, 20), "diameter_mm": 0}, "diameter_mm must be above 0 and at most 5000, not 0"),
        ({"centre": (20, 20), "diameter_mm": float("nan")}, "diameter_mm must be above 0 and at most 5000, not nan"),
        ({"centre": (20, 20), "diameter_mm": 1e9}, "diameter_mm must be above 0 and at most 5000, not 1e.09"),
    ],
)
def test_a_place_that_is_none_is_refused_in_words(film, place, said):
    with pytest.raises(SynnodError, match=said) as refused:
        plant(film, **place, synthesizer="gaussian")
    assert refused.value.hint


def test_an_attenuation_that_is_none_is_refused_in_words(film):
    with pytest.raises(SynthesizerError, match="'solide' is not one of ground-glass, part-solid, solid, calcified"):
        plant(film, (70, 80, 92, 102), attenuation="solide", synthesizer="gaussian")


@pytest.mark.parametrize("beside", [{"box": np.array((70, 80, 92, 102))}, {"contrast": 0.3}, {"margin": "smooth"}])
def test_what_several_nodules_would_leave_out_is_refused(film, beside):
    (name,) = beside
    with pytest.raises(SynthesizerError, match=f"nodules are given, and {name} beside them"):
        plant(film, nodules=[Nodule(12.0, (60.0, 60.0))], synthesizer="gaussian", **beside)


def test_without_a_lung_region_it_says_what_contrast_means_then(film):
    with pytest.warns(UserWarning, match="no lung region.*middle half of the picture"):
        plant(replace(film, regions={}), centre=(115, 92), diameter_mm=20, contrast=0.3, synthesizer="gaussian")


def test_with_a_lung_region_nothing_is_warned_of(film):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plant(film, centre=(115, 92), diameter_mm=20, contrast=0.3, synthesizer="gaussian")


def test_a_nodule_that_a_run_would_exclude_is_said(film):
    with pytest.warns(UserWarning, match="a run would exclude this scene"):
        plant(film, centre=(115, 92), diameter_mm=20, contrast=0.02, synthesizer=_faint)


class _Faint:
    sham_is_identity = True

    def synthesize(self, scenes, backgrounds):
        crop = np.ones((4, 4), dtype=bool)
        truth = Truth("nodule", crop, (90, 110), 4.0, 0.0, {"diameter_mm": 20})
        return [background.with_pixels(background.pixels, (truth,)) for background in backgrounds]


_faint = _Faint()


def test_a_synthesizer_of_ones_own_is_held_to_what_it_made_as_in_a_run(film):
    def square(scenes, backgrounds, *, said=0.5, names=("nodule",)):
        (background,), crop, pixels = backgrounds, np.ones((20, 20), dtype=bool), backgrounds[0].pixels.astype(float)
        pixels[82:102, 105:125] += 0.5 * lung_range(background)
        truths = [Truth(name, crop, (82, 105), np.float32(40 * (0.99 / np.pi) ** 0.5), said) for name in names]
        return [Radiograph(pixels, (7.0, 7.0), nodules=tuple(truths))]

    made = plant(film, centre=(115, 92), diameter_mm=20, contrast=0.5, synthesizer=square)
    assert made.pixels.dtype == np.float32  # and all that is not planted is the film's
    assert (made.spacing_mm, made.regions, made.background) == (film.spacing_mm, film.regions, film.background)
    for wrong, told in (({"said": 0.9}, "contrast of 0.900, its pixels 0.500"), ({"names": ()}, r"truth of \[\]")):
        with pytest.raises(SynthesizerError, match=told):
            plant(film, centre=(115, 92), diameter_mm=20, contrast=0.5, synthesizer=partial(square, **wrong))
    with pytest.raises(SynthesizerError, match="the pixels are float32 of shape"):
        plant(film, centre=(115, 92), diameter_mm=20, contrast=0.5, synthesizer=lambda s, b: [_with_channel(b[0])])
    with pytest.raises(SynthesizerError, match="neither a function nor an object with synthesize"):
        plant(film, centre=(115, 92), diameter_mm=20, contrast=0.5, synthesizer=7)


def _with_channel(background):
    return background.with_pixels(background.pixels[..., None])


def test_the_diffusion_model_is_the_default_and_the_seed_decides(film):
    pytest.importorskip("diffusers", reason="the diffusion synthesizer needs the extra 'diffusion'")
    one, again, other = (plant(film, box=(100, 80, 122, 106), contrast=0.3, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(one.pixels, again.pixels)
    assert not np.array_equal(one.pixels, other.pixels)
    assert one.nodules[0].diameter_mm == pytest.approx(math.sqrt(22 * 1.1 * 26 * 0.9), rel=0.1)


# --- reading ---------------------------------------------------------------------------------------------------------


def test_the_pixel_size_is_given_once_or_asked_for(tmp_path):
    path = write_png(tmp_path / "film.png", chest(300, 400))
    with pytest.raises(SynnodError, match="size of a pixel") as refused:
        read_radiograph(path)
    assert "mm_per_px" in refused.value.hint
    assert read_radiograph(path, mm_per_px=0.9, regions=False).spacing_mm == (0.9, 0.9)
    assert read_radiograph(path, mm_per_px=(0.8, 0.9), regions=False).spacing_mm == (0.9, 0.8)
    assert read_radiograph(path, spacing_mm=(0.9, 0.8), regions=False).spacing_mm == (0.9, 0.8)
    with pytest.raises(SynnodError, match="twice"):
        read_radiograph(path, mm_per_px=0.9, spacing_mm=(0.9, 0.9))


@pytest.mark.parametrize(("rows", "spacing"), [(["film.png"], (0.9, 0.8)), (["film.png", "a/film.png"], None)])
def test_the_manifest_above_a_folder_of_images_may_name_the_file_alone(tmp_path, rows, spacing):
    (tmp_path / "images").mkdir()
    path = write_png(tmp_path / "images" / "film.png", chest(300, 400))
    told = "".join(f"{name},0.8,0.9\n" for name in rows)
    (tmp_path / "manifest.csv").write_text(f"file,mm_per_px_x,mm_per_px_y\n{told}")
    if spacing is None:
        with pytest.raises(BackgroundError, match="size of a pixel"):
            read_radiograph(path, regions=False)
    else:
        assert read_radiograph(path, regions=False).spacing_mm == spacing


def test_manifest_and_masks_beside_the_file_are_read(tmp_path):
    path = write_png(tmp_path / "film.png", chest(300, 400))
    mask = np.zeros((300, 400), np.uint8)
    mask[50:200, 40:360] = 255
    write_png(tmp_path / "film.lung.png", mask)
    (tmp_path / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y,patient\nfilm.png,0.8,0.9,p7\n")
    film = read_radiograph(path, regions=False)
    assert (film.spacing_mm, film.patient) == ((0.9, 0.8), "p7")
    assert np.array_equal(film.regions["lung"], mask > 0)


def test_regions_are_found_where_no_mask_gives_them(tmp_path):
    path = write_png(tmp_path / "film.png", chest(300, 400))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two ovals are doubtful lungs
        film = read_radiograph(path, mm_per_px=0.9)
    assert film.regions["lung"].any()
    assert "lung" in film.estimated


# --- writing ---------------------------------------------------------------------------------------------------------


def planted(film):
    return plant(film, centre=(115, 92), diameter_mm=20, contrast=0.4, synthesizer="gaussian")


def test_png_keeps_sixteen_bits_and_says_synthetic(film, tmp_path):
    made = planted(film)
    path = write_radiograph(made, tmp_path / "out.png")
    with Image.open(path) as image:
        stored, text = np.asarray(image), image.text
    assert np.array_equal(stored, np.rint(made.pixels.astype(float) * 65535))
    assert "SYNTHETIC" in text["Comment"]
    note = json.loads(text["synnodtest"])
    assert note["nodules"][0]["box_px"] == list(made.nodules[0].box)
    again = read_radiograph(path, regions=False)
    assert again.spacing_mm == SPACING
    assert np.abs(again.pixels - made.pixels).max() < 1e-5


def test_png_of_eight_bits_keeps_the_untouched_pixels_of_an_eight_bit_film(film, tmp_path):
    made = planted(film)
    with Image.open(write_radiograph(made, tmp_path / "out.png", bits=8)) as image:
        stored = np.asarray(image)
    same = made.pixels == film.pixels
    assert stored.dtype == np.uint8
    assert np.array_equal(stored[same], chest(220, 260)[same])


def test_a_twelve_bit_film_comes_out_of_mha_as_it_went_in(tmp_path):
    array = chest(220, 260, bits=12)
    film = read_radiograph(write_mha(tmp_path / "in.mha", array, spacing=(1.1, 0.9)), regions=False)
    film = replace(film, regions={"lung": np.ones(film.shape, bool)})
    made = planted(film)
    data = write_radiograph(made, tmp_path / "out.mha").read_bytes()
    header, _, body = data.partition(b"ElementDataFile = LOCAL\n")
    stored = np.frombuffer(zlib.decompress(body), "<u2").reshape(220, 260)
    same = made.pixels == film.pixels
    assert np.array_equal(stored[same], array[same])
    assert b"SYNTHETIC" in header


def test_dicom_is_a_secondary_capture_that_says_synthetic(film, tmp_path):
    pydicom = pytest.importorskip("pydicom", reason="DICOM needs the extra 'dicom'")
    made = planted(film)
    data = pydicom.dcmread(write_radiograph(made, tmp_path / "out.dcm"))
    assert data.SOPClassUID.name == "Secondary Capture Image Storage"
    assert list(data.ImageType)[:2] == ["DERIVED", "SECONDARY"]
    assert "SYNTHETIC" in data.SeriesDescription
    assert "SYNTHETIC" in str(data.PatientName)
    assert [float(step) for step in data.PixelSpacing] == list(SPACING)
    assert np.array_equal(data.pixel_array, np.rint(made.pixels.astype(float) * 65535))


def test_a_dicom_film_in_gives_its_untouched_pixels_back(tmp_path):
    pytest.importorskip("pydicom", reason="DICOM needs the extra 'dicom'")
    path = write_dicom(tmp_path / "in.dcm", chest(220, 260, bits=12))
    film = read_radiograph(path, regions=False)
    made = planted(replace(film, regions={"lung": np.ones(film.shape, bool)}))
    again = read_radiograph(write_radiograph(made, tmp_path / "out.dcm"), regions=False)
    same = made.pixels == film.pixels
    assert np.array_equal(again.pixels[same], film.pixels[same])


def test_what_was_not_planted_is_not_called_synthetic(film, tmp_path):
    with Image.open(write_radiograph(film, tmp_path / "out.png")) as image:
        assert "Comment" not in image.text
    assert b"SYNTHETIC" not in write_radiograph(film, tmp_path / "out.mha").read_bytes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda film: {"pixels": film.pixels * 255}, "float32 of shape.*to 199"),
        (lambda film: {"pixels": (film.pixels * 255).astype(np.uint8)}, "the pixels are uint8"),
        (lambda film: {"pixels": np.full_like(film.pixels, np.nan)}, "from nan to nan"),
        (lambda film: {"spacing_mm": (0.0, 1.0)}, "spacing"),
        (lambda film: {"regions": {"lung": film.regions["lung"][:90]}}, "'lung' is no mask of 220 x 260 pixels"),
    ],
)
def test_a_radiograph_of_ones_own_arrays_is_held_to_what_a_radiograph_is(film, change, said):
    with pytest.raises(BackgroundError, match=said):
        plant(replace(film, **change(film)), centre=(115, 92), diameter_mm=20, contrast=0.4, synthesizer="gaussian")


def test_arrays_of_other_kinds_that_say_the_same_are_taken(film):
    lung, asked = film.regions["lung"], {"centre": (115, 92), "diameter_mm": 20, "contrast": 0.4}
    own = replace(film, pixels=film.pixels.astype(np.float64), regions={"lung": lung.astype(np.uint8) * 255})
    made, expected = (plant(one, **asked, synthesizer="gaussian") for one in (own, film))
    assert np.array_equal(made.pixels, expected.pixels)


def test_a_device_that_is_not_there_is_said(film):
    for device in ("tpu", "cuda:987"):
        with pytest.raises(SynnodError, match=device):
            open_detector("demo", device=device)
        with pytest.raises(SynnodError, match=device):
            plant(film, centre=(115, 92), diameter_mm=20, synthesizer="gaussian", device=device)


@pytest.mark.parametrize(("given", "spacing"), [(np.float32(1), (1, 1)), ([1.0], (1, 1)), ((0.75, 1), (1, 0.75))])
def test_a_pixel_size_is_any_number_or_pair_of_them(tmp_path, given, spacing):
    path = write_png(tmp_path / "film.png", chest(300, 360))
    assert read_radiograph(path, mm_per_px=given, regions=False).spacing_mm == spacing
    with pytest.raises(BackgroundError, match="mm_per_px is"):
        read_radiograph(path, mm_per_px=(1, 2, 3), regions=False)


def test_numbers_of_numpy_are_written_as_numbers(film, tmp_path):
    wanted = Nodule(np.float32(20), np.array([88, 92]), contrast=np.float32(0.25), seed=np.int64(3))
    made = plant(film, nodules=[wanted], synthesizer="gaussian")
    with Image.open(write_radiograph(made, tmp_path / "out.png")) as image:
        (told,) = json.loads(image.text["synnodtest"])["nodules"]
    assert (told["requested"]["diameter_mm"], told["requested"]["centre_mm"]) == (20.0, [88, 92])
    rows = {row.name: (row.requested, row.realised) for row in compared(film, made, made.nodules[0])}
    assert rows["contrast"] == pytest.approx((0.25, 0.25), rel=1e-4)


@pytest.mark.parametrize("suffix", ["png", "mha", "dcm"])
def test_a_film_with_planted_nodules_is_no_background(film, tmp_path, suffix):
    if suffix == "dcm":
        pytest.importorskip("pydicom", reason="DICOM needs the extra 'dicom'")
    cxr, truth = tmp_path / "cxr", {"synthetic": True, "source": "film.png", "nodules": [{"name": "nodule"}]}
    write_png(cxr / "film.png", chest(220, 260))
    write_radiograph(planted(film), cxr / f"made.{suffix}")
    for folder in (cxr, tmp_path):  # it names the film that it was made of
        (folder / "made.json").write_text(json.dumps(truth, indent=1))
    listing = list_radiographs(cxr, [tmp_path])
    assert [entry.id for entry in listing.entries] == ["film.png"]
    assert "1 radiograph with planted nodules was left out" in listing.notes
    (cxr / "film.png").unlink()
    with pytest.raises(BackgroundError, match="nodules are planted in every radiograph here"):
        list_radiographs(cxr, [tmp_path])
    assert not says_planted(tmp_path)  # what cannot be read is told by its reader


def test_size_pads_to_a_square_and_carries_the_truth(film, tmp_path):
    made = planted(film)
    path = write_radiograph(made, tmp_path / "out.png", size=512)
    with Image.open(path) as image:
        stored, note = np.asarray(image), json.loads(image.text["synnodtest"])
    assert stored.shape == (512, 512)
    x_min, y_min, x_max, y_max = note["nodules"][0]["box_px"]
    scale = 512 / (260 * 1.1)  # pixels per mm, both ways
    top = (512 - 220 * 0.9 * scale) / 2
    centre = ((x_min + x_max) / 2, (y_min + y_max) / 2)
    assert centre == pytest.approx((115 * 1.1 * scale, 92 * 0.9 * scale + top), abs=2)
    assert not stored[: int(top) - 1].any()


@pytest.mark.filterwarnings("ignore:.*its lungs are estimated")
@pytest.mark.parametrize("spacing_mm", [(1.2, 0.7), (0.6, 1.19)])
def test_a_square_of_a_film_of_oblong_pixels_is_read_again_in_its_true_proportions(spacing_mm, tmp_path):
    pixels = chest(round(300 / spacing_mm[0]), round(340 / spacing_mm[1])).astype(np.float32) / 255
    film = Radiograph(pixels, spacing_mm, source="film")
    path = write_radiograph(film, tmp_path / "out.png", size=512)
    again = read_radiograph(path)
    assert again.shape == (512, 512)
    assert again.spacing_mm == pytest.approx((340 / 512, 340 / 512), rel=0.005)
    square = replace(film, pixels=chest(512, 512).astype(np.float32) / 255, spacing_mm=(300 / 512, 340 / 512))
    assert resized(square, 512).spacing_mm == pytest.approx(again.spacing_mm, rel=0.005)
    even = replace(square, spacing_mm=(0.6, 0.6))
    assert resized(even, 512) is even
    filled = np.flatnonzero((again.pixels > 0).any(axis=1))
    assert len(filled) * again.spacing_mm[0] == pytest.approx(300, abs=2)


def test_the_mark_is_drawn_in_a_corner_away_from_the_nodule(film, tmp_path):
    made = plant(film, centre=(20, 205), diameter_mm=20, contrast=0.4, synthesizer="gaussian")
    with Image.open(write_radiograph(made, tmp_path / "out.png", mark=True)) as image:
        stored = np.asarray(image).astype(float)
    changed = np.abs(stored / 65535 - made.pixels) > 0.05
    assert changed.any()
    assert not changed[made.nodules[0].mask(film.shape)].any()
    assert stored[changed].max() > 0.7 * 65535


@pytest.mark.parametrize(("name", "bits"), [("out.tiff", None), ("out.png", 12), ("out.png", 0), ("out.mha", 20)])
def test_what_is_not_written_is_said(film, tmp_path, name, bits):
    with pytest.raises(SynnodError, match="written"):
        write_radiograph(film, tmp_path / name, bits=bits)


def test_a_detector_opens_by_its_name(film, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "brightest.py").write_text(
        "from synnodtest import Finding\n\n\ndef make():\n"
        "    return lambda radiographs: [[Finding((1, 2, 3, 4), 0.5)] for _ in radiographs]\n"
    )
    assert open_detector("brightest.py:make").detect([film]) == [[Finding((1, 2, 3, 4), 0.5)]]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_writes_picture_and_truth_and_prints_the_table(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = write_png(tmp_path / "film.png", chest(300, 400))
    arguments = ["--mm-per-px", "0.9", "--box", "150,100,180,130", "--contrast", "0.4", "--synthesizer", "gaussian"]
    assert main(["plant", str(path), *arguments, "--out", "made.png"]) == 0
    printed = capsys.readouterr().out
    told = json.loads((tmp_path / "made.json").read_text())
    assert "requested" in printed
    assert "realised" in printed
    assert told["nodules"][0]["diameter_mm"] == pytest.approx(27, rel=0.03)
    diameter = next(row for row in told["compared"] if row["name"] == "diameter_mm")
    assert diameter["requested"] == pytest.approx(27)
    with Image.open(tmp_path / "made.png") as image:
        assert np.asarray(image).shape == (300, 400)


def test_a_truth_that_cannot_be_written_leaves_the_one_before_whole(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = write_png(tmp_path / "film.png", chest(300, 400))
    words = ["plant", str(path), "--mm-per-px", "0.9", "--box", "150,100,180,130", "--synthesizer", "gaussian"]
    assert main([*words, "--contrast", "0.4", "--out", "made.png"]) == 0
    before = (tmp_path / "made.json").read_bytes()
    replace = os.replace

    def full(source, target):
        if str(target).endswith(".json"):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr("os.replace", full)
    monkeypatch.setattr("pathlib.Path.write_text", lambda *words, **more: pytest.fail("written in place"))
    assert main([*words, "--contrast", "0.2", "--out", "made.png"]) == 1
    assert "made.json" in capsys.readouterr().err
    assert (tmp_path / "made.json").read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["film.png", "made.json", "made.png"]


def test_the_command_draws_a_place_in_a_region_by_its_seed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = write_png(tmp_path / "film.png", chest(300, 400))
    mask = np.zeros((300, 400), np.uint8)
    mask[100:200, 40:140] = 255
    write_png(tmp_path / "film.own.png", mask)
    for seed in (1, 2):
        more = ["--region", "own", "--diameter-mm", "9", "--seed", str(seed), "--truth", f"{seed}.json"]
        assert main(["plant", str(path), "--mm-per-px", "0.9", "--synthesizer", "gaussian", *more]) == 0
    boxes = [json.loads((tmp_path / f"{seed}.json").read_text())["nodules"][0]["box_px"] for seed in (1, 2)]
    assert boxes[0] != boxes[1]
    assert all(40 <= (b[0] + b[2]) / 2 <= 140 and 100 <= (b[1] + b[3]) / 2 <= 200 for b in boxes)


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, capsys):
    (tmp_path / "notes.png").write_text("no picture")
    assert main(["plant", str(tmp_path / "notes.png"), "--mm-per-px", "0.2", "--box", "1,1,9,9"]) == 1
    assert "not a readable PNG" in capsys.readouterr().err


def test_the_command_opens_its_detectors_before_it_writes_anything(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = write_png(tmp_path / "film.png", chest(300, 400))
    more = ["--mm-per-px", "0.9", "--box", "150,100,180,130", "--synthesizer", "gaussian", "--detector", "no-such"]
    assert main(["plant", str(path), *more, "--out", "made.png"]) == 1
    assert "no-such" in capsys.readouterr().err
    assert not (tmp_path / "made.png").exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--out", "made.png", "--truth", "film.png"], "film.png is the film itself"),
        (["--out", "made.png", "--truth", "./made.png"], "made.png cannot hold both picture and truth"),
        (["--out", "nowhere/made.png"], "name a file in a folder that is there"),
    ],
)
def test_the_command_loses_neither_film_nor_picture_and_says_where_it_cannot_write(
    tmp_path, monkeypatch, capsys, more, told
):
    monkeypatch.chdir(tmp_path)
    before = write_png(tmp_path / "film.png", chest(300, 400)).read_bytes()
    words = ["--mm-per-px", "0.9", "--box", "150,100,180,130", "--synthesizer", "gaussian"]
    assert main(["plant", "film.png", *words, *more]) == 1
    assert told in capsys.readouterr().err
    assert (tmp_path / "film.png").read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["film.png"]


def test_the_command_says_that_a_film_holds_planted_nodules_already_and_that_a_folder_is_none(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    write_png(tmp_path / "film.png", chest(300, 400))
    words = ["--box", "150,100,180,130", "--synthesizer", "gaussian"]
    assert main(["plant", "film.png", "--mm-per-px", "0.9", *words, "--out", "made.png"]) == 0
    assert "holds planted nodules" not in capsys.readouterr().out
    assert main(["plant", "made.png", *words, "--out", "twice.png"]) == 0
    assert "note: the film says that it holds planted nodules" in capsys.readouterr().out
    assert main(["plant", str(tmp_path), *words]) == 1
    assert f"{tmp_path}: a folder, where one radiograph is read" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["film.png", "./film.png", "link.png"])
def test_the_command_does_not_write_over_the_film_itself(tmp_path, monkeypatch, capsys, out):
    monkeypatch.chdir(tmp_path)
    path = write_png(tmp_path / "film.png", chest(300, 400))
    (tmp_path / "link.png").symlink_to("film.png")
    before = path.read_bytes()
    words = ["--mm-per-px", "0.9", "--box", "150,100,180,130", "--synthesizer", "gaussian", "--out", out]
    assert main(["plant", "film.png", *words]) == 1
    assert f"{Path(out)} is the film itself" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_the_truth_that_the_command_writes_is_json_where_noise_is_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_png(tmp_path / "film.png", chest(300, 400))
    size = ["--centre", "200,150", "--diameter-mm", "4000", "--contrast", "0"]
    assert main(["plant", str(path), "--mm-per-px", "0.9", "--synthesizer", "gaussian", *size]) == 0
    told = json.loads((tmp_path / "film-planted.json").read_text(), parse_constant=pytest.fail)
    assert {"name": "contrast_to_noise", "requested": None, "realised": None} in told["compared"]
