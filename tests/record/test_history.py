"""Histories of runs: what moved, what flips between seeds, what a version kept, against a count by hand."""

import json

import pytest

from synnodtest.cli import main
from synnodtest.integrity import ledger
from synnodtest.record import results
from synnodtest.record.history import history_of
from synnodtest.report.history import write_history
from tests.record import parts


def run(number, version, seed, *statuses, spec="s1"):
    """Return the part of a record that a history reads."""
    return parts.record(
        run=parts.run(id=f"r{number}", started=f"2026-01-0{number}T00:00:00+00:00", seed=seed),
        identification=parts.identification(
            detector={"name": "d", "version": version, "sha256": version * 8},
            specs=[{"file": "s.yaml", "sha256": spec}],
            synthesizers=[{"name": "gaussian", "sha256": ""}],
            backgrounds=[{"name": "normal", "count": 3}],
        ),
        expectations=[entry(f"s.yaml::b::e{i}", status) for i, status in enumerate(statuses)],
    )


def entry(node, status):
    part = parts.component(status=status, value=0.8, lower=0.7, upper=0.9, bound=0.6, label="sensitivity")
    ruling = None if status in ("ERROR", "NOT RUN") else parts.ruling(status=status, components=[part])
    return parts.expectation(id=node, status=status, ruling=ruling)


def test_what_moved_is_told_against_the_run_before_whoever_named_a_baseline():
    made = history_of([run(2, "1", 0, "FAILED", "PASSED", "PASSED"), run(1, "1", 0, "PASSED", "FAILED", "PASSED")])
    assert [line.id for line in made.runs] == ["r1", "r2"]
    assert [(n, b.status, o.status) for n, b, o in made.newly("FAILED")] == [("s.yaml::b::e0", "PASSED", "FAILED")]
    assert [n for n, *_ in made.newly("PASSED")] == ["s.yaml::b::e1"]


def test_a_run_that_left_an_expectation_out_is_no_step_of_it():
    made = history_of([run(1, "1", 0, "PASSED"), run(2, "1", 0, "NOT RUN"), run(3, "1", 0, "FAILED")])
    ((_, before, now),) = made.newly("FAILED")
    assert (before.run, now.run) == (0, 2)


@pytest.mark.parametrize(
    ("second", "flips"),
    [
        (run(2, "1", 1, "FAILED"), 1),
        (run(2, "1", 0, "FAILED"), 0),  # the same seed
        (run(2, "2", 1, "FAILED"), 0),  # another version
        (run(2, "1", 1, "FAILED", spec="s2"), 0),  # another specification
        (run(2, "1", 1, "PASSED"), 0),
    ],
)
def test_a_flip_is_one_of_the_seed_alone(second, flips):
    made = history_of([run(1, "1", 0, "PASSED"), second])
    assert len(made.flips()) == flips


def test_a_version_keeps_what_passed_before_and_what_it_lost_is_named():
    made = history_of(
        [run(1, "1", 0, "PASSED", "PASSED", "FAILED"), run(2, "2", 0, "PASSED", "INCONCLUSIVE", "PASSED")]
    )
    assert made.kept() == [("d 1 (11111111)", "d 2 (22222222)", ["s.yaml::b::e1"], 2)]


def test_aborted_runs_of_the_ledger_stand_among_the_others():
    entered = [{"run": "r0", "started": "2026-01-01T01:00:00+00:00", "detector": "x", "seed": 5, "status": "aborted"}]
    made = history_of([run(1, "1", 0, "PASSED"), run(2, "1", 0, "PASSED")], entered)
    assert [(line.id, line.status) for line in made.runs] == [("r1", "finished"), ("r0", "aborted"), ("r2", "finished")]


def test_the_page_holds_every_run_escaped_and_without_a_script(tmp_path):
    records = [run(1, "<b>1", 0, "PASSED"), run(2, "2", 1, "FAILED")]
    text = write_history(history_of(records), tmp_path / "h.html").read_text()
    assert "<script" not in text
    assert "&lt;b&gt;1" in text
    assert "<b>1" not in text
    assert text.count('class="strip"') == 2


def test_the_command_reads_the_folder_of_runs_and_the_ledger(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number, status in ((1, "PASSED"), (2, "FAILED")):
        made["run"] |= {"id": f"run-{number}", "started": f"2026-01-0{number}T00:00:00+00:00"}
        made["expectations"][0] |= {"status": status, "waived": None}
        results.write(made, tmp_path / "reports" / f"run-{number}")
    spec = made["identification"]["specs"][0]["sha256"]
    ledger.begin(tmp_path / ledger.FILE_NAME, "run-9", specs=[spec], seed=3, detector="d")
    assert main(["history"]) == 0
    told = capsys.readouterr().out
    assert "3 runs, 1 version of the detector" in told
    assert "newly failed: 1" in told
    assert "aborted: no record" in told
    assert (tmp_path / "reports" / "history.html").is_file()
    assert main(["history", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 3
    assert main(["history", "--reports", "nowhere"]) == 1
