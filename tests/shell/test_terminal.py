"""Verdict lines: two numbers first, no line wider than the window, exclusions beside a pass."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from synnodtest.decoding import decode
from synnodtest.record.assemble import Fragment
from synnodtest.record.model import ExpectationEntry, Record, RulingEntry
from synnodtest.record.model.run import BackgroundsEntry, IdentityEntry
from synnodtest.shell.ending import facts_of
from synnodtest.shell.options import add_options, settings_of
from synnodtest.shell.repeat_commands import changed, reproduce
from synnodtest.shell.settings import Settings
from synnodtest.shell.terminal import BROKEN_BESIDE, letter_of, verdict_lines, write_end, write_summary
from tests.record import parts

SENTENCE = (
    "PASSED sensitivity 0.93 (one-sided 95% lower bound 0.88) exceeds the pre-specified 0.80; n = 124 nodules on 124 "
    "backgrounds"
)
RULING = decode(
    RulingEntry,
    parts.ruling(
        sentence=SENTENCE,
        components=[parts.component(side="above", lower=0.88, upper=0.97, bound=0.8)],
        notes=["not made: 3 x the region is empty on this background"],
    ),
)
NODE = "specs/size.yaml::large-nodules-are-found::sensitivity"


@pytest.mark.parametrize("width", [40, 60, 80, 132])
def test_no_line_of_a_verdict_is_wider_than_the_window(width):
    lines = list(verdict_lines("s.yaml::b::e", RULING, width))
    assert all(len(line) <= width for line in lines)
    assert " ".join(" ".join(lines).split()) == f"PASSED 0.88 > 0.80 s.yaml::b::e {SENTENCE} {RULING.notes[0]}"


def test_a_node_id_that_does_not_fit_stands_whole_below_the_numbers():
    first, second, *_ = verdict_lines(NODE, RULING, 80)
    assert (first, second) == ("PASSED        0.88 > 0.80", f"    {NODE}")


def test_status_and_the_two_numbers_come_first_and_a_pass_names_its_exclusions():
    first, sentence, note = verdict_lines(NODE, RULING, None)
    assert first.split() == ["PASSED", "0.88", ">", "0.80", NODE]
    assert sentence.strip() == SENTENCE
    assert note.strip() == RULING.notes[0]


def test_a_failure_does_not_repeat_the_notes_that_pytest_has_printed():
    told = list(verdict_lines(NODE, replace(RULING, status="FAILED"), None))
    assert len(told) == 2


@pytest.mark.parametrize(
    ("status", "failed", "letter"),
    [("INCONCLUSIVE", True, "?"), ("INCONCLUSIVE", False, None), ("FAILED", True, None), ("", True, None)],
)
def test_only_an_open_verdict_has_a_letter_of_its_own(status, failed, letter):
    found = letter_of(SimpleNamespace(synnod_status=status, failed=failed))
    assert (found and found[1]) == letter
    assert found is None or found[0] == "failed"


def test_the_command_told_leaves_out_what_changes_nothing_about_the_run():
    from synnodtest.shell.options import _telling

    said = ["specs", "--detector", "demo", "-p", "mine", "--synnod-limit", "16"]
    typed = [*said[:3], "-q", "-W", "ignore::x", "-p", "no:hypothesispytest", *said[3:]]
    assert _telling(typed) == said
    assert _telling([]) == _telling(["-q"]) == []


@pytest.mark.parametrize("began", [True, False])
def test_an_interrupted_run_says_where_its_work_lies_and_one_that_never_began_says_nothing(began):
    told = []
    session = SimpleNamespace(
        is_worker=False, interrupted=True, trouble="", ending=None, record=None, report=None, hidden=[],
        run=SimpleNamespace(settings=SimpleNamespace(cache="here/.synnodtest"), ready=began),
    )  # fmt: skip
    write_end(session, SimpleNamespace(line=told.append))
    said = "interrupted: what was finished lies in here/.synnodtest; the same command goes on from there"
    assert told == [said] * began


def test_a_confirmatory_run_tells_of_other_choices_and_of_an_unwritten_summary_where_it_ends(tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "gone" / "step.md"))
    specs = [{"file": "s.yaml", "sha256": "a"}]
    ledger = [{"run": f"r{seed}", "seed": seed, "spec_sha256": "a"} for seed in range(3)]
    made = parts.record(
        run=parts.run(confirmatory=True), identification=parts.identification(specs=specs), ledger=ledger
    )
    told = []
    session = SimpleNamespace(
        is_worker=False, interrupted=False, trouble="", hidden=[], profile=lambda: (),
        record=Record.of(made), report=tmp_path / "report.html",
    )  # fmt: skip
    write_end(session, SimpleNamespace(line=lambda text, **look: told.append(text)))
    assert [line.partition(",")[0] for line in told] == [
        "Other seeds: 2 runs of these specifications began before this one ended",
        f"GITHUB_STEP_SUMMARY: cannot be written: No such file or directory; it is {tmp_path}/summary.md",
    ]


def test_every_verdict_is_told_those_that_an_error_kept_from_one_too(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    entries = {
        "s.yaml::b::met": parts.expectation(id="s.yaml::b::met", status="PASSED", ruling=parts.ruling()),
        "s.yaml::b::torn": parts.expectation(id="s.yaml::b::torn", status="PASSED", ruling=parts.ruling()),
        "s.yaml::b::died": parts.expectation(id="s.yaml::b::died", status="ERROR", error="out of memory\n  hint: x"),
    }
    fragment = Fragment(expectations={key: decode(ExpectationEntry, one) for key, one in entries.items()})
    told = []
    reporter = SimpleNamespace(
        isatty=False, section=told.append, line=lambda text, **look: told.append(text),
        stats={"error": [SimpleNamespace(nodeid="s.yaml::b::torn")]},
    )  # fmt: skip
    session = SimpleNamespace(
        run=SimpleNamespace(fragment=fragment, settings=None), second=None, ending=None, trouble="",
        idle_waivers=lambda: (), taken=lambda: "",
    )  # fmt: skip
    write_summary(session, reporter)
    assert sorted(line.split()[-1] for line in told if "s.yaml" in line) == sorted(entries)
    assert told[1].split() == ["ERROR", "s.yaml::b::died"]
    assert told[2].strip() == "out of memory"
    assert sum(BROKEN_BESIDE in line for line in told) == 1
    assert BROKEN_BESIDE in told[-1]


def test_what_two_behaviours_tell_of_one_set_of_radiographs_is_told_once(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    told, of = [], {"identity": IdentityEntry("folder"), "notes": ("listed with a nodule",)}
    films = {f"normal:{count}": BackgroundsEntry("normal", count=count, patients=count, **of) for count in (12, 30)}
    entry = decode(ExpectationEntry, parts.expectation(status="PASSED", ruling=parts.ruling()))
    fragment = Fragment(expectations={entry.id: entry}, backgrounds=films)
    reporter = SimpleNamespace(isatty=False, section=told.append, line=lambda text, **_: told.append(text), stats={})
    session = SimpleNamespace(
        run=SimpleNamespace(fragment=fragment, settings=None), second=None, ending=None, trouble="",
        idle_waivers=lambda: (), taken=lambda: "",
    )  # fmt: skip
    write_summary(session, reporter)
    assert told.count("backgrounds normal: listed with a nodule") == 1


def test_a_run_of_which_nothing_was_ruled_says_so_though_pytest_tells_of_skipped_tests_alone(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    told = []
    reporter = SimpleNamespace(isatty=False, section=told.append, line=lambda text, **_: told.append(text))
    run = SimpleNamespace(fragment=Fragment())
    write_summary(SimpleNamespace(run=run, ending=None, trouble="", due=dict.fromkeys("ab")), reporter)
    assert told[1] == "nothing was ruled: 2 expectations were to run, and none did; there is no report"
    write_summary(SimpleNamespace(run=run, ending=None, trouble="", due={}), reporter)
    assert len(told) == 2


def test_facts_and_commands_of_a_run_hold_no_secret_of_an_address(tmp_path):
    settings = Settings(root=tmp_path, detector="http://host/predict?token=hush")
    facts = facts_of(settings, "r", tmp_path / "reports" / "r", tmp_path / "ledger", ())
    assert facts.options["detector"] == "http://host/predict?token=***"
    case = SimpleNamespace(
        spec=SimpleNamespace(path=Path("s.yaml")), behaviour=SimpleNamespace(id="b"), variant=SimpleNamespace(id="e")
    )
    assert "'http://host/predict?token=***'" in reproduce(case, settings, None)


def test_a_run_without_options_has_the_usual_settings_which_a_command_to_repeat_it_leaves_out(tmp_path):
    """A default that changed in one of the two alone would be left out where it was asked for."""
    parser = ArgumentParser()
    add_options(SimpleNamespace(addoption=parser.add_argument))
    config = SimpleNamespace(
        option=parser.parse_args([]), rootpath=tmp_path, invocation_params=SimpleNamespace(args=())
    )
    settings, usual = settings_of(config), Settings(tmp_path)
    assert changed(settings) == {}
    told = {"cache": tmp_path / usual.cache, "reports": tmp_path / usual.reports, "command": settings.command}
    assert settings == replace(usual, conform="stop", **told)
