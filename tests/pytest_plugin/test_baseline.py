"""--baseline and --compare-fail: a second detector or an earlier record, paired on identical scenes."""

import json

import pytest

DULL = """\
from dets import Finding, honest


def dull():
    \"\"\"The honest detector with scores two tenths lower.\"\"\"
    inner = honest()
    return lambda given: [[Finding(f.box, max(f.score - 0.2, 0.0)) for f in found] for found in inner(given)]
"""
ONE = ("-k", "size and sensitivity", "--synnod-conform", "off", "--synnod-no-pixels")


@pytest.fixture
def two(project):
    (project.path / "weaker.py").write_text(DULL)
    return project


def comparison(project):
    run = max((project.path / "reports").iterdir())
    made = json.loads((run / "results.json").read_text())["comparison"]
    return {d["metric"]: d for d in made["differences"] if not d["behaviour"]}, made


def test_a_second_detector_meets_the_same_scenes_and_a_limit_fails_the_run(two):
    limits = ("--compare-fail", "confidence:-0.1", "--compare-fail", "sensitivity:-0.5")
    result = two(*ONE, *limits, "--baseline", "dets:honest", detector="weaker:dull")
    assert result.parseoutcomes() == {"passed": 1, "deselected": 3}
    assert result.ret == 1
    differences, made = comparison(two)
    assert differences["confidence"]["n"] == 16 * 5
    assert differences["confidence"]["value"] == pytest.approx(-0.2, abs=0.02)
    assert [limit["kept"] for limit in made["limits"]] == [False, True]
    assert "against the baseline" in result.stdout.str()
    assert "weaker:dull against detector dets:honest: " in result.stdout.str()
    assert "confidence:-0.1: difference -0.2" in result.stdout.str().replace("0.19", "0.2")
    assert "Limits on what may change" in next((two.path / "reports").iterdir()).joinpath("report.html").read_text()


def test_an_earlier_record_is_a_baseline_too(two):
    assert two(*ONE, detector="dets:honest").ret == 0
    (earlier,) = (two.path / "reports").iterdir()
    again = two(*ONE, "--baseline", str(earlier), "--compare-fail", "sensitivity:-0.01", detector="dets:honest")
    assert again.ret == 0
    differences, made = comparison(two)
    edited = earlier / "results.json"
    edited.write_text(edited.read_text().replace('"hit":true', '"hit":false', 1))
    refused = two(*ONE, "--baseline", str(earlier), detector="dets:honest")
    assert refused.ret == 4
    assert "is not as its run wrote it" in refused.stderr.str() + refused.stdout.str()
    assert (made["earlier"], made["verdicts"], made["new"]) == (earlier.name, [], [])
    assert (differences["sensitivity"]["value"], differences["confidence"]["value"]) == (0.0, 0.0)


def test_a_baseline_that_breaks_is_told_and_spoils_no_verdict_but_keeps_no_limit(two):
    result = two(*ONE, "--baseline", "dets:crashing", "--compare-fail", "sensitivity:-0.03", "-n", "1")
    assert result.parseoutcomes()["passed"] == 1
    assert result.ret == 1
    assert "baseline dets:crashing: 1 expectation:" in result.stdout.str()
    assert "no scene could be compared" in result.stdout.str()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--compare-fail", "sensitivity:-0.03"), "needs --baseline"),
        (("--baseline", "dets:honest", "--compare-fail", "recall:-0.03"), "metrics are sensitivity"),
        (("--baseline", "broken.json"), "broken.json"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_anything_runs(two, words, message):
    (two.path / "broken.json").write_text('{"synnodtest_record": 1}')
    result = two(*ONE, *words)
    assert result.ret == 4
    assert message in result.stdout.str() + result.stderr.str()
    assert not (two.path / "reports").exists()
