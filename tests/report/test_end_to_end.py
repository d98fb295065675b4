"""A frozen spec, a run, its report: integrity, the printed commands, JUnit and annotations."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from functools import partial

import pytest

from synnodtest.cli import main
from synnodtest.report import html
from synnodtest.store import Store
from tests.extras import needs
from tests.remembered import EMPTY, UNDRAWN
from tests.report.run_once import git, newest, pytest_in

needs("pandas", "pyarrow")


@pytest.fixture(scope="module")
def project(run, tmp_path_factory):
    """A copy of the run's project: here it is changed and run again."""
    return shutil.copytree(run.parents[1], tmp_path_factory.mktemp("copy") / "project")


@pytest.fixture(scope="module")
def again(project):
    """The folder of a second run: one expectation, of a margin changed after freezing, with pictures, undrawn."""
    path = project / "specs" / "small.yaml"
    path.write_text(path.read_text().replace("at_least: 0.65}", "at_least: 0.3}"))
    git(project, "commit", "-q", "-a", "-m", "an easier margin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(UNDRAWN, "1")
        pytest_in(project, "-k", "size and sensitivity", specs="specs/small.yaml")
    return newest(project)


def of_kind(data, kind):
    return next(e for e in data["expectations"] if e["kind"] == kind and e["id"].startswith("specs/small"))


def test_a_frozen_spec_in_a_clean_tree_makes_a_confirmatory_run_and_the_ledger_shows_the_aborted_one(data, run):
    assert data["run"]["exploratory_reasons"] == []
    assert data["run"]["confirmatory"] is True
    assert "frozen_unrun" not in data["run"]
    small = next(spec["sha256"] for spec in data["identification"]["specs"] if spec["file"] == "specs/small.yaml")
    assert [(r["run"], r["status"]) for r in data["ledger"] if r["spec_sha256"] == small] == [
        ("killed-before", "aborted"), (data["run"]["id"], "finished"),
    ]  # fmt: skip
    page = (run / "report.html").read_text()
    assert "killed-before" in page
    assert "No behaviour tests requirement SRS-2 Unloved." in page
    assert EMPTY not in page, "this run is the one that draws all that a run draws"


def test_one_flipped_byte_is_named_by_verify(again, tmp_path, capsys):
    copy = shutil.copytree(again, tmp_path / "run")
    assert main(["verify", str(copy)]) == 0
    names = ("results.json", "results.parquet", "inputs/specs/small.yaml", "inputs/synnodtest.lock", "report.html",
             "inputs/requirements.csv")  # fmt: skip
    for path in (*(copy / name for name in names), next((copy / "evidence").iterdir())):
        whole = path.read_bytes()
        changed = bytearray(whole)
        changed[len(changed) // 2] ^= 1
        path.write_bytes(changed)
        assert main(["verify", str(copy)]) == 1, path
        assert path.relative_to(copy).as_posix() in capsys.readouterr().err
        path.write_bytes(whole)
    assert main(["verify", str(copy)]) == 0


def test_the_report_is_not_drawn_again_over_a_changed_record(run, tmp_path, capsys, monkeypatch):
    copy = shutil.copytree(run, tmp_path / "run")
    kept = shutil.copytree(run.parents[1] / ".synnodtest" / "v1" / "figures", tmp_path / "kept" / "v1" / "figures")
    monkeypatch.setattr(html, "render", partial(html.render, store=Store(kept.parents[1])))  # what is alike lies there
    before = (copy / "report.html").read_bytes()
    assert main(["report", str(copy)]) == 0
    assert (copy / "report.html").read_bytes() == before
    (copy / "results.json").write_bytes((copy / "results.json").read_bytes().replace(b"larger", b"Larger"))
    assert main(["report", str(copy)]) == 1
    assert "results.json: differs" in capsys.readouterr().err


def test_a_printed_replay_command_makes_the_scene_again(project, again, monkeypatch, capsys):
    page = (again / "report.html").read_text()
    command = re.search(r'class="replay">synnodtest ([^<]+)<', page)[1]
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.delitem(sys.modules, "dets", raising=False)  # other projects here have one too
    assert main(shlex.split(command)) == 0
    said = capsys.readouterr().out
    assert "pixels     as recorded" in said
    assert "findings   as recorded" in said
    (folder,) = (project / "replay").iterdir()
    assert {p.name for p in folder.iterdir()} == {"background.png", "synthetic.png", "difference.png", "boxes.png"}
    shutil.rmtree(project / "replay")


def test_annotations_and_junit_name_line_requirement_verdict_and_estimate(project, data):
    import xml.etree.ElementTree as ET

    bad = [e for e in data["expectations"] if e["status"] != "PASSED" and e["id"].startswith("specs/small.yaml")]
    said = (project / ".git" / "said.txt").read_text()
    lines = re.findall(r"^::(?:error|warning) file=specs/small\.yaml,line=(\d+),title=[^:]+::", said, re.M)
    assert sorted(map(int, lines)) == sorted(e["line"] for e in bad)
    text = (project / "specs" / "small.yaml").read_text().splitlines()
    assert all(f"{e['kind']}:" in text[e["line"] - 1] for e in bad)
    cases = ET.parse(project / ".git" / "junit.xml").getroot().iter("testcase")
    told = {c.get("name"): {p.get("name"): p.get("value") for p in c.iter("property")} for c in cases}
    mine = told["sensitivity"]
    assert (mine["synnodtest.requirement"], mine["synnodtest.hazard"]) == ("SRS-1", "HAZ-1")
    part = of_kind(data, "sensitivity")["ruling"]["components"][0]
    assert float(mine["synnodtest.estimate"]) == pytest.approx(part["value"], rel=1e-5)
    assert mine["synnodtest.verdict"] == of_kind(data, "sensitivity")["status"]


def test_a_margin_changed_after_freezing_and_a_selection_are_told(data, again):
    second = json.loads((again / "results.json").read_text())
    frozen = {spec["file"] for spec in data["identification"]["specs"]}
    assert {*second["run"]["frozen_unrun"]} == frozen - {"specs/small.yaml"} != set()
    assert second["run"]["confirmatory"] is False
    assert any("was changed after it was frozen" in r for r in second["run"]["exploratory_reasons"])
    assert any("4 of the 5 expectations" in r for r in second["run"]["exploratory_reasons"])
    assert [(d["planned"], d["actual"]) for d in second["deviations"]] == [(0.65, 0.3)]
    assert [e["status"] for e in second["expectations"]].count("NOT RUN") == 4
    page = (again / "report.html").read_text()
    assert "This run confirms nothing" in page
    assert "sensitivity.at_least" in page
    assert "changed after freezing" in page
