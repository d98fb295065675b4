"""Who is questioned before a run, and who cannot be."""

import pytest

from synnodtest.detectors import resolve_detector
from synnodtest.detectors.preflight import preflight
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
