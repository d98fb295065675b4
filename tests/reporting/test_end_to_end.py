"""A frozen spec, a run, its report: integrity, section 8 from the parquet file alone, and the printed commands."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from synnodtest.cli import main
from synnodtest.reporting import ledger
from tests.pytest_plugin.conftest import DETECTORS, SPEC, write_radiographs

pandas = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")

PAIRED = """\
  - id: companion
    statement: A second nodule does not hide the first.
    gate: safety
    hazard: [HAZ-2]
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules:
        - {name: index, diameter_mm: {uniform: [10, 16]}, contrast: 0.5, location: {region: lung}}
        - {name: companion, diameter_mm: 14, contrast: 0.5, location: {region: lung, min_distance_mm: 30}}
      arms:
        single: {nodules: [index]}
        double: {nodules: [index, companion]}
    expect:
      - non_inferior: {metric: sensitivity, of: index, arm: double, reference: single, margin: 0.1}
"""
SHAKY = '''

def shaky():
    """Misses at random, raises false alarms at random, both by the pixels."""
    inner = honest()

    def detect(radiographs):
        found = []
        for radiograph, findings in zip(radiographs, inner(radiographs), strict=True):
            rng = np.random.default_rng(int(np.abs(radiograph.pixels).sum() * 1e4) % 2**32)
            mine = [f for f in findings if rng.random() < 0.8]
            if rng.random() < 0.4:
                row, column = rng.uniform(30, 90, 2)
                mine.append(Finding(_box(radiograph, float(row), float(column)), float(rng.uniform(0.2, 0.6))))
            found.append(mine)
        return found

    return detect
'''


def git(root, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def pytest_in(root, *words):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    environment |= {"GITHUB_ACTIONS": "true"}
    options = ["--synthesizer", "gaussian", "--backgrounds", "cxr", "--detector", "dets:shaky", "-p", "no:randomly"]
    command = [sys.executable, "-m", "pytest", "specs", *options, "--synnod-conform", "off", *words]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=240).stdout


def newest(root):
    return max((root / "reports").iterdir(), key=lambda p: p.name)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project under git with a frozen spec, after one whole run."""
    root = tmp_path_factory.mktemp("project")
    write_radiographs(root / "cxr")
    (root / "specs").mkdir()
    (root / "specs" / "small.yaml").write_text(SPEC + PAIRED)
    (root / "dets.py").write_text(DETECTORS + SHAKY)
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / "requirements.csv").write_text("id,title\nSRS-1,Size\nSRS-2,Unloved\n")
    (root / ".gitignore").write_text("__pycache__/\n.pytest_cache/\n")
    git(root, "init", "-q")
    freeze = [sys.executable, "-c", "from synnodtest.cli import main; raise SystemExit(main(['freeze']))"]
    subprocess.run(freeze, cwd=root, check=True, capture_output=True)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "frozen")
    ledger.begin(root / ledger.FILE_NAME, "killed-before", specs=[_spec_sha(root)], seed=3)
    (root / ".git" / "said.txt").write_text(pytest_in(root, "--junitxml", ".git/junit.xml"))
    return root


def _spec_sha(root):
    return next(iter(json.loads((root / "synnodtest.lock").read_text())["specs"].values()))["sha256"]


@pytest.fixture(scope="module")
def run(project):
    return newest(project)


@pytest.fixture(scope="module")
def data(run):
    return json.loads((run / "results.json").read_text())


@pytest.fixture(scope="module")
def table(run):
    return pandas.read_parquet(run / "results.parquet")


@pytest.fixture(scope="module")
def article(run):
    """Return the text of an expectation's article in section 8."""
    page = (run / "report.html").read_text()

    def find(node):
        parts = re.findall(r'<article id="e\d+".*?</article>', page, re.S)
        whole = next(p for p in parts if f"<bdi>{node}</bdi>" in p)
        return " ".join(re.sub(r"<[^>]+>", " ", whole).split())

    return find


def of_kind(data, kind):
    return next(e for e in data["expectations"] if e["kind"] == kind)


def rows(table, expectation):
    return table[(table.expectation == expectation["id"]) & table.accepted]


def holds(expectation, article, value, lower, upper, component=0):
    """The record says what was recomputed, and section 8 prints it."""
    part = expectation["ruling"]["components"][component]
    assert part["value"] == pytest.approx(value, abs=1e-9)
    assert part["lower"] == pytest.approx(lower, abs=2e-6)
    assert part["upper"] == pytest.approx(upper, abs=2e-6)
    digits = 3 if max(abs(value), abs(lower), abs(upper)) < 0.1 else 2
    shown = [f"{v:.{digits}f}".replace("-", "\N{MINUS SIGN}") for v in (lower, upper)]
    told = article(expectation["id"])
    assert re.search(rf"\+?{re.escape(shown[0])} to \+?{re.escape(shown[1])}", told), (shown, told)
    assert f"{abs(value):.{digits}f}" in told


def clopper_pearson(x, n):
    exact = stats.binomtest(int(x), int(n)).proportion_ci(0.90, "exact")
    return x / n, exact.low, exact.high


def test_a_frozen_spec_in_a_clean_tree_makes_a_confirmatory_run_and_the_ledger_shows_the_aborted_one(data, run):
    assert data["run"]["exploratory_reasons"] == []
    assert data["run"]["confirmatory"] is True
    assert [(r["run"], r["status"]) for r in data["ledger"]] == [
        ("killed-before", "aborted"), (data["run"]["id"], "finished"),
    ]  # fmt: skip
    page = (run / "report.html").read_text()
    assert "killed-before" in page
    assert "No behaviour tests requirement SRS-2 Unloved." in page


def test_section_8_sensitivity_is_korn_graubard_of_the_parquet_rows(data, table, article):
    e = of_kind(data, "sensitivity")
    mine = rows(table, e)
    mine = mine[mine.requested_diameter_mm >= 9]
    hit = mine.confidence >= mine.operating_point
    x, n = hit.groupby(mine.cluster).sum().to_numpy(float), hit.groupby(mine.cluster).size().to_numpy(float)
    p, b, total = x.sum() / n.sum(), len(n), n.sum()
    assert 0 < p < 1
    v = b / (b - 1) * ((x - p * n) ** 2).sum() / total**2
    telling = min((x > 0).sum(), (x < n).sum())  # the guard: clusters in which the rarer outcome occurs
    t = stats.t.ppf(0.975, total - 1) / stats.t.ppf(0.975, telling - 1)
    m = max(b, min(total, p * (1 - p) / v * t**2))
    low, high = stats.beta.ppf(0.05, p * m, m - p * m + 1), stats.beta.ppf(0.95, p * m + 1, m - p * m)
    holds(e, article, p, low, high)


def student(values):
    half = stats.t.ppf(0.95, len(values) - 1) * stats.sem(values)
    return values.mean() - half, values.mean() + half


def hall(values):
    """Hall 1992: find the means whose cubic-transformed t statistic is the quantile, by root finding."""
    n, g, error = len(values), stats.skew(values, bias=False), stats.sem(values)
    t = stats.t.ppf(0.95, n - 1)

    def transformed(mean):
        w = (values.mean() - mean) / error / np.sqrt(n)
        return np.sqrt(n) * (w + g * w**2 / 3 + g**2 * w**3 / 27 + g / (6 * n))

    return tuple(optimize.brentq(lambda m, q=q: transformed(m) - q, -20, 20) for q in (t, -t))


def test_section_8_monotone_is_the_widest_guarded_interval_of_each_background_s_spearman(data, table, article):
    e = of_kind(data, "monotone")
    rho = [
        stats.spearmanr(g.requested_diameter_mm, g.confidence).statistic for _, g in rows(table, e).groupby("cluster")
    ]
    rho = np.nan_to_num(rho)
    wide = [student(rho), student(np.append(rho, 0.0)), hall(rho)]
    upper = [wide[0][1], student(np.append(rho, rho.mean()))[1], wide[2][1]]
    holds(e, article, rho.mean(), max(-1, min(low for low, _ in wide)), min(1, max(upper)))
    curve = rows(table, e).groupby("requested_diameter_mm").confidence.mean().to_numpy()
    assert e["ruling"]["components"][1]["value"] == pytest.approx(np.max(np.maximum.accumulate(curve) - curve))


def test_section_8_false_positives_are_poisson_exact(data, table, article):
    e = of_kind(data, "false_positives_per_image")
    mine = rows(table, e)
    counts = np.array(
        [np.sum(np.asarray(s) >= p) for s, p in zip(mine.finding_scores, mine.operating_point, strict=True)]
    )
    events, n = int(counts.sum()), len(counts)
    assert events
    assert counts.var(ddof=1) / counts.mean() <= 1.25
    low, high = stats.chi2.ppf(0.05, 2 * events) / 2 / n, stats.chi2.ppf(0.95, 2 * events + 2) / 2 / n
    holds(e, article, events / n, low, high)


def test_section_8_no_detection_counts_findings_by_the_regions_of_the_parquet_rows(data, table, article):
    e = of_kind(data, "no_detection")
    mine = rows(table, e)
    fires = {True: [], False: []}
    for _, row in mine.iterrows():
        above = np.asarray(row.finding_scores) >= row.operating_point
        inside = ["air_leak" in set(regions) for regions in row.finding_regions]
        fires[row.arm.startswith("@")].append(any(a and i for a, i in zip(above, inside, strict=True)))
    holds(e, article, *clopper_pearson(sum(fires[False]), len(fires[False])))
    outside = mine[mine.arm.str.startswith("@")]
    hits = int((outside.confidence >= outside.operating_point).sum())
    holds(e, article, *clopper_pearson(hits, len(outside)), component=1)


def test_section_8_paired_difference_is_tango_of_the_parquet_rows(data, table, article):
    e = of_kind(data, "non_inferior")
    mine = rows(table, e)
    mine = mine[mine.nodule == "index"].assign(hit=lambda t: t.confidence >= t.operating_point)
    wide = mine.pivot(index="background", columns="arm", values="hit")
    b, c, n = int((wide.double & ~wide.single).sum()), int((~wide.double & wide.single).sum()), len(wide)

    def z(delta):  # Tango 1998: score statistic of the paired difference, nuisance at its restricted maximum
        second = -b - c + (2 * n - b + c) * delta
        q = (np.sqrt(second**2 + 8 * n * c * delta * (1 - delta)) - second) / (4 * n)
        return (b - c - n * delta) / np.sqrt(n * (2 * q + delta * (1 - delta)))

    u = stats.norm.ppf(0.95)
    low = optimize.brentq(lambda d: z(d) - u, -1 + 1e-9, (b - c) / n - 1e-9)
    high = optimize.brentq(lambda d: z(d) + u, (b - c) / n + 1e-9, 1 - 1e-9)
    holds(e, article, (b - c) / n, low, high)


@pytest.mark.parametrize(
    "name", ["results.json", "results.parquet", "inputs/specs/small.yaml", "inputs/synnodtest.lock", "report.html",
             "inputs/requirements.csv", "evidence"],
)  # fmt: skip
def test_one_flipped_byte_is_named_by_verify(run, tmp_path, capsys, name):
    copy = shutil.copytree(run, tmp_path / "run")
    assert main(["verify", str(copy)]) == 0
    path = next((copy / "evidence").iterdir()) if name == "evidence" else copy / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert main(["verify", str(copy)]) == 1
    assert path.relative_to(copy).as_posix() in capsys.readouterr().err


def test_the_report_is_not_drawn_again_over_a_changed_record(run, tmp_path, capsys):
    copy = shutil.copytree(run, tmp_path / "run")
    before = (copy / "report.html").read_bytes()
    assert main(["report", str(copy)]) == 0
    assert (copy / "report.html").read_bytes() == before
    (copy / "results.json").write_bytes((copy / "results.json").read_bytes().replace(b"larger", b"Larger"))
    assert main(["report", str(copy)]) == 1
    assert "results.json: differs" in capsys.readouterr().err


def test_a_printed_replay_command_makes_the_scene_again(project, run, monkeypatch, capsys):
    page = (run / "report.html").read_text()
    command = re.search(r'class="replay">synnodtest ([^<]+)<', page)[1]
    monkeypatch.chdir(project)
    monkeypatch.syspath_prepend(str(project))
    assert main(shlex.split(command)) == 0
    said = capsys.readouterr().out
    assert "pixels     as recorded" in said
    assert "findings   as recorded" in said
    (folder,) = (project / "replay").iterdir()
    assert {p.name for p in folder.iterdir()} == {"background.png", "synthetic.png", "difference.png", "boxes.png"}
    shutil.rmtree(project / "replay")


def test_annotations_and_junit_name_line_requirement_verdict_and_estimate(project, data):
    import xml.etree.ElementTree as ET

    bad = [e for e in data["expectations"] if e["status"] != "PASSED"]
    said = (project / ".git" / "said.txt").read_text()
    lines = re.findall(r"^::(?:error|warning) file=specs/small\.yaml,line=(\d+),title=[^:]+::", said, re.M)
    assert sorted(map(int, lines)) == sorted(e["line"] for e in bad)
    text = (project / "specs" / "small.yaml").read_text().splitlines()
    assert all(f"{e['kind']}:" in text[e["line"] - 1] for e in bad)
    cases = ET.parse(project / ".git" / "junit.xml").getroot().iter("testcase")
    told = {c.get("name"): {p.get("name"): p.get("value") for p in c.iter("property")} for c in cases}
    mine = told["sensitivity"]
    assert (mine["synnodtest.requirement"], mine["synnodtest.hazard"]) == ("SRS-1", "HAZ-1")
    part = of_kind(data, "sensitivity")["ruling"]["components"][0]
    assert float(mine["synnodtest.estimate"]) == pytest.approx(part["value"], rel=1e-5)
    assert mine["synnodtest.verdict"] == of_kind(data, "sensitivity")["status"]


def test_a_margin_changed_after_freezing_and_a_selection_are_told(project, data):
    path = project / "specs" / "small.yaml"
    path.write_text(path.read_text().replace("at_least: 0.7}", "at_least: 0.3}"))
    git(project, "commit", "-q", "-a", "-m", "an easier margin")
    pytest_in(project, "-k", "size and sensitivity")
    second = json.loads((newest(project) / "results.json").read_text())
    assert second["run"]["confirmatory"] is False
    assert any("was changed after it was frozen" in r for r in second["run"]["exploratory_reasons"])
    assert any("4 of the 5 expectations" in r for r in second["run"]["exploratory_reasons"])
    assert [(d["planned"], d["actual"]) for d in second["deviations"]] == [(0.7, 0.3)]
    assert [e["status"] for e in second["expectations"]].count("NOT RUN") == 4
    page = (newest(project) / "report.html").read_text()
    assert "This run confirms nothing" in page
    assert "sensitivity.at_least" in page
    assert "changed after freezing" in page
