"""SARIF and GitHub annotations stand on the YAML lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synnodtest.exports import sarif
from synnodtest.report.publish import write_companions


def test_each_expectation_that_did_not_pass_is_one_result_on_its_line(made, tmp_path):
    log = json.loads(sarif.write(made, tmp_path).read_text())
    results = log["runs"][0]["results"]
    wanted = [e for e in made["expectations"] if e["status"] != "PASSED"]
    assert len(results) == len(wanted)
    for result, e in zip(results, wanted, strict=True):
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "specs/paper.yaml"
        assert place["region"]["startLine"] == e["line"]
    waived = next(r for r in results if r["ruleId"] == "waived")
    assert waived["level"] == "note"
    assert {r["ruleId"] for r in results} <= {r["id"] for r in log["runs"][0]["tool"]["driver"]["rules"]}


def test_a_file_is_named_as_a_uri(made):
    made["expectations"][0] |= {"file": "my specs/50%\udcff.yaml", "status": "FAILED"}
    (first, *_) = sarif.log(made)["runs"][0]["results"]
    place = first["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place["uri"] == "my%20specs/50%25%FF.yaml"  # RFC 3986, section 2.1


def test_annotations_for_github_cannot_be_broken_out_of(made):
    made["expectations"][0]["ruling"]["sentence"] = "50% fail\n::error::injected\r"
    made["expectations"][0]["status"] = "FAILED"
    lines = list(sarif.github(made))
    assert lines[0].startswith("::error file=specs/paper.yaml,line=")
    assert lines[0].endswith("50%25 fail%0A::error::injected%0D")
    assert not any("\n" in line for line in lines)


def test_files_are_named_from_the_top_of_the_checkout_wherever_pytest_was_started(made, tmp_path, monkeypatch):
    here = tmp_path / "apps" / "cad" / "ci"
    here.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.chdir(here)
    made["expectations"][0] |= {"file": "../specs/paper.yaml", "status": "FAILED"}
    run = tmp_path / "run"
    run.mkdir()
    write_companions(made, run, here.parent)
    (first, *_) = json.loads((run / "results.sarif").read_text())["runs"][0]["results"]
    place = first["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place["uri"] == "apps/cad/specs/paper.yaml"  # GitHub: "relative to the root of the repository"


@pytest.mark.parametrize(("job", "below"), [(".", "apps/cad"), ("apps", "cad"), ("elsewhere", "cad")])
def test_the_top_is_that_of_githubs_job_where_it_holds_the_run_else_the_projects(tmp_path, monkeypatch, job, below):
    (tmp_path / "apps" / "cad").mkdir(parents=True)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / job))
    monkeypatch.chdir(tmp_path / "apps" / "cad")
    assert sarif.below_checkout(tmp_path / "apps") == Path(below)


def test_annotations_of_a_run_below_the_checkout_name_files_from_its_top(made):
    (first, *_) = sarif.github(made, Path("apps/cad"))
    assert first.partition(",")[0].endswith(" file=apps/cad/specs/paper.yaml")
