"""The run ledger: every run leaves a line, aborted ones too."""

from __future__ import annotations

from synnodtest.integrity import ledger


def test_runs_of_a_spec_are_listed_with_their_end(tmp_path):
    path = tmp_path / ledger.FILE_NAME
    ledger.begin(path, "r1", specs=["s1", "s2"], seed=1, detector="d")
    ledger.end(path, "r1", "finished", {"normal": "c1"})
    ledger.begin(path, "r2", specs=["s1"], seed=2, chosen={"backgrounds": "cxr", "limit": "4"})
    ledger.begin(path, "r3", specs=["s1"], seed=3)
    ledger.end(path, "r3", "interrupted")
    runs = ledger.runs_of(path, ["s1"])
    assert [(r["run"], r["status"], r["seed"]) for r in runs] == [
        ("r1", "finished", 1),
        ("r2", "aborted", 2),
        ("r3", "interrupted", 3),
    ]
    assert [r.get("backgrounds") for r in runs] == [None, "cxr", None]
    assert [r.get("contents") for r in runs] == [{"normal": "c1"}, None, None]
    assert [r["run"] for r in ledger.runs_of(path, ["s2"])] == ["r1"]
    assert len(ledger.runs_of(path)) == 4
    ledger.begin(path, "r4", specs=["s3", "s4"], seed=2, files={"specs/a.yaml": "s3", "specs/b.yaml": "s4"})
    assert [(r["run"], r["spec_sha256"]) for r in ledger.runs_of(path, ["s2"], ["specs/a.yaml"])] == [
        ("r1", "s2"),
        ("r4", "s3"),
    ]
    assert ledger.faults(path) == []


def test_a_line_taken_out_or_changed_leaves_a_trace(tmp_path):
    path = tmp_path / ledger.FILE_NAME
    for n in range(4):
        ledger.begin(path, f"r{n}", specs=["s"], seed=n)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:1] + lines[2:]))
    assert [f.split(":")[1] for f in ledger.faults(path)] == ["2"]
    path.write_text("".join(lines).replace('"seed":1', '"seed":9'))
    assert [f.split(":")[1] for f in ledger.faults(path)] == ["3"]
    begins = [f'{{"event": "begin", {rest}}}' for rest in ('"run": []', '"specs": 5', '"specs": [[]]', '"specs": null')]
    for rubbish in ("rubbish", *begins, '{"files": "s"}'):
        path.write_text("".join(lines[:2]) + rubbish + "\n")
        assert len(ledger.faults(path)) == 1
        assert len(ledger.runs_of(path, ["s"], ["specs/a.yaml"])) == 2


def test_line_ends_of_another_system_break_no_chain(tmp_path):
    path = tmp_path / ledger.FILE_NAME
    for n in range(2):
        ledger.begin(path, f"r{n}", specs=["s"], seed=n)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    ledger.begin(path, "r2", specs=["s"], seed=2)
    assert ledger.faults(path) == []


def test_a_line_that_a_full_disk_or_a_sudden_death_tore_costs_itself_alone(tmp_path):
    path = tmp_path / ledger.FILE_NAME
    for n in range(2):
        ledger.begin(path, f"r{n}", specs=["s"], seed=n)
    path.write_bytes(path.read_bytes()[:-20])
    ledger.begin(path, "r2", specs=["s"], seed=2)
    assert [r["run"] for r in ledger.runs_of(path)] == ["r0", "r2"]
    assert [f.split(":")[1] for f in ledger.faults(path)] == ["2"]


def test_a_ledger_that_is_not_there_has_no_runs(tmp_path):
    assert ledger.runs_of(tmp_path / "none") == []
    assert ledger.faults(tmp_path / "none") == []
