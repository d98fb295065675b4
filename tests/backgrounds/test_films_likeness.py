"""Copies of a film in another size, with loss or through another window are one film; different films are not."""

import io

import numpy as np
import pytest
from PIL import Image

import synnodtest.backgrounds.films as films_module
from synnodtest.backgrounds import open_backgrounds
from synnodtest.backgrounds.films import copies, likeness, likenesses
from synnodtest.evidence.clusters import with_copies_joined
from synnodtest.phantom import expose, project, sample_anatomy

from .radiograph_files import write_dicom, write_png


def film(seed):
    return expose(project(sample_anatomy(seed), 512)).pixels


def saved(pixels, form):
    eight = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    stream = io.BytesIO()
    if form == "jpeg":
        eight.save(stream, "JPEG", quality=40)
    elif form == "smaller":
        eight.resize((300, 300), Image.Resampling.BILINEAR).save(stream, "PNG")
    elif form == "mirrored":
        eight.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(stream, "PNG")
    elif form == "border":
        framed = Image.new("L", (700, 560))
        framed.paste(eight.resize((500, 500), Image.Resampling.BOX), (150, 20))
        framed.save(stream, "JPEG", quality=60)
    elif form == "window":
        Image.fromarray(np.rint(np.clip((pixels - 0.15) / 0.7, 0, 1) * 255).astype(np.uint8)).save(stream, "PNG")
    else:
        Image.fromarray(np.rint(pixels**1.4 * 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def clusters(folder):
    return {b.id: b.cluster for b in with_copies_joined(open_backgrounds(folder, "normal").backgrounds)}


@pytest.fixture(scope="module")
def films():
    return [film(seed) for seed in (1, 2)]


@pytest.mark.parametrize("form", ["jpeg", "smaller", "window", "gamma", "mirrored", "border"])
def test_a_copy_of_a_film_counts_with_it_once_and_is_told(tmp_path, films, form):
    write_png(tmp_path / "a.png", np.rint(films[0] * 65535).astype(np.uint16))
    write_png(tmp_path / "b.png", np.rint(films[1] * 65535).astype(np.uint16))
    (tmp_path / "c.jpg").write_bytes(saved(films[0], form))
    found = clusters(tmp_path)
    assert found["a.png"] == found["c.jpg"] != found["b.png"]
    served = open_backgrounds(tmp_path, "normal")
    _ = served.backgrounds
    assert any(note.startswith("1 radiograph looks like copies of others") for note in served.notes)


def test_a_preview_beside_its_dicom_file_is_no_second_film(tmp_path, films):
    for name, pixels in zip("ab", films, strict=True):
        write_dicom(tmp_path / f"{name}.dcm", np.rint(pixels * 4095).astype(np.uint16), PatientID=name)
        (tmp_path / f"{name}.jpg").write_bytes(saved(pixels, "jpeg"))
    found = clusters(tmp_path)
    assert found["a.dcm"] == found["a.jpg"] != found["b.dcm"] == found["b.jpg"]


def test_films_of_patients_that_a_manifest_tells_apart_stay_so_and_are_told(tmp_path, films):
    write_png(tmp_path / "a.png", np.rint(films[0] * 65535).astype(np.uint16))
    (tmp_path / "c.jpg").write_bytes(saved(films[0], "jpeg"))
    (tmp_path / "manifest.csv").write_text("file,patient\na.png,p1\nc.jpg,p2\n")
    assert len(set(clusters(tmp_path).values())) == 2
    served = open_backgrounds(tmp_path, "normal")
    _ = served.backgrounds
    assert any("like copies" in note and "their patients differ" in note for note in served.notes)


def test_different_films_are_no_copies(tmp_path, films):
    for name, pixels in zip("ab", films, strict=True):
        write_png(tmp_path / f"{name}.png", np.rint(pixels * 65535).astype(np.uint16))
    served = open_backgrounds(tmp_path, "normal")
    assert len({b.film for b in served.backgrounds}) == 2
    assert not any("copies" in note for note in served.notes)


def test_films_that_share_nothing_but_a_border_are_no_copies(tmp_path, films):
    for name, pixels in zip("ab", films, strict=True):
        (tmp_path / f"{name}.jpg").write_bytes(saved(pixels, "border"))
    assert len(set(clusters(tmp_path).values())) == 2


def test_a_copy_in_a_border_of_its_own_is_one_of_a_film_in_another_border(films):
    framed = [np.pad(films[0], wide, constant_values=grey) for wide, grey in ((9, 0.0), (90, 1.0), (200, 0.5))]
    seen = {str(number): likenesses(one.astype(np.float32)) for number, one in enumerate([*framed, films[1]])}
    assert copies(seen) == {"1": "0", "2": "0"}
    assert len(likenesses(np.full((300, 300), 0.5, np.float32))) == len(likeness(films[0]))


def test_a_film_that_lies_there_many_times_is_weighed_once_and_every_copy_is_found(films, monkeypatch):
    """A thousand copies of one film are half a million pairs, which took minutes."""
    one, two = (likenesses(film) for film in films)
    other = likenesses(film(3))
    mirrored = likenesses(np.ascontiguousarray(films[0][:, ::-1]))
    weighed, pairs = [], films_module._pairs
    monkeypatch.setattr(films_module, "_pairs", lambda seen, asked: weighed.append(len(seen)) or pairs(seen, asked))
    seen = {"m": mirrored, "a0": one, "b0": two, **{f"a{n}": one for n in range(1, 200)}, "b1": two, "c": other}
    assert copies(seen) == {**{f"a{n}": "m" for n in range(200)}, "b1": "b0"}
    assert weighed == [4]


def test_one_outline_under_noise_of_its_own_makes_no_copies():
    y, x = np.mgrid[:192, :192]
    lungs = np.hypot((x - 55) / 30, (y - 96) / 60) < 1
    lungs |= np.hypot((x - 137) / 30, (y - 96) / 60) < 1
    pixels = [np.where(lungs, 0.25, 0.6) + np.random.default_rng(seed).normal(0, 0.004, lungs.shape) for seed in (0, 1)]
    assert copies({str(number): likeness(one) for number, one in enumerate(pixels)}) == {}
    assert copies({str(number): likeness(pixels[0]) for number in range(2)}) == {"1": "0"}
