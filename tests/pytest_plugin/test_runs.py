"""Whole runs: verdicts, faults, waivers, caches, workers and the record."""

import json
import re
import shlex
import shutil
import xml.etree.ElementTree as ET

import pytest

from synnodtest.decoding import decode
from synnodtest.record.model.scenes import ShamEntry

from .conftest import run_pytest


def record(project):
    (run,) = sorted((project.path / "reports").iterdir())
    return json.loads((run / "results.json").read_text())


def statuses(project):
    return {e["id"].split("::", 1)[1]: e["status"] for e in record(project)["expectations"]}


def test_an_honest_detector_gets_verdicts_sentences_and_a_report(project):
    result = project()
    text = " ".join(result.stdout.str().split())  # lines wrap where COLUMNS is set
    assert re.search(
        r"PASSED sensitivity 1\.00 \(one-sided 95% lower bound 0\.\d\d\) exceeds the pre-specified 0\.65", text
    )
    assert "report: " in text
    (run,) = (project.path / "reports").iterdir()
    assert {"report.html", "results.json", "manifest.json"} <= {p.name for p in run.iterdir()}
    assert statuses(project)["size::sensitivity"] == "PASSED"
    assert len(record(project)["scenes"]) == 16 * 5 + 16 + 16 * 2


def test_an_always_silent_detector_passes_nothing(project):
    result = project("--synnod-no-pixels", detector="dets:silent")
    found = statuses(project)
    assert found["size::sensitivity"] == found["size::monotone"] == "FAILED"
    assert found["leak::no_detection"] == found["size::false_positives_per_image"] == "INCONCLUSIVE"
    assert result.ret == 1


def test_a_detector_that_fires_everywhere_fails_size_and_air_leak(project):
    project("-k", "false_positives or no_detection", "--synnod-no-pixels", detector="dets:everywhere")
    found = statuses(project)
    assert found["size::false_positives_per_image"] == "FAILED"
    assert found["leak::no_detection"] == "FAILED"


@pytest.mark.parametrize(("detector", "source"), [("dets:crashing", True), ("needy:factory", False)])
def test_a_detector_that_breaks_or_does_not_open_is_named_in_the_record(project, detector, source):
    (project.path / "needy.py").write_text("def factory(weights):\n    return weights\n")
    words = ("--synnod-conform", "off", "--synnod-no-pixels", "--junitxml=out.xml")
    project("-k", "size and sensitivity", *words, detector=detector)
    tested = record(project)["identification"]["detector"]
    assert (tested["name"], bool(tested["sha256"])) == (detector, source)
    told = [(p.get("name"), p.get("value")) for p in ET.parse(project.path / "out.xml").getroot().iter("property")]
    assert {("synnodtest.requirement", "SRS-1"), ("synnodtest.verdict", "ERROR")} <= {*told}
    assert len({name for name, _ in told}) == len(told)


@pytest.mark.parametrize(("detector", "words"), [("dets:crashing", "out of memory"), ("dets:nan", "nan")])
def test_a_broken_detector_ends_in_errors_never_in_failures(project, detector, words):
    result = project(detector=detector)
    counts = result.parseoutcomes()
    assert counts.get("errors", 0) == 4
    assert counts.get("failed", 0) == counts.get("passed", 0) == 0
    assert words in result.stdout.str().lower()
    assert set(statuses(project).values()) == {"ERROR"}


def test_a_detector_that_ends_the_process_does_not_end_the_run_well(project):
    (project.path / "ends.py").write_text("import os\ndef factory():\n    return lambda radiographs: os._exit(0)\n")
    result = project("-k", "size and sensitivity", detector="ends:factory")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert "os._exit was called before all was done" in result.stderr.str()


def test_what_a_gathering_skips_is_an_error_in_record_and_run(project):
    (project.path / "conftest.py").write_text(
        "import pytest\nfrom synnodtest.engine.campaign import Campaign\n"
        "Campaign.gather = lambda *what: pytest.skip('no licence')\n"
    )
    result = project("-k", "size and sensitivity")
    assert result.parseoutcomes()["errors"] == 1
    assert statuses(project)["size::sensitivity"] == "ERROR"


def test_a_count_that_the_plan_chose_is_no_deviation_and_what_a_limit_took_of_it_is(project):
    spec = project.path / "specs" / "small.yaml"
    told = "sampling: {assume: {sensitivity: 0.99, false_positives_per_image: 0.1}}\n    scenes:"
    text = re.sub("      - monotone.*\n", "", spec.read_text()).replace("scenes:", told, 1)
    spec.write_text(text.replace("count: 16", "count: auto", 1))
    words = ("-k", "size and sensitivity", "--synnod-no-pixels")
    project(*words)
    made = record(project)
    (used,) = {b["count"] for b in made["identification"]["backgrounds"]}
    assert made["deviations"] == []
    shutil.rmtree(project.path / "reports")
    project(*words, "--synnod-limit", "2")
    assert [(d["planned"], d["actual"]) for d in record(project)["deviations"]] == [(str(used), "2")]


def test_a_region_that_the_set_lacks_is_invalid_with_the_reason(project):
    for mask in (project.path / "cxr").glob("*.air_leak.png"):
        mask.unlink()
    result = project("-k", "leak", "--synnod-limit", "2", "--synnod-no-pixels")
    assert result.parseoutcomes()["errors"] == 1
    assert "has the region 'air_leak'" in result.stdout.str()
    assert statuses(project)["leak::no_detection"] == "INVALID"


def test_inconclusive_fails_by_default_with_its_own_letter_and_can_be_relaxed_to_xfail(project):
    words = ("-k", "size and sensitivity", "--synnod-limit", "3", "--synnod-no-pixels")
    result = project(*words, "--color=yes")
    assert result.parseoutcomes() == {"failed": 1, "deselected": 3}
    lines = result.stdout.str().splitlines()
    assert any(line.startswith("specs/small.yaml \x1b[33m?") for line in lines)
    assert any(line.startswith("\x1b[33mINCONCLUSIVE\x1b[0m specs/small.yaml::") for line in lines)
    assert not any("FAILED" in line and "INCONCLUSIVE" in line for line in lines)
    assert "report: " in next(line for line in reversed(lines) if line.strip())
    assert "exploratory run, which confirms nothing" in result.stdout.str()
    relaxed = project(*words, "--inconclusive", "xfail")
    assert relaxed.ret == pytest.ExitCode.OK
    assert relaxed.parseoutcomes() == {"xfailed": 1, "deselected": 3}


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_what_did_not_pass_fails_the_run_though_a_conftest_expects_failures(project, workers):
    (project.path / "conftest.py").write_text(
        "import pytest\ndef pytest_collection_modifyitems(items):\n"
        "    for item in items:\n        item.add_marker(pytest.mark.xfail(reason='known'))\n"
    )
    words = ("-k", "size and sensitivity", "--synnod-no-pixels", *workers)
    result = project(*words, detector="dets:silent")
    assert result.parseoutcomes()["xfailed"] == 1
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "specs/small.yaml::size::sensitivity did not pass, which a conftest.py" in result.stdout.str()
    if not workers:
        passed = project(*words)
        assert passed.ret == pytest.ExitCode.OK
        assert "did not pass" not in passed.stdout.str()


ALL_XFAIL = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xfail(run=False))
"""


NOT_TOLD = "def pytest_runtest_protocol():\n    return True\n"


@pytest.mark.parametrize("conftest", [NOT_TOLD, ALL_XFAIL])
def test_what_came_to_no_verdict_fails_a_run_that_pytest_calls_good(project, conftest):
    (project.path / "conftest.py").write_text(conftest)
    words = ("-k", "leak", "--synnod-no-pixels")
    result = project(*words)
    assert project(*words, "-p", "no:terminal").ret == result.ret == pytest.ExitCode.TESTS_FAILED
    assert "specs/small.yaml::leak::no_detection did not pass, which a conftest.py" in result.stdout.str()


@pytest.mark.parametrize("words", [(), ("-n", "1"), ("-p", "no:terminal")])
def test_a_run_whose_every_item_is_skipped_ends_as_one_without_tests(project, words):
    (project.path / "conftest.py").write_text(ALL_XFAIL.replace("xfail(run=False)", "skip"))
    assert project("-k", "leak", *words).ret == pytest.ExitCode.NO_TESTS_COLLECTED
    if not words:
        (project.path / "conftest.py").write_text(
            "def pytest_collection_modifyitems(items):\n"
            "    for item in items:\n        item.add_marker('skip') if 'sensitivity' in item.nodeid else None\n"
        )
        known = "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_that_runs():\n    assert False\n"
        for more in ("def test_that_runs():\n    pass\n", known):
            (project.path / "test_more.py").write_text(more)
            result = project("specs", "test_more.py", "-k", "sensitivity or runs", "--synnod-no-pixels")
            assert result.parseoutcomes()["skipped"] == 1
            assert result.ret == pytest.ExitCode.OK


def test_a_conftest_does_not_make_a_failed_run_end_well(project):
    (project.path / "conftest.py").write_text(
        "import pytest\n@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
    )
    words = ("-k", "size and sensitivity", "--synnod-no-pixels")
    assert project(*words, detector="dets:silent").ret == pytest.ExitCode.TESTS_FAILED
    assert project(*words).ret == pytest.ExitCode.OK


RUNS_AGAIN = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    for last in (False, True):  # as pytest-rerunfailures and its like do
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if last or not any(report.failed for report in reports):
            for report in reports:
                item.ihook.pytest_runtest_logreport(report=report)
            return True
"""
AT_FIRST = """

def crashes_once():
    inner, asked = honest(), []

    def detect(radiographs):
        asked.append(1)
        if len(asked) == 1:
            raise ValueError("out of memory")
        return inner(radiographs)

    return detect
"""


def test_what_did_not_pass_stands_though_a_plugin_runs_it_again(project):
    (project.path / "conftest.py").write_text(RUNS_AGAIN)
    dets = project.path / "dets.py"
    dets.write_text(dets.read_text() + AT_FIRST)
    result = project("-k", "sensitivity", "--synnod-no-pixels", detector="dets:crashes_once")
    assert result.parseoutcomes()["errors"] == 1
    assert "out of memory" in result.stdout.str()
    assert statuses(project)["size::sensitivity"] == "ERROR"


def test_two_specs_with_a_behaviour_of_one_id_have_a_sham_control_each(project):
    text = (project.path / "specs" / "small.yaml").read_text()
    (project.path / "specs" / "other.yaml").write_text(text)
    project("-k", "size and sensitivity", "--synnod-limit", "3", "--synnod-no-pixels")
    of = [(entry["file"], entry["behaviour"]) for entry in record(project)["sham"]]
    assert of == [("specs/other.yaml", "size"), ("specs/small.yaml", "size")]
    (run,) = (project.path / "reports").iterdir()
    assert "(specs/other.yaml::size and specs/small.yaml::size)" in (run / "report.html").read_text()
    entries = json.loads((run / "results.json").read_text())["sham"]
    assert decode(ShamEntry, {k: v for k, v in entries[0].items() if k != "file"}).file == ""


def waiver(project, expiry):
    (project.path / "waivers.yaml").write_text(
        "waivers:\n  - id: W-1\n    expectation: specs/small.yaml::size::sensitivity\n"
        f"    reason: known and accepted\n    approver: QA lead\n    expiry: {expiry}\n"
    )


def test_a_waived_failure_is_xfail_and_an_expired_waiver_fails(project):
    waiver(project, "2999-01-01")
    words = ("-k", "size and sensitivity", "--synnod-no-pixels")
    accepted = project(*words, detector="dets:silent")
    assert accepted.parseoutcomes() == {"xfailed": 1, "deselected": 3}
    assert accepted.ret == pytest.ExitCode.OK
    assert "    waived by QA lead until 2999-01-01: known and accepted" in accepted.stdout.lines
    waiver(project, "2020-01-01")
    result = project(*words, detector="dets:silent")
    assert result.parseoutcomes() == {"failed": 1, "deselected": 3}
    assert "    waiver W-1 expired on 2020-01-01" in result.stdout.lines


def test_a_waiver_that_names_nothing_is_warned_of_with_its_line_and_the_nearest_name(project):
    entry = "  - {id: %s, expectation: '%s', reason: known, approver: R, expiry: 2999-01-01}\n"
    named = {
        "W-1": "specs/small.yaml::size::sensitivty",
        "W-2": "sise",
        "W-3": "specs/smal.yaml::leak",
        "W-4": "leak",
        "W-5": "specs/small.yaml::size::monotone",
        "W-6": "cxr/r0.png::size",
    }
    assert (project.path / "cxr" / "r0.png").is_file() or named.pop("W-6")
    (project.path / "waivers.yaml").write_text("waivers:\n" + "".join(entry % pair for pair in named.items()))
    words = ("-k", "size and sensitivity", "--synnod-limit", "3", "--synnod-no-pixels")
    result = project(*words, "--inconclusive", "xfail")
    warned = [line for line in result.stdout.str().splitlines() if "WARNING" in line]
    assert [
        re.search(r"waivers\.yaml:(\d): the waiver '(W-\d)'.*; did you mean '(.*)'", line).groups() for line in warned
    ] == [
        ("2", "W-1", "specs/small.yaml::size::sensitivity"),
        ("3", "W-2", "size"),
        ("4", "W-3", "specs/small.yaml::leak"),
    ]


def test_a_second_run_computes_nothing(project):
    project.forget()
    words = ("--synnod-limit", "8", "--synnod-no-pixels")
    project(*words)
    result = project(*words)
    seconds = [
        json.loads((run / "results.json").read_text())["attrition"]["seconds"]
        for run in sorted((project.path / "reports").iterdir())
    ]
    assert min(seconds[0].values()) > 0
    assert seconds[1] == {"synthesis": 0, "detection": 0}
    assert result.parseoutcomes()["passed"] >= 1


def without_times(data):
    """A record without what hangs on when and how fast it was made."""
    data["run"] = {k: v for k, v in data["run"].items() if k not in ("id", "started", "finished", "command", "options")}
    for entry in data["expectations"]:
        entry.pop("seconds")
    for name in ("seconds", "from_cache"):
        data["attrition"].pop(name)
    return {name: part for name, part in data.items() if name not in ("ledger", "environment")}


def test_workers_share_one_report_that_is_the_serial_one_and_do_nothing_twice(project):
    project.forget()

    def run(cache, *words):
        words += ("--synnod-cache", cache, "--synnod-report", f"{cache}-reports")
        shutil.copytree(project.path / ".synnodtest", project.path / cache)
        said = project(*words, "--synnod-limit", "3", "--synnod-no-pixels").stdout.str()
        [folder] = (project.path / f"{cache}-reports").iterdir()
        made = re.search(r"(\d+) scenes synthesized and (\d+) radiographs inferred", said)
        return without_times(json.loads((folder / "results.json").read_text())), made.groups()

    serial, done = run("one")
    shared, done_by_two = run("two", "-n", "2")
    assert len(shared["expectations"]) == 4
    assert done_by_two == done
    assert shared == serial


def test_last_failed_and_exit_first_work_as_usual(project):
    assert project("-x", "--synnod-no-pixels", detector="dets:silent").parseoutcomes() == {"failed": 1}
    again = project("--lf", "--synnod-no-pixels", detector="dets:silent").parseoutcomes()
    assert again == {"failed": 1} or again == {"failed": 1, "deselected": 3}
    newest = max((project.path / "reports").iterdir())
    assert (
        "only what failed last was run"
        in json.loads((newest / "results.json").read_text())["run"]["exploratory_reasons"]
    )


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_specification_that_a_selection_leaves_out_whole_is_told_of(project, workers):
    specs = project.path / "specs"
    for name in ("unwelcome", "unwished"):
        shutil.copy(specs / "small.yaml", specs / f"{name}.yaml")
    words = ("-k", "small and leak", "--synnod-no-pixels", *workers)
    assert project(*words).parseoutcomes()["passed"] == 1
    reasons = record(project)["run"]["exploratory_reasons"]
    assert "all of specs/unwelcome.yaml and of 1 more specification was left out" in reasons
    if workers:
        return
    shutil.rmtree(project.path / "reports")
    project("-k", "leak", "--synnod-no-pixels")
    assert not any("left out" in reason for reason in record(project)["run"]["exploratory_reasons"])


def test_a_specification_that_a_conftest_takes_out_whole_is_told_of(project):
    shutil.copy(project.path / "specs" / "small.yaml", project.path / "specs" / "unwelcome.yaml")
    (project.path / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n"
        "    items[:] = [item for item in items if 'unwelcome' not in item.nodeid]\n"
    )
    project("-k", "leak", "--synnod-no-pixels")
    assert "all of specs/unwelcome.yaml was left out" in record(project)["run"]["exploratory_reasons"]
    assert record(project)["run"]["left_out"] == ["specs/unwelcome.yaml"]


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_run_beside_a_malformed_spec_is_entered_and_says_what_it_leaves_out(project, workers):
    (project.path / "specs" / "bad.yaml").write_text("synnodtest: 1\nbehaviours: 3\n")
    words = ("-k", "leak", "--synnod-no-pixels", "--continue-on-collection-errors", *workers)
    assert project(*words).ret == 1
    ledger = [json.loads(line) for line in (project.path / "synnodtest-ledger.jsonl").read_text().splitlines()]
    assert [entry["event"] for entry in ledger] == ["begin", "end"]
    assert {"all of specs/bad.yaml was left out", "3 of the 4 expectations of its specifications were not run"} <= set(
        record(project)["run"]["exploratory_reasons"]
    )


def test_an_item_that_a_worker_died_of_is_an_error_though_another_worker_passes_it(project):
    (project.path / "mortal.py").write_text(
        "import os\nfrom dets import honest\n\n\ndef once():\n    inner = honest()\n\n"
        "    def detect(radiographs):\n"
        "        return os._exit(3) if os.environ['PYTEST_XDIST_WORKER'] == 'gw0' else inner(radiographs)\n\n"
        "    return detect\n"
    )
    words = ("-k", "size and sensitivity", "--synnod-no-pixels", "-n", "1", "--dist", "loadscope")
    result = project(*words, detector="mortal:once")
    assert "crashed while running" in result.stdout.str()
    assert statuses(project)["size::sensitivity"] == "ERROR"
    (entry,) = (e for e in record(project)["expectations"] if e["status"] == "ERROR")
    assert "died" in entry["error"]


def test_what_a_worker_had_judged_before_it_died_is_an_error_and_not_told_as_not_run(project):
    (project.path / "conftest.py").write_text(
        "import os\n\n\ndef pytest_runtest_setup(item):\n"
        "    if 'false_positives' in item.nodeid:\n        os._exit(3)\n"
    )
    result = project("-k", "size", "--synnod-no-pixels", "-n", "1")
    result.assert_outcomes(passed=2, failed=1)
    assert {word for key, word in statuses(project).items() if key.startswith("size")} == {"ERROR"}


def test_verdicts_that_a_worker_takes_along_as_it_dies_after_its_last_item_fail_the_run(project):
    (project.path / "conftest.py").write_text(
        "import os, pytest\n@pytest.hookimpl(tryfirst=True, wrapper=True)\n"
        "def pytest_runtestloop(session):\n    yield\n"
        "    return os._exit(3) if hasattr(session.config, 'workerinput') else True\n"
    )
    result = project("-k", "leak", "--synnod-no-pixels", "-n", "1", "--max-worker-restart", "0")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "specs/small.yaml::leak::no_detection did not pass" in result.stdout.str()


def test_the_failure_names_its_line_and_a_command_that_runs_as_printed_and_gives_the_same_sentence(project):
    first = project("-k", "size and sensitivity", detector="dets:silent").stdout.str()
    assert "specs/small.yaml:20" in first
    assert "reproduce   pytest specs/small.yaml::size::sensitivity --detector dets:silent" in first
    line = re.search(r"^ +reproduce +pytest (.*)$", first, re.M).group(1)
    again = run_pytest(*shlex.split(line)).stdout.str()
    told = {text: re.search(r"^FAILED sensitivity .*$", text, re.M).group(0) for text in (first, again)}
    assert told[first] == told[again]
    assert "radiographs inferred" not in again
