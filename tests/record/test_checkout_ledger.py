"""A run whose ledger was cut, swapped or deleted, or does not hold it, confirms nothing."""

import subprocess

import pytest

from synnodtest.integrity import ledger
from synnodtest.record.checkout import reasons_of_ledger

EDITED = f"{ledger.FILE_NAME} was edited: lines are missing that were not committed"
LACKS = f"{ledger.FILE_NAME} lacks lines that were committed"


@pytest.fixture
def checkout(tmp_path):
    """A checkout in which a ledger of three runs was committed, and a fourth run was entered after that."""
    for seed in range(3):
        ledger.begin(tmp_path / ledger.FILE_NAME, f"run-{seed}", specs=["s"], seed=seed)
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "runs"]):
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)
    ledger.begin(tmp_path / ledger.FILE_NAME, "this", specs=["s"], seed=3)
    return tmp_path


def reasons(root, run="this", path=None):
    return reasons_of_ledger(path or root / ledger.FILE_NAME, root, run)


def test_a_ledger_that_was_added_to_has_nothing_amiss(checkout):
    assert reasons(checkout) == []


def test_a_run_that_its_ledger_does_not_hold_confirms_nothing(checkout):
    assert reasons(checkout, run="another") == ["the run is not in its ledger"]


def test_a_ledger_that_was_cut_is_told_from_what_was_committed(checkout):
    file = checkout / ledger.FILE_NAME
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:1]))
    ledger.begin(file, "this", specs=["s"], seed=3)
    assert ledger.faults(file) == []  # of itself the ledger cannot tell
    assert reasons(checkout) == [LACKS]


def test_a_run_that_was_taken_out_before_it_was_committed_is_told(checkout):
    """What was committed is whole, and what was not lacks the run that failed."""
    file = checkout / ledger.FILE_NAME
    ledger.begin(file, "last", specs=["s"], seed=4)
    assert reasons(checkout, run="last") == []
    *committed, _, last = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*committed, last]))
    assert reasons(checkout, run="last") == [EDITED]


def test_a_line_that_a_crash_cut_off_and_a_merge_that_was_committed_leave_later_runs_as_they_are(checkout):
    file = checkout / ledger.FILE_NAME
    file.write_bytes(file.read_bytes()[:-20])
    ledger.begin(file, "last", specs=["s"], seed=4)
    assert reasons(checkout, run="last") == []
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:2], *lines[3:]]))  # as two branches leave it
    for words in (["add", "."], ["commit", "-qm", "merged"]):
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(checkout), *who, *words], check=True, capture_output=True)
    ledger.begin(file, "later", specs=["s"], seed=5)
    assert ledger.faults(file) != []
    assert reasons(checkout, run="later") == []


def test_another_ledger_does_not_stand_in_for_the_projects_own(checkout):
    (checkout / ledger.FILE_NAME).unlink()
    elsewhere = checkout.parent / f"{checkout.name}.jsonl"
    ledger.begin(elsewhere, "this", specs=["s"], seed=3)
    assert reasons(checkout, path=elsewhere) == [LACKS]


def test_outside_a_checkout_only_the_run_is_looked_for(tmp_path):
    ledger.begin(tmp_path / ledger.FILE_NAME, "this", specs=["s"], seed=0)
    assert reasons(tmp_path) == []
