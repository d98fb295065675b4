"""init, check, expand, schema, plan and compare from the command line."""

import json
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

from synnodtest import Radiograph
from synnodtest.cli import main
from synnodtest.commands.options import tell
from synnodtest.record import results
from synnodtest.spec import load_spec
from tests.pytest_plugin.conftest import write_radiographs
from tests.record import parts

DETECTORS = """\
import numpy as np
from synnodtest import Finding


def bright():
    def detect(radiographs):
        found = []
        for radiograph in radiographs:
            flat = radiograph.pixels - np.median(radiograph.pixels, axis=1, keepdims=True)
            row, column = np.unravel_index(int(flat.argmax()), flat.shape)
            found.append([Finding((max(column - 3.0, 0), max(row - 3.0, 0), column + 4.0, row + 4.0), 0.9)])
        return found

    return detect


def silent():
    return lambda radiographs: [[] for _ in radiographs]


def broken():
    def detect(radiographs):
        if any(truth.requested["contrast"] == 0.9 for r in radiographs for truth in r.nodules):
            raise RuntimeError("out of memory")
        return [[] for _ in radiographs]

    return detect
"""
SPEC = """\
synnodtest: 1
behaviours:
  - id: found
    statement: s
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules: [{diameter_mm: 16, contrast: 0.9, location: {region: lung}}]
    expect:
      - sensitivity: {at_least: 0.5}
      - specificity: {at_least: 0.1}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def check_says(folder, capsys):
    """A function that returns what ``check`` prints of a spec that it holds to be sound."""

    def said(spec):
        (folder / "s.yaml").write_text(spec)
        assert main(["check", "s.yaml"]) == 0
        return capsys.readouterr().out

    return said


def test_a_starter_project_checks_expands_and_plans_and_never_overwrites(folder, capsys):
    assert main(["init", "mine"]) == 0
    spec = folder / "mine" / "specs" / "nodules.yaml"
    assert spec.read_text().startswith("# yaml-language-server: $schema=./synnodtest.schema.json\n")
    assert json.loads((spec.parent / "synnodtest.schema.json").read_text())["$schema"].endswith("2020-12/schema")
    capsys.readouterr()
    assert main(["check", str(spec)]) == 0
    assert "1 spec: 2 behaviours, 3 expectations, 0 errors" in capsys.readouterr().out
    assert main(["expand", str(spec)]) == 0
    (folder / "again.yaml").write_text(capsys.readouterr().out)
    assert load_spec(folder / "again.yaml").sha256 == load_spec(spec).sha256
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((spec.parent / "synnodtest.schema.json").read_text())
    assert main(["plan", str(spec), "--synthesizer", "gaussian"]) == 0
    printed = capsys.readouterr().out
    assert "power for a true rate of 0.8 (a default of synnodtest: the specification assumes nothing); say" in printed
    assert "say what you expect with sampling: {assume: {sensitivity: ..}}\n" in printed
    # scenes, cached, minutes, units, power, fewest backgrounds
    assert re.search(r"180       0        \?    180   0\.\d\d     15", printed)
    assert "backgrounds for power 0.8\n" in printed
    assert main(["init", "mine"]) == 1
    assert "exist already" in capsys.readouterr().err


def test_a_starter_project_goes_into_a_checkout_and_keeps_its_gitignore(folder, capsys):
    (folder / ".gitignore").write_text("data/\n")
    assert main(["init"]) == 0
    assert (folder / ".gitignore").read_text() == "data/\n"
    assert "kept .gitignore: add .synnodtest/ and reports/ to it" in capsys.readouterr().out
    assert (folder / "pytest.ini").is_file()


def test_check_tells_all_mistakes_of_all_files_at_once(folder, capsys):
    (folder / "a.yaml").write_text(SPEC.replace("at_least: 0.5", "at_last: 0.5").replace("0.1}", "1.1}"))
    (folder / "b.yaml").write_text(SPEC.replace("region: lung", "region: lnug"))
    assert main(["check", "a.yaml", "b.yaml"]) == 1
    told = capsys.readouterr()
    assert (
        "a.yaml:9:23: behaviours[0].expect[0].sensitivity: 'at_last' is not known; did you mean 'at_least'?" in told.err
    )
    assert "must be at most 1, not 1.1" in told.err
    assert "region 'lnug' is not known; did you mean 'lung'?" in told.err
    assert "2 specs: 0 behaviours, 0 expectations, 3 errors" in told.out


def test_check_goes_on_where_one_file_cannot_be_looked_at(folder, capsys):
    (folder / "broken.yaml").symlink_to("gone.yaml")
    (folder / "s.yaml").write_text(SPEC.replace("at_least: 0.5", "at_last: 0.5"))
    assert main(["check", ".", "nowhere"]) == 1
    told = capsys.readouterr()
    assert "'at_last' is not known" in told.err
    assert "broken.yaml: it points to gone.yaml, which is not there\n  hint: " in told.err
    assert "nowhere: no such file or folder" in told.err
    assert told.err.count("no spec here") == 0
    assert "1 spec: 0 behaviours, 0 expectations, 3 errors" in told.out


@pytest.mark.parametrize(
    ("statement", "warned"),
    [
        ("Nodule #3 is found.", "the text 'Nodule' ends before '#3 is found.', which YAML takes for a comment: quote"),
        ("'Nodule #3 is found.'", ""),
        ("Nodule 3  # is found", ""),
        ("Nodule 3 ## is found", ""),
        ("Nodule#3 is found", ""),
        ("|\n      Nodule #3 is found", ""),
    ],
)
def test_check_warns_of_a_text_whose_end_yaml_takes_for_a_comment(folder, check_says, statement, warned):
    spec = f"synnodtest: 1\nbehaviours:\n  - id: found\n    statement: {statement}\n" + SPEC.split("statement: s\n")[1]
    (folder / "lent.yaml").write_text(spec)
    told = check_says(SPEC.replace("behaviours:", "include: [lent.yaml]\nbehaviours:", 1))
    assert ("lent.yaml:4: WARNING the text" in told) is bool(warned)
    assert warned in told


SCENES = "scenes: {backgrounds: {set: normal, count: 40}, nodules: [{diameter_mm: 12}]}"
ARMS = "arms: {one: {nodules: [index]}, other: {nodules: [index]%s}}"


@pytest.mark.parametrize(
    ("expect", "arms", "warning"),
    [
        ("sensitivity: {at_least: 0.5, matching: {criterion: iou, at_least: 0.01}}", "", "covers next to nothing"),
        ("sensitivity: {at_least: 0.5, matching: {criterion: centre-in-nodule, tolerance_mm: 90}}", "", "up to 90 mm"),
        ("sensitivity: {at_least: 0.5, alpha: 0.4}", "", "alpha is 0.4: a detector exactly at the bound"),
        ("auc: {at_least: 0.5}", "", "scores drawn by chance reach an area of 0.5"),
        ("auc: {at_least: 0.6}", "", ""),
        ("froc: {at_least: 0.5, at_false_positives_per_image: 40}", "", "40 false positives per image are allowed"),
        ("froc: {at_least: 0.5, at_false_positives_per_image: 8}", "", ""),
        ("false_positives_per_image: {at_most: 100}", "", "100 false positives per image are allowed"),
        ("non_inferior: {arm: one, reference: other, margin: 0.1}", ARMS % "", "differ in nothing"),
        ("non_inferior: {arm: one, reference: other, margin: 0.1}", ARMS % ", perturbations: {blur: 1}", ""),
        (
            "non_inferior: {arm: one, reference: other, margin: 0.1}",
            ARMS % ", perturbations: {noise: 0, rotate_deg: 0}",
            "differ in nothing",
        ),
        ("sensitivity: {at_least: 0.5}", "", ""),
        ("sensitivity: {at_least: 0}", "", "sensitivity: at_least is 0, the end of its scale: next to no detector"),
        ("sensitivity: {at_least: 0.001}", "", "sensitivity: at_least is 0.001, next to 0: next to no detector"),
        ("sensitivity: {at_least: 0.01}", "", ""),
        ("specificity: {at_most: 1}", "", "at_most is 1, the end"),
        ("no_detection: {region: hilar, at_most: 0.999}", "", "at_most is 0.999, next to 1: next to no detector"),
        ("no_detection: {region: hilar, at_most: 0.1, sensitivity_outside_at_least: 0}", "", "outside_at_least is 0"),
        ("localization: {metric: distance_mm, at_most: 20}", "", "lies farther off than 20 mm"),
        ("localization: {metric: distance_mm, at_most: 8}", "", ""),
        ("correlation: {over: contrast, at_least: -0.5}", "", "scores drawn by chance have a correlation of 0"),
        ("invariant: {under: {blur: 1}, metric: confidence, margin: 1}", "", "differ by less than the margin, 1"),
        ("invariant: {under: {blur: 1}, margin: 0.99}", "", "differ by less than the margin, 0.99"),
        ("invariant: {under: {blur: 1}, margin: 0.98}", "", ""),
        ("invariant: {under: {blur: 1}, metric: false_positives_per_image, margin: 20}", "", "20 false positives per"),
        ("invariant: {under: {blur: 1}, metric: confidence, margin: 0.5}", "", ""),
        ("specificity: {by: [arm], at_most: 0.5}", ARMS % ", perturbations: {blur: 1}", "have no 'arm': INCONCLUSIVE"),
        ("false_positives_per_image: {where: {diameter_mm: 12}, at_most: 1}", "", "have no 'diameter_mm'"),
        (
            "invariant: {under: {blur: 1}, metric: specificity, margin: 0.1, where: {diameter_mm: 12}}",
            "",
            "have no 'diameter_mm': every one is judged",
        ),
        (
            "non_inferior: {arm: one, reference: other, metric: specificity, margin: 0.1, where: {diameter_mm: 12}}",
            ARMS % ", perturbations: {blur: 1}",
            "have no 'diameter_mm': every one is judged",
        ),
        (
            "non_inferior: {arm: one, reference: none, metric: specificity, margin: 0.1, where: {diameter_mm: 12}}",
            "arms: {one: {nodules: [index]}, none: {nodules: []}}",
            "",
        ),
        ("specificity: {arm: one, by: {sex: [F, M]}, at_most: 0.5}", ARMS % ", perturbations: {blur: 1}", ""),
        ("sensitivity: {by: [arm], at_least: 0.5}", ARMS % ", perturbations: {blur: 1}", ""),
    ],
)
def test_check_warns_of_what_lets_a_detector_pass_for_little(check_says, expect, arms, warning):
    told = check_says(
        "synnodtest: 1\nbehaviours:\n  - id: found\n    statement: s\n    scenes:\n"
        "      backgrounds: {set: normal, count: 40}\n"
        "      nodules: [{name: index, diameter_mm: 12, location: {region: lung}}]\n"
        f"      {arms}\n    expect:\n      - {expect}\n"
    )
    assert ("WARNING 'found': " in told) is bool(warning)
    assert warning in told


@pytest.mark.parametrize(
    ("diameter", "point", "warnings"),
    [
        (
            "12",
            "25",
            ["8: WARNING 'found': operating_point 25: no score of 0..1 reaches it (in percent? then write 0.25)"],
        ),
        ("12", "[0.5, 300]", ["8: WARNING 'found': operating_point 300: no score of 0..1 reaches it\n"]),
        (
            "{uniform: [0.8, 12]}",
            "1",
            ["6: WARNING 'found': diameter_mm from 0.8: radiographs hardly show less than 3 mm"],
        ),
        ("{sweep: [2.5, 4]}", "0.5", ["6: WARNING 'found': diameter_mm from 2.5: "]),
        ("{normal: [4, 1]}", "0.5", ["6: WARNING 'found': diameter_mm from 2: "]),
        ("{normal: [12, 4]}", "0.5", []),
        ("3", "0.5", []),
    ],
)
def test_check_warns_of_what_no_score_reaches_and_no_radiograph_shows(check_says, diameter, point, warnings):
    told = check_says(
        "synnodtest: 1\nbehaviours:\n  - id: found\n    scenes:\n      backgrounds: {set: normal, count: 40}\n"
        f"      nodules: [{{diameter_mm: {diameter}, location: {{region: lung}}}}]\n"
        f"    expect:\n      - sensitivity: {{at_least: 0.5, operating_point: {point}}}\n"
    )
    assert told.count("WARNING") == len(warnings)
    assert all(f"s.yaml:{words}" in told for words in warnings)


@pytest.mark.parametrize(
    ("nodule", "expect", "warning"),
    [
        ("uniform: [8, 20]", "by: {diameter_mm: [12, 14, 16]}", "leave 8 to 12 and 16 to 20 unjudged: add an edge, or"),
        ("uniform: [8, 20]", "by: {diameter_mm: [8, 14]}", "leave 14 to 20 unjudged"),
        ("uniform: [8, 20]", "by: {diameter_mm: [4, 14, 30]}", ""),
        (
            "uniform: [8, 20]",
            "where: {diameter_mm: {at_least: 12, at_most: 16}}, by: {diameter_mm: [12, 14, 16]}",
            "",
        ),
        ("sweep: [8, 12, 16]", "by: {diameter_mm: [12, 14, 16]}", "leave 8 unjudged"),
        ("normal: [14, 2]", "by: {diameter_mm: [10, 14, 18]}", ""),
        ("normal: [14, 2]", "by: {diameter_mm: [12, 14, 18]}", "leave 10 to 12 unjudged"),
        ("uniform: [8, 20]", "by: {contrast: [0.1, 0.2]}", ""),
        ("uniform: [8, 20]", "by: {conspicuity: [1, 2, 4]}", ""),
        ("uniform: [8, 20]", "by: {age: ['40', '60']}", "of exactly 40, 60: for bins take the quotes away, [40, 60]"),
        ("uniform: [8, 20]", "by: {age: [40, 60]}", ""),
        ("uniform: [8, 20]", "by: {site: ['1', '2', '3']}", ""),
        (
            "uniform: [8, 20]",
            "by: {site: [1, 2, 3]}",
            "site is judged in 2 bins, of which the last holds both 2 and 3: for categories ['1', '2', '3']",
        ),
        ("uniform: [8, 20]", "by: {kvp: [60, 90, 120]}", ""),
        ("sweep: [8, 20]}, hold: [diameter_mm], margin: {choice: [smooth]", "", "diameter_mm is swept and held"),
        ("sweep: [8, 20]}, hold: [location], margin: {choice: [smooth]", "", ""),
        (
            "uniform: [8, 20]}, location: {min_distance_mm: 40",
            "",
            "min_distance_mm of 'nodule' keeps it from nothing: it is planted first",
        ),
        ("uniform: [8, 20]}}, {diameter_mm: 9, location: {min_distance_mm: 40", "", ""),
        (
            "uniform: [8, 20]}, location: {min_distance_mm: 40}}, {diameter_mm: 9, location: {min_distance_mm: 40",
            "",
            "",
        ),
        ("uniform: [8, 20]}, radiomics: {Sphericity: 80", "", "Sphericity of 80: the nodules that the shipped model"),
        ("uniform: [8, 20]}, radiomics: {Sphericity: 0.8", "", ""),
    ],
)
def test_check_warns_of_values_that_mean_something_else_than_they_seem_to(check_says, nodule, expect, warning):
    told = check_says(
        "synnodtest: 1\nbehaviours:\n  - id: found\n    scenes:\n      backgrounds: {set: normal, count: 40}\n"
        f"      nodules: [{{diameter_mm: {{{nodule}}}}}]\n"
        f"    expect:\n      - sensitivity: {{at_least: 0.5, {expect}}}\n"
    )
    assert told.count("WARNING") == bool(warning)
    assert warning in told


@pytest.mark.parametrize(
    ("named", "scenes", "told"),
    [
        ("synthesizers: [gaussian]", SCENES, ""),
        ("synthesizers: [gausian]", SCENES, "the synthesizer 'gausian'\n  hint: did you mean 'gaussian'?"),
        ("tags: [x]", "fuzz: {vary: {diameter_mm: [9, 20]}, search_with: gauss}", "the synthesizer 'gauss'\n"),
    ],
)
def test_check_warns_of_a_synthesizer_that_is_not_there(check_says, named, scenes, told):
    kind = "detected: {rate_at_least: 0.5}" if "fuzz" in scenes else "sensitivity: {at_least: 0.5}"
    warned = check_says(
        f"synnodtest: 1\nbehaviours:\n  - id: found\n    {named}\n    {scenes}\n    expect:\n      - {kind}\n"
    )
    assert ("s.yaml:3: WARNING 'found': nothing is known as" in warned) is bool(told)
    assert told in warned


@pytest.mark.parametrize(
    ("most", "where", "warning"),
    [
        ("1.2", "", "at_most is 1.2 mm and the smallest nodule has 8: it cannot pass"),
        ("8", "", "at_most is 8 mm and the smallest nodule has 8: it cannot pass"),
        ("10", "", ""),
        ("20", "", ""),
        ("30", "", "at_most is 30 mm and the largest nodule has 20: it asks for no more than at_most: 20"),
        ("10", ", where: {diameter_mm: {at_least: 10}}", "the smallest nodule has 10: it cannot pass"),
    ],
)
def test_check_warns_of_a_size_outside_of_what_is_planted(check_says, most, where, warning):
    told = check_says(
        "synnodtest: 1\nbehaviours:\n  - id: found\n    scenes:\n      backgrounds: {set: normal, count: 40}\n"
        "      nodules: [{diameter_mm: {sweep: [8, 10, 12, 16, 20]}}]\n"
        f"    expect:\n      - size_at_sensitivity: {{at_most: {most}{where}}}\n"
    )
    assert told.count("WARNING") == bool(warning)
    assert warning in told


@pytest.mark.parametrize(
    ("asked", "over", "warned"),
    [
        ("vary: {diameter_mm: [12, 40]}, fixed: {contrast: 1.0}", "contrast", "contrast of 1 grows to 1 at most"),
        ("vary: {contrast: [0.1, 0.8]}", "contrast", "at 1 all; search up to 0.667"),
        ("vary: {contrast: [0.1, 0.6]}", "contrast", ""),
        ("vary: {diameter_mm: [12, 40]}", "contrast", ""),
        ("vary: {diameter_mm: [12, 40]}", "diameter_mm", ""),
        ("vary: {diameter_mm: [12, 90]}", "diameter_mm", "diameter_mm of 90 grows to 100 at most"),
    ],
)
def test_check_warns_of_a_search_that_grows_what_cannot_grow(check_says, asked, over, warned):
    told = check_says(
        f"synnodtest: 1\nbehaviours:\n  - id: found\n    fuzz: {{{asked}}}\n    expect:\n"
        f"      - no_reversal: {{over: {over}, max_drop: 0.1}}\n"
    )
    assert ("s.yaml:6: WARNING 'found': no_reversal: " in told) is bool(warned)
    assert warned in told


def test_check_warns_of_a_search_whose_margin_no_score_can_exceed(check_says):
    said = check_says(
        "synnodtest: 1\nbehaviours:\n  - id: found\n    fuzz:\n      vary: {diameter_mm: [9, 20]}\n    expect:\n"
        "      - detected: {rate_at_least: 0.5}\n      - invariant: {under: {blur: 1}, margin: 1}\n"
    )
    told = "invariant: rates and scores of 0 to 1 differ by less than the margin, 1"
    assert said.count(told) == 1


@pytest.mark.parametrize("claim", ["invariant: {under: {blur: 1}, margin: 0.1, %s}", "detected: {%s}"])
def test_check_warns_of_a_search_that_hardly_any_replicate_must_survive(check_says, claim):
    said = check_says(
        "synnodtest: 1\nbehaviours:\n  - id: found\n    fuzz:\n      vary: {diameter_mm: [9, 20]}\n    expect:\n"
        f"      - {claim % 'rate_at_least: 0.001'}\n"
    )
    assert said.count("rate_at_least is 0.001, next to 0: next to no detector can fail it") == 1


@pytest.mark.parametrize(
    ("expect", "warned"),
    [
        ("specificity: {at_least: 0.5}", True),
        ("false_positives_per_image: {at_most: 1.0}", True),
        ("sensitivity: {at_most: 0.3}", True),
        ("specificity: {at_most: 0.5}", False),
        ("froc: {at_least: 0.5}", False),
    ],
)
def test_check_warns_of_a_behaviour_that_silence_passes(check_says, expect, warned):
    said = check_says(SPEC.split("    expect:")[0] + f"    expect:\n      - {expect}\n")
    assert ("s.yaml:3: WARNING a detector that reports nothing at all passes 'found'" in said) is warned


@pytest.fixture
def compared(folder, monkeypatch, capsys, read_before):
    write_radiographs(folder / "cxr")
    shutil.copytree(read_before, folder / ".synnodtest")
    (folder / "detectors_of_commands.py").write_text(DETECTORS)
    (folder / "s.yaml").write_text(SPEC)
    monkeypatch.syspath_prepend(str(folder))
    words = ["s.yaml", "--backgrounds", "cxr", "--synthesizer", "gaussian"]

    def run(a, b, *more):
        named = [f"detectors_of_commands:{name}" if "." not in name else name for name in (a, b)]
        code = main(["compare", *named, *words, *more])
        return code, capsys.readouterr().out

    return run


def test_two_detectors_meet_identical_scenes_and_a_limit_fails_the_command(compared, folder):
    code, printed = compared("bright", "silent", "--compare-fail", "sensitivity:-0.03", "--json", "made.json")
    assert code == 1
    assert "found::sensitivity: PASSED -> FAILED" in printed
    assert "--compare-fail sensitivity:-0.03: difference -1.000" in printed
    rows = {d["metric"]: d for d in json.loads((folder / "made.json").read_text())["differences"] if not d["behaviour"]}
    assert (rows["sensitivity"]["n"], rows["sensitivity"]["clusters"]) == (16, 16)
    assert compared("bright", "bright", "--compare-fail", "sensitivity:-0.03")[0] == 0


def test_what_breaks_is_told_and_is_no_success(compared):
    code, printed = compared("silent", "broken")
    assert code == 1
    assert "found::sensitivity: FAILED -> ERROR" in printed
    assert "ERROR detectors_of_commands:broken: 1 expectation:" in printed
    assert "16 scenes are not in both" in printed


@pytest.mark.parametrize(("status", "code"), [("FAILED", 0), ("INCONCLUSIVE", 0), ("INVALID", 1)])
@pytest.mark.parametrize("names", [("fine.json", "other.json"), ("other.json", "fine.json")])
def test_records_with_invalid_verdicts_compare_to_no_success(folder, capsys, names, status, code):
    one = {"id": "b", "statement": "s", "resolved": {}}
    for name, word in (("fine.json", "PASSED"), ("other.json", status)):
        items = [parts.expectation(id=f"s.yaml::b::{k}", status=word, error="the reason") for k in "ab"]
        (folder / name).write_text(json.dumps(parts.record(expectations=items, behaviours=[one])))
    assert main(["compare", *names]) == code
    assert ("INVALID other.json: 2 expectations: the reason" in capsys.readouterr().out) is bool(code)


def test_what_two_runs_on_file_make_no_use_of_is_said(folder, capsys):
    one = {"id": "b", "statement": "s", "resolved": {}}
    record = parts.record(expectations=[parts.expectation(id="s.yaml::b::a")], behaviours=[one])
    (folder / "one.json").write_text(json.dumps(record))
    assert main(["compare", "one.json", "one.json", "specs", "--limit", "3"]) == 0
    assert "whose scenes are as they are: specs, --limit not used" in capsys.readouterr().err
    assert main(["compare", "one.json", "one.json"]) == 0
    assert "not used" not in capsys.readouterr().err


def test_of_a_folder_of_runs_the_newest_is_compared_and_named(folder, capsys):
    one = {"id": "b", "statement": "s", "resolved": {}}
    for month, status in (("01", "PASSED"), ("02", "FAILED")):
        told = parts.run(id=month, started=f"2026-{month}-01T00:00:00+00:00")
        item = parts.expectation(id="s.yaml::b::a", status=status)
        results.write(parts.record(run=told, expectations=[item], behaviours=[one]), folder / "reports" / month)
    assert main(["compare", "reports/01", "reports"]) == 0
    printed = capsys.readouterr().out
    assert "s.yaml::b::a: PASSED -> FAILED" in printed
    assert str(Path("reports/02")) in printed
    assert main(["compare", "reports/02", "reports"]) == 1, "which no limit would notice"
    assert "A and B both come to the run" in capsys.readouterr().err


def test_the_plan_counts_what_is_finished_and_times_it_by_this_machine(compared, folder, capsys):
    compared("bright", "silent")
    words = ["--backgrounds", "cxr", "--synthesizer", "gaussian"]
    assert main(["plan", "s.yaml", *words, "--detector", "detectors_of_commands:bright"]) == 0
    assert "     16      16      0.0     16" in capsys.readouterr().out
    (folder / "s.yaml").write_text(SPEC.replace("diameter_mm: 16", "diameter_mm: 15"))
    assert main(["plan", "s.yaml", *words, "--detector", "detectors_of_commands:bright"]) == 0
    line = next(row for row in capsys.readouterr().out.splitlines() if row.endswith("found::sensitivity"))
    assert line.split()[:2] == ["16", "0"]
    assert line.split()[2] != "?"


def test_the_plan_says_how_many_backgrounds_are_needed_and_how_many_the_folder_holds(folder, capsys):
    write_radiographs(folder / "cxr")
    (folder / "s.yaml").write_text(SPEC.replace("count: 16", "count: 40").replace("at_least: 0.5", "at_least: 0.85"))
    assert main(["plan", "s.yaml", "--synthesizer", "gaussian", "--backgrounds", "cxr"]) == 0
    printed = capsys.readouterr().out
    assert "backgrounds for power 0.8; your folder holds 16\n" in printed
    assert "WARNING 40 backgrounds are asked for, and the folder holds 16: planned with 16\n" in printed
    assert main(["plan", "s.yaml", "--synthesizer", "gaussian", "--backgrounds", "cxr", "--limit", "6"]) == 0
    assert "WARNING 40 backgrounds are asked for, and the folder holds 16: planned with 6\n" in capsys.readouterr().out
    assert main(["plan", "s.yaml", "--synthesizer", "gaussian"]) == 0
    assert "your folder holds" not in capsys.readouterr().out


def test_the_plan_says_where_count_auto_asks_for_more_than_there_is(folder, capsys):
    write_radiographs(folder / "cxr")
    auto = SPEC.replace("count: 16}", "count: auto}").replace("    scenes:", "    sampling: {assume: 0.9}\n    scenes:")
    (folder / "s.yaml").write_text(auto.replace("at_least: 0.5", "at_least: 0.8"))
    assert main(["plan", "s.yaml", "--synthesizer", "gaussian", "--backgrounds", "cxr"]) == 0
    assert "backgrounds are asked for, and the folder holds 16" in capsys.readouterr().out


def test_the_plan_says_where_no_formula_serves_count_auto(folder, capsys):
    auto = SPEC.replace("count: 16}", "count: auto}").replace("    scenes:", "    sampling: {assume: 0.9}\n    scenes:")
    kept = auto[: auto.index("    expect:")]
    (folder / "s.yaml").write_text(
        f"{kept}    expect:\n      - invariant: {{metric: confidence, under: {{gamma: 1.1}}, margin: 0.1}}\n"
    )
    assert main(["plan", "s.yaml", "--synthesizer", "gaussian"]) == 0
    assert "count: auto took 30: no formula plans this" in capsys.readouterr().out


def test_init_takes_its_answers_from_options_and_counts_the_radiographs(folder, capsys):
    write_radiographs(folder / "cxr")
    assert main(["init", "mine", "--detector", "best.pt", "--backgrounds", "cxr"]) == 0
    settings = (folder / "mine" / "pytest.ini").read_text()
    assert "--detector best.pt" in settings
    assert f"--backgrounds={folder / 'cxr'}" in settings
    assert not (folder / "mine" / "my_detector.py").exists()
    spec = load_spec(folder / "mine" / "specs" / "nodules.yaml")
    assert {b.scenes.count for b in spec.behaviours} == {16}
    assert main(["init", "other", "--backgrounds", "nowhere"]) == 1
    assert "no folder with radiographs" in capsys.readouterr().err
    assert not (folder / "other").exists()


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("w/best.pt#nodule", "'{here}/w/best.pt#nodule'"),
        ("openvino:w/best.pt", "openvino:{here}/w/best.pt"),
        ("dets.py:bright", "{here}/dets.py:bright"),
        ("mine/inside.pt", "inside.pt"),
        ("dets:bright", "dets:bright"),
        ("http://host/predict", "http://host/predict"),
        ("command:python dets.py {in} {out}", "'command:python dets.py {{in}} {{out}}'"),
    ],
)
def test_init_names_a_detector_s_file_so_that_the_project_finds_it(folder, given, written):
    (folder / "w").mkdir()
    (folder / "mine").mkdir()
    for name in ("w/best.pt", "dets.py", "mine/inside.pt"):
        (folder / name).touch()
    assert main(["init", "mine", "--detector", given]) == 0
    settings = (folder / "mine" / "pytest.ini").read_text()
    assert f"--detector {written.format(here=folder)} --synthesizer" in settings


def test_init_says_what_it_could_not_ask_and_leaves_the_ledger_to_git(folder, capsys):
    assert main(["init", "mine", "--detector", "best.pt"]) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("not asked")]
    assert len(told) == 1
    assert "--backgrounds" in told[0]
    assert "ledger" not in (folder / "mine" / ".gitignore").read_text()


def test_init_asks_two_questions_at_a_terminal(folder, monkeypatch):
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "")
    assert main(["init", "mine"]) == 0
    assert len(asked) == 2
    assert "--detector my_detector:factory" in (folder / "mine" / "pytest.ini").read_text()


def test_the_starter_s_detector_answers_as_a_detector_must(folder, monkeypatch):
    assert main(["init", "mine"]) == 0
    monkeypatch.syspath_prepend(str(folder / "mine"))
    detect = __import__("my_detector").factory()
    pixels = np.full((200, 200), 0.3, np.float32)
    pixels[95:105, 95:105] = 0.8
    (found,) = detect([Radiograph(pixels, (1.0, 1.0))])
    x0, y0, x1, y1 = found[0].box
    assert (x0 < 100 < x1, y0 < 100 < y1) == (True, True)
    assert 0 < found[0].score <= 1
    pixels[:3, :3] = 0.9
    (at_the_edge,) = detect([Radiograph(pixels, (1.0, 1.0))])
    assert all(0 <= f.box[0] < f.box[2] <= 200 and 0 <= f.box[1] < f.box[3] <= 200 for f in at_the_edge)


@pytest.mark.parametrize(
    "words",
    [
        ["compare", "detectors_of_slips:bright", "detectors_of_slips:brite"],
        ["plan", "--detector", "detectors_of_slips:brite"],
    ],
)
def test_a_misspelt_detector_is_told_before_anything_is_computed(folder, capsys, words):
    (folder / "detectors_of_slips.py").write_text(DETECTORS)
    assert main([*words, "--synthesizer", "gaussian"]) == 1
    told = capsys.readouterr()
    assert "'detectors_of_slips' has no 'brite'" in told.err
    assert told.out == ""
    assert not (folder / ".synnodtest").exists()


def test_an_argument_that_a_command_does_not_know_is_answered_with_the_usage_of_that_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["history", "reports"])
    assert ended.value.code == 2
    assert "usage: synnodtest history [-h] [--reports DIR]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        "evaluate detector --detector demo --out",
        "evaluate synthesizer --out",
        "evaluate reference --data x --out",
        "history --out",
        "compare a b --json",
        "pccp check --protocol p --old a --new b --json",
        "pccp check --protocol p --old a --new b --out",
    ],
)
def test_a_folder_in_the_place_of_the_file_to_write_is_refused_before_hours_of_work(capsys, tmp_path, words):
    with pytest.raises(SystemExit) as ended:
        main([*words.split(), str(tmp_path)])
    assert ended.value.code == 2
    assert f"{tmp_path} is a folder: name a file in it" in capsys.readouterr().err


def test_answers_of_readers_are_not_judged_where_a_study_is_asked_for_too(capsys):
    assert main(["evaluate", "realism", "--answers", "a.json", "--key", "key.json", "--out", "x"]) == 1
    assert "--answers beside --out" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["check", "expand", "freeze"])
def test_a_folder_of_backgrounds_that_is_not_there_is_refused(capsys, command):
    with pytest.raises(SystemExit):
        main([command, "specs/size.yaml", "--backgrounds", "nowhere"])
    assert "--backgrounds: nowhere: no such folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("evaluate detector --detector demo", "interrupted\n"),
        ("evaluate transfer --detector demo --data x --backgrounds y", "interrupted; finished work is kept\n"),
        ("train segmenter --out x", "interrupted; finished work is kept\n"),
    ],
)
def test_only_a_command_that_keeps_finished_work_says_so_when_it_is_interrupted(capsys, monkeypatch, words, told):
    def interrupted(options):
        raise KeyboardInterrupt

    for name in ("evaluate._detector", "transfer._transfer", "train._segmenter"):
        monkeypatch.setattr(f"synnodtest.commands.{name}", interrupted)
    assert main(words.split()) == 130
    assert capsys.readouterr().err == told


def test_a_time_limit_interrupts_a_command_as_ctrl_c_does(capsys, monkeypatch):
    def terminated(options):
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("synnodtest.commands.evaluate._detector", terminated)
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        assert main(["evaluate", "detector", "--detector", "demo"]) == 130
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("limit", ["0", "-3", "x"])
@pytest.mark.parametrize(
    "words",
    [
        *(["plan", "--limit"], ["demo", "--limit"], ["history", "--last"], ["regions", "--out=r.png", "--among"]),
        ["studio", "--max-upload-mb"],
    ],
    ids=lambda words: words[0],
)
def test_a_limit_below_one_is_refused(capsys, words, limit):
    with pytest.raises(SystemExit):
        main([*words[:-1], f"{words[-1]}={limit}"])
    assert f"{limit} is not a whole number of 1 or more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--minutes=nan", "nan is not a number of 0 or more"),
        ("--minutes=-1", "-1 is not a number of 0 or more"),
        ("--learning-rate=inf", "inf is not a number of 0 or more"),
        ("--blend=1.5", "1.5 is not a number of 0 to 1"),
    ],
)
def test_a_training_of_no_length_or_rate_is_refused(capsys, option, told):
    with pytest.raises(SystemExit):
        main(["train", "detector", option])
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["expand"], "spec file\n"),
        (["check"], "(default: specs)"),
        (["freeze"], "(default: specs)"),
        (["data", "check"], "[--from {node21,"),
    ],
)
def test_help_says_what_a_command_takes(words, told, capsys):
    with pytest.raises(SystemExit):
        main([*words, "--help"])
    assert told in capsys.readouterr().out


def test_the_demo_does_not_leave_out_a_file_of_waivers_that_is_not_there(folder, monkeypatch):
    given = []
    monkeypatch.setattr(pytest, "main", lambda words, plugins: given.extend(words) or pytest.ExitCode.USAGE_ERROR)
    main(["demo", "--waivers", "nosuch.yaml"])
    assert given[given.index("--synnod-waivers") + 1] == "nosuch.yaml"
    given.clear()
    main(["demo"])
    assert "--synnod-waivers" not in given


def test_figures_go_into_a_folder_that_is_not_there_yet(tmp_path, capsys):
    out = tmp_path / "new" / "figures.json"
    tell({"auc": 0.75}, out)
    assert json.loads(out.read_text()) == json.loads(capsys.readouterr().out) == {"auc": 0.75}


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("my_own_checks:judge", 0, "0 errors"),
        ("my_own_checks:jugde", 1, "a.yaml:9: check 'my_own_checks:jugde': 'my_own_checks' has no 'jugde'"),
        ("my_own_checks:AT_MOST", 1, "a.yaml:9: check 'my_own_checks:AT_MOST': 'AT_MOST' is int, not a factory"),
        ("no_such_checks:judge", 0, "a.yaml:9: WARNING check 'no_such_checks:judge': no module named 'no_such_checks'"),
    ],
)
def test_check_says_where_a_module_has_no_such_function_and_warns_of_what_it_cannot_import(
    tmp_path, monkeypatch, capsys, name, code, told
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_own_checks.py").write_text("def judge(evidence):\n    return True\n\n\nAT_MOST = 3\n")
    (tmp_path / "a.yaml").write_text(SPEC.replace("sensitivity: {at_least: 0.5}", f"python: {name}"))
    assert main(["check", "a.yaml"]) == code
    printed = capsys.readouterr()
    assert told in printed.out + printed.err
    assert f"{code} error" in printed.out
    assert not code or "it has judge" in printed.err or "AT_MOST" in name
