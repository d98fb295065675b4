"""The self-test: what kills a seeded fault, what kills without reason, and a detector that differs from itself."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from synnodtest import Finding, Identity
from synnodtest.cli import main
from synnodtest.commands.selftest import _page_name
from synnodtest.detectors.mutants import MUTANTS
from synnodtest.detectors.oracle import OracleDetector
from synnodtest.phantom import PhantomSet
from synnodtest.planning.variants import variants
from synnodtest.shell import selftest as selftest_of
from synnodtest.shell.check_values import check_values
from synnodtest.shell.selftest import Bench, cases_of, run_cases, selftest
from synnodtest.shell.violations import VIOLATED, violates
from synnodtest.spec import load_spec
from synnodtest.store import Store
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.engine.parts import Squares

ROOT = Path(__file__).parents[2]
SPEC = """
synnodtest: 1
behaviours:
  - id: unmissable
    statement: A nodule is found.
    scenes: &scenes
      backgrounds: {set: squares, count: 12}
      nodules: [{diameter_mm: 16, contrast: 0.9, location: {region: lung}}]
    expect:
      - sensitivity: {at_least: 0.6}
      - localization: {id: sharp, metric: distance_mm, at_most: 4}
  - id: of-no-concern
    statement: No fault is listed as violating this.
    scenes: *scenes
    expect:
      - sensitivity: {at_least: 0.6}
"""


def run_selftest(detector, folder):
    path = folder / "s.yaml"
    path.write_text(SPEC)
    bench = Bench(lambda name, count: Squares(count), GaussianSynthesizer(), Store(folder / "store"))
    return selftest([load_spec(path)], detector, bench)


@pytest.fixture(scope="module")
def of_oracle(tmp_path_factory):
    return run_selftest(OracleDetector(), tmp_path_factory.mktemp("oracle"))


class Fickle:
    """Finds every planted nodule the first time it sees a radiograph, and nothing afterwards."""

    identity = Identity("fickle", "1")

    def __init__(self):
        self.seen = set()

    def detect(self, radiographs):
        found = []
        for radiograph in radiographs:
            key = radiograph.content_sha256()
            found.append([] if key in self.seen else [Finding(truth.box, 0.9) for truth in radiograph.nodules])
            self.seen.add(key)
        return found


def test_kills_are_told_apart_from_kills_without_a_reason(of_oracle):
    made = of_oracle
    assert set(made.statuses.values()) == {"PASSED"}
    kills = {kill.mutant: kill for kill in made.kills}
    assert set(kills) == set(MUTANTS)
    assert kills["always-silent"].killed_by == ("unmissable::sensitivity", "of-no-concern::sensitivity")
    assert kills["always-silent"].unjust == ("of-no-concern::sensitivity",)
    assert kills["always-silent"].withheld == ("unmissable::sharp",)
    assert kills["off-by-10mm"].killed_by == kills["off-by-10mm"].unjust == ("unmissable::sharp",)
    assert kills["keeps-only-top-1"].killed_by == ()
    assert not made.holds
    told = made.as_dict()
    assert told["kill_table"][2]["killed_by"] == "nothing"
    assert told["differing_verdicts"]["keeps-only-top-1"] == []
    assert told["differing_verdicts"]["always-silent"] == [
        "unmissable::sensitivity: PASSED -> FAILED",
        "unmissable::sharp: PASSED -> INCONCLUSIVE",
        "of-no-concern::sensitivity: PASSED -> FAILED",
    ]
    assert [row["verdicts_that_differ"] for row in told["kill_table"] if row["mutant"] == "always-silent"] == [3]


def test_a_detector_equals_itself_and_a_fickle_one_does_not(of_oracle, tmp_path, monkeypatch):
    assert all(row["holds"] for row in of_oracle.aa)
    monkeypatch.setattr(selftest_of, "MUTANTS", {"always-silent": MUTANTS["always-silent"]})
    assert not all(row["holds"] for row in run_selftest(Fickle(), tmp_path).aa)


def test_the_check_values_hold_and_one_wrong_digit_would_be_told(monkeypatch):
    assert all(row["holds"] for row in check_values())
    from synnodtest.shell import check_values as module

    statistics = module.statistics
    monkeypatch.setattr(statistics, "wilson", lambda *words, **more: statistics.clopper_pearson(*words, **more))
    assert [row["what"] for row in check_values() if not row["holds"]] == [
        "Wilson 81 of 263, lower",
        "Wilson 81 of 263, upper",
    ]


def shipped():
    for path in sorted((ROOT / "specs").glob("*.yaml")):
        for behaviour in load_spec(path).behaviours:
            for expectation in behaviour.expectations if behaviour.scenes is not None else ():
                yield from ((behaviour.id, expectation.id) for _ in variants(behaviour, expectation)[:1])


def test_every_violated_statement_is_one_of_the_shipped_specs():
    items = list(shipped())
    assert set(VIOLATED) == set(MUTANTS)
    for mutant, patterns in VIOLATED.items():
        assert any(violates(mutant, *item) for item in items), mutant
        for pattern in patterns:
            behaviour, expectation = pattern.split("::")
            fits = [b.startswith(behaviour.rstrip("*")) and e.startswith(expectation.rstrip("*")) for b, e in items]
            assert any(fits), pattern


class Merging:
    """Finds every planted nodule, but takes nodules whose centres lie within 30 mm for one."""

    identity = Identity("merging", "1")

    def __init__(self):
        self.apart = []

    def detect(self, radiographs):
        return [self.kept(radiograph) for radiograph in radiographs]

    def kept(self, radiograph):
        kept = []
        for truth in radiograph.nodules:
            centre = np.array([truth.box[0] + truth.box[2], truth.box[1] + truth.box[3]]) / 2
            away = [float(np.hypot(*((centre - other) * radiograph.spacing_mm[::-1]))) for other, _ in kept]
            self.apart += away
            kept += [(centre, Finding(truth.box, 0.9))] if all(mm > 30 for mm in away) else []
        return [finding for _, finding in kept]


def test_a_detector_that_takes_two_nodules_near_each_other_for_one_fails_the_shipped_specs(tmp_path):
    cases = [
        case for case in cases_of([load_spec(ROOT / "specs" / "core.yaml")]) if case.behaviour.id.startswith("nei")
    ]
    bench = Bench(
        lambda name, count: PhantomSet(name, count, 0, size=128), GaussianSynthesizer(), Store(tmp_path), limit=14
    )
    merging = Merging()
    verdicts = [run_cases(one, cases, bench).expectations for one in (OracleDetector(), merging)]
    assert [str(entry.status) for verdict in verdicts for entry in verdict.values()] == ["PASSED", "FAILED"]
    assert min(merging.apart) >= 14.5  # 16 between the places, and a pixel of 3 mm
    assert max(merging.apart) < 30


class Spoiled:
    """The oracle with one fault.

    Args:
        fault: Radiograph and the oracle's findings -> findings.
    """

    def __init__(self, fault):
        self.identity = Identity(fault.__name__, "1")
        self.fault = fault

    def detect(self, radiographs):
        return [self.fault(*both) for both in zip(radiographs, OracleDetector().detect(radiographs), strict=True)]


def blind_to_spicules(radiograph, findings):
    """Find nothing where any nodule has spicules."""
    return [] if any(n.requested.get("margin") == "spiculated" for n in radiograph.nodules) else findings


def flooding(radiograph, findings):
    """Mark twenty further places, below the nodule's score, wherever there is something to find."""
    places = np.random.default_rng(0).choice(np.argwhere(radiograph.lung_or_all), 20 if findings else 0).tolist()
    return [*findings, *(Finding((x, y, x + 1.0, y + 1.0), 0.3) for y, x in places)]


@pytest.mark.parametrize(
    ("fault", "behaviour"),
    [(blind_to_spicules, "spiculated-nodules-are-found"), (flooding, "no-alarms-beside-a-nodule")],
)
def test_faults_that_no_other_shipped_behaviour_tells(tmp_path, fault, behaviour):
    cases = [case for case in cases_of([load_spec(ROOT / "specs" / "core.yaml")]) if case.behaviour.id == behaviour]
    bench = Bench(
        lambda name, count: PhantomSet(name, count, 0, size=128), GaussianSynthesizer(), Store(tmp_path), limit=14
    )
    verdicts = [run_cases(one, cases, bench).expectations for one in (OracleDetector(), Spoiled(fault))]
    assert [str(entry.status) for verdict in verdicts for entry in verdict.values()] == ["PASSED", "FAILED"]


def table(name):
    """The kill table of a page in the documentation: mutant -> killed by, without reason, verdicts that differ."""
    rows = [line.strip("| ").split(" | ") for line in (ROOT / "docs" / name).read_text().splitlines()]
    return {row[0].strip("`"): row[2:] for row in rows if len(row) == 5 and row[0][0] == "`"}


def test_the_page_in_the_documentation_shows_every_mutant_killed_and_none_without_reason():
    killed = table("kill-table.md")
    assert set(killed) == set(MUTANTS)
    items = {f"`{b}::{e}`" for b, e in shipped()}
    for mutant, (by, unjust, differing) in killed.items():
        assert unjust == "none", mutant
        named = {re.sub(r"\[[^\]]*\]`$", "`", one) if one not in items else one for one in by.split(", ")}
        assert named <= items, mutant  # an expectation with `by` has an item for each group
        assert int(differing.split()[0]) >= len(by.split(", ")), mutant


def test_the_page_of_the_demo_detector_shows_that_its_verdicts_are_not_those_of_any_mutant():
    differing = table("kill-table-demo.md")
    assert len(differing) >= 11
    assert set(differing) <= set(MUTANTS)
    for mutant, (_, unjust, count) in differing.items():
        assert unjust == "none", mutant
        assert int(count.split()[0]) > 0, mutant


def test_the_command_keeps_its_findings_for_reports_and_says_what_does_not_hold(tmp_path, capsys, monkeypatch):
    spec = tmp_path / "one.yaml"
    spec.write_text(SPEC.split("  - id: of-no-concern")[0].replace("squares, count: 12", "normal, count: 6"))
    words = [
        "selftest",
        str(spec),
        "--size",
        "128",
        "--limit",
        "6",
        "--cache",
        str(tmp_path / "c"),
        "--out",
        str(tmp_path),
    ]
    monkeypatch.chdir(tmp_path)
    few = {name: MUTANTS[name] for name in ("always-silent", "keeps-only-top-1")}
    monkeypatch.setattr(selftest_of, "MUTANTS", few)
    assert main(words) == 1
    printed = capsys.readouterr().out
    store = re.match(r"scenes lie in (\S+) until this ends; remove it by hand if this is killed\n", printed)
    assert store
    assert not Path(store[1]).exists()
    assert "something does NOT hold" in printed
    assert "differ from those on the unmutated detector: NO, not those on" in printed
    found = json.loads((tmp_path / "c" / "selftest.json").read_text())
    assert found["base"] == "oracle"
    assert not found["holds"]
    assert np.all([row["holds"] for row in found["analytic"]])
    page = (tmp_path / "kill-table.md").read_text()
    assert "| `always-silent` |" in page
    assert "- `always-silent`: `unmissable::sensitivity: " in page
    assert [_page_name(text) for text in ("oracle", "demo", "mutant:random:demo")] == [
        "kill-table.md",
        "kill-table-demo.md",
        "kill-table-mutant-random-demo.md",
    ]
