"""Credibility reports of synthesizers: found, held against the run's model, drawn."""

from __future__ import annotations

import json

import pytest

from synnodtest.canonical import plain
from synnodtest.errors import RecordError
from synnodtest.record import credibility
from synnodtest.report import html, order
from tests.record.parts import completed
from tests.report import example


@pytest.fixture
def evaluation(small, tmp_path):
    """What ``synnodtest evaluate synthesizer --out`` writes of the run's own model."""
    identity = {k: v for k, v in small["identification"]["synthesizers"][0].items()
                if k in {"name", "version", "sha256", "configuration"}}  # fmt: skip
    path = tmp_path / "credibility.json"
    path.write_text(json.dumps({"synthesizer": identity, **example.measured()}))
    return path


def told(made, folder, drawings):
    page = html.render(plain(made), folder, store=drawings).read_text()
    return page.split(f'<section id="{order.anchor_of("credibility")}"')[1].partition("</section>")[0]


def test_a_report_that_reports_yaml_names_stands_in_section_13_with_figures_and_yardsticks(
    small, evaluation, tmp_path, drawings
):
    (tmp_path / "reports.yaml").write_text("credibility: [credibility.json]\n")
    made = completed(small, tmp_path)
    assert "credibility" not in made["authored"]
    section = told(made, tmp_path / "run", drawings)
    assert "of this run&#39;s model" in section
    assert "another model" not in section
    for said in ("limits of agreement", "kernel, nih: diffusion", "energy, nih: gaussian", "trees", "Sham control of",
                 "Sensitivity by size", "0.60 to 1.40"):  # fmt: skip
        assert said in section, said
    assert section.count('<svg class="figure"') >= 10


def test_a_report_of_other_weights_says_so_and_one_of_other_settings_does_too(small, evaluation, tmp_path, drawings):
    found = json.loads(evaluation.read_text())
    found["synthesizer"]["sha256"] = "0" * 64
    evaluation.write_text(json.dumps(found))
    made = completed(small, tmp_path, credibility=[evaluation])
    assert made["credibility"]["reports"][0]["of_another_model"] is True
    assert "<strong>Of another model.</strong>" in told(made, tmp_path / "run", drawings)
    found["synthesizer"] = dict(small["identification"]["synthesizers"][0], configuration={"composition": "inpaint"})
    evaluation.write_text(json.dumps(found))
    section = told(completed(small, tmp_path, credibility=[evaluation]), tmp_path / "run", drawings)
    assert "composition inpaint, in this run counterfactual" in section
    assert "Of another model" not in section


def test_the_report_beside_the_model_that_ran_is_found_by_itself(small, evaluation, tmp_path):
    (tmp_path / "mine").mkdir()
    evaluation.rename(tmp_path / "mine" / credibility.FILE_NAME)
    small["run"]["options"] = {"synthesizer": "diffusion:mine"}
    assert len(completed(small, tmp_path)["credibility"]["reports"]) == 1
    small["run"]["options"] = {"synthesizer": "diffusion:elsewhere"}
    assert completed(small, tmp_path)["credibility"] == {}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"synthesizer": {"version": "1"}}', "[" * 100_000])
def test_what_is_no_credibility_report_is_refused(tmp_path, content):
    path = tmp_path / "c.json"
    path.write_text(content)
    with pytest.raises(RecordError, match=r"c\.json: no credibility report"):
        credibility.read(path)
    with pytest.raises(RecordError, match="cannot be read"):
        credibility.read(tmp_path / "none.json")


def test_odd_values_in_a_report_leave_their_figure_out_and_do_not_stop_the_page(small, evaluation, tmp_path, drawings):
    found = json.loads(evaluation.read_text())
    found["nih"] = {"diameter": [], "contrast": "<script>", "against_real": {"x": {"distances": 3}},
                    "sham": {"margin": "a"}, "sensitivity_by_size": {"diameter_mm": "abc"}}  # fmt: skip
    found["more"] = {"diameter": {}, "against_real": [], "sensitivity_by_size": [1], "sham": {"interval_90": 3}}
    found["sweeps"] = {"<script>alert(1)</script>": {"n": None}, "Idm": 7}
    evaluation.write_text(json.dumps(found))
    section = told(completed(small, tmp_path, credibility=[evaluation]), tmp_path / "run", drawings)
    assert "<script>" not in section
    assert "two-sample" in section.lower()
