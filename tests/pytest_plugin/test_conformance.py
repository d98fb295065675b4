"""An adapter that is wrong stops a run before its first scene; what only limits it is written down."""

import json

from tests.pytest_plugin.conftest import run_pytest


def record(project):
    (path,) = project.path.glob("reports/*/results.json")
    return json.loads(path.read_text())


def test_answers_in_another_order_stop_the_run_with_what_to_change(project):
    project.forget()
    result = project(detector="dets:backwards", conform="stop")
    assert result.parseoutcomes() == {"errors": 4}
    said = result.stdout.str()
    assert "'dets:backwards' does not conform: batch: findings come back in another order" in said
    assert "answer in the order of the radiographs" in said
    assert not (project.path / ".synnodtest" / "v1" / "radiographs").exists()


def test_a_limit_warns_goes_into_the_record_and_is_asked_about_once(project):
    words = ("-k", "size and false_positives", "--synnod-no-pixels")
    said = project(*words, detector="dets:eight_bits", conform="stop").stdout.str()
    assert "dets:eight_bits: conformance, bit depth: " in said
    (anomaly,) = record(project)["anomalies"]
    assert anomaly["id"] == "dets:eight_bits"
    assert "bit depth" in anomaly["what"]
    assert "float pixels" in anomaly["impact"]
    (answers,) = (project.path / ".synnodtest" / "v1" / "conform").glob("??/*")
    before = answers.stat().st_mtime_ns
    project(*words, detector="dets:eight_bits", conform="stop")
    assert answers.stat().st_mtime_ns == before


def test_questions_that_were_not_asked_stand_in_the_record_wherever_that_was_set(project, monkeypatch):
    ini = project.path / "pytest.ini"
    ini.write_text(ini.read_text() + "addopts = --synnod-conform off --synnod-timeout 77 --inconclusive xfail\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--synnod-seed 3")
    words = ("-k", "size and false_positives", "--synnod-no-pixels", "--detector", "dets:honest")
    run_pytest(*words, "--synthesizer", "gaussian", "--backgrounds", "cxr")
    made = record(project)
    (anomaly,) = made["anomalies"]
    assert anomaly["id"] == "dets:honest"
    assert "was asked nothing" in anomaly["what"]
    told = {"--inconclusive": "xfail", "--synnod-conform": "off", "--synnod-timeout": "77"}
    assert {name: made["run"]["options"].get(name) for name in told} == told
    assert made["run"]["command"][:3] == ["pytest", "--synnod-seed", "3"]
    (page,) = project.path.glob("reports/*/report.html")
    assert "--inconclusive xfail, --synnod-conform off, --synnod-timeout 77" in page.read_text()
