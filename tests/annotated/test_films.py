"""Annotated films for the engine: margins of boxes measured, masses set aside, splits by patient."""

import csv
import math

import numpy as np
import pytest

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.annotated.outlines import EDGES, USUAL_SHARE, box_shares, share_of_box, shrunk
from synnodtest.datasets.split import is_held_out, of_split
from synnodtest.errors import BackgroundError
from tests.evaluation.annotated_folder import MARGIN, SPACING, write_annotated, write_copy


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("annotated") / "set"
    return path, write_annotated(path, 24)


@pytest.fixture(scope="module")
def films(folder):
    return AnnotatedFilms(folder[0])


def test_the_margin_of_each_annotator_is_measured(films):
    assert films.shares == {name: pytest.approx(share, abs=0.08) for name, share in MARGIN.items()}


def test_a_nodule_is_the_ellipse_in_its_outline(folder, films):
    _, truth = folder
    film = films.backgrounds[2]
    x, y, diameter, annotation = truth[film.id]
    (nodule,) = films.nodules(film.id)
    assert nodule.size_mm == pytest.approx(diameter / MARGIN[annotation] * SPACING)
    assert nodule.diameter_mm == pytest.approx(diameter * SPACING, rel=0.12)
    loaded = films.marked(film)
    rows, columns = np.nonzero(loaded.nodules[0].mask(loaded.shape))
    assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx((x, y), abs=0.6)
    area = math.pi / 4 * (nodule.diameter_mm / SPACING) ** 2
    assert rows.size == pytest.approx(area, rel=0.08)


def test_who_marked_every_nodule_is_known(films):
    assert [films.exhaustive(one.id) for one in films.backgrounds[:4]] == [True, False, True, False]


def test_a_split_takes_patients_and_changes_no_outline(folder, films):
    held = AnnotatedFilms(folder[0], split="held-out")
    assert {one.id for one in held.backgrounds} == {one.id for one in films.backgrounds if is_held_out(one.cluster)}
    assert held.shares == films.shares
    trained = AnnotatedFilms(folder[0], split="train")
    assert len(held.backgrounds) + len(trained.backgrounds) == len(films.backgrounds)
    with pytest.raises(ValueError, match="held-out, train, all"):
        of_split("p", "test")


def test_a_second_look_reads_the_store_and_finds_the_same(folder, tmp_path):
    first = AnnotatedFilms(folder[0], cache=tmp_path)
    again = AnnotatedFilms(folder[0], cache=tmp_path)
    assert first.shares == again.shares
    assert [one.content for one in first.backgrounds] == [one.content for one in again.backgrounds]


def test_masses_are_annotated_but_not_counted(tmp_path):
    write_annotated(tmp_path / "set", 4, diameters=(10, 34))
    films = AnnotatedFilms(tmp_path / "set")
    counted = {one.id: films.nodules(one.id)[0].counted for one in films.backgrounds}
    assert set(counted.values()) == {True, False}
    mass = next(one for one in films.backgrounds if not counted[one.id])
    assert films.marked(mass).nodules == ()


def test_another_box_is_another_film(folder, tmp_path):
    path = tmp_path / "set"
    write_annotated(path, 3)
    before = {one.id: one.content for one in AnnotatedFilms(path).backgrounds}
    rows = list(csv.DictReader((path / "boxes.csv").read_text().splitlines()))
    rows[0]["width"] = "30"
    with (path / "boxes.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert AnnotatedFilms(path).backgrounds[0].content != before["real000"]


@pytest.mark.parametrize(("word", "message"), [("perhaps", r"boxes.csv:2: exhaustive is 'perhaps'")])
def test_exhaustive_is_yes_or_no(tmp_path, word, message):
    write_annotated(tmp_path / "set", 4, exhaustive=(word,))
    with pytest.raises(BackgroundError, match=message):
        AnnotatedFilms(tmp_path / "set")


def test_a_set_without_a_nodule_is_an_error(tmp_path):
    write_annotated(tmp_path / "set", 2)
    (tmp_path / "set" / "boxes.csv").write_text("file,x,y,width,height\nreal000.png,,,,\n")
    with pytest.raises(BackgroundError, match="no film shows a nodule"):
        AnnotatedFilms(tmp_path / "set")


def chord(radius):
    middles = np.asarray(EDGES[:-1]) + np.diff(EDGES) / 2
    return np.sqrt(np.clip(1 - (middles / radius) ** 2, 0, None))


@pytest.mark.parametrize("radius", [0.5, 0.7, 0.9])
def test_the_share_is_the_radius_of_the_ball_whose_shadow_it_is(radius):
    assert share_of_box([chord(radius)] * 10) == pytest.approx(radius, abs=0.03)


def test_few_boxes_take_the_share_of_all_and_too_few_the_usual_one():
    assert share_of_box([chord(0.5)] * 3) is None
    both = box_shares({"a": [chord(0.5)] * 20, "b": [chord(0.9)] * 3})
    assert both["a"] == pytest.approx(0.5, abs=0.03)
    assert both["b"] == pytest.approx(both["a"], abs=0.1)
    assert box_shares({"a": [chord(0.5)] * 2}) == {"a": USUAL_SHARE}
    assert share_of_box([np.zeros(len(EDGES) - 1)] * 10) is None


def test_a_bin_that_no_box_has_a_cell_in_leaves_the_share_open_without_a_warning(recwarn):
    profile = chord(0.7)
    profile[3] = np.nan
    assert share_of_box([profile] * 10) is None
    assert not recwarn.list


def test_a_film_that_was_saved_anew_counts_with_the_first_and_is_told(tmp_path):
    write_annotated(tmp_path, 2)
    write_copy(tmp_path, "real000")
    with (tmp_path / "boxes.csv").open("a") as table:
        table.write("again.jpg,tight,60,60,10,10,yes\n")
    films = AnnotatedFilms(tmp_path, share=0.8)
    assert {one.id: one.cluster for one in films.backgrounds} == {
        "real000": "p-real000",
        "real001": "p-real001",
        "again": "p-real000",
    }
    assert [note for note in films.notes if "1 radiograph looks like copies of others" in note]


def test_a_shrunk_box_keeps_its_middle_and_grows_back():
    small = shrunk((10.0, 20.0, 30.0, 50.0), 0.5)
    assert small == (15.0, 27.5, 25.0, 42.5)
    assert shrunk(small, 2.0) == (10.0, 20.0, 30.0, 50.0)


def test_what_a_manifest_comes_to_say_of_a_film_is_not_answered_from_the_store(tmp_path):
    write_annotated(tmp_path / "set", 1)
    for mask in (tmp_path / "set").glob("*.*.png"):
        mask.unlink()

    def load(polarity, cache):
        with (tmp_path / "set/manifest.csv").open(newline="") as stream:
            (row,) = csv.DictReader(stream)
        row |= {"polarity": polarity, "accept": "size brightness"}
        (tmp_path / "set/manifest.csv").write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
        films = AnnotatedFilms(tmp_path / "set", cache=cache, share=0.8)
        (film,) = films.backgrounds
        return film.content, films.load(film).regions

    first, _ = load("normal", tmp_path / "store")
    content, regions = load("inverted", tmp_path / "store")
    assert content != first
    _, wanted = load("inverted", tmp_path / "other")
    assert all((regions[name] == wanted[name]).all() for name in wanted)
