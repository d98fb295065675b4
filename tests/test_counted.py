"""Sentences with a count name one thing in the singular."""

import shutil

import pytest

from synnodtest.cli import main
from synnodtest.counted import counted
from synnodtest.expectations import find_check
from synnodtest.expectations.limits import too_few_clusters
from synnodtest.expectations.sentences import counts_phrase
from synnodtest.record.words import number, plural
from synnodtest.shell.progress import taken_line
from tests.expectations.evidence import evidence, trial


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (counted(1, "scene"), "1 scene"),
        (counted(0, "scene"), "0 scenes"),
        (counted(2, "entry", "entries"), "2 entries"),
        (counted(1, "film was", "films were"), "1 film was"),
        (plural(4022, "finding"), f"{number(4022)} findings"),
        (plural(None, "background"), "\N{EN DASH} backgrounds"),
        (counts_phrase(1, 1), "n = 1 nodule on 1 background"),
        (counts_phrase(3, 2, "image"), "n = 3 images"),
        (too_few_clusters(1)[0], "1 independent background is too few, 15 are needed"),
        (too_few_clusters(2)[0], "2 independent backgrounds are too few, 15 are needed"),
    ],
)
def test_one_is_singular_and_all_else_plural(told, sentence):
    assert told == sentence


def test_a_run_of_one_scene_synthesized_a_scene():
    assert taken_line({"synthesized": 1.0, "inferred": 2.0}, (None, None), 1.0).startswith(
        "1 scene synthesized and 2 radiographs inferred"
    )


def test_verify_tells_of_one_difference(filed, tmp_path, capsys):
    folder = shutil.copytree(filed, tmp_path / "run")
    with (folder / "report.html").open("a") as stream:
        stream.write("<!-- -->")
    assert main(["verify", str(folder)]) == 1
    assert capsys.readouterr().out.endswith(": 1 difference\n")


def test_the_place_on_a_free_response_curve_is_one_false_positive_per_image():
    trials = [trial(f"b{k}", 0.9) for k in range(15)]
    told = [
        find_check("froc").judge({"at_false_positives_per_image": at, "at_least": 0.1}, evidence(trials)).criterion
        for at in (1, 0.25)
    ]
    assert told[0].startswith("sensitivity at 1 false positive per image")
    assert told[1].startswith("sensitivity at 0.25 false positives per image")
