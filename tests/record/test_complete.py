"""The whole folder of a run: what stands in the project reaches record, report and manifest."""

from __future__ import annotations

import pytest

from synnodtest.integrity import ledger, lock, manifest
from synnodtest.record import results as record
from synnodtest.report import html
from synnodtest.report.publish import write_companions
from synnodtest.shell.ending import facts_of
from synnodtest.shell.settings import Settings
from synnodtest.spec.loader import load_spec
from tests.integrity.test_lock import SPEC
from tests.record.parts import completed


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


def test_a_margin_changed_after_freezing_is_listed_in_the_report(small, project, drawings):
    lock.freeze([run_of(small, project)], project / lock.LOCK)
    path = project / "specs" / "paper.yaml"
    path.write_text(path.read_text().replace("at_least: 0.8", "at_least: 0.6"))
    run_of(small, project)
    made = completed(small, project)
    assert [(d["planned"], d["actual"]) for d in made["deviations"]] == [(0.8, 0.6)]
    text = html.render(made, project / "run", store=drawings).read_text()
    assert "sensitivity.at_least" in text


def test_the_folder_holds_inputs_and_tables_and_verifies(small, project, drawings):
    run_of(small, project)
    ledger.begin(project / ledger.FILE_NAME, "earlier", specs=[small["identification"]["specs"][0]["sha256"]], seed=1)
    made = completed(small, project)
    run = project / "reports" / "run"
    record.write(made, run)
    write_companions(made, run, project)
    text = html.render(made, run, store=drawings).read_text()
    manifest.write(run)
    assert {p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()} >= {
        "results.json", "results.sarif", "report.html", "manifest.json", "inputs/specs/paper.yaml",
        "inputs/requirements.csv",
    }  # fmt: skip
    assert "aborted" in text
    assert manifest.verify(run) == []
    (run / "inputs" / "specs" / "paper.yaml").write_text(SPEC + "\n")
    assert manifest.verify(run)[0].startswith("inputs/specs/paper.yaml: differs")


def test_the_waivers_that_were_in_force_are_kept_and_not_those_that_were_not(small, project):
    run_of(small, project)
    for name in ("waivers.yaml", "team.yaml"):
        (project / name).write_text("waivers: []")
    settings, run = Settings(project, "d", "s", waivers=project / "team.yaml"), project / "run"
    facts = facts_of(settings, "run", run, project / ledger.FILE_NAME, ())
    write_companions(completed(small, project), run, project, facts.waiver_file)
    kept = {path.name for path in (run / "inputs").iterdir()}
    assert "team.yaml" in kept
    assert "waivers.yaml" not in kept


def test_a_spec_that_is_gone_is_a_deviation_too(small, project):
    lock.freeze([run_of(small, project)], project / lock.LOCK)
    small["identification"]["specs"][0]["sha256"] = "0" * 64
    (project / "specs" / "paper.yaml").unlink()
    assert completed(small, project)["deviations"][0]["what"] == "specification"


def test_the_shipped_diffusion_model_is_called_a_demonstration_and_a_model_of_the_user_s_is_not():
    from pathlib import Path

    from synnodtest.record.assemble import Fragment
    from synnodtest.record.complete import RunFacts
    from synnodtest.record.model.run import IdentityEntry
    from synnodtest.record.whole import build_record, run_entry

    fragment = Fragment()
    for text in ("diffusion", "diffusion:mine"):
        fragment.synthesizers[text] = IdentityEntry("diffusion", "1", sham_is_identity=True)
    facts = RunFacts(Path(), "run", ("pytest",), 0)
    made = build_record(fragment, facts, run_entry(fragment, facts))
    assert [s.demonstration for s in made.identification.synthesizers] == [True, False]


def test_the_self_test_and_an_earlier_record_reach_the_report(small, project, drawings):
    import copy
    import json

    earlier = copy.deepcopy(small)
    earlier["expectations"][0]["parameters"]["min_spearman"] = 0.3
    record.write(earlier, project / "earlier")
    (project / "store").mkdir()
    (project / "store" / "selftest.json").write_text(
        json.dumps({"synnodtest": "0.0.1", "when": "2026-01-01T00:00:00Z", "holds": True, "kill_table": [
            {"mutant": "size-blind", "killed_by": "size::monotone"}]})
    )  # fmt: skip
    made = completed(small, project, cache=project / "store", baseline=record.load(project / "earlier"))
    told = html.render(made, project / "run", store=drawings).read_text()
    assert "size-blind" in told
    assert "made with another version" in told
    assert "min_spearman" in told
    assert "Margins or parameters differ from the earlier run" in told
