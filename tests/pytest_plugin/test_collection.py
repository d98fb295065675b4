"""Specs are collected as a pytest user expects, without a heavy import and without running anything."""

import shutil
import subprocess
import sys
import textwrap

import pytest

from synnodtest.commands.specs import spec_files
from synnodtest.errors import SynnodError
from synnodtest.integrity import manifest

from .conftest import SPEC, run_pytest

IDS = [
    "specs/small.yaml::size::monotone",
    "specs/small.yaml::size::sensitivity",
    "specs/small.yaml::size::false_positives_per_image",
    "specs/small.yaml::leak::no_detection",
]


def ids(result):
    return [line for line in result.outlines if "::" in line and " " not in line]


def test_node_ids_are_file_behaviour_expectation(project):
    assert ids(project("--collect-only", "-q", detector=None)) == IDS


def test_gates_and_tags_select_with_m_and_names_with_k(project):
    assert ids(project("--collect-only", "-q", "-m", "safety", detector=None)) == IDS[3:]
    assert ids(project("--collect-only", "-q", "-m", "sizes and performance", detector=None)) == IDS[:3]
    assert ids(project("--collect-only", "-q", "-k", "sensitivity", detector=None)) == IDS[1:2]
    assert ids(project("--collect-only", "-q", IDS[3], detector=None)) == IDS[3:]


def test_a_tag_of_the_name_of_a_plugins_marker_selects_and_the_plugin_is_told_nothing(project):
    pytest.importorskip("pytest_timeout")
    spec = project.path / "specs" / "small.yaml"
    spec.write_text(SPEC.replace("tags: [sizes]", "tags: [timeout]"))
    result = project("-m", "timeout", "-k", "sensitivity", "--timeout", "270", "--synnod-no-pixels")
    result.assert_outcomes(passed=1, deselected=3)


def test_a_spec_whose_path_holds_what_parts_a_node_id_is_refused_with_its_remedy(project):
    (project.path / "specs" / "small.yaml").rename(project.path / "specs" / "small::old.yaml")
    result = project("--collect-only", "-q", detector=None)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["specs/small::old.yaml: *::*rename it"])


MATRIX = """synnodtest: 1
behaviours:
  - id: found
    matrix: {region: [apical, hilar]}
    scenes:
      backgrounds: {set: normal, count: 3}
      nodules: [{diameter_mm: 20, location: {region: "${region}"}}]
    expect:
      - sensitivity: {at_least: 0.5, by: {sex: [F, M]}}
      - false_positives_per_image: {at_most: 1}
"""


def test_every_node_id_that_is_printed_can_be_typed_those_of_a_matrix_too(pytester):
    (pytester.path / "pytest.ini").touch()
    (pytester.path / "m.yaml").write_text(MATRIX)
    printed = ids(run_pytest("--collect-only", "-q", "m.yaml"))
    assert len(printed) == 6
    assert printed[-1] == "m.yaml::found[region=hilar]::false_positives_per_image"
    typed = [f"{pytester.path}/{printed[0]}", *printed[3:]]
    assert ids(run_pytest("--collect-only", "-q", *typed)) == [printed[0], *printed[3:]]
    assert run_pytest("--collect-only", "m.yaml::found[region=rib]::sensitivity").ret == pytest.ExitCode.USAGE_ERROR


def test_gates_and_tags_are_known_markers_under_strict_markers(project):
    assert project("--collect-only", "-q", "--strict-markers", detector=None).ret == 0


def test_collecting_loads_no_heavy_package(project):
    script = """
        import sys, pytest
        code = pytest.main(["--collect-only", "-q", "specs", "-p", "no:html", "-p", "no:allure_pytest"])
        heavy = {"torch", "diffusers", "ultralytics", "radiomics", "matplotlib", "pydicom", "sklearn", "statsmodels"}
        print("LOADED", sorted(heavy & set(sys.modules)), int(code))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=project.path, capture_output=True, text=True, check=False
    )
    assert "LOADED [] 0" in done.stdout, done.stdout + done.stderr


def test_specs_without_a_detector_are_a_usage_error_that_says_what_to_type(project):
    result = project(detector=None)
    assert result.ret == 4
    text = result.stdout.str() + result.stderr.str()
    assert "--detector best.pt" in text
    assert "4 expectations" in text


@pytest.mark.parametrize("second", [("--detector", "dets:honest"), ("--detector=dets:honest",)])
def test_two_detectors_are_a_usage_error_and_not_a_run_of_the_last(project, second):
    result = project(*second, detector="dets:silent")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "are named, and a run has one detector" in result.stderr.str()
    assert not (project.path / "reports").exists()


def test_a_process_of_its_own_for_each_item_is_a_usage_error(project):
    (project.path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--forked', action='store_true')\n"
    )
    result = project("--forked")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--forked: verdicts and their record do not leave a forked process" in result.stderr.str()


def test_a_detector_named_twice_or_in_an_ini_file_is_one(project):
    (project.path / "pytest.ini").write_text("[pytest]\ntestpaths = specs\naddopts = --detector dets:crashing\n")
    result = project("--detector", "dets:honest", "-k", "size and sensitivity", "--synnod-limit", "3")
    assert result.parseoutcomes() == {"failed": 1, "deselected": 3}


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
def test_a_detector_beside_tests_without_any_spec_is_warned_of(project, workers):
    (project.path / "test_mine.py").write_text("def test_one():\n    pass\n")
    beside = project("test_mine.py", *workers)
    assert beside.ret == pytest.ExitCode.OK
    assert "no spec was collected, so that nothing is said of --detector" in beside.stdout.str()
    (project.path / "test_mine.py").write_text("def test_one(synnod):\n    pass\n")
    for words in (["test_mine.py"], ["test_mine.py", "specs", "-k", "test_one"]):
        assert "no spec was collected" not in project(*words).stdout.str()


def test_yaml_that_is_no_spec_is_left_alone(project):
    (project.path / "specs" / "compose.yaml").write_text("services:\n  web: {image: nginx}\n")
    (project.path / "specs" / "broken.yml").write_text("a: [1, 2\nb: }")
    (project.path / "specs" / "list.yaml").write_text("- synnodtest\n")
    assert ids(project("--collect-only", "-q", detector=None)) == IDS


def test_files_of_which_nobody_can_tell_whether_they_are_specs_are_told_of(project):
    specs = project.path / "specs"
    (specs / "gone.yml").symlink_to(project.path / "nowhere.yml")  # the first by name, and the last in a disk's order
    (specs / "kept.yaml").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 999\n")
    told = project("--collect-only", "-q", detector=None)
    assert ids(told) == IDS
    told.stdout.fnmatch_lines_random(
        ["*gone.yml: it points to *nowhere.yml, which is not there*", "*kept.yaml: *Git LFS*"]
    )
    with pytest.raises(SynnodError, match=r"gone\.yml: it points to"):
        list(spec_files([specs]))


def test_the_copies_of_specs_that_runs_keep_are_left_alone_unless_they_are_named(project):
    run = project.path / "reports" / "r1"
    run.mkdir(parents=True)
    (run / "results.json").write_text("{}")
    (spec,) = (project.path / "specs").glob("*.yaml")
    shutil.copytree(spec.parent, run / "inputs" / "specs")
    manifest.write(run)
    there = len(ids(project("--collect-only", "-q", "specs", detector=None)))
    assert len(ids(project("--collect-only", "-q", ".", detector=None))) == there
    assert list(spec_files([project.path])) == [spec]
    for named in ("reports/r1/inputs", f"reports/r1/inputs/specs/{spec.name}"):
        assert len(ids(project("--collect-only", "-q", named, detector=None))) == there
        assert len(list(spec_files([project.path / named]))) == 1


def test_specs_of_a_users_own_folder_inputs_run_though_a_record_and_its_manifest_lie_beside_it(tmp_path):
    spec = tmp_path / "project" / "inputs" / "own.yaml"
    spec.parent.mkdir(parents=True)
    (tmp_path / "project" / "results.json").write_text("{}")
    manifest.write(tmp_path / "project")
    spec.write_text(SPEC)
    assert list(spec_files([tmp_path])) == [spec]


def test_a_malformed_spec_is_a_collection_error_at_its_line(project):
    (project.path / "specs" / "bad.yaml").write_text(
        "synnodtest: 1\nbehaviours:\n  - id: a\n    statement: s\n    scenes:\n"
        "      backgrounds: {set: normal, count: 20}\n      nodules: [{diameter_mm: 10}]\n"
        "    expect:\n      - sensitivity: {at_leest: 0.8}\n"
    )
    result = project("--collect-only", "-q", detector=None)
    assert result.ret != 0
    text = result.stdout.str()
    assert "specs/bad.yaml:9:" in text
    assert "did you mean 'at_least'?" in text
    assert "Traceback" not in text


def test_a_python_test_suite_without_specs_is_left_alone(pytester):
    pytester.makepyfile("def test_one(): pass")
    run_pytest("-p", "no:randomly").assert_outcomes(passed=1)


@pytest.mark.parametrize(("worker", "goes_on", "begun"), [(True, False, 1), (False, False, 0), (False, True, 1)])
def test_what_runs_beside_a_spec_that_cannot_be_read_is_entered_before_its_first_scene(worker, goes_on, begun):
    """Workers of ``-n`` run the rest whatever could not be collected."""
    from types import SimpleNamespace

    from synnodtest import pytest_plugin

    began = []
    mine = SimpleNamespace(is_worker=worker, begin=began.append)
    option = SimpleNamespace(synnod_plan=False, collectonly=False, continue_on_collection_errors=goes_on)
    config = SimpleNamespace(stash={pytest_plugin.KEY: mine}, option=option)
    pytest_plugin.pytest_runtestloop(SimpleNamespace(config=config, testsfailed=1, items=[]))
    assert len(began) == begun
