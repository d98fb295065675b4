"""Where a run leaves its things, and what a slip in an option costs: one usage error, and nothing is written."""

from __future__ import annotations

import json
import sys

import pytest

from .conftest import run_pytest, write_radiographs

SPEC = """synnodtest: 1
behaviours:
  - id: found
    statement: Nodules are found.
    scenes:
      backgrounds: {set: normal, count: 3}
      nodules: [{diameter_mm: 20, location: {region: lung}}]
    expect: [sensitivity: {at_least: 0.5}]
"""


@pytest.fixture
def two_projects(pytester, monkeypatch):
    """``mine/specs`` without settings, beside ``other`` whose settings would break the run; runs pytest in ``mine``.

    That it is a project of its own is said by its empty ``pytest.ini``, wherever temporary folders lie.
    """
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    mine, other = pytester.path / "mine", pytester.path / "other"
    (mine / "specs").mkdir(parents=True)
    (mine / "specs" / "a.yaml").write_text(SPEC)
    (mine / "pytest.ini").touch()
    (mine / "dets.py").write_text("def silent():\n    return lambda radiographs: [[] for _ in radiographs]\n")
    other.mkdir()
    (other / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    write_radiographs(other / "cxr", count=3)
    monkeypatch.chdir(mine)

    def run(*words):
        return run_pytest("-p", "no:randomly", "--synnod-conform", "off", *words)

    run.mine, run.other = mine, other
    return run


OTHERS = ["--backgrounds", "../other/cxr"]
GOOD = ["--detector", "dets:silent", "--synthesizer", "gaussian", "--synnod-no-pixels"]


@pytest.mark.parametrize("is_project", [True, False])
def test_a_folder_given_to_an_option_moves_neither_rootdir_nor_what_is_written(two_projects, is_project):
    if not is_project:
        (two_projects.mine / "pytest.ini").unlink()
        if any((folder / "pyproject.toml").exists() for folder in two_projects.mine.parents):
            pytest.skip("temporary folders lie within a project, whose folder is rootdir then")
    before = sorted(path.name for path in two_projects.other.iterdir())
    for words in (["specs", *OTHERS], [*OTHERS, "specs"]):
        result = two_projects(*words, *GOOD, "--collect-only", "-q")
        result.stdout.fnmatch_lines(["specs/a.yaml::found::sensitivity"])
        result = two_projects(*words, *GOOD)
        result.stdout.fnmatch_lines([f"rootdir: {two_projects.mine}", f"report: {two_projects.mine}/reports/*"])
        written = {"reports", ".synnodtest", "synnodtest-ledger.jsonl"}
        assert written <= {path.name for path in two_projects.mine.iterdir()}
        assert sorted(path.name for path in two_projects.other.iterdir()) == before


def test_a_folder_named_in_a_file_of_options_does_not_move_rootdir(two_projects):
    (two_projects.mine / "ci.args").write_text("\n".join([*OTHERS, *GOOD]))
    result = run_pytest("specs", "@ci.args", "--collect-only")
    result.stdout.fnmatch_lines([f"rootdir: {two_projects.mine}"])


def test_specs_of_one_relative_path_inside_and_outside_rootdir_are_two_in_the_record(two_projects):
    (two_projects.other / "specs").mkdir()
    (two_projects.other / "specs" / "a.yaml").write_text(SPEC.replace("0.5", "0.1"))
    (two_projects.other / "pytest.ini").unlink()
    two_projects("../other/specs/a.yaml", "specs/a.yaml", "--rootdir", "../other", *OTHERS, *GOOD)
    (record,) = (two_projects.other / "reports").glob("*/results.json")
    bounds = [entry["parameters"]["at_least"] for entry in json.loads(record.read_text())["expectations"]]
    assert sorted(bounds) == [0.1, 0.5]


def test_other_folders_of_options_and_the_projects_own_settings_stay_in_force(two_projects):
    (two_projects.mine / "pytest.ini").write_text("[pytest]\ntestpaths = specs\naddopts = -q --synnod-seed 5\n")
    where = ["--synnod-report", "../other/rep", "--synnod-cache", "../other/cache", "--backgrounds", "../other/cxr"]
    result = two_projects(*where, *GOOD, "--synnod-ledger", "../other/runs.jsonl", "-v")
    result.stdout.fnmatch_lines([f"rootdir: {two_projects.mine}", "configfile: pytest.ini"])
    assert '"seed":5' in (two_projects.other / "runs.jsonl").read_text()
    assert not {"reports", ".synnodtest", "synnodtest-ledger.jsonl"} & {p.name for p in two_projects.mine.iterdir()}


def test_a_ledger_that_cannot_be_written_is_warned_of_and_stands_in_the_record(two_projects):
    (two_projects.mine / "file").write_text("")
    words = ["specs", *OTHERS, *GOOD, "-W", "error"]  # which turns no word of ours into an internal error
    result = two_projects(*words, "--synnod-ledger", "file/ledger.jsonl")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*the run cannot be entered*--synnod-ledger FILE*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    record = next((two_projects.mine / "reports").glob("*/results.json")).read_text()
    assert "this run is not in the ledger" in record


def test_where_warnings_are_errors_ours_are_without_a_traceback(two_projects):
    (two_projects.mine / "none").mkdir()
    result = two_projects("none", *GOOD, "-W", "error")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: no spec was collected*"])
    (two_projects.mine / "specs" / "b.yaml").symlink_to("gone.yaml")
    result = two_projects("specs", *GOOD, "-W", "error")
    result.stdout.fnmatch_lines(["*specs/b.yaml: it points to gone.yaml, which is not there*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


SLIPS = {
    "detector file": (["--detector", "bets.pt"], "--detector: detector 'bets.pt': *bets.pt is not there"),
    "detector file of another kind": (
        ["--detector", "junk.pt"],
        "--detector: *junk.pt is not an ultralytics checkpoint*",
    ),
    "detector file not fetched": (["--detector", "pointer.onnx"], "--detector: *pointer.onnx stands for*git lfs pull*"),
    "detector of a mutant": (
        ["--detector", "mutant:flip-blind:bets.pt"],
        "--detector: detector 'bets.pt': *is not there",
    ),
    "detector name": (["--detector", "demmo"], "--detector: nothing is known as the detector 'demmo'"),
    "detector factory": (["--detector", "dets:slient"], "--detector: detector 'dets:slient': 'dets' has no 'slient'"),
    "detector module": (["--detector", "dest:silent"], "--detector: detector 'dest:silent': no module named 'dest'"),
    "synthesizer": (["--synthesizer", "gausian"], "--synthesizer: nothing is known as the synthesizer 'gausian'"),
    "its folder": (["--synthesizer", "ct-patch:gone"], "--synthesizer: synthesizer 'ct-patch': *gone is not there"),
    "backgrounds": (["--backgrounds", "../other/crx"], "--backgrounds: ../other/crx: no such folder"),
    "pixel size": (["--backgrounds", "films"], "--backgrounds: films: the size of a pixel in mm is unknown*1 files*"),
    "baseline": (["--baseline", "older.onnx"], "--baseline: detector 'older.onnx': *older.onnx is not there"),
}


def test_folders_of_sets_without_the_one_that_a_spec_names_are_a_usage_error(two_projects):
    films = two_projects.mine / "films" / "site"
    films.mkdir(parents=True)
    (films / "a.mha").touch()
    result = two_projects("specs", "--detector", "dets:silent", "--backgrounds", "films")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--backgrounds: films: no radiograph here, and no folder 'normal'*site*"])


def test_slips_are_one_usage_error_before_anything_is_written(two_projects):
    words = [word for slip in ("detector factory", "synthesizer", "backgrounds") for word in SLIPS[slip][0]]
    result = two_projects("specs", *words)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    for slip in ("detector factory", "synthesizer", "backgrounds"):
        result.stderr.fnmatch_lines([f"*{SLIPS[slip][1]}*"])
    assert sorted(p.name for p in two_projects.mine.iterdir() if p.name[0] not in "._") == [
        "dets.py",
        "pytest.ini",
        "specs",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--backgrounds", ""], "--backgrounds: empty"),
        (["-n", "1", "--backgrounds", ""], "--backgrounds: empty"),
        (["-n", "1", "--synnod-limit", "0"], "--synnod-limit 0: a behaviour needs at least 1 background"),
    ],
)
def test_options_that_serve_no_spec_are_refused_in_front_of_workers_too_and_empty_ones_are_no_default(
    two_projects, words, told
):
    result = two_projects("specs", *GOOD, *words)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {told}"])
    assert not (two_projects.mine / "reports").exists()


@pytest.mark.parametrize("words", [["-n", "1"], ["-p", "no:terminal"]])
def test_the_plan_is_whole_with_workers_and_without_a_terminal(two_projects, words):
    result = two_projects("specs", *GOOD, *OTHERS, "--synnod-plan", *words)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*specs/a.yaml::found::sensitivity"])


@pytest.mark.parametrize("slip", SLIPS)
def test_each_slip_is_told_with_its_option(tmp_path, monkeypatch, slip):
    import fnmatch
    from pathlib import Path

    from synnodtest.shell.option_faults import faults_of_names
    from synnodtest.shell.settings import Settings

    (tmp_path / "dets.py").write_text("def silent():\n    return list\n")
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a.jpg").touch()
    (tmp_path / "junk.pt").write_text("no zip")
    (tmp_path / "pointer.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 6\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "dets", raising=False)
    option, value = SLIPS[slip][0]
    given = {"detector": "dets:silent", "synthesizer": "gaussian"} | {option.removeprefix("--"): value}
    given = {name: Path(text) if name == "backgrounds" else text for name, text in given.items()}
    (fault,) = faults_of_names(Settings(root=tmp_path, **given))
    assert fnmatch.fnmatch(fault, f"{SLIPS[slip][1]}*")
    monkeypatch.delitem(sys.modules, "dets", raising=False)


def test_a_folder_without_any_radiograph_is_told_and_one_with_some_anywhere_below_is_not(tmp_path):
    from synnodtest.backgrounds.folder_files import any_radiograph
    from synnodtest.errors import BackgroundError
    from synnodtest.shell.option_faults import _check_backgrounds

    (tmp_path / "elsewhere" / "p1" / "study").mkdir(parents=True)
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "readme.txt").write_text("none yet")
    (tmp_path / "films" / "normal").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "films")
    assert not any_radiograph(tmp_path / "films")
    (tmp_path / "films" / "a.nii.gz").write_bytes(b"")
    with pytest.raises(BackgroundError, match=r"nor in a folder below; 1 \.nii\.gz file was left out"):
        _check_backgrounds(tmp_path / "films")
    (tmp_path / "elsewhere" / "p1" / "study" / "IM0001").write_bytes(bytes(128) + b"DICM")
    assert any_radiograph(tmp_path / "films")


def test_a_folder_of_folders_of_pictures_that_serves_no_set_of_the_specs_is_told_once(tmp_path):
    from synnodtest.backgrounds import check_sets
    from synnodtest.errors import BackgroundError

    for folder in ("site-a", "site-b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.mha").touch()
    with pytest.raises(BackgroundError, match=r"no folder 'normal'.*its folders are site-a, site-b"):
        check_sets(tmp_path, {"normal", "pneumothorax"})
    check_sets(tmp_path, {"normal", "site-b"})
    check_sets(tmp_path / "site-a", {"normal"})
    (tmp_path / "site-b" / "IM0001").write_bytes(bytes(128) + b"DICM")
    check_sets(tmp_path, {"normal"})


IMPOSSIBLE = {
    "limit": ({"limit": 0}, "--synnod-limit 0: a behaviour needs at least 1 background"),
    "timeout": ({"timeout_s": -3.0}, "--synnod-timeout -3: seconds above 0"),
    "device": ({"device": "gpu"}, "--synnod-device 'gpu' is no device: cpu, cuda"),
    "executor": ({"executor": "rayy"}, "--executor rayy: unknown"),
    "cache": ({"cache": "file"}, "--synnod-cache *file: a file, and the store is a folder"),
    "reports": ({"reports": "file/reports"}, "--synnod-report: *file/reports: no report can be written there (Not a"),
}


@pytest.mark.parametrize("slip", IMPOSSIBLE)
def test_what_no_run_can_work_with_is_told_before_it_begins(tmp_path, slip):
    import fnmatch

    from synnodtest.shell.option_faults import faults_of_settings
    from synnodtest.shell.settings import Settings

    (tmp_path / "file").touch()
    given, said = IMPOSSIBLE[slip]
    given = {name: tmp_path / value if name in ("reports", "cache") else value for name, value in given.items()}
    (fault,) = faults_of_settings(Settings(root=tmp_path, **given), writes=True)
    assert fnmatch.fnmatch(fault, f"{said}*")
    fits = Settings(root=tmp_path, limit=1, timeout_s=0.5, executor="ray?detectors=2", reports=tmp_path / "new" / "one")
    assert not list(faults_of_settings(fits, writes=True))
    assert not (tmp_path / "new").exists()


def test_waivers_that_cannot_be_read_fail_no_expectation(two_projects):
    (two_projects.mine / "waivers.yaml").write_text("waivers:\n  - id: W-1\n    reason: known\n")
    result = two_projects("specs", *GOOD)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *waivers.yaml:2:5: waivers*'approver' is missing"])


def test_a_waiver_that_covers_behaviours_of_two_specs_is_refused(two_projects):
    specs = two_projects.mine / "specs"
    spec = next(specs.glob("*.yaml"))
    (specs / "other.yaml").write_text(spec.read_text())
    id = next(line.split("id:")[1].strip() for line in spec.read_text().splitlines() if "- id:" in line)
    entry = "waivers:\n  - {id: W-1, expectation: %s, reason: known, approver: R, expiry: 2999-01-01}\n"
    (two_projects.mine / "waivers.yaml").write_text(entry % id)
    result = two_projects("specs", *GOOD)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: the waiver 'W-1' covers specs/*.yaml and specs/*.yaml: name one"])
    chosen = two_projects("specs", *GOOD, "-k", "other.yaml")
    chosen.stderr.fnmatch_lines(["ERROR: the waiver 'W-1' covers specs/*.yaml and specs/*.yaml: name one"])
    spread = two_projects("specs", *GOOD, *OTHERS, "-n", "1")
    spread.stdout.fnmatch_lines(["*the waiver 'W-1' covers specs/*.yaml and specs/*.yaml: name one"])
    spread.assert_outcomes(failed=2, warnings=spread.parseoutcomes().get("warnings", 0))


def test_what_is_named_rightly_has_no_fault(tmp_path, monkeypatch):
    pytest.importorskip("ultralytics")
    from synnodtest.shell.option_faults import faults_of_names
    from synnodtest.shell.settings import Settings
    from synnodtest.shipped import shipped_model

    monkeypatch.chdir(tmp_path)
    (tmp_path / "best.pt").symlink_to(shipped_model("detector/demo.pt"))
    (tmp_path / "film.mha").touch()
    files = ("best.pt", "best.pt#nodule", "openvino:best.pt", "mutant:flip-blind:best.pt", "mutant:always-silent")
    programs = ("command:run it", "command:run {in} {out} --weights far.pt", "node21:run {in} {out} x.json")
    for detector in (*files, *programs, "demo", "http://host/predict"):
        assert faults_of_names(Settings(root=tmp_path, detector=detector, backgrounds=tmp_path)) == []
