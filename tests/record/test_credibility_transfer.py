"""Transfer results in reports: first in section 13, held against the run's detector and synthesizer."""

import copy
import json

import numpy as np
import pytest

from synnodtest.canonical import plain
from synnodtest.errors import RecordError
from synnodtest.evaluation.transfer.compare import agreement, compare, visibility_of
from synnodtest.evaluation.transfer.gather import Found, Gathered
from synnodtest.record import credibility
from synnodtest.report import html, order
from tests.record.parts import completed

PARTS = ("name", "version", "sha256", "configuration")


def gathered(rate_real, rate_planted, seed=0):
    rng = np.random.default_rng(seed)

    def some(count, rate, prefix):
        return tuple(
            Found(f"n{k % 40}", f"{prefix}{k % 30}", float(rng.uniform(8, 44)), 0.9 * (rng.random() < rate), 0.08, 2.0)
            for k in range(count)
        )

    real, planted = some(60, rate_real, "r"), some(120, rate_planted, "h")
    tops = [tuple((one.host, one.score) for one in group) for group in (real, planted)]
    return Gathered(real, planted, *tops, ((0.95,), (0.3,), ()), ("h0", "h1", "h2"), (), 0)


@pytest.fixture(scope="module")
def compared():
    """What two detectors come to, of which one finds planted nodules more often than real ones."""
    return [compare(gathered(0.4, rate), margin=0.1) for rate in (0.9, 0.4)]


@pytest.fixture
def result(small, compared):
    who = small["identification"]
    others = {"name": "other", "identity": {"name": "other", "sha256": "1" * 64}}
    own = {"name": "mine", "identity": {k: v for k, v in who["detector"].items() if k in PARTS}}
    detectors = [one | copy.deepcopy(told) for one, told in zip((others, own), compared, strict=True)]
    done = gathered(0.4, 0.4)
    made = {
        "data": {"name": "set", "split": "all"},
        "films": 50, "patients": 48, "exhaustive_films": 3, "nodules": 60, "masses_left_out": 4, "largest_mm": 45,
        "negatives": {"name": "plain"}, "negative_films": 30, "scenes": 120, "moved": 0, "hit": "centre in box",
        "synthesizer": {k: v for k, v in who["synthesizers"][0].items() if k in PARTS}, "margin": 0.1, "alpha": 0.05,
    }  # fmt: skip
    return plain(
        {"transfer": 1, "made_of": made, "detectors": detectors, "agreement": agreement(detectors),
         "visibility": visibility_of(done.real, done.planted)}
    )  # fmt: skip


def written(result, path):
    path.write_text(json.dumps(result))
    return path


def section(made, folder, drawings):
    page = html.render(plain(made), folder, store=drawings).read_text()
    return page.split(f'<section id="{order.anchor_of("credibility")}"')[1].partition("</section>")[0]


def test_it_stands_first_in_section_13_and_speaks_of_this_detector(small, result, tmp_path, drawings):
    made = completed(small, tmp_path, credibility=[written(result, tmp_path / "t.json")])
    (told,) = made["credibility"]["transfers"]
    assert told["own"] == 1
    assert told["of_this_synthesizer"] is True
    page = section(made, tmp_path / "run", drawings)
    assert page.index("carry over to real nodules") < page.index("What was planted") < page.index("Sham control")
    assert "mine: " in page
    assert "other: sensitivity" not in page
    assert "Over 2 detectors (other, mine)" in page
    assert "was not measured" not in page


def test_another_detector_or_synthesizer_is_said_to_be_one(small, result, tmp_path, drawings):
    result["detectors"].pop()
    result["made_of"]["synthesizer"]["sha256"] = "2" * 64
    made = completed(small, tmp_path, credibility=[written(result, tmp_path / "t.json")])
    assert made["credibility"]["transfers"][0]["own"] is None
    page = section(made, tmp_path / "run", drawings)
    assert "This detector was not measured" in page
    assert "planted by another synthesizer" in page


@pytest.mark.parametrize(("scenes", "told"), [(120, "planted in 30 negative"), (18, "planted in 18 of 30 negative")])
def test_of_the_negative_films_those_are_told_that_nodules_were_planted_in(
    small, result, tmp_path, drawings, scenes, told
):
    result["made_of"]["scenes"] = scenes
    made = completed(small, tmp_path, credibility=[written(result, tmp_path / "t.json")])
    assert told in section(made, tmp_path / "run", drawings)


def test_without_it_the_section_says_that_it_was_not_measured(small, tmp_path, drawings):
    (tmp_path / "mine").mkdir()
    small["run"]["options"] = {"synthesizer": "diffusion:mine"}
    page = section(completed(small, tmp_path), tmp_path / "run", drawings)
    assert "was not measured" in page
    assert "evaluate transfer" in page


def test_that_of_the_shipped_model_is_found_and_says_whose_it_is(small, tmp_path):
    small["run"]["options"] = {"synthesizer": "diffusion"}
    (told,) = completed(small, tmp_path)["credibility"]["transfers"]
    assert {"demo", "former release", "phantoms only"} <= {one["name"] for one in told["detectors"]}
    assert told["own"] is None


def test_reports_yaml_names_it_and_the_one_beside_the_model_is_found(small, result, tmp_path):
    written(result, tmp_path / "t.json")
    (tmp_path / "reports.yaml").write_text("credibility: [t.json]\n")
    assert len(completed(small, tmp_path)["credibility"]["transfers"]) == 1
    (tmp_path / "reports.yaml").unlink()
    (tmp_path / "mine").mkdir()
    (tmp_path / "t.json").rename(tmp_path / "mine" / credibility.TRANSFER)
    small["run"]["options"] = {"synthesizer": "diffusion:mine"}
    assert len(completed(small, tmp_path)["credibility"]["transfers"]) == 1


@pytest.mark.parametrize(
    "content", ['{"transfer": 9}', '{"transfer": 1}', '{"transfer": 1, "detectors": [{"identity": {}}]}']
)
def test_what_is_no_transfer_result_is_refused(small, tmp_path, content):
    path = tmp_path / "t.json"
    path.write_text(content)
    with pytest.raises(RecordError, match=r"t\.json: no transfer result"):
        completed(small, tmp_path, credibility=[path])


def test_a_broken_one_beside_the_model_is_refused_as_what_it_is(small, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / credibility.TRANSFER).write_text('{"transfer": 1')
    small["run"]["options"] = {"synthesizer": "diffusion:mine"}
    with pytest.raises(RecordError, match="no transfer result") as refused:
        completed(small, tmp_path)
    assert "evaluate transfer" in refused.value.hint


def test_names_in_a_result_are_text_and_not_markup(small, result, tmp_path, drawings):
    result["detectors"][1]["name"] = "<script>alert(1)</script>"
    made = completed(small, tmp_path, credibility=[written(result, tmp_path / "t.json")])
    assert "<script>" not in section(made, tmp_path / "run", drawings)
