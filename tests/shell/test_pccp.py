"""``synnodtest pccp check`` with a detector in place of a run."""

from __future__ import annotations

import argparse
from dataclasses import replace

import pytest

from synnodtest.commands import pccp
from synnodtest.errors import SynnodError
from synnodtest.integrity import manifest
from synnodtest.record import results
from synnodtest.record.model import Record
from synnodtest.record.model.side import Side
from synnodtest.record.pccp import _gate
from synnodtest.shell import baseline
from tests.record import parts

SPEC = """\
synnodtest: 1
behaviours:
  - id: searched
    statement: No nodule is missed.
    gate: safety
    fuzz: {backgrounds: {set: normal, count: 2}, examples: 5, vary: {diameter_mm: [18, 24]}}
    expect: [detected: {rate_at_least: 0.9}]
"""


def test_a_run_on_a_set_with_fewer_backgrounds_than_asked_for_is_limited_as_one_with_a_limit_is():
    few = {"the set has 12 of the 30 backgrounds asked for": 18}
    for told, limited in (
        ({}, False),
        ({"attrition": {"reasons": few}}, True),
        ({"run": parts.run(profile="x")}, True),
    ):
        assert pccp._limited(Record.of(parts.record(**told))) is limited


def test_a_run_is_not_held_against_itself(tmp_path, monkeypatch):
    """As where both versions left their runs in one folder, of which the newest is taken on either side."""
    monkeypatch.chdir(tmp_path)
    plan = tmp_path / "plan.yaml"
    plan.write_text("synnodtest_pccp: 1\nspecs: {a.yaml: abc}\nmust_hold: {lost_at_most: 9}\n")
    run = results.write(parts.record(), tmp_path / "reports" / "r3").parent
    manifest.write(run)
    parser = argparse.ArgumentParser()
    pccp.configure("pccp", parser)
    options = parser.parse_args(["check", "--protocol", "plan.yaml", "--old", "reports", "--new", str(run)])
    with pytest.raises(SynnodError, match="held against itself"):
        pccp.run(options)


def test_of_a_folder_of_runs_the_newest_is_taken_whatever_the_folders_are_called(tmp_path):
    for name, started in (("good", "2026-01-01T00:00:00+00:00"), ("20260301T000000Z-aa", "2026-03-01T00:00:00+00:00")):
        results.write(parts.record(run=parts.run(id=name, started=started)), tmp_path / name)
    assert baseline.run_of(str(tmp_path)) == str(tmp_path / "20260301T000000Z-aa")
    assert baseline.run_of(str(tmp_path / "good")) == str(tmp_path / "good")
    (tmp_path / "20260401T000000Z-bb").mkdir()
    (tmp_path / "20260401T000000Z-bb" / "results.json").write_text("[")
    assert baseline.run_of(str(tmp_path)).endswith("bb"), "where it is refused"


def test_the_page_does_not_lie_among_the_files_of_the_run_that_it_judges(tmp_path, monkeypatch):
    run = results.write(parts.record(), tmp_path / "reports" / "r3").parent
    manifest.write(run)
    for named in (run, run / "results.json"):
        assert pccp._beside(str(named)) == tmp_path / "reports" / "change-control-r3.html"
    monkeypatch.chdir(run)
    assert pccp._beside(".") == tmp_path / "reports" / "change-control-r3.html"
    assert pccp._beside("oracle").name == "change-control.html"


def test_a_search_that_a_detector_was_not_put_to_was_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(SPEC)
    side = replace(Side.of(parts.record()), left_out=("a.yaml::searched::detected",), short=True)
    monkeypatch.setattr(baseline, "record_of", lambda *_: side)
    parser = argparse.ArgumentParser()
    pccp.configure("pccp", parser)
    options = parser.parse_args(["check", "--protocol", "plan.yaml", "--old", "oracle", "--new", "oracle"])
    (tmp_path / "b.yaml").write_text(SPEC.replace("safety", "exploratory"))
    of_detector = pccp._version("oracle", options, ["b.yaml", "a.yaml"])
    (entry,) = of_detector.side.expectations
    assert of_detector.limited, "the set was short of backgrounds"
    assert (entry.id, entry.status, entry.behaviour) == ("a.yaml::searched::detected", "NOT RUN", "searched")
    assert _gate(entry, of_detector) == "safety", "not that of the behaviour of this id in another specification"
