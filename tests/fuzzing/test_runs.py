"""Fuzz behaviours under pytest: verdicts, errors, the record, replay and promotion."""

import json
import re
import shlex
import shutil

import pytest

import synnodtest.detectors.recorded  # noqa: F401 - pytester forgets what a test loads, and this registers itself once
from synnodtest.cli import main
from tests.pytest_plugin.conftest import project  # noqa: F401

SPEC = """\
synnodtest: 1
title: Searches   # kept
defaults:
  operating_point: 0.25
behaviours:
  # the search
  - id: found
    statement: Every nodule is found.
    fuzz:
      vary: {diameter_mm: [10, 20], contrast: [0.3, 1.0], location: {region: lung}}   # what varies
      examples: 16
      replicates: 2
      backgrounds: {set: normal, count: 4}
    expect:
      - detected: {rate_at_least: 0.8}
"""

DETECTOR = """\
from pathlib import Path
from synnodtest import Finding


def holed():
    def detect(radiographs):
        least = float(Path("least.txt").read_text())
        return [[Finding(t.box, 0.9) for t in r.nodules if t.requested["contrast"] >= least] for r in radiographs]

    return detect


def loud():
    def detect(radiographs):
        says = Path("says.txt").read_text()
        if says == "nothing":
            return [[] for _ in radiographs]
        nodules = [[Finding(t.box, 0.9) for t in r.nodules if t.diameter_mm > 14] for r in radiographs]
        return nodules if says == "nodules" else [[Finding((1.0, 1.0, 9.0, 9.0), 0.9)] for _ in radiographs]

    return detect


def interrupted():
    import os, signal

    inner, seen = holed(), []

    def detect(radiographs):
        seen.extend(radiographs)
        if len(seen) >= 60 > len(seen) - len(radiographs):
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does
        return inner(radiographs)

    return detect


def crashing():
    def detect(radiographs):
        if any(t.requested["contrast"] < 0.5 for r in radiographs for t in r.nodules):
            raise ValueError("index out of range")
        return [[Finding(t.box, 0.9) for t in r.nodules] for r in radiographs]

    return detect
"""

BRIEFLY = """\
from synnodtest.fuzzing import investigation

investigation.DESCRIBED, investigation.MOST_WALKED = 10, 8
# scenes around a counterexample; test_hole.py is about them
"""


@pytest.fixture
def searched(project, monkeypatch):  # noqa: F811
    (project.path / "specs" / "small.yaml").unlink()
    (project.path / "specs" / "search.yaml").write_text(SPEC)
    (project.path / "holes.py").write_text(DETECTOR)
    (project.path / "conftest.py").write_text(BRIEFLY)
    (project.path / "least.txt").write_text("0.5")
    monkeypatch.chdir(project.path)
    monkeypatch.syspath_prepend(project.path)
    return project


def results(project):  # noqa: F811
    run = max((project.path / "reports").iterdir())
    return run, json.loads((run / "results.json").read_text())


TWICE = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for following in (item, nextitem):  # as pytest-repeat does
        runtestprotocol(item, nextitem=following, log=True)
        Path("least.txt").write_text("0.0")
    return True
"""
WAIVER = "waivers:\n  - {id: W-1, expectation: found, reason: r, approver: A. Person, expiry: 2099-01-01}\n"


def test_a_waived_search_that_is_run_twice_is_recorded_once_and_its_failure_stands(searched):
    (searched.path / "conftest.py").write_text(f"from pathlib import Path\n{BRIEFLY}\n{TWICE}")
    (searched.path / "waivers.yaml").write_text(WAIVER)
    result = searched("--synnod-no-pixels", detector="holes:holed")
    assert result.parseoutcomes()["xfailed"] == 2
    _, record = results(searched)
    assert [entry["status"] for entry in record["expectations"]] == ["FAILED"]
    assert [search["status"] for search in record["fuzzing"]] == ["FAILED"]


def test_a_failure_is_reported_replayed_and_promoted(searched, capsys):
    result = searched(detector="holes:holed")
    assert "FAILED counterexample confirmed" in result.stdout.str()
    run, record = results(searched)
    (expectation,) = record["expectations"]
    assert expectation["status"] == "FAILED"
    (search,) = record["fuzzing"]
    assert 0.45 <= search["example"]["contrast"] < 0.5
    rules = {picture["rule"] for picture in record["gallery"]}
    assert any("minimal" in rule for rule in rules)
    assert "confirmed" in (run / "report.html").read_text()

    replay, promote = (
        re.search(rf"^ +synnodtest ({word} .*)$", result.stdout.str(), re.M) for word in ("replay", "promote")
    )
    assert main(shlex.split(replay.group(1))) == 1
    told = capsys.readouterr().out
    assert "FAILED" in told
    assert "pixels as recorded" in told
    assert re.search(r"contrast +requested 0\.4[5-9]\d* +realised", told)
    counterexample = search["counterexamples"][0]
    assert counterexample["matters"] == "contrast"
    assert counterexample["example"] in told

    assert main(shlex.split(promote.group(1))) == 0
    text = (searched.path / "specs" / "search.yaml").read_text()
    assert all(line in text.splitlines() for line in SPEC.splitlines())
    assert "explicit:" in text

    (searched.path / "least.txt").write_text("0.0")
    assert main(["replay", search["id"]]) == 0
    assert "FIXED" in capsys.readouterr().out


def test_a_detector_that_finds_nothing_at_all_has_not_mended_what_asks_for_quiet(searched, capsys):
    spec = searched.path / "specs" / "search.yaml"
    quiet = spec.read_text().replace("[10, 20]", "[8, 12]").replace("examples: 16", "examples: 4")
    spec.write_text(quiet.replace("detected: {", "silent: {"))
    (searched.path / "says.txt").write_text("all")
    searched("--synnod-no-pixels", detector="holes:loud")
    _, record = results(searched)
    (search,) = record["fuzzing"]
    assert search["status"] == "FAILED"
    (searched.path / "says.txt").write_text("nothing")
    assert main(["replay", search["id"]]) == 1
    assert re.search(r"of 12 conspicuous nodules, .*reports none\nverdict +INCONCLUSIVE", capsys.readouterr().out)
    (searched.path / "says.txt").write_text("nodules")
    shutil.rmtree(searched.path / ".synnodtest")
    assert main(["replay", search["id"]]) == 0
    assert "FIXED" in capsys.readouterr().out


def test_a_crash_is_an_error_with_its_easiest_example_that_replay_repeats(searched, capsys):
    result = searched("--synnod-no-pixels", detector="holes:crashing")
    assert result.parseoutcomes() == {"errors": 1}
    assert "index out of range" in result.stdout.str()
    _, record = results(searched)
    (search,) = record["fuzzing"]
    assert search["status"] == "ERROR"
    assert 0.45 <= search["example"]["contrast"] < 0.5
    assert search["example"]["diameter_mm"] == 20
    assert main(["replay", search["id"]]) == 1
    assert "ERROR" in capsys.readouterr().out


def test_a_plan_of_a_search_runs_nothing(searched):
    result = searched("--synnod-plan", detector="holes:holed")
    assert result.ret == 0
    assert "a search with one counterexample: where much fails, easing the examples" in result.stdout.str()
    assert "more for the detector at most, beyond these minutes and any time_budget" in result.stdout.str()


def test_the_number_of_workers_does_not_change_the_counterexample(searched):
    spec = SPEC.replace("examples: 16", "examples: 8").replace("{region: lung}", "{at_mm: [70, 64]}")
    (searched.path / "specs" / "search.yaml").write_text(spec)
    found = []
    for workers in ("0", "2"):
        folder = f"with-{workers}"
        shutil.copytree(searched.path / ".synnodtest", searched.path / f"{folder}-cache")
        searched(
            "-n",
            workers,
            "--synnod-no-pixels",
            "--synnod-report",
            folder,
            "--synnod-cache",
            f"{folder}-cache",
            detector="holes:holed",
        )
        (run,) = (searched.path / folder).iterdir()
        found += json.loads((run / "results.json").read_text())["fuzzing"]
    one, two = found
    assert one["status"] == "FAILED"
    for key in ("id", "example", "trials", "counterexamples", "local", "tried", "sentence", "shown", "region"):
        assert one[key] == two[key], key
    assert one["region"]["scenes"] > 0


def test_ctrl_c_reports_what_was_found_so_far(searched):
    (searched.path / "least.txt").write_text("0.9")
    spec = SPEC.replace("examples: 16", "examples: 80")
    (searched.path / "specs" / "search.yaml").write_text(spec)
    result = searched("--synnod-no-pixels", detector="holes:interrupted")
    told = result.stdout.str()
    assert result.ret == 2
    _, record = results(searched)
    (search,) = record["fuzzing"]
    assert search["stopped"] == "interrupted"
    assert "it was interrupted" in " ".join(told.split())
    assert "keeps from pytest's count" not in told
    assert search["example"]["contrast"] < 0.9
    assert search["trials"]
    assert not any(trial["holds"] for trial in search["trials"])
