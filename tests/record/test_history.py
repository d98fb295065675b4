"""Histories of runs: what moved, what flips between seeds, what a version kept, against a count by hand."""

import json
import re

import pytest

from synnodtest.cli import main
from synnodtest.commands.history import history_lines
from synnodtest.commands.recorded_run import run_with
from synnodtest.integrity import ledger, manifest
from synnodtest.record import results
from synnodtest.record.history import history_of
from synnodtest.report.history import write_history
from tests.record import parts


def run(number, version, seed, *statuses, spec="s1", threshold=0.1, edge=0.3, folder="a"):
    """Return the part of a record that a history reads."""
    drawn = {"name": "folder:normal", "configuration": {"folder": folder, "master_seed": seed}, "sha256": str(seed)}
    return parts.record(
        run=parts.run(id=f"r{number}", started=f"2026-01-0{number}T00:00:00+00:00", seed=seed),
        identification=parts.identification(
            detector={"name": "d", "version": version, "sha256": version * 8, "configuration": {"from": threshold}},
            specs=[{"file": "s.yaml", "sha256": spec}],
            synthesizers=[{"name": "gaussian", "sha256": "", "configuration": {"edge": edge}}],
            backgrounds=[{"name": "normal", "count": 3, "identity": drawn}],
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


@pytest.mark.parametrize("status", ["INCONCLUSIVE", "INVALID", "ERROR"])
def test_what_passed_and_is_settled_by_nothing_any_more_is_told(tmp_path, status):
    made = history_of([run(1, "1", 0, "PASSED", "FAILED", "PASSED"), run(2, "1", 0, status, status, "PASSED")])
    assert [n for n, *_ in made.unsettled()] == ["s.yaml::b::e0"]
    assert made.newly("FAILED") == []
    assert "no longer settled: 1" in list(history_lines(made))
    assert f"{status}" in write_history(made, tmp_path / "h.html").read_text().split("No longer settled")[1][:600]


def test_a_step_from_what_has_no_numbers_is_told_without_a_gap():
    made = history_of([run(1, "1", 0, "ERROR"), run(2, "1", 0, "FAILED")])
    assert "  s.yaml::b::e0: ERROR -> FAILED 0.80 (0.70 to 0.90)" in list(history_lines(made))


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
        (run(2, "1", 1, "FAILED", threshold=0.5), 0),  # the same detector, set otherwise
        (run(2, "1", 1, "FAILED", edge=0.5), 0),  # the same synthesizer, set otherwise
        (run(2, "1", 1, "FAILED", folder="b"), 0),  # other radiographs
        (run(2, "1", 1, "PASSED"), 0),
    ],
)
def test_a_flip_is_one_of_the_seed_alone(second, flips):
    made = history_of([run(1, "1", 0, "PASSED"), second])
    assert len(made.flips()) == flips


@pytest.mark.parametrize(("available", "flips"), [(3, 0), (9, 1)])
def test_a_folder_of_equal_name_and_size_with_other_radiographs_is_another_set(available, flips):
    """Where all are used the sha256 over their contents tells; of nine, another seed draws three others anyway."""
    records = [run(1, "1", 0, "PASSED"), run(2, "1", 1, "FAILED")]
    for record in records:
        (one,) = record["identification"]["backgrounds"]
        one["identity"]["configuration"] |= {"radiographs": 3, "available": available}
    assert len(history_of(records).flips()) == flips
    alike = [run(1, "1", 0, "PASSED"), run(2, "1", 1, "FAILED")]
    for record in alike:
        record["identification"]["backgrounds"][0]["identity"] |= {"sha256": "of the three"}
        record["identification"]["backgrounds"][0]["identity"]["configuration"] |= {"radiographs": 3, "available": 3}
    assert len(history_of(alike).flips()) == 1


def drawn(number, version, seed, status, contents):
    """Return a run on 3 of 9 films; ``contents`` is the sha256 over the three."""
    record = run(number, version, seed, status)
    identity = record["identification"]["backgrounds"][0]["identity"]
    identity["sha256"] = contents
    identity["configuration"] |= {"radiographs": 3, "available": 9}
    return record


def test_a_seed_that_draws_other_films_draws_from_another_folder():
    """Two folders of nine films with one name: which nine, the three that seed 0 draws tell."""
    made = history_of([drawn(1, "1", 0, "PASSED", "A0"), drawn(2, "2", 0, "PASSED", "B0")])
    assert made.apart("d 1 (11111111)", "d 2 (22222222)").startswith("; 1 of them with another")
    (series,) = history_of(
        [
            drawn(1, "1", 0, "PASSED", "A0"),
            drawn(2, "1", 1, "FAILED", "A1"),
            drawn(3, "1", 0, "PASSED", "B0"),
            drawn(4, "1", 1, "PASSED", "B1"),
            drawn(5, "1", 0, "PASSED", "A0"),
        ]
    ).outcomes.values()
    sets = [one.question for one in series]
    assert [sets.index(one) for one in sets] == [0, 0, 2, 2, 0]


def test_the_last_runs_are_those_that_began_last_whatever_their_folders_are_called(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number, folder in ((1, "zz-first-baseline"), (2, "20260102T000000Z-a"), (3, "a"), (3, "b-copy-of-a")):
        made = parts.record(run=parts.run(id=f"r{number}", started=f"2026-01-0{number}T00:00:00+00:00"))
        manifest.write(results.write(made, tmp_path / "reports" / folder).parent)
    assert results.runs_in(tmp_path / "reports")[0].name == "zz-first-baseline"
    assert main(["history", "--last", "2", "--json"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)["runs"]] == ["r2", "r3"]
    assert run_with(tmp_path / "reports", "unknown").name == "b-copy-of-a"
    for name, newest in (("20250101T000000Z-a", "b-copy-of-a"), ("broken", "broken")):
        (tmp_path / "reports" / name).mkdir()
        (tmp_path / "reports" / name / "results.json").write_text("[")
        assert results.runs_in(tmp_path / "reports")[-1].name == newest


def test_the_newest_run_is_the_one_whose_record_knows_the_others_whatever_the_clock_said(tmp_path):
    """The clock was set back before c; d is of other specs, and e ran beside c."""
    known = {"a": "a", "b": "ab", "c": "abce", "d": "d", "e": "abce"}
    days = {"a": 3, "b": 5, "c": 1, "d": 4, "e": 2}
    for name, earlier in known.items():
        told = parts.run(id=name, started=f"2026-01-0{days[name]}T00:00:00+00:00")
        entered = [{"run": one, "started": "", "status": "", "seed": 0} for one in earlier]
        results.write(parts.record(run=told, ledger=entered), tmp_path / f"of-{name}")
    assert [run.name for run in results.runs_in(tmp_path)] == ["of-a", "of-b", "of-c", "of-e", "of-d"]


@pytest.mark.parametrize(
    ("added", "other"),
    [
        ({"name": "pneumothorax", "count": 3}, False),  # of a behaviour that the first run left out
        ({"name": "normal", "count": 20}, False),
        ({"name": "normal", "count": 4}, True),
    ],
)
def test_backgrounds_of_other_behaviours_make_no_other_question(added, other):
    records = [run(1, "1", 0, "PASSED"), run(2, "1", 1, "FAILED")]
    for record in records:
        asked = {"set": "normal", "count": added["count"] if other else 3}
        record["behaviours"] = [{"id": "b", "statement": "B.", "file": "s.yaml", "resolved": {"scenes": asked}}]
    records[1]["identification"]["backgrounds"].append(added)
    assert len(history_of(records).flips()) == (not other)


def test_a_version_keeps_what_passed_before_and_what_it_lost_is_named():
    made = history_of(
        [run(1, "1", 0, "PASSED", "PASSED", "FAILED"), run(2, "2", 0, "PASSED", "INCONCLUSIVE", "PASSED")]
    )
    assert made.kept() == [("d 1 (11111111)", "d 2 (22222222)", ["s.yaml::b::e1"], 2)]
    assert made.apart("d 1 (11111111)", "d 2 (22222222)") == ""


def test_what_a_version_keeps_says_what_was_not_run_again_and_what_was_asked_otherwise():
    made = history_of([run(1, "1", 0, "PASSED", "PASSED"), run(2, "2", 0, "PASSED", "NOT RUN", spec="s2")])
    assert made.kept() == [("d 1 (11111111)", "d 2 (22222222)", [], 1)]
    said = made.apart("d 1 (11111111)", "d 2 (22222222)")
    assert said == (
        "; 1 more that passed not run again; 1 of them with another specification, synthesizer or backgrounds"
    )
    assert any(line.endswith(f"1 of 1 that passed{said}") for line in history_lines(made))


def trend(number, status, correlation, drop):
    """Return a run whose trend is decided by two estimates: ``(status, value, lower, upper)`` each."""
    components = [
        parts.component(
            label=label, status=says, value=value, lower=low, upper=high, bound=0.5, side=side, role="decides"
        )
        for label, side, (says, value, low, high) in (("correlation", "above", correlation), ("drop", "below", drop))
    ]
    made = run(number, str(number), 0)
    ruling = parts.ruling(status=status, components=components)
    return made | {"expectations": [parts.expectation(id="s.yaml::b::trend", status=status, ruling=ruling)]}


HELD, FALLEN = ("PASSED", 0.1, 0.0, 0.2), ("FAILED", 0.8, 0.7, 0.9)


def test_a_step_is_told_by_the_estimate_that_failed_and_each_estimate_has_a_series_of_its_own(tmp_path):
    correlation = ("PASSED", 0.9, 0.8, 0.95)
    made = history_of([trend(1, "PASSED", correlation, HELD), trend(2, "FAILED", correlation, FALLEN)])
    ((_, before, now),) = made.newly("FAILED")
    assert [part.value for part in made.told_by(before, now)] == [0.1, 0.8]
    assert made.labels("s.yaml::b::trend") == ["correlation", "drop"]
    assert [(now.label, before.value, now.value) for _, before, now in made.moved()] == [("drop", 0.1, 0.8)]
    text = "\n".join(history_lines(made))
    assert "PASSED 0.10 (0.00 to 0.20) -> FAILED 0.80 (0.70 to 0.90)" in text
    assert text.index("  correlation; the verdict is on all ") < text.index("  drop; the verdict is on all ")
    page = write_history(made, tmp_path / "h.html").read_text()
    assert page.count("<tbody>") == 1 + 2
    assert page.count('class="strip"') == 4


@pytest.mark.parametrize(
    ("second", "moved"),
    [(("PASSED", 0.3, 0.2, 0.4), 0), (("PASSED", 0.3, 0.21, 0.4), 1), (("PASSED", None, None, None), 0)],
)
def test_an_estimate_moved_where_its_intervals_lie_apart(second, moved):
    correlation = ("PASSED", 0.9, 0.8, 0.95)
    made = history_of([trend(1, "PASSED", correlation, HELD), trend(2, "PASSED", correlation, second)])
    assert len(made.moved()) == moved


def test_the_page_links_to_the_folder_of_a_run_wherever_it_lies(tmp_path):
    made = history_of([run(1, "1", 0, "PASSED"), run(2, "1", 0, "PASSED")])
    text = write_history(made, tmp_path / "h.html", {"r2": tmp_path / "runs" / "named by hand"}).read_text()
    assert re.findall(r'href="([^"]*)"', text) == ["r1/report.html", "runs/named%20by%20hand/report.html"]


def test_settings_tell_versions_apart_that_are_called_alike():
    first, second = history_of([run(1, "1", 0, "PASSED"), run(2, "1", 0, "FAILED", threshold=0.5)]).versions()
    assert first != second
    assert all(name.startswith("d 1 (11111111), settings ") for name in (first, second))


def test_aborted_runs_of_the_ledger_stand_among_the_others():
    entered = [{"run": "r0", "started": "2026-01-01T01:00:00+00:00", "detector": "x", "seed": 5, "status": "aborted"}]
    made = history_of([run(1, "1", 0, "PASSED"), run(2, "1", 0, "PASSED")], entered)
    assert [(line.id, line.status) for line in made.runs] == [("r1", "finished"), ("r0", "aborted"), ("r2", "finished")]


def test_runs_stand_in_the_order_of_the_ledger_whatever_the_clock_said():
    """The clock was set back before the second run; a run that the ledger does not know follows its time."""
    entered = [{"run": f"r{n}", "started": f"2026-01-0{n}T00:00:00+00:00", "status": "finished"} for n in (2, 1)]
    made = history_of([run(n, "1", 0, "FAILED" if n == 1 else "PASSED") for n in (1, 2, 3)], entered)
    assert [line.id for line in made.runs] == ["r2", "r1", "r3"]
    assert [n for n, *_ in made.newly("PASSED")] == ["s.yaml::b::e0"], "r3 against r1, the run before it"
    assert [line.id for line in history_of([run(n, "1", 0, "PASSED") for n in (1, 2, 3)]).runs] == ["r1", "r2", "r3"]


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
    capsys.readouterr()
    assert main(["history", "--expectation", "no-such*"]) == 1
    assert "no run came to an expectation 'no-such*'" in capsys.readouterr().err


def test_the_command_takes_no_record_that_was_changed_and_tells_of_a_cut_ledger(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "reports" / made["run"]["id"]
    results.write(made, folder)
    manifest.write(folder)
    for seed in range(3):
        ledger.begin(tmp_path / ledger.FILE_NAME, f"run-{seed}", specs=["s"], seed=seed)
    first, _, last = (tmp_path / ledger.FILE_NAME).read_text().splitlines(keepends=True)
    (tmp_path / ledger.FILE_NAME).write_text(first + last)
    assert main(["history"]) == 0
    assert "jsonl:2: does not follow on the line before it" in capsys.readouterr().err
    made["expectations"][0]["status"] = "PASSED" if made["expectations"][0]["status"] != "PASSED" else "FAILED"
    results.write(made, folder)
    for command in ("history", f"explore {folder}"):
        assert main(command.split()) == 1
        assert "is not as its run wrote it" in capsys.readouterr().err


def compared(number, status, difference, reference):
    """A run of a comparison: difference and sensitivity of the reference, each with its status, value and ends."""
    words = {"bound": 0.2, "side": "above", "unit": "rate"}
    components = [
        parts.component(label=label, role=role, status=s, value=value, lower=low, upper=high, **words)
        for label, role, (s, value, low, high) in (
            ("difference", "decides", difference), ("sensitivity of the reference", "gate", reference),
        )
    ]  # fmt: skip
    made = run(number, str(number), 0)
    ruling = parts.ruling(status=status, components=components)
    return made | {"expectations": [parts.expectation(id="s.yaml::b::pair", status=status, ruling=ruling)]}


def test_a_step_that_a_gate_tells_names_it_and_shows_no_other_estimate_in_its_place(tmp_path):
    same, seen, blind = ("PASSED", 0.08, 0.01, 0.2), ("PASSED", 0.81, 0.53, 0.96), ("INCONCLUSIVE", 0.38, 0.18, 0.61)
    made = history_of([compared(1, "PASSED", same, seen), compared(2, "INCONCLUSIVE", same, blind)])
    ((_, before, now),) = made.unsettled()
    assert [part.value for part in made.told_by(before, now)] == [0.81, 0.38]
    told = "sensitivity of the reference PASSED 0.81 (0.53 to 0.96) -> INCONCLUSIVE 0.38 (0.18 to 0.61)"
    assert told in "\n".join(history_lines(made))
    assert made.labels("s.yaml::b::pair") == ["difference"]
    page = write_history(made, tmp_path / "h.html").read_text()
    assert "<bdi>sensitivity of the reference</bdi>: 0.81 (0.53 to 0.96)" in page
    other = compared(2, "INCONCLUSIVE", same, blind)
    other["expectations"][0]["ruling"]["components"][1]["label"] = "sensitivity of another"
    made = history_of([compared(1, "PASSED", same, seen), other])
    ((_, before, now),) = made.unsettled()
    first, second = made.told_by(before, now)
    assert (first, second.value) == (None, 0.38)
