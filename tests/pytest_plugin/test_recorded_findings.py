"""Recorded findings in a run: those of other scenes are one usage error, and nothing is written."""

from dataclasses import replace
from functools import partial

from synnodtest.detectors import resolve_detector
from synnodtest.detectors.recorded import Recorder, write_findings
from synnodtest.engine.campaign import Campaign, Providers
from synnodtest.planning.cases import cases_of
from synnodtest.shell.opened import _backgrounds, _synthesizer
from synnodtest.shell.record_fit import fault_of_record
from synnodtest.shell.run import Run
from synnodtest.shell.settings import Settings
from synnodtest.spec import load_spec
from synnodtest.store import Store


def test_findings_of_other_scenes_are_refused_before_anything_is_written(project, monkeypatch):
    folder = project.path
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
