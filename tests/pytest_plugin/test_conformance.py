"""An adapter that is wrong stops a run before its first scene; what only limits it is written down."""

import json


def record(project):
    (path,) = project.path.glob("reports/*/results.json")
    return json.loads(path.read_text())


def test_answers_in_another_order_stop_the_run_with_what_to_change(project):
    result = project(detector="dets:backwards", conform="stop")
    assert result.parseoutcomes() == {"errors": 4}
    said = result.stdout.str()
    assert "'dets:backwards' does not conform: batch: findings come back in another order" in said
    assert "answer in the order of the radiographs" in said
    assert not (project.path / ".synnodtest" / "v1" / "radiographs").exists()


def test_a_limit_warns_goes_into_the_record_and_is_asked_about_once(project):
    words = ("-k", "size and false_positives", "--synnod-no-pixels")
    said = project(*words, detector="dets:eight_bits", conform="stop").stdout.str()
    assert "dets:eight_bits: conformance, bit depth: " in said
    (anomaly,) = record(project)["anomalies"]
    assert anomaly["id"] == "dets:eight_bits"
    assert "bit depth" in anomaly["what"]
    assert "float pixels" in anomaly["impact"]
    (answers,) = (project.path / ".synnodtest" / "v1" / "conform").glob("??/*")
    before = answers.stat().st_mtime_ns
    project(*words, detector="dets:eight_bits", conform="stop")
    assert answers.stat().st_mtime_ns == before
