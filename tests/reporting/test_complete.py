"""The whole folder of a run: what stands in the project reaches record, report and manifest."""

from __future__ import annotations

import pytest

from synnodtest.reporting import html, ledger, lock, manifest, record
from synnodtest.reporting.complete import complete, write_companions
from synnodtest.spec.loader import load_spec
from tests.reporting.test_lock import SPEC


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "paper.yaml").write_text(SPEC)
    (tmp_path / "requirements.csv").write_text("id,title\nSRS-014,Size\n")
    return tmp_path


def run_of(made, project):
    """Let the record be about the project's spec as it stands now."""
    from pathlib import Path

    spec = load_spec(Path("specs/paper.yaml"))
    made["identification"]["specs"][0] |= {"file": "specs/paper.yaml", "sha256": spec.sha256}
    return spec


def test_a_margin_changed_after_freezing_is_listed_in_the_report(small, project):
    lock.freeze([run_of(small, project)], project / lock.LOCK)
    path = project / "specs" / "paper.yaml"
    path.write_text(path.read_text().replace("at_least: 0.8", "at_least: 0.6"))
    run_of(small, project)
    made = complete(small, project)
    assert [(d["planned"], d["actual"]) for d in made["deviations"]] == [(0.8, 0.6)]
    text = html.render(made, project / "run").read_text()
    assert "sensitivity.at_least" in text


def test_the_folder_holds_inputs_and_tables_and_verifies(small, project):
    run_of(small, project)
    ledger.begin(project / ledger.FILE_NAME, "earlier", specs=[small["identification"]["specs"][0]["sha256"]], seed=1)
    made = complete(small, project)
    run = project / "reports" / "run"
    record.write(made, run)
    write_companions(made, run, project)
    text = html.render(made, run).read_text()
    manifest.write(run)
    assert {p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()} >= {
        "results.json", "results.sarif", "report.html", "manifest.json", "inputs/specs/paper.yaml",
        "inputs/requirements.csv",
    }  # fmt: skip
    assert "aborted" in text
    assert manifest.verify(run) == []
    (run / "inputs" / "specs" / "paper.yaml").write_text(SPEC + "\n")
    assert manifest.verify(run)[0].startswith("inputs/specs/paper.yaml: differs")


def test_a_spec_that_is_gone_is_a_deviation_too(small, project):
    lock.freeze([run_of(small, project)], project / lock.LOCK)
    small["identification"]["specs"][0]["sha256"] = "0" * 64
    (project / "specs" / "paper.yaml").unlink()
    assert complete(small, project)["deviations"][0]["what"] == "specification"
