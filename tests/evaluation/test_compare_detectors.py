"""``synnodtest evaluate detector`` with several detectors, from the command line to text and JSON."""

import json

import pytest

from synnodtest.backgrounds.films import likenesses
from synnodtest.cli import main
from synnodtest.evaluation import answers
from tests.evaluation.annotated_folder import write_annotated

DETECTORS = """
import numpy as np
from synnodtest import Finding
from synnodtest.detectors import CallableDetector
from synnodtest.identity import Identity

def at_the_brightest(one):
    lung = one.pixels[45:155, 30:75]
    other = one.pixels[45:155, 125:170]
    side = 30 if lung.max() > other.max() else 125
    y, x = np.unravel_index(np.argmax(lung if side == 30 else other), lung.shape)
    return [Finding((x + side - 10, y + 35, x + side + 10, y + 55), float(max(lung.max(), other.max())))]

def made(name, answer):
    return CallableDetector(lambda radiographs: [answer(one) for one in radiographs], Identity(name))

def bright():
    return made("bright", at_the_brightest)

def dark():
    return made("dark", lambda one: [Finding((0, 0, 20, 20), 0.5)])

def broken():
    return made("broken", lambda one: [][0])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "films"
    write_annotated(path, 16, exhaustive=("yes",))
    return path


@pytest.fixture
def evaluated(folder, tmp_path, monkeypatch, capsys):
    """Return the function that evaluates detectors of a file on the films and returns exit code, text and errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(DETECTORS)

    def run(*names, more=("--resamples", "100")):
        words = [word for name in names for word in ("--detector", f"mine.py:{name}")]
        code = main(["evaluate", "detector", *words, "--data", str(folder), "--split", "all", *more])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_one_detector_is_told_as_it_was(evaluated, tmp_path):
    code, text, _ = evaluated("bright", more=["--resamples", "100", "--out", str(tmp_path / "one.json")])
    assert code == 0
    assert " minus " not in text
    assert "not adjusted" not in text
    (figures,) = json.loads((tmp_path / "one.json").read_text()).values()
    assert figures["images"] == 16
    assert "name" not in figures


def test_two_detectors_are_told_one_after_the_other_and_then_apart(evaluated, tmp_path):
    out = tmp_path / "two.json"
    code, text, _ = evaluated("dark", "bright", more=["--resamples", "100", "--out", str(out)])
    assert code == 0
    parts = ["mine.py:dark on films", "mine.py:bright on films", "mine.py:bright minus mine.py:dark on films"]
    assert sorted(parts, key=text.index) == parts
    assert "higher than mine.py:dark, intervals without 0: sensitivity at" in text
    assert "8 intervals, not adjusted for one another" in text
    (result,) = json.loads(out.read_text()).values()
    assert [one["name"] for one in result["detectors"]] == ["mine.py:dark", "mine.py:bright"]
    (pair,) = result["comparisons"]
    dark, bright = (one["sensitivity_at_1_fp"]["value"] for one in result["detectors"])
    assert pair["differences"]["sensitivity_at_1_fp"]["value"] == pytest.approx(bright - dark)
    assert pair["differences"]["sensitivity_at_1_fp"]["excludes_0"] is True
    assert pair["differences"]["auc"] == {"value": None}  # every film has a nodule


def test_a_detector_given_twice_is_numbered_and_differs_by_nothing(evaluated):
    code, text, _ = evaluated("bright", "bright")
    assert code == 0
    assert "mine.py:bright (2) gives the same answers as mine.py:bright (1) on every image" in text


def test_a_later_detector_that_fails_ends_it_by_name(evaluated):
    code, text, errors = evaluated("bright", "broken")
    assert (code, text) == (1, "")
    assert "broken" in errors
    assert "IndexError" in errors


def test_the_likeness_of_each_film_is_made_once_for_all_detectors(evaluated, monkeypatch):
    made = []

    def counted(pixels):
        made.append(pixels)
        return likenesses(pixels)

    monkeypatch.setattr(answers, "likenesses", counted)
    alone = evaluated("dark", more=["--resamples", "0", "--json"])[1]
    assert len(made) == 16
    together = evaluated("bright", "dark", more=["--resamples", "0", "--json"])[1]
    assert len(made) == 32
    later = json.loads(together)["films"]["detectors"][1]
    assert later.pop("name") == "mine.py:dark"
    assert later == json.loads(alone)["films"]
