"""Who is questioned before a run, and who cannot be."""

import pytest

from synnodtest import Finding
from synnodtest.detectors import CallableDetector, resolve_detector
from synnodtest.detectors import preflight as module
from synnodtest.detectors.conform_check import Check
from synnodtest.detectors.preflight import preflight
from synnodtest.identity import Identity
from synnodtest.store import Store


@pytest.mark.parametrize("name", ["oracle", "mutant:size-blind:oracle"])
def test_what_reads_the_planted_truth_is_asked_nothing_on_films_without_one(name, tmp_path):
    assert preflight(resolve_detector(name), Store(tmp_path)) == []


def test_a_fault_that_reads_no_truth_is_questioned(tmp_path):
    checks = preflight(resolve_detector("mutant:always-silent"), Store(tmp_path))
    assert any(check.passed is False for check in checks)


@pytest.mark.parametrize(("score", "told"), [(0.87, []), (87, ["scores reach 87"])])
def test_recorded_scores_in_percent_are_told(score, told, tmp_path):
    rows = f"radiograph,x_min,y_min,x_max,y_max,score\na.png,1,2,30,40,{score}\nb.png,,,,,\n"
    (tmp_path / "findings.csv").write_text(rows)
    checks = preflight(resolve_detector("findings.csv", base=tmp_path), Store(tmp_path))
    assert [check.says for check in checks if check.passed is False] == told


@pytest.mark.parametrize(("unseen", "asked"), [(True, 2), (False, 1)])
def test_a_server_mended_behind_its_identity_is_asked_anew(unseen, asked, tmp_path, radiographs, monkeypatch):
    boxes = [(0.1, 0.2, 0.3, 0.4), (10.0, 20.0, 30.0, 40.0)]
    detector = CallableDetector(lambda given: [[Finding(boxes[0], 0.9)] for _ in given], Identity("http://host"))
    detector.may_change_unseen = unseen
    questions = []
    monkeypatch.setattr(module, "conspicuous_radiographs", lambda count, size: radiographs[:count])
    monkeypatch.setattr(module, "conform", lambda *_: questions.append(1) or [Check("answer", True, "")])
    for _ in range(2):
        preflight(detector, Store(tmp_path))
    assert len(questions) == 1
    boxes.pop(0)
    preflight(detector, Store(tmp_path))
    assert len(questions) == asked
