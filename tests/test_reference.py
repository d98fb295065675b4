"""The reference of real nodules: against counting by hand, and what ships."""

import json
import shutil

import numpy as np
import pytest

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.cli import main
from synnodtest.errors import SynnodError
from synnodtest.evaluation.reference import FEWEST, Seen, make_reference
from synnodtest.reference import LEVELS, read_reference, real_nodules
from tests.evaluation.annotated_folder import write_annotated


class Films:
    name, shares, backgrounds = "hand", {"": 0.8}, (1, 2, 3)


def seen(diameters, seed=0):
    rng = np.random.default_rng(seed)
    return [Seen(*rng.lognormal(-3, 0.5, 1), rng.normal(2, 1), d, d / 0.8, frozenset({"lung"})) for d in diameters]


@pytest.fixture
def made(tmp_path):
    def make(some):
        path = tmp_path / "reference.json"
        path.write_text(json.dumps(make_reference(Films, some)))
        return read_reference(path)

    return make


def test_a_value_stands_above_as_many_as_counting_says(made):
    small, large = seen(np.linspace(5, 11, 60)), seen(np.linspace(18, 40, 60), seed=1)
    reference = made(small + large)
    for value in (0.03, 0.05, 0.08):
        counted = np.mean([one.contrast < value for one in large])
        assert reference.contrast(value, 25).above == pytest.approx(counted, abs=0.03)
    for value in (1.0, 2.5):
        counted = np.mean([one.conspicuity < value for one in small])
        assert reference.conspicuity(value, 9).above == pytest.approx(counted, abs=0.03)
    assert reference.quantile("contrast", 0.95, 9) == pytest.approx(
        np.quantile([one.contrast for one in small], 0.95), rel=0.01
    )


def test_bands_with_too_few_are_joined_and_lose_none(made):
    reference = made(seen([6] * (FEWEST - 1) + [14] * 20 + [30] * 3))
    assert [(band["from_mm"], band["to_mm"], band["n"]) for band in reference.bands] == [(4, 45, 32), (4, 45, 32)]
    three = made(seen([3.5] * 12 + [14] * 12 + [50] * 12))
    assert [band["n"] for band in three.bands] == [12, 12, 12, 36]
    assert three.band(2)["n"] == three.band(60)["n"] == 12


def test_too_few_nodules_are_no_reference():
    with pytest.raises(SynnodError, match="needs at least"):
        make_reference(Films, seen([8] * (FEWEST - 1)))


@pytest.mark.parametrize(
    ("value", "words"),
    [(9.0, "brighter than all"), (0.0, "fainter than all"), (0.06, "brighter than"), (0.035, "fainter than")],
)
def test_a_standing_speaks(made, value, words):
    told = made(seen([*np.linspace(5, 11, 40), *[20.0] * 12])).contrast(value, 8).sentence()
    assert told.startswith(words)
    assert "40 annotated nodules of 4 to 12 mm" in told


def test_what_ships_is_of_real_films_and_holds_quantiles_alone():
    reference = real_nodules()
    assert reference.source["nodules"] >= 60
    for band in reference.bands:
        for name in ("contrast", "conspicuity", "diameter_mm", "box_mm"):
            assert len(band[name]) == len(LEVELS)
            assert band[name] == sorted(band[name])
    bright = reference.contrast(0.5, 8)
    assert bright.above == 1.0
    assert "brighter than all" in bright.sentence()
    assert 0.2 < reference.contrast(0.06, 8).above < 0.8


@pytest.mark.parametrize("text", ["", "{}", '{"format": 9, "bands": [], "source": {}, "places": {}}'])
def test_a_file_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(SynnodError, match="no reference of real nodules"):
        read_reference(tmp_path / "r.json")


def test_the_command_measures_films(tmp_path, capsys):
    write_annotated(tmp_path / "set", 12)
    shutil.copy(tmp_path / "set" / "real000.png", tmp_path / "set" / "unlisted.png")
    out = tmp_path / "reference.json"
    store = str(tmp_path / "store")
    assert main(["evaluate", "reference", "--data", str(tmp_path / "set"), "--store", store, "--out", str(out)]) == 0
    reference = read_reference(out)
    films = AnnotatedFilms(tmp_path / "set")
    counted = sum(one.counted for film in films.backgrounds for one in films.nodules(film.id))
    assert reference.source["nodules"] == counted == 10
    assert reference.places["lung"] == 1.0
    told = capsys.readouterr()
    assert json.loads(told.out)["format"] == 1
    assert "note: 1 radiograph beside them that the annotations do not list: left out" in told.err
