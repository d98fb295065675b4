"""The commit of a run, and why git does not tell it."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from synnodtest.integrity.lock import LOCK, freeze
from synnodtest.record.assemble import Fragment
from synnodtest.record.checkout import commit_of
from synnodtest.record.complete import RunFacts
from synnodtest.record.model.run import SpecEntry
from synnodtest.record.whole import run_entry
from synnodtest.spec.loader import load_spec

SHIPPED = Path(__file__).parents[2] / "specs" / "change_control.yaml"


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    (tmp_path / "a.yaml").write_text("a: 1\n")
    for words in (["init", "-q"], ["add", "a.yaml"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def test_untracked_files_count_as_changes_though_the_user_hides_them(checkout):
    assert commit_of(checkout, ())[1:] == (True, "")
    subprocess.run(["git", "config", "status.showUntrackedFiles", "no"], cwd=checkout, check=True)
    (checkout / "detector.py").write_text("")
    head, clean, unread = commit_of(checkout, ())
    assert (len(head), clean, unread) == (40, False, "detector.py")
    assert commit_of(checkout, (checkout / "reports", checkout))[1] is False  # --synnod-report . hides nothing
    assert commit_of(checkout, (checkout / "detector.py",))[1] is True
    facts = RunFacts(checkout, "r", ("pytest",), 0, own=(checkout / "detector.py",), checkout=(head, True))
    told = "git's checkout changed while the run went on"
    assert told not in run_entry(Fragment(), facts).exploratory_reasons
    for before in ((head, False), ("0" * 40, True)):
        assert told in run_entry(Fragment(), replace(facts, checkout=before)).exploratory_reasons


def test_a_spec_that_is_edited_while_the_run_goes_on_makes_it_exploratory(tmp_path):
    files = {file: f"{file}: 1\n" for file in ("a.yaml", "b.yaml")}
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    of_a, of_b = (hashlib.sha256(text.encode()).hexdigest() for text in files.values())
    specs = {"a.yaml": SpecEntry("a.yaml", "resolved", file_sha256=of_a, included={"b.yaml": of_b})}
    facts = RunFacts(tmp_path, "r", ("pytest",), 0)

    def edited():
        reasons = run_entry(Fragment(specs=specs), facts).exploratory_reasons
        return [reason for reason in reasons if "was edited while the run went on" in reason]

    assert not edited()
    (tmp_path / "b.yaml").write_text("b: 2\n")
    (tmp_path / "a.yaml").unlink()
    assert [reason.split()[0] for reason in edited()] == ["a.yaml", "b.yaml"]


def test_what_is_not_committed_is_named(checkout):
    """As what a killed ``freeze`` left, which nobody sees in a folder: its name begins with a dot."""
    facts = RunFacts(checkout, "r", ("pytest",), 0)
    (checkout / ".synnodtest.lock.0_9azk3x").write_text("{")
    told = "the git tree held uncommitted changes (.synnodtest.lock.0_9azk3x)"
    assert told in run_entry(Fragment(), facts).exploratory_reasons
    (checkout / "a.yaml").write_text("a: 2\n")
    (checkout / "b c.yaml").write_text("b: 1\n")
    told = "the git tree held uncommitted changes (a.yaml and 2 more)"
    assert told in run_entry(Fragment(), facts).exploratory_reasons


@pytest.mark.parametrize("flag", ["assume-unchanged", "skip-worktree"])
def test_changes_that_git_was_told_to_overlook_make_no_tree_clean(checkout, flag):
    subprocess.run(["git", "update-index", f"--{flag}", "a.yaml"], cwd=checkout, check=True)
    (checkout / "a.yaml").write_text("a: 2\n")
    head, clean, unread = commit_of(checkout, ())
    assert (len(head), clean) == (40, None)
    assert unread.startswith("git was told to overlook changes of a.yaml")
    (checkout / "a.yaml").unlink()  # as a sparse checkout leaves it out
    assert commit_of(checkout, ())[1:] == (True, "")


def test_a_folder_of_reports_hides_no_change_of_what_was_committed_in_it(checkout):
    assert commit_of(checkout, (checkout,))[1] is True
    (checkout / "work").mkdir()
    (checkout / "work" / "detector.py").write_text("one")
    assert commit_of(checkout, (checkout / "work",))[1] is True
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (["add", "work"], ["commit", "-q", "-m", "second"]):
        subprocess.run(["git", *who, *words], cwd=checkout, check=True, capture_output=True)
    (checkout / "work" / "detector.py").write_text("two")
    assert commit_of(checkout, (checkout / "work",))[1] is False
    assert commit_of(checkout, (checkout / "work" / "detector.py",))[1] is True  # as the ledger, which is committed


def test_another_checkout_that_the_environment_names_does_not_stand_in_for_that_of_the_run(
    checkout, tmp_path_factory, monkeypatch
):
    head, other = commit_of(checkout, ())[0], tmp_path_factory.mktemp("other")
    subprocess.run(["git", "clone", "-q", str(checkout), str(other)], check=True, capture_output=True)
    (checkout / "a.yaml").write_text("a: 2\n")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert commit_of(checkout, ()) == (head, False, "a.yaml")


def test_a_lock_that_git_ignores_shows_nobody_when_specifications_were_frozen(checkout):
    """``*.lock`` stands in many a .gitignore; the tree is clean then, and the lock can be written at any time."""
    told = "synnodtest.lock is not in git, so that nothing shows when it was written: git add --force synnodtest.lock"
    facts, who = RunFacts(checkout, "r", ("pytest",), 0), ("-c", "user.name=a", "-c", "user.email=a@example.org")
    (checkout / ".gitignore").write_text("*.lock\n")
    for words in (["add", "."], ["commit", "-q", "-m", "second"]):
        subprocess.run(["git", *who, *words], cwd=checkout, check=True, capture_output=True)
    assert told not in run_entry(Fragment(), facts).exploratory_reasons, "nothing is frozen"
    freeze([load_spec(SHIPPED)], checkout / LOCK)
    assert commit_of(checkout, ())[1] is True
    assert told in run_entry(Fragment(), facts).exploratory_reasons
    for words in (["add", "--force", LOCK], ["commit", "-q", "-m", "third"]):
        subprocess.run(["git", *who, *words], cwd=checkout, check=True, capture_output=True)
    assert told not in run_entry(Fragment(), facts).exploratory_reasons


def test_a_checkout_that_git_does_not_read_is_not_said_to_be_none(checkout, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    head, clean, unread = commit_of(checkout, ())
    assert (head, clean) == ("", None)
    assert "dubious ownership" in unread
    monkeypatch.setenv("PATH", "/nowhere")
    assert "git" in commit_of(checkout, ())[2]


def test_a_folder_without_git_is_no_checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path, ()) == ("", None, "")
