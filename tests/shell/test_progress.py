"""Progress without a terminal, with and without workers; where the time of a run went."""

import io
import re
import shutil

import pytest

from synnodtest.shell.progress import Progress, left, profile_lines, taken_line
from synnodtest.stages import Stages
from tests.pytest_plugin.conftest import run_pytest, write_radiographs


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def watched(count, seconds_each, worker=""):
    """The lines of a stream whose items take so long each."""
    clock, out = Clock(), io.StringIO()
    progress = Progress(worker=worker, out=out, clock=clock)

    def items():
        for number in range(count):
            clock.now += seconds_each
            yield number

    assert list(progress(items(), count, "large-nodules")) == list(range(count))
    return out.getvalue().splitlines()


def test_a_line_every_ten_seconds_at_most_with_count_rate_and_time_left():
    lines = watched(100, 1.0)
    assert len(lines) == 10
    assert lines[0] == "large-nodules: 10 of 100 scenes, 1.0 a second, about 2 min left"
    assert lines[-1] == "large-nodules: 100 of 100 scenes, done in 2 min"


def test_what_is_over_within_ten_seconds_says_nothing():
    assert watched(100, 0.05) == []


def test_slow_scenes_give_a_line_each_and_workers_are_named():
    assert watched(2, 45.0, worker="gw1") == [
        "gw1: large-nodules: 1 of 2 scenes",
        "gw1: large-nodules: 2 of 2 scenes, done in 2 min",
    ]


def test_a_slow_first_scene_does_not_spoil_the_time_left():
    clock, out = Clock(), io.StringIO()

    def items():
        for number in range(20):
            clock.now += 30.0 if number == 0 else 2.0
            yield number

    list(Progress(out=out, clock=clock)(items(), 20, "a"))
    lines = out.getvalue().splitlines()
    assert lines[0] == "a: 1 of 20 scenes"
    assert lines[1] == "a: 6 of 20 scenes, 0.5 a second, about 28 s left"


def test_a_search_tells_its_examples_and_what_has_no_total_its_count():
    clock, out = Clock(), io.StringIO()
    ends = []
    progress = Progress(out=out, clock=clock, fresh_line=lambda: ends.append(clock.now))
    for number in range(1, 31):
        clock.now += 5.0
        progress.tell("a, search", number, 40, "examples")
    progress.tell("a, confirmation", 16, 0, "scenes")
    clock.now += 20.0
    progress.tell("a, confirmation", 36, 0, "scenes")
    lines = out.getvalue().splitlines()
    assert lines[0] == "a, search: 2 of 40 examples, 0.2 a second, about 3 min left"
    assert lines[-1] == "a, confirmation: 36 scenes, 1.0 a second"
    assert len(lines) == len(ends) == 16


@pytest.mark.parametrize(("seconds", "text"), [(4.4, "4 s"), (89, "89 s"), (150, "2 min"), (7800, "2 h 10 min")])
def test_times_are_said_as_people_say_them(seconds, text):
    assert left(seconds) == text


def test_seconds_of_nested_stages_add_up_to_the_time():
    stages = Stages()
    with stages.stage("outer"):
        stages.add("unrelated", 1.0)
        for _ in range(3):
            with stages.stage("inner"):
                sum(range(20000))
    table = stages.as_dict()
    assert table["inner"][1] == 3
    assert table["outer"][1] == 1
    assert all(seconds > 0 for seconds, _ in table.values())
    other = Stages()
    other.merge(table)
    other.merge(table)
    assert other.as_dict()["inner"] == (2 * table["inner"][0], 6)


def test_the_profile_lists_the_longest_stage_first_and_what_is_left():
    stages = Stages()
    stages.add("detection", 2.0, 8)
    stages.add("synthesis", 6.0, 4)
    lines = list(profile_lines(stages, 10.0))
    assert [line.split()[-1] for line in lines[1:3]] == ["synthesis", "detection"]
    assert lines[1].split()[:3] == ["6.00", "60.0%", "4"]
    assert lines[3].split()[:2] == ["2.00", "20.0%"]


def test_the_planned_time_stands_beside_the_time_taken():
    tally = {"synthesized": 60.0, "inferred": 90.0}
    assert "planned to take 2 min" in taken_line(tally, (1.0, 0.5), 130.0)
    assert "planned" not in taken_line(tally, (None, 0.5), 130.0)
    assert "planned to take 45 s" in taken_line({"inferred": 90.0}, (None, 0.5), 50.0)
    assert taken_line({"from_cache": 9.0}, (1.0, 1.0), 2.0) == ""
    assert "planned" not in taken_line(tally, (0.001, 0.001), 130.0)


def test_a_run_without_a_terminal_speaks_also_in_workers(pytester, monkeypatch, read_before):
    (pytester.path / "pytest.ini").touch()
    write_radiographs(pytester.path / "cxr")
    shutil.copytree(read_before, pytester.path / ".synnodtest")
    monkeypatch.setenv("PYTHONPATH", ":".join(__import__("sys").path))
    pytester.makepyfile(
        quiet="""
        import synnodtest.shell.progress as progress
        progress.EVERY_S = 0.0
        def make():
            return lambda radiographs: [[] for _ in radiographs]
        """
    )
    expect = "expect: [specificity: {at_least: 0.5}]"
    scenes = "scenes: {backgrounds: {set: normal, count: 2}}"
    behaviours = "".join(f"\n  - {{id: {name}, statement: s, {scenes}, {expect}}}" for name in ("a", "b"))
    pytester.makefile(".yaml", spec=f"synnodtest: 1\nbehaviours:{behaviours}")
    words = ["spec.yaml", "--detector", "quiet:make", "--synthesizer", "gaussian", "--synnod-no-pixels"]
    words += ["--backgrounds", "cxr"]
    run = run_pytest(*words, "-n", "2", "--synnod-profile", "--synnod-conform", "off")
    for worker, name in (("gw0", "a"), ("gw1", "b")):
        assert re.search(rf"(gw\d): {name}, untouched radiographs: 2 of 2 scenes, done in", run.stderr.str()), worker
    run.stdout.fnmatch_lines(["*radiographs inferred in*", "*seconds*share*calls*stage*", "*2 workers beside it*"])
