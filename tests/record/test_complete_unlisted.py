"""Runs that the ledger does not know and that left a report: a ledger that was cut or replaced hides no attempt."""

import json
import shutil

from synnodtest.integrity import ledger
from synnodtest.integrity.manifest import RECORD
from synnodtest.record import results
from synnodtest.record.assemble import Fragment
from synnodtest.record.complete import RunFacts
from synnodtest.record.model.run import SpecEntry
from synnodtest.record.whole import whole_record

SPEC = "a" * 64


def ended(folder, run, seed, spec=SPEC):
    """Enter a run in the ledger and leave its record; return the record."""
    ledger.begin(folder / ledger.FILE_NAME, run, specs=[spec], seed=seed, detector="d")
    ledger.end(folder / ledger.FILE_NAME, run, "finished")
    fragment = Fragment(specs={"specs/a.yaml": SpecEntry("specs/a.yaml", spec)})
    facts = RunFacts(folder, run, ("pytest",), seed, options={"detector": "d"}, reports=folder / "reports")
    made = whole_record(fragment, facts)
    results.write(made, folder / "reports" / run)
    return made


def cut(folder, lines):
    """Keep that many first lines of the ledger."""
    path = folder / ledger.FILE_NAME
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]))


def test_a_whole_ledger_has_nothing_amiss(tmp_path):
    for seed in range(3):
        made = ended(tmp_path, f"run-{seed}", seed)
    assert [one["run"] for one in made["ledger"]] == ["run-0", "run-1", "run-2"]
    assert made["anomalies"] == []


def test_runs_that_were_cut_off_the_end_are_listed_from_their_reports(tmp_path):
    for seed in range(3):
        ended(tmp_path, f"run-{seed}", seed)
    ended(tmp_path, "of-another-spec", 1, spec="b" * 64)
    cut(tmp_path, 2)
    made = ended(tmp_path, "run-3", 3)
    assert ledger.faults(tmp_path / ledger.FILE_NAME) == []  # of itself the ledger cannot tell
    listed = {(one["run"], one["status"]) for one in made["ledger"]}
    hidden = {(f"run-{seed}", "not in the ledger") for seed in (1, 2)}
    assert listed == hidden | {("run-0", "finished"), ("run-3", "finished")}
    assert [(one["run"], one["seed"]) for one in made["ledger"] if one["status"] == "not in the ledger"] == [
        ("run-1", 1),
        ("run-2", 2),
    ]
    said = [one["what"] for one in made["anomalies"]]
    assert said == [f"the run run-{seed} left a report and is not in the ledger" for seed in (1, 2)]


def test_a_report_that_was_edited_does_not_cost_the_record_of_a_later_run(tmp_path):
    for seed in range(2):
        made = ended(tmp_path, f"run-{seed}", seed)
    cut(tmp_path, 2)
    made["run"] |= {"started": 5, "options": {"detector": 1, "backgrounds": ["cxr"]}}
    (tmp_path / "reports" / "run-1" / RECORD).write_text(json.dumps(made))
    listed = {one["run"]: one for one in ended(tmp_path, "run-2", 2)["ledger"]}  # which is written, or this raises
    assert (listed["run-1"]["started"], listed["run-1"]["detector"]) == ("5", "1")


def test_a_ledger_that_keeps_nothing_is_told_of(tmp_path):
    fragment = Fragment(specs={"specs/a.yaml": SpecEntry("specs/a.yaml", SPEC)})
    facts = RunFacts(tmp_path, "run", ("pytest",), 0, ledger=tmp_path / "none.jsonl", reports=tmp_path / "reports")
    (anomaly,) = whole_record(fragment, facts)["anomalies"]
    assert anomaly["what"] == "this run is not in the ledger"


def test_another_ledger_does_not_hide_the_runs_that_the_project_s_own_knows(tmp_path):
    for seed in range(2):
        ended(tmp_path, f"run-{seed}", seed)
    (tmp_path / "reports").rename(tmp_path / "reports-elsewhere")
    fresh = tmp_path / "fresh.jsonl"
    ledger.begin(fresh, "run-2", specs=[SPEC], seed=2, detector="d")
    fragment = Fragment(specs={"specs/a.yaml": SpecEntry("specs/a.yaml", SPEC)})
    facts = RunFacts(tmp_path, "run-2", ("pytest",), 2, ledger=fresh, reports=tmp_path / "reports")
    made = whole_record(fragment, facts)
    assert [(one["run"], one["seed"]) for one in made["ledger"]] == [("run-0", 0), ("run-1", 1), ("run-2", 2)]
    assert made["anomalies"] == []


def test_a_copy_of_the_projects_ledger_lists_no_run_twice(tmp_path):
    ended(tmp_path, "run-0", 0)
    copy = shutil.copy(tmp_path / ledger.FILE_NAME, tmp_path / "copy.jsonl")
    ledger.begin(copy, "run-1", specs=[SPEC], seed=1, detector="d")
    fragment = Fragment(specs={"specs/a.yaml": SpecEntry("specs/a.yaml", SPEC)})
    made = whole_record(fragment, RunFacts(tmp_path, "run-1", ("pytest",), 1, ledger=copy))
    assert [(one["run"], one["seed"]) for one in made["ledger"]] == [("run-0", 0), ("run-1", 1)]


def test_a_report_that_is_no_record_is_passed_over(tmp_path):
    (tmp_path / "reports" / "odd").mkdir(parents=True)
    (tmp_path / "reports" / "odd" / RECORD).write_text(json.dumps([SPEC]))
    assert ended(tmp_path, "run", 0)["anomalies"] == []
