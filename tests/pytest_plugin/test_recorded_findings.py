"""Recorded findings in a run: those of other scenes are one usage error, and nothing is written."""

import shutil
from dataclasses import replace
from functools import partial

from synnodtest.detectors import resolve_detector
from synnodtest.detectors.recorded import Recorder, write_findings
from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Providers
from synnodtest.planning.cases import cases_of
from synnodtest.shell.opened_parts import _backgrounds, _synthesizer
from synnodtest.shell.record_fit import fault_of_record
from synnodtest.shell.run import Run
from synnodtest.shell.settings import Settings
from synnodtest.spec import load_spec
from synnodtest.store import Store

from .conftest import write_radiographs


def test_findings_of_other_scenes_are_refused_before_anything_is_written(project, monkeypatch):
    folder = project.path
    project.forget()
    monkeypatch.chdir(folder)
    settings = Settings(
        root=folder, backgrounds=folder / "cxr", synthesizer="gaussian", cache=folder / ".synnodtest", limit=3
    )
    cases = list(cases_of(load_spec(folder / "specs" / "small.yaml")))

    def recorded(name, seed, kind):
        """Write what a detector finds on the scenes of one expectation, drawn from a seed."""
        recorder = Recorder(resolve_detector("dets:honest"))
        synthesizer, sets = partial(_synthesizer, settings=settings), partial(_backgrounds, settings=settings)
        providers = Providers(recorder, synthesizer, sets, "gaussian")
        (case,) = [case for case in cases if kind in case.node_id]
        campaign = Campaign(providers, Store(settings.cache), seed=seed)
        campaign.gather(Run(settings).behaviour(case), case.variant)
        write_findings(folder / name, recorder.findings, recorder.identity)

    def fault(detector, kinds):
        wanted = [case for case in cases if any(kind in case.node_id for kind in kinds)]
        return fault_of_record(Run(replace(settings, detector=detector)), wanted)

    recorded("these.json", 0, "sensitivity")
    recorded("untouched.json", 0, "false_positives")
    recorded("other.json", 5, "sensitivity")
    assert fault("these.json", ["sensitivity"]) == fault("these.json", ["sensitivity", "no_detection"]) == ""
    assert fault("untouched.json", ["false_positives"]) == ""
    assert "holds no scene in which something is planted" in fault("untouched.json", ["sensitivity", "false_positives"])
    assert "--synnod-seed (0)" in fault("other.json", ["sensitivity"])
    assert fault("dets:honest", ["sensitivity"]) == ""
    (folder / "broken.json").write_text("{")
    assert "broken.json is not a record of findings" in fault("broken.json", ["sensitivity"])

    result = project("-k", "size and sensitivity", "--synnod-limit", "3", detector="other.json")
    assert result.ret == 4
    assert "other.json holds no scene in which something is planted" in result.stderr.str()
    assert not [path for path in folder.iterdir() if path.name in ("reports", "synnodtest-ledger.jsonl")]


def test_two_sets_numbered_alike_are_not_answered_by_one_name(tmp_path):
    (tmp_path / "cxr").mkdir()
    for name in ("normal", "ap"):
        write_radiographs(tmp_path / "cxr" / name, count=3)
    behaviour = (
        "  - id: quiet-%s\n    statement: s\n    scenes: {backgrounds: {set: %s, count: 3}}\n"
        "    expect: [specificity: {at_least: 0.5}]\n"
    )
    spec = "synnodtest: 1\nbehaviours:\n" + "".join(behaviour % (name, name) for name in ("normal", "ap"))
    (tmp_path / "spec.yaml").write_text(spec)
    cases = list(cases_of(load_spec(tmp_path / "spec.yaml")))

    def fault(record, cases):
        rows = "".join(f"{name},,,,,\n" for name in record)
        (tmp_path / "f.csv").write_text("radiograph,x_min,y_min,x_max,y_max,score\n" + rows)
        settings = Settings(root=tmp_path, detector=str(tmp_path / "f.csv"), backgrounds=tmp_path / "cxr")
        return fault_of_record(Run(replace(settings, synthesizer="gaussian", cache=tmp_path / "store")), cases)

    assert fault(["r00", "r01", "r02"], cases) == ""  # the same films in both sets
    shutil.copy(tmp_path / "cxr" / "normal" / "r02.png", tmp_path / "cxr" / "ap" / "r00.png")
    for name in ("r00", "r00.png"):
        assert "names 'r00.png' once, and it is a film of the set 'normal' and another of the set 'ap'" in fault(
            [name, "r01", "r02"], cases
        )
    assert fault(["r00", "r01", "r02"], cases[:1]) == fault(["r01", "r02"], cases) == ""
